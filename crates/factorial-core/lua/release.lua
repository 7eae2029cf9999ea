-- A worker hands a task back at a boundary: front of its queue, no attempt burned.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 token  3 write
-- Returns: ok | replayed | stale state | gone
-- Invariant: nothing is written under a stale token.
--- @include "clock"
--- @include "append_events"
--- @include "check_lease"
--- @include "requeue"
local id, token, write = ARGV[1], ARGV[2], ARGV[3]
local outcome, t = check_lease(id, token, write, 'agent', 'owner', 'priority', 'turns')
if outcome == 'stale' then return { 'stale', t[1] } end
if outcome ~= 'ok' then return { outcome } end
local now = clock()
requeue(id, 'processing', t[5], t[6], t[7], now, 0)
redis.call('HSET', B .. K_TASK .. id, 'write', write)
redis.call('HINCRBY', B .. K_TASK .. id, 'hand_backs', 1)
append_events(id, t[4], now, { (t[8] or '0') .. ' run_handed_back {}' })
return { 'ok' }
