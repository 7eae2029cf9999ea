-- Pauses an agent, or resumes it: while it is paused nothing of it is claimed.
-- KEYS: 1 base of the partition
-- ARGV: 1 agent  2 '1' to pause, '' to resume
-- Returns: ok, whether that changed something
-- Invariant: whoever resumes wakes a worker if something waits, for what was queued meanwhile woke nobody who could claim it.
--- @include "wake"
local agent, paused = ARGV[1], ARGV[2]
local changed
if paused == '1' then
  changed = redis.call('HSETNX', B .. K_SEQ, K_PAUSED .. agent, '1')
else
  changed = redis.call('HDEL', B .. K_SEQ, K_PAUSED .. agent)
  if redis.call('EXISTS', B .. K_RING .. agent) == 1 then wake(agent) end
end
return { 'ok', changed }
