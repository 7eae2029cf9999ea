-- Puts deliveries back that were handed out and not tried.
-- KEYS: 1 base of the partition
-- ARGV: of each: id, lease, ms until it is due again
-- Returns: ok how many
-- Invariant: one that somebody else has by now is left alone.
--- @include "clock"
--- @include "num"
local now, deferred = clock(), 0
redis.call('ZREM', B .. K_OUTBOX, '')
for i = 1, #ARGV, 3 do
  if redis.call('ZSCORE', B .. K_OUTBOX, ARGV[i]) == ARGV[i + 1] then
    redis.call('ZADD', B .. K_OUTBOX, num(now + ARGV[i + 2]), ARGV[i])
    deferred = deferred + 1
  end
end
return { 'ok', deferred }
