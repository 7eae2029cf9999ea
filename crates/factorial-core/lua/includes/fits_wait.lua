--- @include "num"
-- Whether a member of the sorted set `await` or `asked` is that of a wait that is open.
local function fits_wait(name, member, score)
  local kind, id, wait
  if name == K_ASKED then
    kind, id, wait = string.match(member, '^(%S+) %S+ %S+ (%S+) (%S+)$')
  else
    id, wait = string.match(member, '^(%S+) (%S+)$')
  end
  if not id then return false end
  local value = redis.call('HGET', B .. K_TASK .. id .. K_WAITS, wait)
  local is, asked, deadline = string.match(value or '', '^%? (%S+) (%S+) (%S+)')
  if not is then return false end
  if name ~= K_ASKED then return deadline ~= '0' and deadline == num(score) end
  local t = redis.call('HMGET', B .. K_TASK .. id, 'agent', 'owner')
  return is == kind and (kind == 'approval' or kind == 'operator') and asked == num(score)
    and member == kind .. ' ' .. t[1] .. ' ' .. t[2] .. ' ' .. id .. ' ' .. wait
end
