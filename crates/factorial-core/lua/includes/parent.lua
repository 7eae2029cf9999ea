--- @include "num"
--- @include "append_events"
--- @include "register_wait"
-- The parent of a task to be spawned. spawned: see enqueue.
-- Returns what join_parent needs, or nil and why it may not be spawned.
local function read_parent(spawned)
  local c = {}
  local token, most_deep, most
  c.parent, token, c.wait, c.timeout, most_deep, most = string.match(spawned, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  local p = redis.call('HMGET', B .. K_TASK .. c.parent, 'state', 'token', 'depth', 'root', 'attempts', 'turns', 'agent', 'owner')
  if p[1] ~= 'processing' or p[2] ~= token then return nil, 'parent_lost' end
  c.depth, c.root, c.attempts, c.turns, c.agent, c.owner = tonumber(p[3] or 0) + 1, p[4] or c.parent, p[5], p[6] or '0', p[7], p[8]
  if c.depth > math.min(32, tonumber(most_deep)) then return nil, 'too_deep' end
  if tonumber(redis.call('HGET', B .. K_TASK .. c.root, 'spawned') or 0) >= tonumber(most) then return nil, 'too_many' end
  return c
end

-- Makes a task, which has been written, a child: it is awaited from here on.
local function join_parent(c, id, agent, now)
  redis.call('HSET', B .. K_TASK .. id, 'parent', c.parent, 'root', c.root, 'depth', num(c.depth), 'call', c.wait == '-' and '' or c.wait)
  redis.call('SADD', B .. K_TASK .. c.parent .. K_CHILDREN, id)
  redis.call('RPUSH', B .. K_TASK .. c.parent .. K_OFFSPRING, id)
  if redis.call('EXISTS', B .. K_TASK .. c.root) == 1 then redis.call('HINCRBY', B .. K_TASK .. c.root, 'spawned', 1) end
  if c.wait ~= '-' then
    register_wait(c.parent, c.wait, 'child', c.timeout == '-' and '' or c.timeout, id, c.agent, c.owner, now)
  end
  append_events(c.parent, c.attempts, now, { c.turns .. ' child_spawned {"task_id":"' .. id .. '","agent":"' .. agent .. '"}' })
end
