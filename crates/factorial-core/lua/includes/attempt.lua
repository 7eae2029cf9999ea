-- Does one task's part of a call. An error in it is that task's reply, so that what the others have gathered is written.
local function attempt(part, ...)
  local done, reply = pcall(part, ...)
  if done then return reply end
  return { 'error', type(reply) == 'table' and reply.err or tostring(reply) }
end
