-- Keeps what the timeline of an agent says of an hour that is over, summed up.
-- KEYS: 1 hash of the hour
-- ARGV: 1 how long it is kept, s  2.. fields and sums
-- Returns: kept | exists
-- Invariant: an hour is written once, so that one who comes late, when buckets of it are gone, changes nothing.
local keep = ARGV[1]
if redis.call('EXISTS', B) == 1 then return { 'exists' } end
for i = 2, #ARGV, 500 do redis.call('HSET', B, unpack(ARGV, i, math.min(i + 499, #ARGV))) end
redis.call('EXPIRE', B, keep)
return { 'kept' }
