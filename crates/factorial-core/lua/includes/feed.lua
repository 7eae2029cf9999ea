--- @include "num"
-- Adds events to the feed of the owner of a task or a batch, if somebody follows it (see follow_owner). key: the hash of
-- that task or batch; first: seq of the first event; events: stored forms.
-- Entry: `<n>-0`, n without gaps while the feed is followed; field e: id, agent ('' of a batch) and first, then the stored
-- forms, one a line. Notification: n, then the same.
local followed
local function feed(key, id, first, events, now)
  if followed == nil then followed = redis.call('EXISTS', B .. K_FOLLOWED) == 1 end
  if not followed then return end
  local t = redis.call('HMGET', key, 'owner', 'agent')
  local till = t[1] and redis.call('HGET', B .. K_FOLLOWED, t[1])
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
