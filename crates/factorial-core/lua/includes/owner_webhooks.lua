--- @include "num"
-- The webhooks of an owner, oldest first, and their version.
local function webhooks_of(owner)
  local line = redis.call('HGET', B .. K_WEBHOOK_OWNERS, owner)
  local ids = {}
  for id in string.gmatch(line or '', ' (%S+)') do ids[#ids + 1] = id end
  return ids, line and string.match(line, '^%d+') or '0'
end

-- Says that they are these from now on, and that partitions are to be told. Versions grow over all that an owner ever had.
local function changed(owner, ids)
  local version = num(redis.call('HINCRBY', B .. K_WEBHOOK_OWNERS, ' version', 1))
  redis.call('HSET', B .. K_WEBHOOK_CHANGES, owner, version)
  if #ids == 0 then
    redis.call('HDEL', B .. K_WEBHOOK_OWNERS, owner)
  else
    redis.call('HSET', B .. K_WEBHOOK_OWNERS, owner, version .. ' ' .. table.concat(ids, ' '))
  end
end
