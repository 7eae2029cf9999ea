-- Marks a task as listened to: from here on its events are published, not only kept.
-- KEYS: 1 base of the partition
-- ARGV: 1 id
-- Returns: ok | gone
-- Invariant: whoever subscribes first, calls this second and reads the log third misses nothing.
local key = B .. K_TASK .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return { 'gone' } end
redis.call('HSET', key, 'live', '1')
return { 'ok' }
