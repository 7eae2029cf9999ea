-- Claims an idempotency key for a task that will live in another partition (it goes on with a conversation there).
-- KEYS: 1 base of the key's own partition
-- ARGV: 1 key hash  2 fingerprint  3 id of the task  4 how long it is kept, ms
-- Returns: reserved id | exists id | key_reused id
-- Invariant: the first request with a key decides its fingerprint and its task.
local key, fingerprint, id, kept = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local seen = redis.call('GET', B .. K_IDEMPOTENCY .. key)
if seen then
  local print, first = string.match(seen, '^(%S+) (%S+)$')
  return { print == fingerprint and 'exists' or 'key_reused', first }
end
redis.call('SET', B .. K_IDEMPOTENCY .. key, fingerprint .. ' ' .. id, 'PX', kept)
return { 'reserved', id }
