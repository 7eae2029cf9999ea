--- @include "make_ready"
--- @include "wake"
-- Whether a member of the sorted set `name` belongs there in this state.
local function fits_place(state, name)
  if name == K_LEASE then return state == 'processing' end
  if name == K_DELAY then return state == 'scheduled' or state == 'backoff' end
  if name == K_PENDING then return state == 'pending_tool_results' or state == 'pending_child_tasks' end
  return name == K_DONE .. state
end

-- Puts a task into the place of its state if it is not there. t: state, agent, owner, priority, due, finished, deadline.
-- A lease that is missing comes back as expired, so that the task is recovered. Returns whether it had to.
local function place_task(id, t, now)
  local state, wrong = t[1], false
  if t[7] and not t[6] and redis.call('ZADD', B .. K_DEADLINE, 'NX', num(t[7]), id) == 1 then wrong = true end
  if state == 'queued' then
    local own = t[4] .. ':' .. t[3]
    if not redis.call('ZSCORE', B .. K_READY .. t[2] .. ':' .. own, id) then
      make_ready(t[2], own, { num(now), id })
      wrong = true
    end
    if not redis.call('ZSCORE', B .. K_RING .. t[2], own) then
      local tick = redis.call('HINCRBY', B .. K_SEQ, 'tick', 1)
      redis.call('ZADD', B .. K_RING .. t[2], num((9 - t[4]) * 35184372088832 + tick), own)
      wrong = true
    end
    if wrong then wake(t[2]) end
    return wrong
  end
  local place, score = B .. K_DONE .. state, t[6] or now
  if state == 'processing' then place, score = B .. K_LEASE, now
  elseif state == 'scheduled' or state == 'backoff' then place, score = B .. K_DELAY, t[5] or now
  elseif state == 'pending_tool_results' or state == 'pending_child_tasks' then place, score = B .. K_PENDING, now end
  if redis.call('ZADD', place, 'NX', num(score), id) == 1 then wrong = true end
  return wrong
end
