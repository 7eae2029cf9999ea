-- Tells the worker that holds a task what has become of it: `cancel` or `interrupt`.
local function tell_worker(worker, what, id)
  redis.call('PUBLISH', B .. K_WORKER_CHANNEL .. worker, what .. ' ' .. id)
end
