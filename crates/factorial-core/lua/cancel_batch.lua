-- Cancels a batch: it takes no more members, and those that it has are cancelled by cancel_members.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 reason or ''
-- Returns: cancelling | finished state | gone
-- Invariant: a batch ends once.
--- @include "clock"
--- @include "num"
--- @include "batch_progress"
local id, reason = ARGV[1], ARGV[2]
local key = B .. K_BATCH .. id
local b = redis.call('HMGET', key, 'state', 'accepted', 'members')
if not b[1] then return { 'gone' } end
if b[1] == 'completed' or b[1] == 'cancelled' then return { 'finished', b[1] } end
if b[1] ~= 'cancelling' then
  local now = clock()
  redis.call('ZREM', B .. K_FILLING, id)
  redis.call('ZADD', B .. K_CANCELLING, num(now), id)
  redis.call('HSET', key, 'state', 'cancelling')
  -- Members are accepted in any order: those that are there have indexes up to what was planned.
  if b[1] == 'filling' and b[2] ~= b[3] then redis.call('HSET', key, 'members', b[2], 'span', b[3]) end
  if reason ~= '' then redis.call('HSET', key, 'reason', reason) end
  batch_progress(id, now)
end
return { 'cancelling' }
