--- @include "num"
-- Puts a task into its ready queue. score: ms since when it waits, 0 = front.
-- The owner gets a turn in the ring of the agent when this is its only task there.
local function make_ready(id, agent, owner, priority, score)
  local own = priority .. ':' .. owner
  local key = B .. K_READY .. agent .. ':' .. own
  redis.call('ZADD', key, num(score), id)
  if redis.call('ZCARD', key) == 1 then
    local tick = redis.call('HINCRBY', B .. K_SEQ, 'tick', 1)
    redis.call('ZADD', B .. K_RING .. agent, 'NX', num((9 - priority) * 35184372088832 + tick), own)
  end
end
