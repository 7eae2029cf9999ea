-- What a task has spent by itself: 1, tokens read, cached, written, of reasoning, cost.
local function usage_of(id)
  local spent = { 1, 0, 0, 0, 0, 0 }
  local fields = redis.call('HGETALL', B .. K_TASK .. id)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'u:' then
      local a, b, c, d = string.match(fields[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
      spent[2], spent[3], spent[4], spent[5] = spent[2] + a, spent[3] + b, spent[4] + c, spent[5] + d
    elseif fields[i] == 'cost' then
      spent[6] = spent[6] + fields[i + 1]
    end
  end
  return spent
end
