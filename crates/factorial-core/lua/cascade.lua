-- Cancels up to n tasks: children that nobody awaits any more, and descendants of cancelled tasks. Whoever caused it calls
-- it until it is done; the reaper finishes what is left.
-- KEYS: 1 base of the partition
-- ARGV: 1 n  2 data of the terminal event (JSON)  3 timeline config
-- Returns: done cancelled | more cancelled
-- Invariant: a task that was cancelled leaves the list only when none of its descendants runs but those of tasks in the list.
--- @include "clock"
--- @include "cancel_task"
--- @include "ended"
--- @include "family"
local n, data, config = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local now, looked, cancelled = clock(), 0, 0
while looked < n do
  local orphan = redis.call('LPOP', B .. K_ORPHANS)
  if not orphan then break end
  looked = looked + 1
  local t = read_task(orphan)
  if not ended(t[1]) then
    cancel_task(orphan, t, { 'reason', 'not awaited any more' }, '{"reason":"not awaited any more"}', config, now)
    cancelled = cancelled + 1
  end
end
for _ = 1, n do
  local parent = redis.call('LINDEX', B .. K_CASCADE, 0)
  if not parent or looked >= n then break end
  -- A task that was retried meanwhile keeps its children.
  local children = {}
  local still = ended(redis.call('HGET', B .. K_TASK .. parent, 'state'))
  if still then children = redis.call('SRANDMEMBER', B .. K_TASK .. parent .. K_CHILDREN, n - looked) end
  for i = 1, #children do
    local child = children[i]
    local t = read_task(child)
    if not ended(t[1]) then
      cancel_task(child, t, { 'reason', 'parent cancelled' }, data, config, now)
      cancelled = cancelled + 1
    elseif redis.call('EXISTS', B .. K_TASK .. child .. K_CHILDREN) == 1 then
      -- It ended before, and some below it have not.
      redis.call('RPUSH', B .. K_CASCADE, child)
    end
    leave_family(parent, child)
  end
  looked = looked + #children
  if not still or redis.call('EXISTS', B .. K_TASK .. parent .. K_CHILDREN) == 0 then redis.call('LPOP', B .. K_CASCADE) end
end
local left = redis.call('LLEN', B .. K_CASCADE) + redis.call('LLEN', B .. K_ORPHANS)
return { left == 0 and 'done' or 'more', cancelled }
