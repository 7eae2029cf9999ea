-- Wakes one waiting worker of an agent. One token at most: whoever takes it and leaves work behind passes it on (claim).
local function wake(agent)
  local key = B .. K_WAKE .. agent
  if redis.call('LLEN', key) == 0 then redis.call('RPUSH', key, '1') end
end
