--- @include "feed"
--- @include "num"
-- Appends an event to the log of a batch and tells whoever listens.
local function batch_event(batch, now, event, data)
  local stored = num(now) .. ' 0 0 ' .. event .. ' ' .. data
  local seq = redis.call('RPUSH', B .. K_BATCH .. batch .. K_EVENTS, stored)
  redis.call('PUBLISH', B .. K_EVENT_CHANNEL .. batch, num(seq) .. '\n' .. stored)
  feed(B .. K_BATCH .. batch, batch, num(seq), { stored }, now)
end

-- Says how far a batch is, once a percent, and ends it when it is sealed and all its members have ended.
-- done: turns, each member having `turns_each`, or members. Returns whether it ended.
local function batch_progress(batch, now)
  local key = B .. K_BATCH .. batch
  local b = redis.call('HMGET', key, 'state', 'members', 'turns_each', 'done', 'percent', 'ended', 'completed', 'failed',
    'cancelled', 'peak', 'finished')
  if not b[1] or b[11] then return false end
  local members, done = tonumber(b[2]), math.max(tonumber(b[4] or 0), tonumber(b[10] or 0))
  local total = members * (b[3] or 1)
  local ends = b[1] ~= 'filling' and tonumber(b[6] or 0) >= members
  local percent = ends and 100 or math.min(99, math.floor(100 * done / math.max(1, total)))
  local data = '{"progress":' .. num(percent) .. ',"members":' .. members .. ',"completed":' .. (b[7] or 0)
    .. ',"failed":' .. (b[8] or 0) .. ',"cancelled":' .. (b[9] or 0) .. '}'
  if percent > tonumber(b[5] or 0) then
    redis.call('HSET', key, 'percent', num(percent))
    batch_event(batch, now, 'batch_progress', data)
  end
  if not ends then return false end
  local to = b[1] == 'cancelling' and 'cancelled' or 'completed'
  redis.call('HSET', key, 'state', to, 'finished', num(now))
  redis.call('ZADD', B .. K_DONE .. 'batch', num(now), batch)
  redis.call('ZREM', B .. K_CANCELLING, batch)
  batch_event(batch, now, 'batch_' .. to, data)
  return true
end

-- Counts the turns that a member of a batch has committed, where progress is measured in turns. fields: pairs.
local function count_turns(batch, before, fields, from, to, now)
  local turns
  for i = from, to, 2 do
    if fields[i] == 'turns' then turns = tonumber(fields[i + 1]) end
  end
  local each = turns and redis.call('HGET', B .. K_BATCH .. batch, 'turns_each')
  if not each then return end
  local more = math.min(turns, tonumber(each)) - math.min(tonumber(before or 0), tonumber(each))
  if more == 0 then return end
  redis.call('HINCRBY', B .. K_BATCH .. batch, 'done', num(more))
  batch_progress(batch, now)
end
