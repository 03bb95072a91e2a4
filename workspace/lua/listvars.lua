-- Describes variables.
-- KEYS 1-4 and a group for each variable.
-- ARGV 1 incarnation, 2… variables
-- Returns OK, then for each variable: mode ('' if there is none), values, claimed values, waiting fetchers, waiting
--   finders (those who iterate among them); or GONE.
if gone() then return { 'GONE' } end
local w = waiting()
local reply = { 'OK' }
for i = 2, #ARGV do
  local var = variable(ARGV[i], FIRST + (i - 2) * GROUP)
  if var.mode then w.look(var) end
  reply[#reply + 1] = var.mode or ''
  local free, claimed = 0, 0
  if var.mode then
    free = redis.call('LLEN', var.values)
    for _, id in ipairs(redis.call('ZRANGE', var.deadlines, 0, -1)) do
      local n = #w.claims.values(var, w.claims.listed(var, id)) / 2
      if tonumber(redis.call('ZSCORE', var.deadlines, id)) < FIRST_TIME then free = free + n else claimed = claimed + n end
    end
  end
  reply[#reply + 1] = whole(free)
  reply[#reply + 1] = whole(claimed)
  reply[#reply + 1] = whole(redis.call('ZCOUNT', var.waiters, 0, '(' .. FIRST_TIME))
  reply[#reply + 1] = whole(redis.call('ZCOUNT', var.waiters, '-inf', '(0'))
end
return reply
