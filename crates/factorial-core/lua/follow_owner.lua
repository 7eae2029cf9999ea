-- Keeps the feed of an owner going: from here on, for as long as is asked, its events are gathered in a stream.
-- KEYS: 1 base of the partition
-- ARGV: 1 owner  2 for how long, ms
-- Returns: ok n of the last entry
-- Invariant: n grows over all feeds that the owner ever had; between two calls that are not too far apart no n is missing,
--            but the oldest ones may have been trimmed.
--- @include "clock"
--- @include "num"
local owner, lasts = ARGV[1], tonumber(ARGV[2])
local now = clock()
local followed, stream = B .. K_FOLLOWED, B .. K_FEED .. owner
local f = redis.call('HMGET', followed, owner, owner .. ' n')
local n = f[2]
if not n or tonumber(f[1]) < now then
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  n = math.max(now * 1000, last and string.match(last[1], '^%d+') + 1 or 0, (n or 0) + 1)
  -- So that the stream is there, and can expire.
  redis.call('XADD', stream, num(n) .. '-0', 'e', '')
  if redis.call('HLEN', followed) > 2000 then
    local fields = redis.call('HGETALL', followed)
    for i = 1, #fields, 2 do
      if not string.find(fields[i], ' ', 1, true) and tonumber(fields[i + 1]) < now then
        redis.call('HDEL', followed, fields[i], fields[i] .. ' n')
      end
    end
  end
end
redis.call('HSET', followed, owner, num(now + lasts), owner .. ' n', num(n))
redis.call('PEXPIRE', followed, lasts)
redis.call('PEXPIRE', stream, 2 * lasts)
return { 'ok', num(n) }
