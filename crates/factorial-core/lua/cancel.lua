-- Cancels a task in any state that is not terminal. Its descendants follow by cascade.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 reason or ''  3 data of the terminal event (JSON)  4 timeline config
-- Returns: cancelled, '1' when it has children | finished state | gone
-- Invariant: the state is cancelled when this returns; a worker that held it is told and refused from here on.
--- @include "clock"
--- @include "finish_task"
--- @include "tell_worker"
local id, reason, data, config = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = B .. K_TASK .. id
local state = redis.call('HGET', key, 'state')
if not state then return { 'gone' } end
if state == 'completed' or state == 'failed' or state == 'cancelled' then return { 'finished', state } end
local fields = {}
if reason ~= '' then fields = { 'reason', reason } end
local worker = finish_task(id, 'cancelled', clock(), fields, 'run_cancelled', data, config)
if worker then tell_worker(worker, 'cancel', id) end
if redis.call('EXISTS', key .. K_CHILDREN) == 0 then return { 'cancelled', '' } end
redis.call('RPUSH', B .. K_CASCADE, id)
return { 'cancelled', '1' }
