-- Answers a wait of a task from outside.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 wait key  3 kinds that may be answered this way, each between commas  4 outcome  5 payload (JSON)  6 event type or ''
--       7 data of the event (JSON)  8 owner that the task must have, or ''  9 token of the lease that the caller holds, or ''
-- Returns: answered state of the task | replayed outcome | conflict, the outcome that counts | unknown | finished state | gone
-- Invariant: the first answer counts; whether it was the last one, and the task is queued, is decided here.
--- @include "clock"
--- @include "append_events"
--- @include "settle_wait"
--- @include "unpark"
local id, wait, kinds, outcome, payload = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local event, data, owner, token = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local key = B .. K_TASK .. id
local t = redis.call('HMGET', key, 'state', 'owner', 'token', 'attempts', 'turns')
if not t[1] or (owner ~= '' and t[2] ~= owner) then return { 'gone' } end
if token ~= '' and t[3] ~= token then return { 'unknown' } end
local kind = string.match(redis.call('HGET', key .. K_WAITS, wait) or '', '^%S (%S+)')
if not kind or not string.find(kinds, ',' .. kind .. ',', 1, true) then
  if t[1] == 'completed' or t[1] == 'failed' or t[1] == 'cancelled' then return { 'finished', t[1] } end
  return { 'unknown' }
end
local now = clock()
local became, counts = settle_wait(id, wait, outcome, payload, now)
if became ~= 'settled' then return { became == 'replayed' and 'replayed' or 'conflict', counts } end
if event ~= '' then append_events(id, t[4] or '0', now, { (t[5] or '0') .. ' ' .. event .. ' ' .. data }) end
unpark(id, now)
return { 'answered', redis.call('HGET', key, 'state') }
