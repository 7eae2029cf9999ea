--- @include "num"
--- @include "make_ready"
--- @include "move_count"
--- @include "wake"
--- @include "leave_place"
-- Moves a task from any place into its ready queue. score: see make_ready.
local function requeue(id, from, agent, owner, priority, now, score)
  leave_place(id, from, agent, owner, priority)
  redis.call('HSET', B .. K_TASK .. id, 'state', 'queued', 'ready', num(now))
  redis.call('HDEL', B .. K_TASK .. id, 'worker', 'due')
  make_ready(agent, priority .. ':' .. owner, { num(score), id })
  move_count(agent, from, 'queued', redis.call('HGET', B .. K_TASK .. id, 'batch'))
  wake(agent)
end
