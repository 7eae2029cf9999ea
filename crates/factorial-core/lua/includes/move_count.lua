--- @include "tally"
-- Moves one task of an agent, and of a batch if it has one, between the counters of two states; '' for none.
local function move_count(agent, from, to, batch)
  if from ~= '' then add(B .. K_COUNTS, agent .. ':' .. from, -1) end
  if to ~= '' then add(B .. K_COUNTS, agent .. ':' .. to, 1) end
  if batch and redis.call('EXISTS', B .. K_BATCH .. batch) == 1 then
    if from ~= '' then redis.call('HINCRBY', B .. K_BATCH .. batch, from, -1) end
    if to ~= '' then redis.call('HINCRBY', B .. K_BATCH .. batch, to, 1) end
  end
end
