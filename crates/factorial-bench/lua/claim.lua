-- Ceiling: the least that claiming can be: a pop, then for each task 3 fields, a lease, and a read.
-- KEYS: 1 base
-- ARGV: 1 how many at most
-- Returns: for each task: id, its fields
-- Invariant: touches nothing but keys under the base.
local base, most = KEYS[1], ARGV[1]
local now = redis.call('TIME')[1]
local reply = {}
local ids = redis.call('LPOP', base .. 'ready', most)
if not ids then return reply end
for _, id in ipairs(ids) do
  local key = base .. 'task:' .. id
  redis.call('HSET', key, 'state', 'processing', 'token', '1', 'attempts', '1')
  redis.call('ZADD', base .. 'lease', now + 10, id)
  reply[#reply + 1] = id
  reply[#reply + 1] = redis.call('HGETALL', key)
end
return reply
