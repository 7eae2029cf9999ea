-- Ceiling: the least that accepting tasks can be, a hash of 8 fields and a push for each.
-- KEYS: 1 base
-- ARGV: 1 payload  2.. ids
-- Returns: how many
-- Invariant: touches nothing but keys under the base.
local base, payload = KEYS[1], ARGV[1]
local now = redis.call('TIME')[1]
for i = 2, #ARGV do
  redis.call('HSET', base .. 'task:' .. ARGV[i], 'state', 'queued', 'agent', 'noop', 'owner', 'bench', 'priority', '5',
    'created', now, 'ready', now, 'attempts', '0', 'payload', payload)
  redis.call('RPUSH', base .. 'ready', ARGV[i])
end
return #ARGV - 1
