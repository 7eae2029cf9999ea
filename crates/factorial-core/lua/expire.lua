-- Removes up to n tasks that ended longer ago than their TTL, with every key that belongs to them.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 completed, failed or cancelled  3 TTL, ms
-- Returns: ok removed, ms until the next expires (-1: none)
-- Invariant: no key outlives its task.
--- @include "clock"
--- @include "num"
--- @include "move_count"
local n, state, ttl = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local now, removed = clock(), 0
local done = B .. K_DONE .. state
local old = redis.call('ZRANGEBYSCORE', done, '-inf', num(now - ttl), 'LIMIT', 0, n)
for i = 1, #old do
  local id = old[i]
  local key = B .. K_TASK .. id
  local t = redis.call('HMGET', key, 'agent', 'owner', 'state')
  redis.call('ZREM', done, id)
  if t[3] == state then
    redis.call('UNLINK', key, key .. K_LOG, key .. K_EVENTS, key .. K_INBOX, key .. K_SEEN, key .. K_WAITS, key .. K_CHILDREN)
    redis.call('ZREM', B .. K_BY_AGENT .. t[1], id)
    redis.call('ZREM', B .. K_BY_OWNER .. t[2], id)
    move_count(t[1], state, '')
    removed = removed + 1
  end
end
local next = redis.call('ZRANGE', done, 0, 0, 'WITHSCORES')
return { 'ok', removed, next[2] and num(math.max(0, next[2] + ttl - now)) or '-1' }
