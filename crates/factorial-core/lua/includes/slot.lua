-- Histogram slot of a duration in ms: two per octave; slot k holds [2^(k/2), 2^((k+1)/2)) ms, slot 0 all below 1 ms... 1.4 ms.
local function slot(ms)
  if ms < 1 then return 0 end
  return math.min(59, math.floor(2 * math.log(ms) / math.log(2) + 1e-9))
end
