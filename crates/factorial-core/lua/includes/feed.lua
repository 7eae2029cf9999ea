--- @include "num"
--- @include "post"
-- Gives events to whoever wants those of an owner, or of a task or a batch: webhooks (see post), and the feed of the owner, if
-- somebody follows it (see follow_owner). key: the hash of the task or batch; first: seq of the first event; events: stored
-- forms; hook: false when it is known to have no webhook of its own.
-- Entry: `<n>-0`, n without gaps while the feed is followed; field e: id, agent ('' of a batch) and first, then the stored
-- forms, one a line. Notification: n, then the same.
local watched
local function feed(key, id, first, events, now, hook)
  if watched == nil then watched = redis.call('EXISTS', B .. K_FOLLOWED, B .. K_HOOKS) > 0 end
  if not watched and hook == false then return end
  local told = told_of(events)
  if not watched and not told then return end
  local t = redis.call('HMGET', key, 'owner', 'agent', 'hook', 'batch')
  if not t[1] then return end
  if told then post_all(key, id, first, events, told, t, watched, now) end
  local till = watched and redis.call('HGET', B .. K_FOLLOWED, t[1])
  if not till then return end
  if tonumber(till) < now then
    redis.call('HDEL', B .. K_FOLLOWED, t[1], t[1] .. ' n')
    return
  end
  local n = num(redis.call('HINCRBY', B .. K_FOLLOWED, t[1] .. ' n', 1))
  local entry = id .. ' ' .. (t[2] or '') .. ' ' .. first .. '\n' .. table.concat(events, '\n')
  redis.call('XADD', B .. K_FEED .. t[1], 'MAXLEN', '~', 10000, n .. '-0', 'e', entry)
  redis.call('PUBLISH', B .. K_FEED_CHANNEL .. t[1], n .. '\n' .. entry)
end
