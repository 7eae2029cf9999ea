--- @include "num"
--- @include "settle_wait"
--- @include "unpark"
-- Compares what a task awaits with the children, indexes and counter that belong to it, and repairs what does not fit.
-- Returns whether it had to.
local function mend_waits(id, state, now)
  local key, wrong, open = B .. K_TASK .. id, false, 0
  local t = redis.call('HMGET', key, 'agent', 'owner')
  local waits = redis.call('HGETALL', key .. K_WAITS)
  for i = 1, #waits, 2 do
    local kind, asked, deadline, ref = string.match(waits[i + 1], '^%? (%S+) (%S+) (%S+) (%S+)')
    if kind then
      open = open + 1
      if deadline ~= '0' and redis.call('ZADD', B .. K_AWAIT, 'NX', deadline, id .. ' ' .. waits[i]) == 1 then wrong = true end
      local asks = kind .. ' ' .. t[1] .. ' ' .. t[2] .. ' ' .. id .. ' ' .. waits[i]
      if (kind == 'approval' or kind == 'operator') and redis.call('ZADD', B .. K_ASKED, 'NX', asked, asks) == 1 then wrong = true end
      local child = kind == 'child' and (redis.call('HGET', B .. K_TASK .. ref, 'state') or 'gone')
      if child == 'gone' or child == 'completed' or child == 'failed' or child == 'cancelled' then
        -- What it said is not known here; its record tells, if it is still there.
        settle_wait(id, waits[i], child == 'gone' and 'closed' or child, '{"task_id":"' .. ref .. '","status":"' .. child .. '"}', now)
        wrong = true
        open = open - 1
      end
    end
  end
  if redis.call('HGET', key, 'awaited') ~= num(open) then
    redis.call('HSET', key, 'awaited', num(open))
    wrong = true
  end
  if (state == 'pending_child_tasks' or state == 'pending_tool_results') and unpark(id, now) then wrong = true end
  return wrong
end
