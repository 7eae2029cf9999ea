-- Ceiling: the least that finishing can be: for each task a check, 3 fields, the lease, an expiry, and one counter.
-- KEYS: 1 base
-- ARGV: ids
-- Returns: how many
-- Invariant: touches nothing but keys under the base.
local base = KEYS[1]
local done = 0
for i = 1, #ARGV do
  local key = base .. 'task:' .. ARGV[i]
  if redis.call('HGET', key, 'token') == '1' then
    redis.call('HSET', key, 'state', 'completed', 'finished', '1', 'output', 'ok')
    redis.call('ZREM', base .. 'lease', ARGV[i])
    redis.call('EXPIRE', key, 3600)
    redis.call('HINCRBY', base .. 'counts', 'completed', 1)
    done = done + 1
  end
end
return done
