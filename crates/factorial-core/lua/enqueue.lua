-- Accepts a task: queued, or scheduled when it starts later.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 agent  3 owner  4 priority (0 last to 9 first)  5 start: '' now, '+ms' after a delay, 'ms' an instant
--       6 input (first entry of the conversation)  7 idempotency key hash or ''  8 its fingerprint  9 how long it is kept, ms
--       10 previous task or ''  11 parent or ''  12 call of the parent or ''  13 batch or ''
--       14 wall-clock limit, ms from the start, or ''  15 timeline config  16 most bytes of a conversation
--       17.. more fields of the task, in pairs
-- Returns: accepted state | exists id | key_reused id | parent_finished | previous_unusable | conversation_too_large
-- Invariant: an id is accepted once; nothing is written unless it is accepted.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "make_ready"
--- @include "metric"
--- @include "move_count"
--- @include "set_timer"
--- @include "wake"
local id, agent, owner, priority, start, input = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local idempotency, fingerprint, kept = ARGV[7], ARGV[8], ARGV[9]
local previous, parent, call, batch, limit = ARGV[10], ARGV[11], ARGV[12], ARGV[13], ARGV[14]
local config, max_bytes = ARGV[15], tonumber(ARGV[16])
local key = B .. K_TASK .. id

if idempotency ~= '' then
  local seen = redis.call('GET', B .. K_IDEMPOTENCY .. idempotency)
  if seen then
    local print, first = string.match(seen, '^(%S+) (%S+)$')
    return { print == fingerprint and 'exists' or 'key_reused', first }
  end
end
if redis.call('EXISTS', key) == 1 then return { 'exists', id } end
if parent ~= '' then
  local state = redis.call('HGET', B .. K_TASK .. parent, 'state')
  if not state or state == 'completed' or state == 'failed' or state == 'cancelled' then return { 'parent_finished' } end
end
local bytes, conversation = #input, nil
if previous ~= '' then
  local p = redis.call('HMGET', B .. K_TASK .. previous, 'state', 'owner', 'conversation', 'bytes')
  if p[2] ~= owner or not (p[1] == 'completed' or p[1] == 'failed' or p[1] == 'cancelled') then
    return { 'previous_unusable' }
  end
  bytes, conversation = bytes + (p[4] or 0), p[3] or previous
end
if bytes > max_bytes then return { 'conversation_too_large' } end

local now = clock()
local due = now
if string.sub(start, 1, 1) == '+' then due = now + string.sub(start, 2) elseif start ~= '' then due = tonumber(start) end
local state = due > now and 'scheduled' or 'queued'
redis.call('HSET', key, 'state', state, 'agent', agent, 'owner', owner, 'priority', priority, 'created', num(now),
  'bytes', num(bytes), state == 'queued' and 'ready' or 'due', num(math.max(due, now)), unpack(ARGV, 17))
if conversation then
  redis.call('HSET', key, 'conversation', conversation, 'previous', previous)
  redis.call('COPY', B .. K_TASK .. previous .. K_LOG, key .. K_LOG)
end
redis.call('RPUSH', key .. K_LOG, input)
redis.call('ZADD', B .. K_BY_AGENT .. agent, 0, id)
redis.call('ZADD', B .. K_BY_OWNER .. owner, 0, id)
if parent ~= '' then
  redis.call('HSET', key, 'parent', parent, 'call', call)
  redis.call('SADD', B .. K_TASK .. parent .. K_CHILDREN, id)
  if call ~= '' and redis.call('HSETNX', B .. K_TASK .. parent .. K_WAITS, call, '?') == 1 then
    redis.call('HINCRBY', B .. K_TASK .. parent, 'awaited', 1)
  end
end
if batch ~= '' then
  redis.call('HSET', key, 'batch', batch)
  redis.call('HINCRBY', B .. K_BATCH .. batch, 'members', 1)
end
if limit ~= '' then
  local deadline = num(math.max(due, now) + limit)
  redis.call('HSET', key, 'deadline', deadline)
  set_timer(K_DEADLINE, id, deadline)
end
if idempotency ~= '' then
  redis.call('SET', B .. K_IDEMPOTENCY .. idempotency, fingerprint .. ' ' .. id, 'PX', kept)
end
append_events(id, '0', now, { 'task_enqueued', '{"status":"' .. state .. '"}', '0' })
move_count(agent, '', state)
metric(agent, now, config, { 'enqueued', 1 })
if state == 'scheduled' then
  set_timer(K_DELAY, id, due)
else
  make_ready(id, agent, owner, priority, now)
  wake(agent)
end
return { 'accepted', state }
