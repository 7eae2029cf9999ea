-- Workers end tasks that they hold, each with the last entries of its conversation in the same step.
-- KEYS: 1 base of the partition
-- ARGV: 1 timeline config  then of each task the number of its arguments, and they:
--       1 id  2 token  3 write  4 completed or failed  5 output entry or ''  6 failure (JSON) or ''
--       7 data of the terminal event (JSON)  8 lease, ms  9 output for the parent (JSON), or ''
--       10 agent, 11 attempts and 12 first start of a task that has neither parent nor batch nor wall-clock limit nor
--       webhook nor an earlier failure, else ''  13 entries that the worker knows  14 what the reply has spent (see
--       spend), or ''  15 number of entries, then they; number of fields and values, then they; number of events
--       (`<turn> <type> <data>`), then they
-- Returns: of each task: error message | finished | steered waited (ms), then the steering messages taken: the run goes on |
--          replayed state, then what came after the entries | stale state | gone | diverged length
-- Invariant: a task ends once; an accepted steering message is applied or reported, never dropped.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "attempt"
--- @include "batch_progress"
--- @include "check_lease"
--- @include "finish_task"
--- @include "push_known"
--- @include "spend"
--- @include "take_steering"
local config = ARGV[1]
local now = clock()
-- A removal as the first write, see leave_place.
redis.call('ZREM', B .. K_LEASE, '')

-- at: place of its first argument.
local function finish(at)
  local id, token, write, to, output, failure, data, lease, answer, agent, attempts, started, known, spent,
    entries = unpack(ARGV, at, at + 14)
  local key = B .. K_TASK .. id
  local fields_at = at + 15 + entries
  local events_at = fields_at + 1 + ARGV[fields_at]

  local t
  if agent == '' then
    t = read_task(id, 'token', 'write', 'bytes', 'i0')
  else
    -- What does not change while a worker holds the task need not be read.
    local r = redis.call('HMGET', key, 'state', 'token', 'write', 'bytes', 'steering', 'awaited', 'live', 'interrupt', 'i0',
      'turns')
    t = { r[1], agent, '', '', attempts, r[10], false, false, false, started, false, false, r[5], r[6], r[7], false, false, r[8],
      false, r[2], r[3], r[4], r[9] }
  end
  local outcome = judge(t[1], t[20], t[21], token, write)
  local inline = t[23] and 1 or 0
  if outcome == 'gone' then return { 'gone' } end
  if outcome == 'stale' then return { 'stale', t[1] } end
  if outcome == 'replayed' then
    local after = redis.call('LRANGE', key .. K_LOG, known + entries - inline, -1)
    table.insert(after, 1, 'replayed')
    table.insert(after, 2, t[1])
    return after
  end
  local goes_on = to == 'completed' and t[13] and t[13] ~= '0'
  local bytes = tonumber(t[22] or 0)
  for i = at + 15, fields_at - 1 do bytes = bytes + #ARGV[i] end
  local events = { unpack(ARGV, events_at + 1, events_at + ARGV[events_at]) }
  local fields = { 'write', write, unpack(ARGV, fields_at + 1, events_at - 1) }
  if output ~= '' and not goes_on then
    ARGV[fields_at], fields_at, bytes = output, fields_at + 1, bytes + #output
  end
  local length = push_known(key .. K_LOG, known - inline, at + 15, fields_at - 1)
  if length then return { 'diverged', length + inline } end
  spend(t[2], now, spent)
  if t[9] then count_turns(t[9], t[6], fields, 1, #fields, now) end

  if goes_on then
    redis.call('ZREM', B .. K_LEASE, id)
    redis.call('ZADD', B .. K_LEASE, num(now + lease), id)
    local count, taken, waited = take_steering(id, now)
    local turns = t[6] or '0'
    for i = 1, #fields, 2 do
      if fields[i] == 'turns' then turns = fields[i + 1] end
    end
    redis.call('HSET', key, 'steering', '0', 'bytes', num(bytes + taken), unpack(fields))
    events[#events + 1] = turns .. ' run_steering_applied {"count":' .. count .. '}'
    append_events(id, t[5], now, events)
    local reply = redis.call('LRANGE', key .. K_LOG, known + entries - inline, -1)
    table.insert(reply, 1, 'steered')
    table.insert(reply, 2, waited)
    return reply
  end
  fields[#fields + 1], fields[#fields + 2] = 'bytes', num(bytes)
  if failure ~= '' then fields[#fields + 1], fields[#fields + 2] = 'failure', failure end
  leave(B .. K_LEASE, id)
  t.left = true
  finish_task(id, t, to, now, fields, events, to == 'completed' and 'run_completed' or 'run_failed', data, config,
    answer ~= '' and answer or nil)
  return { 'finished' }
end

local replies, at = {}, 2
while ARGV[at] do
  replies[#replies + 1] = attempt(finish, at + 1)
  at = at + 1 + ARGV[at]
end
return replies
