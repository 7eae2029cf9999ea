-- The first entry of a conversation if it is in the hash: fields i0, i1, … The list of the conversation starts after it.
local function inline_input(id)
  local parts = redis.call('HMGET', B .. K_TASK .. id, 'i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7')
  if not parts[1] then return nil end
  for i = 1, 8 do parts[i] = parts[i] or '' end
  return table.concat(parts)
end
