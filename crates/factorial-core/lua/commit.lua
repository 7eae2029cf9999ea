-- Commits a part of a turn: entries of the conversation, fields, events; extends the lease; takes steering at a boundary.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 token  3 write  4 lease, ms  5 '1' at a boundary, else ''  6 entries that the worker knows
--       7 most bytes of a conversation  8 what the reply has spent (see spend), or ''
--       9 number of entries, then they; number of fields and values, then they; number of events, then they (`<turn> <type> <data>`); if waits change: number of wait keys that are used up,
--       then they, then of each new wait its key, kind, timeout (ms, or ''), ref
-- Returns: ok | steered waited (ms), then the steering messages taken | replayed, then what came after the entries | stale state | gone |
--          diverged length | conversation_too_large bytes
-- Invariant: nothing is written under a stale token; one write is applied once.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "batch_progress"
--- @include "check_lease"
--- @include "push_known"
--- @include "register_wait"
--- @include "spend"
--- @include "take_answers"
--- @include "take_steering"
local id, token, write, lease, boundary = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known, max_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
local key = B .. K_TASK .. id
local entries = tonumber(ARGV[9])
local fields_at = 10 + entries
local events_at = fields_at + 1 + tonumber(ARGV[fields_at])
local waits_at = events_at + 1 + tonumber(ARGV[events_at])

local outcome, t = check_lease(id, token, write, 'bytes', 'steering', 'crashes', 'turns',
  'agent', 'owner', 'batch', 'live', 'i0')
local inline = t[13] and 1 or 0
if outcome == 'gone' then return { 'gone' } end
if outcome == 'stale' then return { 'stale', t[1] } end
if outcome == 'replayed' then
  local after = redis.call('LRANGE', key .. K_LOG, known + entries - inline, -1)
  table.insert(after, 1, 'replayed')
  return after
end
local bytes = tonumber(t[5] or 0)
for i = 10, fields_at - 1 do bytes = bytes + #ARGV[i] end
if bytes > max_bytes then return { 'conversation_too_large', num(bytes) } end

-- A removal first, so that a full Redis does not lose what was paid for.
redis.call('ZREM', B .. K_LEASE, '')
local length = push_known(key .. K_LOG, known - inline, 10, fields_at - 1)
if length then return { 'diverged', length + inline } end
local now = clock()
redis.call('ZADD', B .. K_LEASE, num(now + lease), id)
local events = { unpack(ARGV, events_at + 1, waits_at - 1) }
local reply = { 'ok' }
if boundary == '1' and t[6] and t[6] ~= '0' then
  local count, taken, waited = take_steering(id, now)
  bytes = bytes + taken
  redis.call('HSET', key, 'steering', '0')
  events[#events + 1] = (t[8] or '0') .. ' run_steering_applied {"count":' .. count .. '}'
  reply = redis.call('LRANGE', key .. K_LOG, known + entries - inline, -1)
  table.insert(reply, 1, 'steered')
  table.insert(reply, 2, waited)
end
if entries > 0 and t[7] then redis.call('HDEL', key, 'crashes') end
redis.call('HSET', key, 'write', write, 'bytes', num(bytes), unpack(ARGV, fields_at + 1, events_at - 1))
append_events(id, t[4], now, events, not t[12])
if ARGV[waits_at] then
  local first = waits_at + 1 + tonumber(ARGV[waits_at])
  take_answers(id, ARGV, waits_at + 1, first - 1)
  for i = first, #ARGV, 4 do
    register_wait(id, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], t[9], t[10], now)
  end
end
spend(t[9], now, ARGV[8])
if t[11] then count_turns(t[11], t[8], ARGV, fields_at + 1, events_at - 1, now) end
return reply
