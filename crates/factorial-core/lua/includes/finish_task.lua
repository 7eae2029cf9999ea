--- @include "num"
--- @include "slot"
--- @include "leave_place"
--- @include "move_count"
--- @include "metric"
--- @include "append_events"
--- @include "close_waits"
--- @include "count_in_batch"
--- @include "notify_parent"
--- @include "roll_up"
--- @include "usage_of"
-- The one way to end a task: place, state, waits, parent, batch, terminal event, counters, timeline, and the index by
-- which it expires, in one step. The caller has checked that the task has not ended.
-- fields: more pairs for the task; event, data: the terminal event; config: see metric; output: JSON for the parent.
-- Returns the worker that held it, if it was running.
local function finish_task(id, to, now, fields, event, data, config, output)
  local key = B .. K_TASK .. id
  local t = redis.call('HMGET', key, 'state', 'agent', 'owner', 'priority', 'attempts', 'turns', 'parent', 'call',
    'batch', 'started', 'worker', 'deadline', 'steering', 'awaited')
  local from, agent, turns, failure = t[1], t[2], t[6] or '0', 'null'
  for i = 1, #fields, 2 do
    if fields[i] == 'turns' then turns = fields[i + 1] end
    if fields[i] == 'failure' then failure = fields[i + 1] end
  end
  leave_place(id, from, agent, t[3], t[4])
  redis.call('HDEL', key, 'worker', 'due', 'failure', 'interrupt')
  redis.call('HSET', key, 'state', to, 'finished', num(now), unpack(fields))
  redis.call('ZADD', B .. K_DONE .. to, num(now), id)
  if t[12] then redis.call('ZREM', B .. K_DEADLINE, id) end
  move_count(agent, from, to, t[9])
  local amounts = { to, 1 }
  if t[10] then
    amounts[3], amounts[4] = 'r' .. slot(now - t[10]), 1
  end
  metric(agent, now, config, amounts)
  local events = {}
  if t[13] and t[13] ~= '0' then
    -- Reported as failed, so an operator's retry must not apply them.
    redis.call('DEL', key .. K_INBOX)
    redis.call('HSET', key, 'steering', '0')
    events = { 'run_steering_failed', '{"pending":' .. t[13] .. '}', turns }
  end
  events[#events + 1], events[#events + 2], events[#events + 3] = event, data, turns
  append_events(id, t[5] or '0', now, events)
  -- The children of a cancelled task are cancelled by cascade, awaited or not.
  if t[14] and t[14] ~= '0' then close_waits(id, 'closed', to ~= 'cancelled', now) end
  if t[7] or t[9] then
    local spent = usage_of(id)
    roll_up(t[7], spent, 1)
    if t[9] then count_in_batch(t[9], turns, spent, 1, now) end
  end
  if t[7] then
    local answer = '{"task_id":"' .. id .. '","status":"' .. to .. '",'
    if to == 'completed' then answer = answer .. '"output":' .. (output or 'null') .. '}'
    elseif to == 'failed' then answer = answer .. '"failure":' .. failure .. '}'
    else answer = answer .. string.sub(data, 2) end
    notify_parent(t[7], t[8] or '', id, to, answer, now)
  end
  return from == 'processing' and t[11] or nil
end
