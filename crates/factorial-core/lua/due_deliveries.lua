-- Hands out up to n deliveries that are due; until the lease is over nobody else gets them.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 lease, ms
-- Returns: ok ms until the next is due (-1: none), then of each: id, lease (its score), log, to, owner, agent, event, created,
--          since, attempts, base
-- Invariant: a delivery stays in the outbox until it has ended.
--- @include "clock"
--- @include "num"
local n, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = clock()
-- A removal as the first write, see leave_place.
redis.call('ZREM', B .. K_OUTBOX, '')
local due = redis.call('ZRANGEBYSCORE', B .. K_OUTBOX, '-inf', num(now), 'LIMIT', 0, n)
local reply, held = { 'ok', '-1' }, num(now + lease)
for i = 1, #due do
  local d = redis.call('HMGET', B .. K_DELIVERY .. due[i], 'log', 'to', 'owner', 'agent', 'event', 'created', 'since',
    'attempts', 'base')
  if d[1] then
    redis.call('ZADD', B .. K_OUTBOX, held, due[i])
    reply[#reply + 1], reply[#reply + 2] = due[i], held
    for j = 1, 9 do reply[#reply + 1] = d[j] end
  else
    redis.call('ZREM', B .. K_OUTBOX, due[i])
  end
end
local next = redis.call('ZRANGE', B .. K_OUTBOX, 0, 0, 'WITHSCORES')
if next[2] then reply[2] = num(math.max(0, next[2] - now)) end
return reply
