-- Moves one task of an agent between the counters of two states; '' for none.
local function move_count(agent, from, to)
  if from ~= '' then redis.call('HINCRBY', B .. K_COUNTS, agent .. ':' .. from, -1) end
  if to ~= '' then redis.call('HINCRBY', B .. K_COUNTS, agent .. ':' .. to, 1) end
end
