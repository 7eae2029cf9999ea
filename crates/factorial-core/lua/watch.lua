-- Marks a task as listened to: from here on its events are published, not only kept, and the text of its replies as it
-- comes. A worker that runs it says at once what there is of the open reply.
-- KEYS: 1 base of the partition
-- ARGV: 1 id
-- Returns: ok | gone
-- Invariant: whoever subscribes first, calls this second and reads the log third misses nothing.
--- @include "tell_worker"
local id = ARGV[1]
local key = B .. K_TASK .. id
local t = redis.call('HMGET', key, 'state', 'worker')
if not t[1] then return { 'gone' } end
redis.call('HSET', key, 'live', '1')
if t[1] == 'processing' and t[2] then tell_worker(t[2], 'watch', id) end
return { 'ok' }
