--- @include "num"
-- What webhooks are told of.
local told_types = { run_completed = true, run_failed = true, run_cancelled = true, run_parked = true, approval_requested = true,
  tool_call_deferred = true, batch_completed = true, batch_cancelled = true }

-- Those of some events that webhooks are told of: places and types, in pairs; nil if there are none.
local function told_of(events)
  local told
  for i = 1, #events do
    local what = string.match(events[i], '^%S+ %S+ %S+ (%S+)')
    if told_types[what] then
      told = told or {}
      told[#told + 1], told[#told + 2] = i, what
    end
  end
  return told
end

-- Adds a delivery to a log: the last 200 are kept. One that has ended and is not in its log any more goes.
local function log_delivery(log, delivery)
  local key = B .. K_DELIVERIES .. log
  local length = redis.call('LPUSH', key, delivery)
  redis.call('EXPIRE', key, 259200)
  if length <= 200 then return end
  local old = redis.call('RPOP', key)
  local d = redis.call('HMGET', B .. K_DELIVERY .. old, 'log', 'ended')
  if d[1] ~= log then return end
  if d[2] then
    redis.call('UNLINK', B .. K_DELIVERY .. old)
  else
    redis.call('HSET', B .. K_DELIVERY .. old, 'unlisted', '1')
  end
end

local noticed
-- Puts an event into the outbox for one webhook. hook: its id, or `task` or `batch`; log: where the delivery is listed;
-- to: the webhook of a task or a batch, else ''; event: its stored form.
local function post(id, seq, hook, log, to, owner, agent, event, now)
  local delivery = id .. '.' .. num(seq) .. '.' .. hook
  redis.call('HSET', B .. K_DELIVERY .. delivery, 'log', log, 'to', to, 'owner', owner, 'agent', agent, 'event', event,
    'created', num(now), 'since', num(now), 'attempts', '0', 'base', '0')
  redis.call('ZADD', B .. K_OUTBOX, num(now), delivery)
  log_delivery(log, delivery)
  if log ~= id then
    -- Others are found by their task for about as long as that stays.
    local key = B .. K_DELIVERIES .. id
    local length = redis.call('LPUSH', key, delivery)
    if length == 1 then redis.call('EXPIRE', key, 3600) end
    if length > 200 then redis.call('LTRIM', key, 0, 199) end
  end
  if not noticed then redis.call('PUBLISH', B .. K_OUTBOX_CHANNEL, delivery) end
  noticed = true
end

local function wants(types, what)
  return types == '*' or string.find(types, ',' .. what .. ',', 1, true)
end

-- The webhook that is kept under `key`, if it is told of an event of this type.
local function receiver(key, what)
  local to = redis.call('GET', key .. K_HOOK)
  local types = to and string.match(to, '^%S+ (%S+)')
  return types and wants(types, what) and to
end

-- Puts events into the outbox for the webhooks of the owner (if there may be some), of the task or batch, and of the batch
-- that a task is a member of. key, id, first, events: see feed; told: see told_of; t: owner, agent, hook, batch.
local function post_all(key, id, first, events, told, t, owners, now)
  local lines = owners and redis.call('HGET', B .. K_HOOKS, t[1])
  for i = 1, #told, 2 do
    local event, what, seq = events[told[i]], told[i + 1], first + told[i] - 1
    for hook, types in string.gmatch(lines or '', '\n(%S+) (%S+)') do
      if wants(types, what) then post(id, seq, hook, hook, '', t[1], t[2] or '', event, now) end
    end
    if t[3] == '=' then
      local to = t[4] and receiver(B .. K_BATCH .. t[4], what)
      if to then post(id, seq, 'batch', t[4], to, t[1], t[2] or '', event, now) end
    elseif t[3] then
      local to = receiver(key, what)
      if to then post(id, seq, t[2] and 'task' or 'batch', id, to, t[1], t[2] or '', event, now) end
    end
  end
end
