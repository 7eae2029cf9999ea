-- Tells of progress with a call that is open, by whoever will answer it.
-- KEYS: 1 base of the partition
-- ARGV: 1 id  2 wait key  3 data of the event (JSON)  4 owner that the task must have, or ''  5 most reports in the life of a task
-- Returns: ok | closed | unknown | exhausted | gone
-- Invariant: changes nothing but the event log.
--- @include "clock"
--- @include "append_events"
local id, wait, data, owner, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local key = B .. K_TASK .. id
local t = redis.call('HMGET', key, 'state', 'owner', 'attempts', 'turns', 'reports')
if not t[1] or (owner ~= '' and t[2] ~= owner) then return { 'gone' } end
local status, kind = string.match(redis.call('HGET', key .. K_WAITS, wait) or '', '^(%S) (%S+)')
if kind ~= 'caller' and kind ~= 'operator' then return { 'unknown' } end
if status ~= '?' then return { 'closed' } end
if tonumber(t[5] or 0) >= most then return { 'exhausted' } end
redis.call('HINCRBY', key, 'reports', 1)
append_events(id, t[3] or '0', clock(), { (t[4] or '0') .. ' progress_update_tool_action_progress ' .. data })
return { 'ok' }
