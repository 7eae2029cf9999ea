-- Switches a webhook of an owner off: its receiver wants no more.
-- KEYS: 1 base of the namespace
-- ARGV: 1 id  2 its owner
-- Returns: ok | gone
-- Invariant: as of add_webhook.
--- @include "owner_webhooks"
local id, owner = ARGV[1], ARGV[2]
local text = redis.call('HGET', B .. K_WEBHOOKS, id)
if not text then return { 'gone' } end
local state, rest = string.match(text, '^(%S+) (.*)$')
if state == 'on' then
  redis.call('HSET', B .. K_WEBHOOKS, id, 'off ' .. rest)
  changed(owner, (webhooks_of(owner)))
end
return { 'ok' }
