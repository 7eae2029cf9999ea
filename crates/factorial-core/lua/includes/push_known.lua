--- @include "push_all"
-- Appends ARGV[from..to] to the list of a conversation, if that has `known` entries. Returns how many it has if not: then
-- nothing was appended.
local function push_known(key, known, from, to)
  if from > to then
    local length = redis.call('LLEN', key)
    return length ~= known and length or nil
  end
  local length = push_all(key, ARGV, from, to) - (to - from + 1)
  if length == known then return nil end
  if length == 0 then redis.call('DEL', key) else redis.call('LTRIM', key, 0, length - 1) end
  return length
end
