--- @include "tally"
local buckets = {}
-- Adds to the metrics timeline of an agent. config: `<bucket ms> <retention s>`; now is the same in all of a call.
-- fields: flat list of name, amount. A bucket expires by itself, set when a field of it is new.
local function metric(agent, now, config, fields)
  local bucket = buckets[agent]
  if not bucket then
    local width, retention = string.match(config, '^(%d+) (%d+)$')
    bucket = { B .. K_TIMELINE .. agent .. ':' .. width .. ':' .. num(math.floor(now / width) * width), retention }
    buckets[agent] = bucket
  end
  for i = 1, #fields, 2 do add(bucket[1], fields[i], fields[i + 1], bucket[2]) end
end
