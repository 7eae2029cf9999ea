--- @include "num"
--- @include "set_timer"
-- Registers what a task awaits, unless it is registered and not used up. timeout: ms, or '' for never; ref: a word that
-- is kept with the wait. Form: `? <kind> <asked ms> <deadline ms or 0> <ref>`.
local function register_wait(id, wait, kind, timeout, ref, agent, owner, now)
  local key = B .. K_TASK .. id
  local was = redis.call('HGET', key .. K_WAITS, wait)
  if was and string.sub(was, 1, 1) ~= '.' then return end
  local deadline = '0'
  if timeout ~= '' then
    deadline = num(now + timeout)
    set_timer(K_AWAIT, id .. ' ' .. wait, deadline)
  end
  redis.call('HSET', key .. K_WAITS, wait, '? ' .. kind .. ' ' .. num(now) .. ' ' .. deadline .. ' ' .. ref)
  redis.call('HINCRBY', key, 'awaited', 1)
  if kind == 'approval' or kind == 'operator' then
    redis.call('ZADD', B .. K_ASKED, num(now), kind .. ' ' .. agent .. ' ' .. owner .. ' ' .. id .. ' ' .. wait)
  end
end
