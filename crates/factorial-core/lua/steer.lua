-- Accepts steering messages for a task that has not ended.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 '1' to interrupt the open model call, else ''  3 client id of this call  4 most messages waiting
--       5 most calls in the life of a task  6.. messages, entries of the conversation
-- Returns: accepted waiting, '1' if it woke a parked task | duplicate waiting | finished state | full waiting | exhausted | gone
-- Invariant: accepted messages are applied once, in order, or the task's end reports them.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "close_waits"
--- @include "push_all"
--- @include "tell_worker"
--- @include "unpark"
local id, interrupt, client, most, most_calls = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local key = B .. K_TASK .. id
local t = redis.call('HMGET', key, 'state', 'steering', 'worker', 'attempts', 'turns')
if not t[1] then return { 'gone' } end
local waiting = tonumber(t[2] or 0)
if redis.call('SISMEMBER', key .. K_SEEN, client) == 1 then return { 'duplicate', waiting } end
if t[1] == 'completed' or t[1] == 'failed' or t[1] == 'cancelled' then return { 'finished', t[1] } end
local count = #ARGV - 5
if waiting + count > most then return { 'full', waiting } end
if redis.call('SCARD', key .. K_SEEN) >= most_calls then return { 'exhausted' } end
push_all(key .. K_INBOX, ARGV, 6, #ARGV)
redis.call('SADD', key .. K_SEEN, client)
local now = clock()
-- Only for how long the first of them waits.
if waiting == 0 then redis.call('HSET', key, 'steered', num(now)) end
waiting = redis.call('HINCRBY', key, 'steering', count)
append_events(id, t[4] or '0', now, { (t[5] or '0') .. ' run_steering_accepted {"count":' .. count
  .. ',"mode":"' .. (interrupt == '1' and 'interrupt' or 'next_turn') .. '"}' })
if interrupt ~= '1' then return { 'accepted', waiting, '' } end
if t[1] == 'pending_child_tasks' or t[1] == 'pending_tool_results' then
  close_waits(id, 'interrupted', true, now)
  return { 'accepted', waiting, unpark(id, now) and '1' or '' }
end
-- For a worker that is about to park it.
redis.call('HSET', key, 'interrupt', '1')
if t[1] == 'processing' and t[3] then tell_worker(t[3], 'interrupt', id) end
return { 'accepted', waiting, '' }
