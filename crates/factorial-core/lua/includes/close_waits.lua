--- @include "num"
--- @include "forget_wait"
--- @include "push_all"
-- Answers every open wait of a task with `outcome` and nothing else. orphan: the children among them are to be cancelled.
-- Returns how many it closed.
local function close_waits(id, outcome, orphan, now)
  local key = B .. K_TASK .. id
  local t = redis.call('HMGET', key, 'agent', 'owner')
  local waits, closed, children = redis.call('HGETALL', key .. K_WAITS), 0, {}
  local print = redis.sha1hex(outcome .. ' {}')
  for i = 1, #waits, 2 do
    local kind, deadline, ref = string.match(waits[i + 1], '^%? (%S+) %S+ (%S+) (%S+)')
    if kind then
      forget_wait(id, waits[i], kind, deadline, t[1], t[2])
      redis.call('HSET', key .. K_WAITS, waits[i],
        '= ' .. kind .. ' ' .. outcome .. ' ' .. num(now) .. ' ' .. print .. ' ' .. ref .. ' {}')
      if kind == 'child' then children[#children + 1] = ref end
      closed = closed + 1
    end
  end
  redis.call('HSET', key, 'awaited', '0')
  if orphan and #children > 0 then
    push_all(B .. K_ORPHANS, children, 1, #children)
    redis.call('PUBLISH', B .. K_DUE_CHANNEL, num(now))
  end
  return closed
end
