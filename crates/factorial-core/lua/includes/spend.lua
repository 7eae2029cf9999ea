--- @include "num"
-- Counts the tokens and the cost of a committed reply in the timeline of its agent.
-- spent: `<bucket ms> <retention s> <tokens> <cost or -> <model>`, or ''. Tokens are input * 2^32 + output in one number, which
-- goes to Redis as text, for a number here has 53 bits. They do not go through the tally for the same reason. A count that
-- would overflow is left out: a commit never fails for it.
local function spend(agent, now, spent)
  if spent == '' then return end
  local width, retention, tokens, cost, model = string.match(spent, '^(%d+) (%d+) (%d+) (%S+) (.+)$')
  local bucket = B .. K_TIMELINE .. agent .. ':' .. width .. ':' .. num(math.floor(now / width) * width)
  if redis.pcall('HINCRBY', bucket, 'u:' .. model, tokens) == tonumber(tokens) then
    redis.call('EXPIRE', bucket, retention)
  end
  if cost ~= '-' then redis.pcall('HINCRBY', bucket, 'c:' .. model, cost) end
end
