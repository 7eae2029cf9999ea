-- Leases up to n queued tasks of an agent to a worker: highest priority first, owners in turn, oldest first.
-- KEYS: 1 base of the partition
-- ARGV: 1 worker  2 agent  3 n  4 lease, ms  5 entries of a conversation to send along  6 timeline config
--       7 number of the call, counted by the worker in this partition; the same when it is repeated for want of an answer
-- Returns: empty | claimed now, then for each: id, token and number of entries in the list, in one text; fields as they were
--          before (flat), a line each; first entries of the list; waits (flat) of a task that has waited |
--          replayed now, then the same of the tasks of the call that are still held under it, fields as they are
-- Invariant: a token is larger than any before it in this partition, even after Redis lost its last second; a call that is
--            repeated leases nothing more.
--- @include "num"
--- @include "slot"
--- @include "append_events"
--- @include "metric"
--- @include "move_count"
--- @include "tally"
--- @include "wake"
local worker, agent, n, lease, entries, config = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6]
local ring, ready = B .. K_RING .. agent, B .. K_READY .. agent .. ':'
local nothing = {}
-- One table for all tasks: a fresh one would grow field by field.
local t = {}

-- The hash of a task, flat; t has what matters here.
local function read(key)
  local flat = redis.call('HGETALL', key)
  t.state, t.started, t.attempts, t.turns, t.batch, t.awaited, t.live, t.i0 = nil, nil, nil, nil, nil, nil, nil, nil
  t.worker, t.token = nil, nil
  for j = 1, #flat, 2 do t[flat[j]] = flat[j + 1] end
  return flat
end

-- What the worker gets of the task that was read last.
local function hand_over(reply, id, key, held, flat)
  -- A short input is in the hash; whether there is more is known to those who have run it.
  local log, length = nothing, 0
  if not t.i0 or t.started then
    log = redis.call('LRANGE', key .. K_LOG, 0, entries - 1)
    length = #log < entries and #log or redis.call('LLEN', key .. K_LOG)
  end
  local n = #reply
  -- A task that has not ended has no field with a line break; one text is cheaper than many.
  reply[n + 1], reply[n + 2], reply[n + 3] = id .. ' ' .. held .. ' ' .. length, table.concat(flat, '\n'), log
  reply[n + 4] = t.awaited and redis.call('HGETALL', key .. K_WAITS) or nothing
end

local seq = redis.call('HMGET', B .. K_SEQ, 'token', K_CLAIM .. worker, K_PAUSED .. agent)
if seq[2] then
  -- Until a worker knows of a lease it does not renew it, so those of its last call still have the deadline of that call.
  local last, deadline, first = string.match(seq[2], '^(%d+) (%d+) (%d+)$')
  last = last - ARGV[7]
  if last > 0 then return { 'empty' } end
  if last == 0 then
    local reply = { 'replayed', num(deadline - lease) }
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', B .. K_LEASE, deadline, deadline)) do
      local key = B .. K_TASK .. id
      local flat = read(key)
      if t.state == 'processing' and t.worker == worker and tonumber(t.token) >= tonumber(first) then
        hand_over(reply, id, key, t.token, flat)
      end
    end
    return reply
  end
end
if seq[3] then return { 'empty' } end

-- Owners in rounds: all of the best priority give one each, and take their next turn behind the others; one that is the only
-- owner of that priority gives all that is wanted.
local band = 35184372088832
local ids, tick = {}, nil
while #ids < n do
  local top = redis.call('ZPOPMIN', ring, n - #ids)
  if #top == 0 then break end
  local priority, back, owners = math.floor(top[2] / band), {}, 0
  for i = 1, #top, 2 do
    if math.floor(top[i + 1] / band) == priority then
      owners = owners + 1
    else
      back[#back + 1], back[#back + 2] = top[i + 1], top[i]
    end
  end
  local each = owners == 1 and n - #ids or 1
  for i = 1, 2 * owners, 2 do
    local popped = redis.call('ZPOPMIN', ready .. top[i], each)
    for k = 1, #popped, 2 do ids[#ids + 1] = popped[k] end
    if redis.call('EXISTS', ready .. top[i]) == 1 then
      tick = (tick or redis.call('HINCRBY', B .. K_SEQ, 'tick', n) - n) + 1
      back[#back + 1], back[#back + 2] = num(priority * band + tick), top[i]
    end
  end
  if #back > 0 then redis.call('ZADD', ring, unpack(back)) end
end
if #ids == 0 then return { 'empty' } end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token = math.max((seq[1] or 0) + 1, time[1] * 1000000 + time[2])
local deadline, started = num(now + lease), num(now)
redis.call('HSET', B .. K_SEQ, 'token', num(token + #ids), K_CLAIM .. worker,
  ARGV[7] .. ' ' .. deadline .. ' ' .. num(token + 1))
local reply, claimed, amounts = { 'claimed', started }, 0, {}
for i = 1, #ids do
  local id = ids[i]
  local key = B .. K_TASK .. id
  local flat = read(key)
  if t.state == 'queued' then
    token, claimed = token + 1, claimed + 1
    local held, attempt = string.format('%.0f', token), (t.attempts or 0) + 1
    local waited = math.max(0, now - (t.ready or now))
    redis.call('HSET', key, 'state', 'processing', 'worker', worker, 'token', held, 'write', '0',
      'attempts', attempt, 'started', t.started or started)
    append_events(id, attempt, now, { (t.turns or '0') .. (t.started and ' run_resumed ' or ' run_started ')
      .. '{"worker":"' .. worker .. '","queue_wait_ms":' .. waited .. '}' }, not t.live)
    join(B .. K_LEASE, deadline, id)
    local wait = slot(waited)
    amounts[wait] = (amounts[wait] or 0) + 1
    move_count(agent, 'queued', 'processing', t.batch)
    hand_over(reply, id, key, held, flat)
  end
end
if redis.call('EXISTS', ring) == 1 then wake(agent) end
if claimed == 0 then return { 'empty' } end
local flat = { 'claimed', claimed }
for wait, amount in pairs(amounts) do flat[#flat + 1], flat[#flat + 2] = 'w' .. wait, amount end
metric(agent, now, config, flat)
return reply
