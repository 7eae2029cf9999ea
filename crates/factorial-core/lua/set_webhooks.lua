-- Tells a partition which webhooks an owner has.
-- KEYS: 1 base of the partition
-- ARGV: 1 owner  2 version  3.. id and types of each, in pairs
-- Returns: ok | older
-- Invariant: a newer version is not replaced by an older one, as long as there are webhooks.
local owner, version = ARGV[1], ARGV[2]
local was = redis.call('HGET', B .. K_HOOKS, owner)
if was and tonumber(string.match(was, '^%d+')) > tonumber(version) then return { 'older' } end
if not ARGV[3] then
  redis.call('HDEL', B .. K_HOOKS, owner)
  return { 'ok' }
end
local lines = { version }
for i = 3, #ARGV, 2 do lines[#lines + 1] = ARGV[i] .. ' ' .. ARGV[i + 1] end
redis.call('HSET', B .. K_HOOKS, owner, table.concat(lines, '\n'))
return { 'ok' }
