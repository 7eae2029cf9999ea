--- @include "num"
--- @include "push_all"
-- Appends events to the log of a task and tells whoever listens.
-- events: flat list of type, data (JSON), turn. Stored form: `<ms> <turn> <attempt> <type> <data>`; seq = position.
-- Notification: first seq, then the stored forms, one a line.
local function append_events(id, attempt, now, events)
  local stored = {}
  for i = 1, #events, 3 do
    stored[#stored + 1] = num(now) .. ' ' .. events[i + 2] .. ' ' .. attempt .. ' ' .. events[i] .. ' ' .. events[i + 1]
  end
  if #stored == 0 then return end
  local last = push_all(B .. K_TASK .. id .. K_EVENTS, stored, 1, #stored)
  redis.call('PUBLISH', B .. K_EVENT_CHANNEL .. id, num(last - #stored + 1) .. '\n' .. table.concat(stored, '\n'))
end
