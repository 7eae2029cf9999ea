-- Takes a task out of the index of its state. The first write is a removal on purpose: Redis out of memory
-- refuses a script only at its first write, if that one could grow.
local function leave_place(id, state, agent, owner, priority)
  if state == 'processing' then
    redis.call('ZREM', B .. K_LEASE, id)
  elseif state == 'queued' then
    local own = priority .. ':' .. owner
    local key = B .. K_READY .. agent .. ':' .. own
    redis.call('ZREM', key, id)
    if redis.call('EXISTS', key) == 0 then redis.call('ZREM', B .. K_RING .. agent, own) end
  elseif state == 'scheduled' or state == 'backoff' then
    redis.call('ZREM', B .. K_DELAY, id)
  elseif state == 'pending_tool_results' or state == 'pending_child_tasks' then
    redis.call('ZREM', B .. K_PENDING, id)
  else
    redis.call('ZREM', B .. K_DONE .. state, id)
  end
end
