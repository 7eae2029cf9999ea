-- A worker puts a task aside after a retryable failure.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 token  3 write  4 delay, ms  5 failure (JSON)  6 data of the event (JSON)  7 timeline config
-- Returns: ok | replayed | stale state | gone
-- Invariant: nothing is written under a stale token.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "check_lease"
--- @include "metric"
--- @include "move_count"
--- @include "set_timer"
local id, token, write, delay, failure, data, config = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local key = B .. K_TASK .. id
local outcome, t = check_lease(id, token, write, 'agent', 'turns', 'batch')
if outcome == 'stale' then return { 'stale', t[1] } end
if outcome ~= 'ok' then return { outcome } end
local now = clock()
local due = now + delay
redis.call('ZREM', B .. K_LEASE, id)
redis.call('HDEL', key, 'worker')
redis.call('HSET', key, 'state', 'backoff', 'write', write, 'due', num(due), 'failure', failure)
redis.call('HINCRBY', key, 'retries', 1)
set_timer(K_DELAY, id, due)
move_count(t[5], 'processing', 'backoff', t[7])
metric(t[5], now, config, { 'retried', 1 })
append_events(id, t[4], now, { (t[6] or '0') .. ' task_retried ' .. data })
return { 'ok' }
