--- @include "feed"
--- @include "num"
--- @include "push_all"
-- Appends events to the log of a task and tells whoever listens.
-- events: `<turn> <type> <data (JSON)>` each; quiet: nobody listens (see watch); hook: see feed.
-- Stored form: `<ms> <attempt>`, then that; seq = position + 1, since the first event is the record itself.
-- Notification: first seq, then the stored forms, one a line.
local function append_events(id, attempt, now, events, quiet, hook)
  local n, at = #events, num(now) .. ' ' .. attempt .. ' '
  if n == 0 then return end
  for i = 1, n do events[i] = at .. events[i] end
  local last = push_all(B .. K_TASK .. id .. K_EVENTS, events, 1, n)
  if not quiet then
    redis.call('PUBLISH', B .. K_EVENT_CHANNEL .. id, last - n + 2 .. '\n' .. table.concat(events, '\n'))
  end
  feed(B .. K_TASK .. id, id, last - n + 2, events, now, hook)
end
