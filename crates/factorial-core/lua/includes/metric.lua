--- @include "num"
-- Adds to the metrics timeline of an agent. config: `<bucket ms> <retention s>`.
-- fields: flat list of name, amount. A bucket expires by itself, set when it is created.
local function metric(agent, now, config, fields)
  local bucket, retention = string.match(config, '^(%d+) (%d+)$')
  local start = math.floor(now / bucket) * bucket
  local key = B .. K_TIMELINE .. agent .. ':' .. bucket .. ':' .. num(start)
  local fresh = false
  for i = 1, #fields, 2 do
    local value = redis.call('HINCRBY', key, fields[i], fields[i + 1])
    if i == 1 and value == fields[i + 1] then fresh = true end
  end
  if fresh then redis.call('EXPIRE', key, retention) end
end
