-- RPUSHes items[from..to], in chunks that stay far below the limit of unpack.
local function push_all(key, items, from, to)
  local length = 0
  for i = from, to, 500 do
    length = redis.call('RPUSH', key, unpack(items, i, math.min(i + 499, to)))
  end
  return length
end
