--- @include "requeue"
--- @include "append_events"
-- Tells a parent that a child has ended: its answer is kept whether or not the parent has parked, a second one is
-- ignored, and a parked parent is queued when nothing is awaited any more.
local function notify_parent(parent, call, child, state, now)
  local key = B .. K_TASK .. parent
  redis.call('SREM', key .. K_CHILDREN, child)
  if call == '' or redis.call('HGET', key .. K_WAITS, call) ~= '?' then return end
  redis.call('HSET', key .. K_WAITS, call, state .. ' ' .. child)
  local left = redis.call('HINCRBY', key, 'awaited', -1)
  local p = redis.call('HMGET', key, 'state', 'agent', 'owner', 'priority', 'attempts', 'turns')
  if left == 0 and p[1] == 'pending_child_tasks' then
    requeue(parent, p[1], p[2], p[3], p[4], now, 0)
    append_events(parent, p[5] or '0', now, { 'run_unparked', '{}', p[6] or '0' })
  end
end
