-- Answers up to n waits whose deadline has passed with `timeout`; a child that was waited for is to be cancelled.
-- KEYS: 1 base of the partition
-- ARGV: 1 n
-- Returns: ok expired, ms until the next deadline (-1: none)
-- Invariant: a wait without a deadline is never touched.
--- @include "clock"
--- @include "num"
--- @include "append_events"
--- @include "settle_wait"
--- @include "unpark"
local n = tonumber(ARGV[1])
local now, expired = clock(), 0
local due = redis.call('ZRANGEBYSCORE', B .. K_AWAIT, '-inf', num(now), 'LIMIT', 0, n)
for i = 1, #due do
  local id, wait = string.match(due[i], '^(%S+) (%S+)$')
  redis.call('ZREM', B .. K_AWAIT, due[i])
  local became, kind, ref
  if id then became, kind, ref = settle_wait(id, wait, 'timeout', '{}', now) end
  if became == 'settled' then
    local t = redis.call('HMGET', B .. K_TASK .. id, 'attempts', 'turns')
    append_events(id, t[1] or '0', now, { (t[2] or '0') .. ' wait_expired {"wait":"' .. wait .. '","kind":"' .. kind .. '"}' })
    if kind == 'child' then redis.call('RPUSH', B .. K_ORPHANS, ref) end
    unpark(id, now)
    expired = expired + 1
  end
end
local next = redis.call('ZRANGE', B .. K_AWAIT, 0, 0, 'WITHSCORES')
return { 'ok', expired, next[2] and num(math.max(0, next[2] - now)) or '-1' }
