-- Cancels up to n descendants of cancelled tasks. Whoever cancelled calls it until it is done; the reaper finishes what is left.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 data of the terminal event (JSON)  3 timeline config
-- Returns: done cancelled | more cancelled
-- Invariant: a task that was cancelled leaves the list only when none of its children runs.
--- @include "clock"
--- @include "finish_task"
--- @include "tell_worker"
local n, data, config = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local now, cancelled = clock(), 0
for _ = 1, n do
  local parent = redis.call('LINDEX', B .. K_CASCADE, 0)
  if not parent or cancelled >= n then break end
  -- A parent that was retried meanwhile keeps its children.
  local children = {}
  local still = redis.call('HGET', B .. K_TASK .. parent, 'state') == 'cancelled'
  if still then children = redis.call('SRANDMEMBER', B .. K_TASK .. parent .. K_CHILDREN, n - cancelled) end
  for i = 1, #children do
    local child = children[i]
    local state = redis.call('HGET', B .. K_TASK .. child, 'state')
    if not state or state == 'completed' or state == 'failed' or state == 'cancelled' then
      redis.call('SREM', B .. K_TASK .. parent .. K_CHILDREN, child)
    else
      local worker = finish_task(child, 'cancelled', now, { 'reason', 'parent cancelled' }, 'run_cancelled', data, config)
      if worker then tell_worker(worker, 'cancel', child) end
      if redis.call('EXISTS', B .. K_TASK .. child .. K_CHILDREN) == 1 then redis.call('RPUSH', B .. K_CASCADE, child) end
      cancelled = cancelled + 1
    end
  end
  if not still or redis.call('EXISTS', B .. K_TASK .. parent .. K_CHILDREN) == 0 then redis.call('LPOP', B .. K_CASCADE) end
end
return { redis.call('LLEN', B .. K_CASCADE) == 0 and 'done' or 'more', cancelled }
