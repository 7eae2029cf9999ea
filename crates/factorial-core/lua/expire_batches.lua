-- Removes up to n batches that ended longer ago than their TTL.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 TTL, ms
-- Returns: ok removed, ms until the next expires (-1: none)
-- Invariant: no key outlives its batch.
--- @include "clock"
--- @include "num"
local n, ttl = tonumber(ARGV[1]), tonumber(ARGV[2])
local now, removed = clock(), 0
local done = B .. K_DONE .. 'batch'
local old = redis.call('ZRANGEBYSCORE', done, '-inf', num(now - ttl), 'LIMIT', 0, n)
for i = 1, #old do
  local id = old[i]
  local owner = redis.call('HGET', B .. K_BATCH .. id, 'owner')
  redis.call('ZREM', done, id)
  redis.call('ZREM', B .. K_BATCHES, id)
  if owner then redis.call('ZREM', B .. K_OWNER_BATCHES .. owner, id) end
  redis.call('UNLINK', B .. K_BATCH .. id, B .. K_BATCH .. id .. K_EVENTS, B .. K_BATCH .. id .. K_HOOK)
  removed = removed + 1
end
local next = redis.call('ZRANGE', done, 0, 0, 'WITHSCORES')
return { 'ok', removed, next[2] and num(math.max(0, next[2] + ttl - now)) or '-1' }
