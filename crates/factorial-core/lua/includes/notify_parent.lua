--- @include "append_events"
--- @include "family"
--- @include "settle_wait"
--- @include "unpark"
-- Tells a parent that a child has ended: its answer is kept whether or not the parent has parked, a second one is
-- ignored, and a parked parent is queued when nothing is awaited any more.
local function notify_parent(parent, wait, child, state, answer, now)
  local key = B .. K_TASK .. parent
  if redis.call('EXISTS', B .. K_TASK .. child .. K_CHILDREN) == 0 then leave_family(parent, child) end
  local p = redis.call('HMGET', key, 'state', 'attempts', 'turns')
  if not p[1] or p[1] == 'completed' or p[1] == 'failed' or p[1] == 'cancelled' then return end
  append_events(parent, p[2] or '0', now, { (p[3] or '0') .. ' child_ended {"task_id":"' .. child .. '","status":"' .. state .. '"}' })
  -- Not when it was another child that was to answer.
  local awaited = wait ~= '' and redis.call('HGET', key .. K_WAITS, wait)
  if string.match(awaited or '', '^%? child %S+ %S+ (%S+)$') == child then
    settle_wait(parent, wait, state, answer, now)
    unpark(parent, now)
  end
end
