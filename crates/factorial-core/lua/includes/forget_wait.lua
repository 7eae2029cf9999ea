-- Takes an open wait out of the indexes. t: kind and deadline of the wait, agent and owner of the task.
local function forget_wait(id, wait, kind, deadline, agent, owner)
  if deadline ~= '0' then redis.call('ZREM', B .. K_AWAIT, id .. ' ' .. wait) end
  if kind == 'approval' or kind == 'operator' then
    redis.call('ZREM', B .. K_ASKED, kind .. ' ' .. agent .. ' ' .. owner .. ' ' .. id .. ' ' .. wait)
  end
end
