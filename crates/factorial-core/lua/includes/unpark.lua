--- @include "requeue"
--- @include "append_events"
-- Queues a parked task at the front if it awaits nothing any more. Returns whether it did.
local function unpark(id, now)
  local t = redis.call('HMGET', B .. K_TASK .. id, 'awaited', 'state', 'agent', 'owner', 'priority', 'attempts', 'turns')
  if t[1] ~= '0' or not (t[2] == 'pending_child_tasks' or t[2] == 'pending_tool_results') then return false end
  requeue(id, t[2], t[3], t[4], t[5], now, 0)
  append_events(id, t[6] or '0', now, { (t[7] or '0') .. ' run_unparked {}' })
  return true
end
