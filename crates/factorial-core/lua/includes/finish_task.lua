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
--- @include "tally"
--- @include "usage_of"
-- What finish_task needs to know of a task, then what else is asked for, in this order.
local function read_task(id, ...)
  return redis.call('HMGET', B .. K_TASK .. id, 'state', 'agent', 'owner', 'priority', 'attempts', 'turns', 'parent', 'call',
    'batch', 'started', 'worker', 'deadline', 'steering', 'awaited', 'live', 'failure', 'due', 'interrupt', 'hook', ...)
end

-- The one way to end a task: place, state, waits, parent, batch, terminal event, counters, timeline, and the index by
-- which it expires, in one step. The caller has checked that the task has not ended.
-- t: what read_task says, `left` if it is out of its place already; fields: more pairs for the task;
-- events: what comes before the terminal event, if anything;
-- event, data: the terminal event; config: see metric; output: JSON for the parent.
-- Returns the worker that held it, if it was running.
local function finish_task(id, t, to, now, fields, events, event, data, config, output)
  local key = B .. K_TASK .. id
  local from, agent, turns, failure = t[1], t[2], t[6] or '0', 'null'
  for i = 1, #fields, 2 do
    if fields[i] == 'turns' then turns = fields[i + 1]
    elseif fields[i] == 'failure' then failure = fields[i + 1] end
  end
  if not t.left then leave_place(id, from, agent, t[3], t[4]) end
  if t[16] or t[17] or t[18] then redis.call('HDEL', key, 'failure', 'due', 'interrupt') end
  redis.call('HSET', key, 'state', to, 'finished', num(now), unpack(fields))
  join(B .. K_DONE .. to, num(now), id)
  if t[12] then redis.call('ZREM', B .. K_DEADLINE, id) end
  move_count(agent, from, to, t[9])
  local amounts = { to, 1 }
  if t[10] then
    amounts[3], amounts[4] = 'r' .. slot(now - t[10]), 1
  end
  metric(agent, now, config, amounts)
  events = events or {}
  if t[13] and t[13] ~= '0' then
    -- Reported as failed, so an operator's retry must not apply them.
    redis.call('DEL', key .. K_INBOX)
    redis.call('HSET', key, 'steering', '0')
    redis.call('HDEL', key, 'steered')
    events[#events + 1] = turns .. ' run_steering_failed {"pending":' .. t[13] .. '}'
  end
  events[#events + 1] = turns .. ' ' .. event .. ' ' .. data
  append_events(id, t[5] or '0', now, events, not t[15], t[19])
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
