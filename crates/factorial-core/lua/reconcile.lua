-- Compares a slice of tasks, or of a place, with the rest, and repairs what does not fit. In a healthy system it repairs nothing.
-- With the first slice of the leases it also forgets the last call of workers that have claimed nothing for a day.
-- KEYS: 1 base of the partition
-- ARGV: 1 `agent`: tasks of the agent named in 2 | `place`: members of the sorted set named in 2 | `waits`: entries of open waits
--       2 agent, or lease, delay, pending, done:<state>, or await, asked  3 cursor ('0' to start)  4 about how many to look at
-- Returns: ok cursor ('0' at the end), looked at, repaired
-- Invariant: a task is in exactly one state and one place; the hash decides.
--- @include "clock"
--- @include "fits_wait"
--- @include "mend_waits"
--- @include "place_task"
local kind, name, cursor, n = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local walked = B .. (kind == 'agent' and K_BY_AGENT or '') .. name
local page = redis.call('ZSCAN', walked, cursor, 'COUNT', n)
local members, repaired, now = page[2], 0, clock()
if name == K_LEASE and cursor == '0' then
  local seq = redis.call('HGETALL', B .. K_SEQ)
  for i = 1, #seq, 2 do
    local deadline = string.match(seq[i + 1], '^%d+ (%d+) %d+$')
    if deadline and tonumber(deadline) < now - 86400000 then redis.call('HDEL', B .. K_SEQ, seq[i]) end
  end
end
for i = 1, #members, 2 do
  local id = members[i]
  local t = kind == 'waits' and {} or redis.call('HMGET', B .. K_TASK .. id, 'state', 'agent', 'owner', 'priority', 'due', 'finished', 'deadline',
    'awaited')
  if kind == 'waits' then
    if not fits_wait(name, id, members[i + 1]) then
      redis.call('ZREM', walked, id)
      repaired = repaired + 1
    end
  elseif not t[1] or not t[2] then
    redis.call('ZREM', walked, id)
    repaired = repaired + 1
  else
    local wrong = place_task(id, t, now)
    local waits = t[8] or t[1] == 'pending_child_tasks' or t[1] == 'pending_tool_results'
    if waits and kind == 'agent' and not t[6] and mend_waits(id, t[1], now) then wrong = true end
    if kind == 'place' and redis.call('ZSCORE', walked, id) and not fits_place(t[1], name) then
      redis.call('ZREM', walked, id)
      wrong = true
    end
    if wrong then repaired = repaired + 1 end
  end
end
return { 'ok', page[1], #members / 2, repaired }
