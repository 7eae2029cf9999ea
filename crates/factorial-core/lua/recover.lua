-- Takes up to n tasks from workers whose leases have expired: front of their queues, or the end for one that keeps taking workers down.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 most crashes in a row without a commit between  3 failure (JSON)  4 data of its terminal event (JSON)  5 timeline config
-- Returns: ok recovered, poisoned, ms until the next lease expires (-1: none), then of each of these ms since its lease expired
-- Invariant: each expiry is recovered once, whoever runs this.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "finish_task"
--- @include "metric"
--- @include "requeue"
local n, most, failure, data, config = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local now, recovered, poisoned, late = clock(), 0, 0, {}
local expired = redis.call('ZRANGEBYSCORE', B .. K_LEASE, '-inf', num(now), 'WITHSCORES', 'LIMIT', 0, n)
for i = 1, #expired, 2 do
  local id = expired[i]
  local key = B .. K_TASK .. id
  local t = read_task(id, 'crashes')
  if t[1] ~= 'processing' then
    redis.call('ZREM', B .. K_LEASE, id)
  elseif tonumber(t[20] or 0) >= most then
    finish_task(id, t, 'failed', now, { 'failure', failure, 'crashes', num((t[20] or 0) + 1) }, nil, 'run_failed', data, config)
    redis.call('HINCRBY', key, 'recoveries', 1)
    poisoned = poisoned + 1
    late[#late + 1] = num(now - expired[i + 1])
  else
    requeue(id, 'processing', t[2], t[3], t[4], now, 0)
    redis.call('HINCRBY', key, 'crashes', 1)
    redis.call('HINCRBY', key, 'recoveries', 1)
    metric(t[2], now, config, { 'recovered', 1 })
    append_events(id, t[5], now, { (t[6] or '0') .. ' task_recovered {"worker":"' .. (t[11] or '') .. '"}' })
    recovered = recovered + 1
    late[#late + 1] = num(now - expired[i + 1])
  end
end
local next = redis.call('ZRANGE', B .. K_LEASE, 0, 0, 'WITHSCORES')
local reply = { 'ok', recovered, poisoned, next[2] and num(math.max(0, next[2] - now)) or '-1' }
for i = 1, #late do reply[4 + i] = late[i] end
return reply
