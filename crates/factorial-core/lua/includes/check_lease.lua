--- @include "num"
-- Whether this write may happen. Every write of a worker carries its token and a number that grows with each write.
-- Returns 'ok', 'replayed' (the same write was applied before), 'gone' or 'stale'; then state, attempts, and what
-- extra fields were asked for, in order.
local function check_lease(id, token, write, ...)
  local t = redis.call('HMGET', B .. K_TASK .. id, 'state', 'token', 'write', 'attempts', ...)
  if not t[1] then return 'gone', t end
  if t[2] == token and t[3] and tonumber(t[3]) >= tonumber(write) then return 'replayed', t end
  if t[1] ~= 'processing' or t[2] ~= token then return 'stale', t end
  return 'ok', t
end
