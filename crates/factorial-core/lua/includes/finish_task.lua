--- @include "num"
--- @include "slot"
--- @include "leave_place"
--- @include "move_count"
--- @include "metric"
--- @include "append_events"
--- @include "notify_parent"
-- The one way to end a task: place, state, parent, batch, terminal event, counters, timeline, and the index by which
-- it expires, in one step. The caller has checked that the task has not ended.
-- fields: more pairs for the task; event, data: the terminal event; config: see metric.
-- Returns the worker that held it, if it was running.
local function finish_task(id, to, now, fields, event, data, config)
  local key = B .. K_TASK .. id
  local t = redis.call('HMGET', key, 'state', 'agent', 'owner', 'priority', 'attempts', 'turns', 'parent', 'call',
    'batch', 'started', 'worker', 'deadline', 'steering')
  local from, agent, turns = t[1], t[2], t[6] or '0'
  for i = 1, #fields, 2 do
    if fields[i] == 'turns' then turns = fields[i + 1] end
  end
  leave_place(id, from, agent, t[3], t[4])
  redis.call('HDEL', key, 'worker', 'due', 'failure')
  redis.call('HSET', key, 'state', to, 'finished', num(now), unpack(fields))
  redis.call('ZADD', B .. K_DONE .. to, num(now), id)
  if t[12] then redis.call('ZREM', B .. K_DEADLINE, id) end
  move_count(agent, from, to)
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
  if t[9] then redis.call('HINCRBY', B .. K_BATCH .. t[9], to, 1) end
  if t[7] then notify_parent(t[7], t[8] or '', id, to, now) end
  return from == 'processing' and t[11] or nil
end
