-- Renews the leases of a worker: the heartbeat.
-- KEYS: 1 base of the partition
-- ARGV: 1 lease, ms  2.. id and token of each, in pairs; at most 1,000
-- Returns: ok, then id and state of each lease that is lost ('gone' when the task is)
-- Invariant: a lost lease is never brought back.
--- @include "clock"
--- @include "num"
local lease = ARGV[1]
local deadline = num(clock() + lease)
local reply, renewed = { 'ok' }, {}
for i = 2, #ARGV, 2 do
  local t = redis.call('HMGET', B .. K_TASK .. ARGV[i], 'state', 'token')
  if t[1] == 'processing' and t[2] == ARGV[i + 1] then
    renewed[#renewed + 1], renewed[#renewed + 2] = deadline, ARGV[i]
  else
    reply[#reply + 1], reply[#reply + 2] = ARGV[i], t[1] or 'gone'
  end
end
if #renewed > 0 then
  -- A removal first, so that a full Redis does not refuse a heartbeat.
  redis.call('ZREM', B .. K_LEASE, '')
  redis.call('ZADD', B .. K_LEASE, 'XX', unpack(renewed))
end
return reply
