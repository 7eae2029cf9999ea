-- Ends up to n tasks whose wall-clock limit has passed, in whatever state they are.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 failure (JSON)  3 data of the terminal event (JSON)  4 timeline config
-- Returns: ok ended, ms until the next deadline (-1: none)
-- Invariant: a task without a wall-clock limit is never touched.
--- @include "clock"
--- @include "num"
--- @include "ended"
--- @include "finish_task"
--- @include "tell_worker"
local n, failure, data, config = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local now, count = clock(), 0
local due = redis.call('ZRANGEBYSCORE', B .. K_DEADLINE, '-inf', num(now), 'LIMIT', 0, n)
for i = 1, #due do
  local t = read_task(due[i])
  if ended(t[1]) then
    redis.call('ZREM', B .. K_DEADLINE, due[i])
  else
    local worker = finish_task(due[i], t, 'failed', now, { 'failure', failure }, nil, 'run_failed', data, config)
    if worker then tell_worker(worker, 'cancel', due[i]) end
    count = count + 1
  end
end
local next = redis.call('ZRANGE', B .. K_DEADLINE, 0, 0, 'WITHSCORES')
return { 'ok', count, next[2] and num(math.max(0, next[2] - now)) or '-1' }
