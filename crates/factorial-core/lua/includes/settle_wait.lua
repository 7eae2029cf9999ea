--- @include "num"
--- @include "forget_wait"
-- Answers an open wait of a task: the first answer counts. Whoever calls it unparks the task afterwards.
-- Form: `= <kind> <outcome> <at ms> <sha1> <ref> <payload>`.
-- Returns settled, kind, ref | unknown | replayed, outcome | answered, the outcome that counts
local function settle_wait(id, wait, outcome, payload, now)
  local key = B .. K_TASK .. id
  local value = redis.call('HGET', key .. K_WAITS, wait)
  if not value then return 'unknown' end
  local status, kind, a, b, c = string.match(value, '^(%S) (%S+) (%S+) (%S+) (%S+)')
  local print = redis.sha1hex(outcome .. ' ' .. payload)
  if status ~= '?' then return c == print and 'replayed' or 'answered', a end
  local t = redis.call('HMGET', key, 'agent', 'owner')
  forget_wait(id, wait, kind, b, t[1], t[2])
  redis.call('HSET', key .. K_WAITS, wait,
    '= ' .. kind .. ' ' .. outcome .. ' ' .. num(now) .. ' ' .. print .. ' ' .. c .. ' ' .. payload)
  redis.call('HINCRBY', key, 'awaited', -1)
  return 'settled', kind, c
end
