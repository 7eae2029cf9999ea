-- Tries a delivery again at once, as if its event had just happened.
-- KEYS: 1 base of the partition
-- ARGV: 1 delivery  2 owner that it must have, or ''
-- Returns: queued | gone
-- Invariant: it keeps its id, so its receiver can tell that it is the same.
--- @include "clock"
--- @include "num"
local delivery, owner = ARGV[1], ARGV[2]
local key = B .. K_DELIVERY .. delivery
local d = redis.call('HMGET', key, 'owner', 'attempts')
if not d[1] or (owner ~= '' and d[1] ~= owner) then return { 'gone' } end
local now = num(clock())
redis.call('HDEL', key, 'ended', 'state')
redis.call('PERSIST', key)
redis.call('HSET', key, 'since', now, 'base', d[2])
redis.call('ZADD', B .. K_OUTBOX, now, delivery)
redis.call('PUBLISH', B .. K_OUTBOX_CHANNEL, delivery)
return { 'queued' }
