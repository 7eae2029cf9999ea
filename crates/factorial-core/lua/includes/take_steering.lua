--- @include "num"
--- @include "push_all"
-- Moves all waiting steering messages to the end of the conversation, in order. Returns how many, their bytes, and for how
-- long the first of them has waited (ms, as text).
local function take_steering(id, now)
  local inbox = B .. K_TASK .. id .. K_INBOX
  local messages = redis.call('LRANGE', inbox, 0, -1)
  if #messages == 0 then return 0, 0, '0' end
  local bytes = 0
  for i = 1, #messages do bytes = bytes + #messages[i] end
  push_all(B .. K_TASK .. id .. K_LOG, messages, 1, #messages)
  redis.call('DEL', inbox)
  local since = redis.call('HGET', B .. K_TASK .. id, 'steered')
  redis.call('HDEL', B .. K_TASK .. id, 'interrupt', 'steered')
  return #messages, bytes, since and num(math.max(0, now - since)) or '0'
end
