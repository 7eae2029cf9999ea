-- The children of a task are those that have not ended, and those that have while some of their own are left: so a
-- cancellation finds every descendant. A task that is neither leaves; one that has ended leaves with its last child.
local function leave_family(parent, child)
  for _ = 1, 32 do
    redis.call('SREM', B .. K_TASK .. parent .. K_CHILDREN, child)
    if redis.call('EXISTS', B .. K_TASK .. parent .. K_CHILDREN) == 1 then return end
    local p = redis.call('HMGET', B .. K_TASK .. parent, 'finished', 'parent')
    if not p[1] or not p[2] then return end
    parent, child = p[2], parent
  end
end

-- One that runs again comes back, with all above it that have ended and left.
local function join_family(parent, child)
  for _ = 1, 32 do
    local p = redis.call('HMGET', B .. K_TASK .. parent, 'state', 'finished', 'parent')
    if not p[1] then return end
    redis.call('SADD', B .. K_TASK .. parent .. K_CHILDREN, child)
    if not p[2] or not p[3] then return end
    parent, child = p[3], parent
  end
end
