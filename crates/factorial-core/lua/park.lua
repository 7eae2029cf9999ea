-- A worker puts a task aside that awaits answers.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 token  3 write  4 lease, ms  5 pending_child_tasks or pending_tool_results
-- Returns: parked | ready, then all waits (flat): nothing is awaited, go on | stale state | gone
-- Invariant: a task is parked only while something is open that will queue it.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "check_lease"
--- @include "close_waits"
--- @include "move_count"
local id, token, write, lease, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key = B .. K_TASK .. id
local outcome, t = check_lease(id, token, write, 'awaited', 'agent', 'turns', 'batch', 'interrupt')
if outcome == 'gone' then return { 'gone' } end
if outcome == 'stale' then return { 'stale', t[1] } end
if outcome == 'replayed' and t[1] ~= 'processing' then return { 'parked' } end
local now = clock()
redis.call('ZREM', B .. K_LEASE, id)
if t[9] then close_waits(id, 'interrupted', true, now) end
if t[9] or (t[5] or '0') == '0' then
  redis.call('ZADD', B .. K_LEASE, num(now + lease), id)
  redis.call('HSET', key, 'write', write)
  local reply = redis.call('HGETALL', key .. K_WAITS)
  table.insert(reply, 1, 'ready')
  return reply
end
redis.call('HDEL', key, 'worker', 'crashes')
redis.call('HSET', key, 'state', to, 'write', write)
redis.call('ZADD', B .. K_PENDING, num(now), id)
move_count(t[6], 'processing', to, t[8])
append_events(id, t[4], now, { (t[7] or '0') .. ' run_parked {"awaiting":' .. t[5] .. '}' })
return { 'parked' }
