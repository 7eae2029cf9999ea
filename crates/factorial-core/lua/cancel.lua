-- Cancels a task in any state that is not terminal. Its descendants follow by cascade.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 reason or ''  3 data of the terminal event (JSON)  4 timeline config
-- Returns: cancelled, '1' when it has children | finished state | gone
-- Invariant: the state is cancelled when this returns; a worker that held it is told and refused from here on.
--- @include "clock"
--- @include "cancel_task"
local id, reason, data, config = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = B .. K_TASK .. id
local state = redis.call('HGET', key, 'state')
if not state then return { 'gone' } end
if state == 'completed' or state == 'failed' or state == 'cancelled' then return { 'finished', state } end
local fields = {}
if reason ~= '' then fields = { 'reason', reason } end
return { 'cancelled', cancel_task(id, fields, data, config, clock()) and '1' or '' }
