--- @include "num"
--- @include "roll_up"
--- @include "batch_progress"
-- A member of a batch has ended (sign 1), or runs again (sign -1). turns: those it has committed.
local function count_in_batch(batch, turns, spent, sign, now)
  local key = B .. K_BATCH .. batch
  local b = redis.call('HMGET', key, 'state', 'turns_each', 'spent', 'done', 'peak')
  if not b[1] then return end
  local left = 1
  if b[2] then left = math.max(0, b[2] - turns) end
  if sign < 0 and tonumber(b[4] or 0) > tonumber(b[5] or 0) then redis.call('HSET', key, 'peak', b[4]) end
  redis.call('HINCRBY', key, 'ended', sign)
  if left ~= 0 then redis.call('HINCRBY', key, 'done', num(sign * left)) end
  add_spent(key, 'spent', b[3], spent, sign)
  batch_progress(batch, now)
end
