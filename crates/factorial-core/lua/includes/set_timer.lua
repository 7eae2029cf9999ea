--- @include "num"
-- Puts a task into an index of timers (delays, deadlines); tells the reapers when it is the next one due there.
local function set_timer(index, id, due)
  redis.call('ZADD', B .. index, num(due), id)
  if redis.call('ZRANGE', B .. index, 0, 0)[1] == id then redis.call('PUBLISH', B .. K_DUE_CHANNEL, num(due)) end
end
