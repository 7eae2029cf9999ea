-- Cancels some members of a batch that is being cancelled.
-- KEYS: 1 base of the partition
-- ARGV: 1 batch  2 place after the last of these members  3 data of the terminal event (JSON)  4 timeline config  5.. members
-- Returns: ok cancelled
-- Invariant: members that have ended are left alone.
--- @include "clock"
--- @include "cancel_task"
--- @include "ended"
local batch, place, data, config = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, cancelled = clock(), 0
for i = 5, #ARGV do
  local id = ARGV[i]
  local t = read_task(id)
  if not ended(t[1]) then
    cancel_task(id, t, { 'reason', 'batch cancelled' }, data, config, now)
    cancelled = cancelled + 1
  end
end
if redis.call('HGET', B .. K_BATCH .. batch, 'state') == 'cancelling' then
  redis.call('HSET', B .. K_BATCH .. batch, 'cancelled_to', place)
end
return { 'ok', cancelled }
