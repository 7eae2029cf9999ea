-- Removes a webhook of an owner.
-- KEYS: 1 base of the namespace
-- ARGV: 1 id  2 its owner
-- Returns: removed | gone
-- Invariant: as of add_webhook.
--- @include "owner_webhooks"
local id, owner = ARGV[1], ARGV[2]
local ids, left, found = webhooks_of(owner), {}, false
for i = 1, #ids do
  if ids[i] == id then found = true else left[#left + 1] = ids[i] end
end
if not found then return { 'gone' } end
redis.call('HDEL', B .. K_WEBHOOKS, id)
changed(owner, left)
return { 'removed' }
