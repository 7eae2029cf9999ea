--- @include "num"
-- What the tasks of one call share (counters, places) is gathered here, and written once by write_tally at the end of the
-- script. Nothing in between may read what is gathered.
local sums, joined, left, kept = {}, {}, {}, {}

-- Adds to a field of a hash. keep: seconds that the hash lives from its first field on, or nil for ever.
local function add(hash, field, by, keep)
  local fields = sums[hash]
  if not fields then
    fields = {}
    sums[hash], kept[hash] = fields, keep
  end
  fields[field] = (fields[field] or 0) + by
end

-- Puts an id into a sorted set. score: text.
local function join(place, score, id)
  local list = joined[place]
  if not list then
    list = {}
    joined[place] = list
  end
  list[#list + 1] = score
  list[#list + 1] = id
end

-- Takes an id out of a sorted set.
local function leave(place, id)
  local list = left[place]
  if not list then
    list = {}
    left[place] = list
  end
  list[#list + 1] = id
end

local function write_tally()
  -- Removals first: see leave_place.
  for place, list in pairs(left) do
    for i = 1, #list, 500 do redis.call('ZREM', place, unpack(list, i, math.min(i + 499, #list))) end
  end
  for place, list in pairs(joined) do
    for i = 1, #list, 500 do redis.call('ZADD', place, unpack(list, i, math.min(i + 499, #list))) end
  end
  for hash, fields in pairs(sums) do
    local fresh = false
    for field, by in pairs(fields) do
      if by ~= 0 and redis.call('HINCRBY', hash, field, by) == by then fresh = true end
    end
    if fresh and kept[hash] then redis.call('EXPIRE', hash, kept[hash]) end
  end
end
