-- An operator runs a failed or cancelled task again: it goes on from its last commit with its retries restored.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 timeline config  3 wall-clock limit, ms, or ''
-- Returns: ok | not_finished state | gone
-- Invariant: a completed task never runs again.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "count_in_batch"
--- @include "family"
--- @include "metric"
--- @include "push_all"
--- @include "requeue"
--- @include "roll_up"
--- @include "set_timer"
--- @include "usage_of"
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
if t[7] then join_family(t[7], id) end
-- A cascade that has not reached its children spares them from here on: not those that it had awaited.
if t[1] == 'cancelled' and redis.call('LPOS', B .. K_CASCADE, id) then
  local waits, orphans = redis.call('HVALS', key .. K_WAITS), {}
  for i = 1, #waits do
    local child = string.match(waits[i], '^= child closed %S+ %S+ (%S+)')
    if child and redis.call('SISMEMBER', key .. K_CHILDREN, child) == 1 then orphans[#orphans + 1] = child end
  end
  push_all(B .. K_ORPHANS, orphans, 1, #orphans)
  redis.call('PUBLISH', B .. K_DUE_CHANNEL, num(now))
end
if t[7] or t[8] then
  -- What it spent is added again, with what it spends from here on, when it ends again.
  local spent = usage_of(id)
  roll_up(t[7], spent, -1)
  if t[8] then count_in_batch(t[8], t[6] or 0, spent, -1, now) end
end
metric(t[2], now, config, { 'retried', 1 })
append_events(id, t[5] or '0', now, { (t[6] or '0') .. ' task_retried {"by":"operator","after":"' .. t[1] .. '"}' })
return { 'ok' }
