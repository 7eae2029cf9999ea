-- An operator runs a failed or cancelled task again: it goes on from its last commit with its retries restored.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 timeline config  3 wall-clock limit, ms, or ''
-- Returns: ok | not_finished state | gone
-- Invariant: a completed task never runs again.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "metric"
--- @include "requeue"
--- @include "set_timer"
local id, config, limit = ARGV[1], ARGV[2], ARGV[3]
local key = B .. K_TASK .. id
local t = redis.call('HMGET', key, 'state', 'agent', 'owner', 'priority', 'attempts', 'turns', 'parent', 'batch')
if not t[1] then return { 'gone' } end
if t[1] ~= 'failed' and t[1] ~= 'cancelled' then return { 'not_finished', t[1] } end
local now = clock()
requeue(id, t[1], t[2], t[3], t[4], now, now)
redis.call('HDEL', key, 'finished', 'failure', 'reason', 'retries', 'crashes', 'deadline')
if limit ~= '' then
  redis.call('HSET', key, 'deadline', num(now + limit))
  set_timer(K_DEADLINE, id, now + limit)
end
if t[7] and redis.call('EXISTS', B .. K_TASK .. t[7]) == 1 then redis.call('SADD', B .. K_TASK .. t[7] .. K_CHILDREN, id) end
if t[8] then redis.call('HINCRBY', B .. K_BATCH .. t[8], t[1], -1) end
metric(t[2], now, config, { 'retried', 1 })
append_events(id, t[5] or '0', now, { 'task_retried', '{"by":"operator","after":"' .. t[1] .. '"}', t[6] or '0' })
return { 'ok' }
