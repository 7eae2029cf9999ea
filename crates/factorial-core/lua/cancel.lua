-- Cancels a task in any state that is not terminal. Its descendants follow by cascade.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 reason or ''  3 data of the terminal event (JSON)  4 timeline config
-- Returns: cancelled, '1' when it has children | finished state | gone
-- Invariant: the state is cancelled when this returns; a worker that held it is told and refused from here on.
--- @include "clock"
--- @include "cancel_task"
--- @include "ended"
local id, reason, data, config = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t = read_task(id)
if not t[1] then return { 'gone' } end
if ended(t[1]) then return { 'finished', t[1] } end
local fields = {}
if reason ~= '' then fields = { 'reason', reason } end
return { 'cancelled', cancel_task(id, t, fields, data, config, clock()) and '1' or '' }
