-- A batch takes no more members: it ends when those that it has do.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 '1' only if its time to fill is over, else ''
-- Returns: ok state, members | not_due | gone
-- Invariant: sealed once.
--- @include "clock"
--- @include "batch_progress"
local id, overdue = ARGV[1], ARGV[2]
local key = B .. K_BATCH .. id
local b = redis.call('HMGET', key, 'state', 'accepted', 'members')
if not b[1] then
  redis.call('ZREM', B .. K_FILLING, id)
  return { 'gone' }
end
if b[1] == 'filling' then
  local now = clock()
  if overdue == '1' and tonumber(redis.call('ZSCORE', B .. K_FILLING, id) or 0) > now then return { 'not_due' } end
  redis.call('ZREM', B .. K_FILLING, id)
  redis.call('HSET', key, 'state', 'running')
  -- Members are accepted in any order: those that are there have indexes up to what was planned.
  if b[2] ~= b[3] then redis.call('HSET', key, 'members', b[2], 'span', b[3]) end
  batch_progress(id, now)
end
return { 'ok', redis.call('HGET', key, 'state'), redis.call('HGET', key, 'members') }
