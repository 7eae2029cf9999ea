-- Removes up to n tasks that ended longer ago than their TTL, with every key that belongs to them.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 completed, failed or cancelled  3 TTL, ms
-- Returns: ok removed, ms until the next expires (-1: none)
-- Invariant: no key outlives its task.
--- @include "clock"
--- @include "num"
--- @include "move_count"
-- A task stays as long as a descendant runs, so that whoever cancels an ancestor finds that; a member of a batch as long
-- as the batch runs, and its TTL after that. Returns from when its TTL counts, if not from its own end.
local function kept_for_others(id, batch, now, ttl)
  if redis.call('EXISTS', B .. K_TASK .. id .. K_CHILDREN) == 1 then return now end
  if not batch then return nil end
  local b = redis.call('HMGET', B .. K_BATCH .. batch, 'state', 'finished')
  if not b[1] then return nil end
  if not b[2] then return now end
  return now - ttl < tonumber(b[2]) and b[2] or nil
end
local n, state, ttl = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local now, removed = clock(), 0
local done = B .. K_DONE .. state
local old = redis.call('ZRANGEBYSCORE', done, '-inf', num(now - ttl), 'LIMIT', 0, n)
for i = 1, #old do
  local id = old[i]
  local key = B .. K_TASK .. id
  local t = redis.call('HMGET', key, 'agent', 'owner', 'state', 'batch')
  local kept = t[3] == state and kept_for_others(id, t[4], now, ttl)
  if kept then
    redis.call('ZADD', done, num(kept), id)
  else
    redis.call('ZREM', done, id)
  end
  if t[3] == state and not kept then
    redis.call('UNLINK', key, key .. K_LOG, key .. K_EVENTS, key .. K_INBOX, key .. K_SEEN, key .. K_WAITS, key .. K_CHILDREN,
      key .. K_OFFSPRING, key .. K_HOOK)
    redis.call('ZREM', B .. K_BY_AGENT .. t[1], id)
    redis.call('ZREM', B .. K_BY_OWNER .. t[2], id)
    move_count(t[1], state, '')
    removed = removed + 1
  end
end
local next = redis.call('ZRANGE', done, 0, 0, 'WITHSCORES')
return { 'ok', removed, next[2] and num(math.max(0, next[2] + ttl - now)) or '-1' }
