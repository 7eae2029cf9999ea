-- Whether a write may happen that carries this token and this number, which grows with each write of a lease.
-- Returns 'ok', 'replayed' (the same write was applied before), 'gone' or 'stale'.
local function judge(state, held, written, token, write)
  if not state then return 'gone' end
  if held == token and written and tonumber(written) >= tonumber(write) then return 'replayed' end
  if state ~= 'processing' or held ~= token then return 'stale' end
  return 'ok'
end

-- The same for a task that has not been read. Returns also state, token, write, attempts, and what extra fields were
-- asked for, in order.
local function check_lease(id, token, write, ...)
  local t = redis.call('HMGET', B .. K_TASK .. id, 'state', 'token', 'write', 'attempts', ...)
  return judge(t[1], t[2], t[3], token, write), t
end
