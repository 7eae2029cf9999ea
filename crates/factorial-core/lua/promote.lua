-- Queues up to n tasks that are due: scheduled ones and those in backoff.
-- KEYS: 1 base of the partition
-- ARGV: 1 n
-- Returns: ok promoted, ms until the next is due (-1: none)
-- Invariant: a task is in the delay index or in a queue, never in both.
--- @include "clock"
--- @include "num"
--- @include "requeue"
local n = tonumber(ARGV[1])
local now, promoted = clock(), 0
local due = redis.call('ZRANGEBYSCORE', B .. K_DELAY, '-inf', num(now), 'LIMIT', 0, n)
for i = 1, #due do
  local t = redis.call('HMGET', B .. K_TASK .. due[i], 'state', 'agent', 'owner', 'priority')
  if t[1] == 'scheduled' or t[1] == 'backoff' then
    requeue(due[i], t[1], t[2], t[3], t[4], now, now)
    promoted = promoted + 1
  else
    redis.call('ZREM', B .. K_DELAY, due[i])
  end
end
local next = redis.call('ZRANGE', B .. K_DELAY, 0, 0, 'WITHSCORES')
return { 'ok', promoted, next[2] and num(math.max(0, next[2] - now)) or '-1' }
