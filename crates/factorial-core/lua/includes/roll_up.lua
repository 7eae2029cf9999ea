--- @include "num"
-- Adds what a task spent (usage_of) to a field of that form; sign -1 takes it away again.
local function add_spent(key, field, was, spent, sign)
  local sums, i = {}, 0
  for n in string.gmatch(was or '0 0 0 0 0 0', '%d+') do
    i = i + 1
    sums[i] = num(n + sign * spent[i])
  end
  redis.call('HSET', key, field, table.concat(sums, ' '))
end

-- Adds it to all ancestors of a task, as far as they are still there. A tree is at most 32 deep.
local function roll_up(parent, spent, sign)
  for _ = 1, 32 do
    if not parent then return end
    local key = B .. K_TASK .. parent
    local t = redis.call('HMGET', key, 'state', 'tree', 'parent')
    if not t[1] then return end
    add_spent(key, 'tree', t[2], spent, sign)
    parent = t[3]
  end
end
