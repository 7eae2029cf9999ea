-- Adds a webhook of an owner. The same again is the same one, and is on again.
-- KEYS: 1 base of the namespace
-- ARGV: 1 id  2 owner  3 print: what tells it from others of the owner  4 most of an owner  5 definition (JSON)
-- Returns: added | exists id | full
-- Invariant: until all partitions know of a change, its owner is in the index of changes.
--- @include "owner_webhooks"
local id, owner, print, most, definition = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local ids = webhooks_of(owner)
for i = 1, #ids do
  local text = redis.call('HGET', B .. K_WEBHOOKS, ids[i])
  local state, known, rest = string.match(text or '', '^(%S+) (%S+) (.*)$')
  if known == print then
    if state ~= 'on' then redis.call('HSET', B .. K_WEBHOOKS, ids[i], 'on ' .. print .. ' ' .. rest) end
    changed(owner, ids)
    return { 'exists', ids[i] }
  end
end
if #ids >= most then return { 'full' } end
redis.call('HSET', B .. K_WEBHOOKS, id, 'on ' .. print .. ' ' .. definition)
ids[#ids + 1] = id
changed(owner, ids)
return { 'added' }
