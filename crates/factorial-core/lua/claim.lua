-- Leases up to n queued tasks of an agent to a worker: highest priority first, owners in turn, oldest first.
-- KEYS: 1 base of the partition
-- ARGV: 1 worker  2 agent  3 n  4 lease, ms  5 entries of a conversation to send along  6 timeline config
-- Returns: empty | claimed now, then for each: id, token, fields (flat), length of the conversation, its first entries,
--          waits (flat) of a task that has waited
-- Invariant: a token is larger than any before it in this partition, even after Redis lost its last second.
--- @include "num"
--- @include "slot"
--- @include "append_events"
--- @include "metric"
--- @include "wake"
local worker, agent, n, lease, entries, config = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6]
local ring = B .. K_RING .. agent

local ids, tick = {}, nil
while #ids < n do
  local top = redis.call('ZPOPMIN', ring)
  if #top == 0 then break end
  local own = top[1]
  local alone = redis.call('EXISTS', ring) == 0
  local popped = redis.call('ZPOPMIN', B .. K_READY .. agent .. ':' .. own, alone and n - #ids or 1)
  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
  if redis.call('EXISTS', B .. K_READY .. agent .. ':' .. own) == 1 then
    tick = tick or redis.call('HINCRBY', B .. K_SEQ, 'tick', n) - n
    tick = tick + 1
    redis.call('ZADD', ring, num(math.floor(top[2] / 35184372088832) * 35184372088832 + tick), own)
    if alone then break end
  end
end
if #ids == 0 then return { 'empty' } end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token = math.max((redis.call('HGET', B .. K_SEQ, 'token') or 0) + 1, time[1] * 1000000 + time[2])
redis.call('HSET', B .. K_SEQ, 'token', num(token + #ids))
local reply, leases, amounts = { 'claimed', num(now) }, {}, {}
for i = 1, #ids do
  local id = ids[i]
  local key = B .. K_TASK .. id
  local t = redis.call('HMGET', key, 'state', 'ready', 'attempts', 'started', 'turns', 'awaited',
      'batch')
  if t[1] == 'queued' then
    token = token + 1
    local attempt = num((t[3] or 0) + 1)
    local waited = math.max(0, now - (t[2] or now))
    local events = { t[4] and 'run_resumed' or 'run_started',
      '{"worker":"' .. worker .. '","queue_wait_ms":' .. num(waited) .. '}', t[5] or '0' }
    redis.call('HSET', key, 'state', 'processing', 'worker', worker, 'token', num(token), 'write', '0',
      'attempts', attempt, 'started', t[4] or num(now))
    append_events(id, attempt, now, events)
    leases[#leases + 1], leases[#leases + 2] = num(now + lease), id
    local wait = 'w' .. slot(waited)
    amounts[wait] = (amounts[wait] or 0) + 1
    if t[7] and redis.call('EXISTS', B .. K_BATCH .. t[7]) == 1 then
      redis.call('HINCRBY', B .. K_BATCH .. t[7], 'queued', -1)
      redis.call('HINCRBY', B .. K_BATCH .. t[7], 'processing', 1)
    end
    reply[#reply + 1] = { id, num(token), redis.call('HGETALL', key), redis.call('LLEN', key .. K_LOG),
      redis.call('LRANGE', key .. K_LOG, 0, entries - 1), t[6] and redis.call('HGETALL', key .. K_WAITS) or nil }
  end
end
local claimed = #leases / 2
if redis.call('EXISTS', ring) == 1 then wake(agent) end
if claimed == 0 then return { 'empty' } end
for i = 1, #leases, 500 do redis.call('ZADD', B .. K_LEASE, unpack(leases, i, math.min(i + 499, #leases))) end
redis.call('HINCRBY', B .. K_COUNTS, agent .. ':queued', -claimed)
redis.call('HINCRBY', B .. K_COUNTS, agent .. ':processing', claimed)
local flat = { 'claimed', claimed }
for field, amount in pairs(amounts) do flat[#flat + 1], flat[#flat + 2] = field, amount end
metric(agent, now, config, flat)
return reply
