-- A client's sign of life; what it missed while something in it waits is made up for.
-- KEYS 1-4 and a group for each variable that is waited for.
-- ARGV 1 incarnation, 2 client, 3… pairs: variable, numbers of this client's waiters that should be registered there,
--   divided by blanks: of all, or of some each time
-- Returns OK, the client's epoch and how often it was taken for dead (each time that this is not as before, its waiters may
--   have been dropped), clients that have been silent for long (see bye.lua), then for each variable: born ('' if there is
--   none), numbers of this client's waiters that were told to come, and of those that are not registered; or GONE.
local client = ARGV[2]
if gone() then return { 'GONE' } end
local w = waiting()
ease()
w.sign_of_life(client)
local found = redis.call('HMGET', CLIENT, 'epoch', 'lapses')
local reply = { 'OK', (found[1] or '') .. ' ' .. (found[2] or '0'), table.concat(w.silent(), ' ') }
for i = 3, #ARGV, 2 do
  local var = variable(ARGV[i], FIRST + (i - 3) / 2 * GROUP)
  local told = {}
  if var.mode then
    if redis.call('EXISTS', var.values, var.handed, var.deadlines) > 0 then -- else there is nothing to give, and nobody was told
      if redis.call('EXISTS', var.values) == 1 then know(var, 'fifo') end -- put in by hand
      w.serve(var)
      for _, waiter in ipairs(redis.call('ZRANGEBYSCORE', var.waiters, FIRST_TIME, '+inf')) do
        local whose, n = string.match(waiter, '^([^:]+):(.+)$')
        if whose == client then told[#told + 1] = n end
      end
    end
    for n in string.gmatch(ARGV[i + 1], '%S+') do -- Redis may have lost some
      if not redis.call('ZSCORE', var.waiters, client .. ':' .. n) then told[#told + 1] = n end
    end
  end
  reply[#reply + 1] = var.born or ''
  reply[#reply + 1] = table.concat(told, ' ')
end
return reply
