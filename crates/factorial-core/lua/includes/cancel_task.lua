--- @include "finish_task"
--- @include "tell_worker"
-- Cancels a task that has not ended: its worker is told, and its descendants are left to cascade.
-- t, fields, data, config: see finish_task. Returns whether it has descendants that run.
local function cancel_task(id, t, fields, data, config, now)
  local worker = finish_task(id, t, 'cancelled', now, fields, nil, 'run_cancelled', data, config)
  if worker then tell_worker(worker, 'cancel', id) end
  if redis.call('EXISTS', B .. K_TASK .. id .. K_CHILDREN) == 0 then return false end
  redis.call('RPUSH', B .. K_CASCADE, id)
  return true
end
