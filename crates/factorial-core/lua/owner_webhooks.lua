-- Reads the webhooks of an owner.
-- KEYS: 1 base of the namespace
-- ARGV: 1 owner  2 version that all partitions know, or ''
-- Returns: ok version, then of each: id, its text (see segments.rs)
-- Invariant: an owner leaves the index of changes only when all partitions know its last version.
--- @include "owner_webhooks"
local owner, spread = ARGV[1], ARGV[2]
local ids, version = webhooks_of(owner)
local change = redis.call('HGET', B .. K_WEBHOOK_CHANGES, owner)
if version == '0' and change then version = change end
if change == spread then redis.call('HDEL', B .. K_WEBHOOK_CHANGES, owner) end
local reply = { 'ok', version }
for i = 1, #ids do
  local text = redis.call('HGET', B .. K_WEBHOOKS, ids[i])
  if text then reply[#reply + 1], reply[#reply + 2] = ids[i], text end
end
return reply
