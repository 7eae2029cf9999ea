-- Notes what came of a try to deliver.
-- KEYS: 1 base of the partition
-- ARGV: 1 delivery  2 lease  3 delivered, failed, gone (failed, and a webhook of a task or a batch is taken off) or again
--       4 what the receiver said, in a word or two  5 ms that it took  6 of `again`: ms until the next try
-- Returns: ok | stale
-- Invariant: a delivery ends once; a try that took longer than its lease counts only if it was a success.
--- @include "clock"
--- @include "num"
local delivery, lease, outcome, said, took, delay = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key = B .. K_DELIVERY .. delivery
local d = redis.call('HMGET', key, 'ended', 'unlisted', 'log', 'created')
local score = redis.call('ZSCORE', B .. K_OUTBOX, delivery)
if not d[4] or d[1] or (score ~= lease and outcome ~= 'delivered') then return { 'stale' } end
local now = clock()
redis.call('ZREM', B .. K_OUTBOX, delivery)
redis.call('HINCRBY', key, 'attempts', 1)
redis.call('HSET', key, 'said', said, 'took', took, 'tried', num(now))
if outcome == 'again' then
  redis.call('ZADD', B .. K_OUTBOX, num(now + delay), delivery)
  return { 'ok' }
end
if outcome == 'gone' then
  local subject, hook = string.match(delivery, '^([^.]+)%.%d+%.(.+)$')
  if hook == 'task' or hook == 'batch' then
    local owner = B .. ((hook == 'task') and K_TASK or K_BATCH) .. d[3]
    if redis.call('HDEL', owner, 'hook') == 1 then redis.call('UNLINK', owner .. K_HOOK) end
    -- A member keeps its mark: it leads to nothing.
  end
end
if d[2] then
  redis.call('UNLINK', key)
else
  redis.call('HSET', key, 'ended', num(now), 'state', outcome == 'delivered' and 'delivered' or 'failed')
  redis.call('EXPIRE', key, 259200)
end
return { 'ok' }
