-- A worker ends a task that it holds, with the last entries of the conversation in the same step.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 token  3 write  4 completed or failed  5 output entry or ''  6 failure (JSON) or ''
--       7 data of the terminal event (JSON)  8 timeline config  9 lease, ms  10 entries that the worker knows
--       11 output for the parent (JSON), or ''
--       12 number of entries, then they; number of fields and values, then they; number of events' parts, then they
-- Returns: finished | steered, then the steering messages taken: the run goes on | replayed state, then what came after the
--          entries | stale state | gone | diverged length
-- Invariant: a task ends once; an accepted steering message is applied or reported, never dropped.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "batch_progress"
--- @include "check_lease"
--- @include "finish_task"
--- @include "push_all"
--- @include "take_steering"
local id, token, write, to, output, failure, data = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local config, lease, known, answer = ARGV[8], ARGV[9], tonumber(ARGV[10]), ARGV[11]
local key = B .. K_TASK .. id
local entries = tonumber(ARGV[12])
local fields_at = 13 + entries
local events_at = fields_at + 1 + tonumber(ARGV[fields_at])

local outcome, t = check_lease(id, token, write, 'bytes', 'steering', 'turns', 'batch')
if outcome == 'gone' then return { 'gone' } end
if outcome == 'stale' then return { 'stale', t[1] } end
if outcome == 'replayed' then
  local after = redis.call('LRANGE', key .. K_LOG, known + entries, -1)
  table.insert(after, 1, 'replayed')
  table.insert(after, 2, t[1])
  return after
end
local length = redis.call('LLEN', key .. K_LOG)
if length ~= known then return { 'diverged', length } end

redis.call('ZREM', B .. K_LEASE, id)
local now = clock()
push_all(key .. K_LOG, ARGV, 13, fields_at - 1)
local bytes = tonumber(t[5] or 0) + #output
for i = 13, fields_at - 1 do bytes = bytes + #ARGV[i] end
local fields = { 'write', write, unpack(ARGV, fields_at + 1, events_at - 1) }
local events = { unpack(ARGV, events_at + 1, events_at + tonumber(ARGV[events_at])) }
local turns = t[7] or '0'
for i = 1, #fields, 2 do
  if fields[i] == 'turns' then turns = fields[i + 1] end
end

if to == 'completed' and t[6] and t[6] ~= '0' then
  local count, taken = take_steering(id)
  redis.call('ZADD', B .. K_LEASE, num(now + lease), id)
  redis.call('HSET', key, 'steering', '0', 'bytes', num(bytes - #output + taken), unpack(fields))
  events[#events + 1], events[#events + 2], events[#events + 3] = 'run_steering_applied', '{"count":' .. count .. '}', turns
  append_events(id, t[4], now, events)
  if t[8] then count_turns(t[8], t[7], fields, 1, #fields, now) end
  local reply = redis.call('LRANGE', key .. K_LOG, known + entries, -1)
  table.insert(reply, 1, 'steered')
  return reply
end
if output ~= '' then redis.call('RPUSH', key .. K_LOG, output) end
append_events(id, t[4], now, events)
fields[#fields + 1], fields[#fields + 2] = 'bytes', num(bytes)
if failure ~= '' then fields[#fields + 1], fields[#fields + 2] = 'failure', failure end
if t[8] then count_turns(t[8], t[7], fields, 1, #fields, now) end
finish_task(id, to, now, fields, to == 'completed' and 'run_completed' or 'run_failed', data, config, answer ~= '' and answer or nil)
return { 'finished' }
