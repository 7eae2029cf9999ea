-- Accepts tasks: each queued, or scheduled when it starts later.
-- KEYS: 1 base of the partition
-- ARGV: 1 timeline config  2 most bytes of a conversation  then of each task the number of its arguments, and they:
--       1 id  2 agent  3 owner  4 priority (0 last to 9 first)  5 start: '' now, '+ms' after a delay, 'ms' an instant
--       6 input (first entry of the conversation), or its bytes when it is short: then fields i0, i1, … hold it
--       7 idempotency key hash or ''  8 its fingerprint  9 how long it is kept, ms
--       10 previous task or ''  11 '' or of a child: parent, token of its lease, wait key or -, ms that it waits or -,
--          most depth below the root, most descendants of the root, in one text  12 batch or ''
--       13 wall-clock limit, ms from the start, or ''  14 webhook (see segments.rs), '=' for that of the batch, or ''
--       15.. more fields of the task, in pairs
-- Returns: of each task: error message | accepted state now | exists id | key_reused id | parent_lost | too_deep |
--          too_many | batch_closed |
--          previous_unusable | conversation_too_large
-- Invariant: an id is accepted once; nothing is written unless it is accepted; a child is awaited from the moment it exists.
--- @include "clock"
--- @include "num"
--- @include "attempt"
--- @include "ended"
--- @include "feed"
--- @include "inline_input"
--- @include "make_ready"
--- @include "metric"
--- @include "move_count"
--- @include "parent"
--- @include "set_timer"
--- @include "tally"
--- @include "wake"
local config, max_bytes = ARGV[1], tonumber(ARGV[2])
local now = clock()
local queues = {}

-- at, last: places of its first and its last argument.
local function accept(at, last)
  local id, agent, owner, priority, start, input, idempotency, fingerprint, kept, previous, spawned, batch, limit, hook =
    unpack(ARGV, at, at + 13)
  local key = B .. K_TASK .. id
  if idempotency ~= '' then
    local seen = redis.call('GET', B .. K_IDEMPOTENCY .. idempotency)
    if seen then
      local print, first = string.match(seen, '^(%S+) (%S+)$')
      return { print == fingerprint and 'exists' or 'key_reused', first }
    end
  end
  if redis.call('EXISTS', key) == 1 then return { 'exists', id } end
  local child, refused
  if spawned ~= '' then
    child, refused = read_parent(spawned)
    if refused then return { refused } end
  end
  if batch ~= '' and redis.call('HGET', B .. K_BATCH .. batch, 'state') ~= 'filling' then return { 'batch_closed' } end
  local inline = string.sub(input, 1, 1) ~= '{'
  local bytes, conversation = inline and tonumber(input) or #input, nil
  if previous ~= '' then
    local before = redis.call('HMGET', B .. K_TASK .. previous, 'state', 'owner', 'conversation', 'bytes')
    if before[2] ~= owner or not ended(before[1]) then return { 'previous_unusable' } end
    bytes, conversation = bytes + (before[4] or 0), before[3] or previous
  end
  if bytes > max_bytes then return { 'conversation_too_large' } end

  local due, state, since = now, 'queued', 'ready'
  if start ~= '' then
    due = string.sub(start, 1, 1) == '+' and now + string.sub(start, 2) or tonumber(start)
    if due > now then state, since = 'scheduled', 'due' else due = now end
  end
  redis.call('HSET', key, 'state', state, 'agent', agent, 'owner', owner, 'priority', priority, 'created', num(now),
    'bytes', bytes, since, num(due), unpack(ARGV, at + 14, last))
  if conversation then
    redis.call('HSET', key, 'conversation', conversation, 'previous', previous)
    redis.call('COPY', B .. K_TASK .. previous .. K_LOG, key .. K_LOG)
    local first = inline_input(previous)
    if first then redis.call('LPUSH', key .. K_LOG, first) end
  end
  if not inline then redis.call('RPUSH', key .. K_LOG, input) end
  join(B .. K_BY_AGENT .. agent, '0', id)
  join(B .. K_BY_OWNER .. owner, '0', id)
  if child then join_parent(child, id, agent, now) end
  if batch ~= '' then
    redis.call('HSET', key, 'batch', batch)
    redis.call('HINCRBY', B .. K_BATCH .. batch, 'accepted', 1)
  end
  if limit ~= '' then
    local deadline = num(due + limit)
    redis.call('HSET', key, 'deadline', deadline)
    set_timer(K_DEADLINE, id, deadline)
  end
  if hook ~= '' then
    redis.call('HSET', key, 'hook', hook == '=' and hook or '1')
    if hook ~= '=' then redis.call('SET', key .. K_HOOK, hook) end
  end
  if idempotency ~= '' then
    redis.call('SET', B .. K_IDEMPOTENCY .. idempotency, fingerprint .. ' ' .. id, 'PX', kept)
  end
  move_count(agent, '', state, batch ~= '' and batch or nil)
  metric(agent, now, config, { 'enqueued', 1 })
  if state == 'scheduled' then
    -- Its first event says so, whatever becomes of it.
    redis.call('HSET', key, 'delayed', '1')
    set_timer(K_DELAY, id, due)
  else
    local own = priority .. ':' .. owner
    local queue = queues[agent]
    if not queue then
      queue = {}
      queues[agent] = queue
    end
    local members = queue[own]
    if not members then
      members = {}
      queue[own] = members
    end
    members[#members + 1], members[#members + 2] = num(now), id
  end
  feed(key, id, 1, { num(now) .. ' 0 0 task_enqueued {"status":"' .. state .. '"}' }, now, false)
  return { 'accepted', state, num(now) }
end

local replies, at = {}, 3
while ARGV[at] do
  local last = at + ARGV[at]
  replies[#replies + 1] = attempt(accept, at + 1, last)
  at = last + 1
end
for agent, queue in pairs(queues) do
  for own, members in pairs(queue) do make_ready(agent, own, members) end
  wake(agent)
end
return replies
