-- Accepts a task: queued, or scheduled when it starts later.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 agent  3 owner  4 priority (0 last to 9 first)  5 start: '' now, '+ms' after a delay, 'ms' an instant
--       6 input (first entry of the conversation)  7 idempotency key hash or ''  8 its fingerprint  9 how long it is kept, ms
--       10 previous task or ''  11 '' or of a child: parent, token of its lease, wait key or -, ms that it waits or -,
--          most depth below the root, most descendants of the root, in one text  12 batch or ''
--       13 wall-clock limit, ms from the start, or ''  14 timeline config  15 most bytes of a conversation
--       16.. more fields of the task, in pairs
-- Returns: accepted state now | exists id | key_reused id | parent_lost | too_deep | too_many | batch_closed |
--          previous_unusable | conversation_too_large
-- Invariant: an id is accepted once; nothing is written unless it is accepted; a child is awaited from the moment it exists.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "make_ready"
--- @include "metric"
--- @include "move_count"
--- @include "register_wait"
--- @include "set_timer"
--- @include "wake"
local id, agent, owner, priority, start, input = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local idempotency, fingerprint, kept = ARGV[7], ARGV[8], ARGV[9]
local previous, spawned, batch, limit = ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local config, max_bytes = ARGV[14], tonumber(ARGV[15])
local key = B .. K_TASK .. id

if idempotency ~= '' then
  local seen = redis.call('GET', B .. K_IDEMPOTENCY .. idempotency)
  if seen then
    local print, first = string.match(seen, '^(%S+) (%S+)$')
    return { print == fingerprint and 'exists' or 'key_reused', first }
  end
end
if redis.call('EXISTS', key) == 1 then return { 'exists', id } end
local parent, wait, timeout, depth, root, p
if spawned ~= '' then
  local token, most_deep, most
  parent, token, wait, timeout, most_deep, most = string.match(spawned, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  p = redis.call('HMGET', B .. K_TASK .. parent, 'state', 'token', 'depth', 'root', 'attempts', 'turns', 'agent', 'owner')
  if p[1] ~= 'processing' or p[2] ~= token then return { 'parent_lost' } end
  depth, root = tonumber(p[3] or 0) + 1, p[4] or parent
  if depth > math.min(32, tonumber(most_deep)) then return { 'too_deep' } end
  if tonumber(redis.call('HGET', B .. K_TASK .. root, 'spawned') or 0) >= tonumber(most) then return { 'too_many' } end
end
if batch ~= '' and redis.call('HGET', B .. K_BATCH .. batch, 'state') ~= 'filling' then return { 'batch_closed' } end
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
  'bytes', num(bytes), state == 'queued' and 'ready' or 'due', num(math.max(due, now)), unpack(ARGV, 16))
if conversation then
  redis.call('HSET', key, 'conversation', conversation, 'previous', previous)
  redis.call('COPY', B .. K_TASK .. previous .. K_LOG, key .. K_LOG)
end
redis.call('RPUSH', key .. K_LOG, input)
redis.call('ZADD', B .. K_BY_AGENT .. agent, 0, id)
redis.call('ZADD', B .. K_BY_OWNER .. owner, 0, id)
if parent then
  redis.call('HSET', key, 'parent', parent, 'root', root, 'depth', num(depth), 'call', wait == '-' and '' or wait)
  redis.call('SADD', B .. K_TASK .. parent .. K_CHILDREN, id)
  redis.call('RPUSH', B .. K_TASK .. parent .. K_OFFSPRING, id)
  if redis.call('EXISTS', B .. K_TASK .. root) == 1 then redis.call('HINCRBY', B .. K_TASK .. root, 'spawned', 1) end
  if wait ~= '-' then register_wait(parent, wait, 'child', timeout == '-' and '' or timeout, id, p[7], p[8], now) end
  append_events(parent, p[5], now, { 'child_spawned', '{"task_id":"' .. id .. '","agent":"' .. agent .. '"}', p[6] or '0' })
end
if batch ~= '' then
  redis.call('HSET', key, 'batch', batch)
  redis.call('HINCRBY', B .. K_BATCH .. batch, 'accepted', 1)
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
move_count(agent, '', state, batch ~= '' and batch or nil)
metric(agent, now, config, { 'enqueued', 1 })
if state == 'scheduled' then
  set_timer(K_DELAY, id, due)
else
  make_ready(id, agent, owner, priority, now)
  wake(agent)
end
return { 'accepted', state, num(now) }
