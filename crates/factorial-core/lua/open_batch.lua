-- Opens a batch for so many members.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 owner  3 members  4 how long it may take to fill, ms  5 idempotency key hash or ''  6 its fingerprint
--       7 how long that is kept, ms  8 webhook (see segments.rs) or ''  9.. more fields of the batch, in pairs
-- Returns: opened | exists id | key_reused id
-- Invariant: a batch without members ends at once.
--- @include "clock"
--- @include "num"
--- @include "batch_progress"
--- @include "set_timer"
local id, owner, members, fill = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local idempotency, fingerprint, kept, hook = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local key = B .. K_BATCH .. id
if idempotency ~= '' then
  local seen = redis.call('GET', B .. K_IDEMPOTENCY .. idempotency)
  if seen then
    local print, first = string.match(seen, '^(%S+) (%S+)$')
    return { print == fingerprint and 'exists' or 'key_reused', first }
  end
end
if redis.call('EXISTS', key) == 1 then return { 'exists', id } end
local now = clock()
redis.call('HSET', key, 'state', 'filling', 'owner', owner, 'created', num(now), 'members', members, 'accepted', '0',
  unpack(ARGV, 9))
if hook ~= '' then
  redis.call('HSET', key, 'hook', '1')
  redis.call('SET', key .. K_HOOK, hook)
end
redis.call('ZADD', B .. K_BATCHES, 0, id)
redis.call('ZADD', B .. K_OWNER_BATCHES .. owner, 0, id)
if idempotency ~= '' then
  redis.call('SET', B .. K_IDEMPOTENCY .. idempotency, fingerprint .. ' ' .. id, 'PX', kept)
end
batch_event(id, now, 'batch_started', '{"members":' .. members .. '}')
if members == '0' then
  redis.call('HSET', key, 'state', 'running')
  batch_progress(id, now)
else
  set_timer(K_FILLING, id, now + fill)
end
return { 'opened' }
