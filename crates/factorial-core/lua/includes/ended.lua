-- Whether a task has ended, or is gone.
local function ended(state)
  return not state or state == 'completed' or state == 'failed' or state == 'cancelled'
end
