-- The answers of these waits are part of the conversation now: what is kept of them is how they were answered.
-- Nobody answers for a child, so nothing is kept of it.
local function take_answers(id, keys, from, to)
  local waits = B .. K_TASK .. id .. K_WAITS
  for i = from, to do
    local head, kind = string.match(redis.call('HGET', waits, keys[i]) or '', '^= ((%S+) %S+ %S+ %S+ %S+)')
    if kind == 'child' then
      redis.call('HDEL', waits, keys[i])
    elseif head then
      redis.call('HSET', waits, keys[i], '. ' .. head)
    end
  end
end
