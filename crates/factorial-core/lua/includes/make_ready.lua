--- @include "num"
-- Puts tasks into a ready queue of an agent. own: `<priority>:<owner>`; members: flat list of score and id; score: ms since
-- when it waits, 0 = front. The owner gets a turn in the ring of the agent when these are its only tasks there.
local function make_ready(agent, own, members)
  local key = B .. K_READY .. agent .. ':' .. own
  local added = 0
  for i = 1, #members, 500 do added = added + redis.call('ZADD', key, unpack(members, i, math.min(i + 499, #members))) end
  if added > 0 and redis.call('ZCARD', key) == added then
    local tick = redis.call('HINCRBY', B .. K_SEQ, 'tick', 1)
    redis.call('ZADD', B .. K_RING .. agent, 'NX', num((9 - string.sub(own, 1, 1)) * 35184372088832 + tick), own)
  end
end
