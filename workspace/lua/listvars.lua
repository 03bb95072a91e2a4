-- Describes variables.
-- KEYS 1-3 and a group for each variable.
-- ARGV 1 incarnation, 2… variables
-- Returns OK, then for each variable: mode ('' if there is none), values, claimed values, waiting fetchers, waiting
--   finders; or GONE.
if gone() then return { 'GONE' } end
local reply = { 'OK' }
for i = 2, #ARGV do
  local var = variable(ARGV[i], 4 + (i - 2) * GROUP)
  if var.mode then look(var) end
  reply[#reply + 1] = var.mode or ''
  local free, claimed = redis.call('LLEN', var.values), 0
  for _, id in ipairs(redis.call('ZRANGE', var.deadlines, 0, -1)) do
    local n = #claimed_values(var, claim_of(var, id)) / 2
    if tonumber(redis.call('ZSCORE', var.deadlines, id)) < FIRST_TIME then free = free + n else claimed = claimed + n end
  end
  reply[#reply + 1] = free
  reply[#reply + 1] = claimed
  reply[#reply + 1] = redis.call('ZCARD', var.fetchers)
  reply[#reply + 1] = redis.call('ZCARD', var.finders)
end
return reply
