-- A client's sign of life, while something in it waits; what was missed is made up for.
-- KEYS 1-3 and a group for each variable that is waited for.
-- ARGV 1 incarnation, 2 client, 3… variables
-- Returns OK lapsed (1 if the client was taken for dead meanwhile, so that its waiters may have been dropped), then for
--   each variable: born ('' if there is none), numbers of this client's waiters that were told to come; or GONE.
local client = ARGV[2]
if gone() then return { 'GONE' } end
local lapsed = not alive(client)
ease()
sign_of_life(client)
local long_ago = now() - 100 * LIVE_MS
redis.call('ZREMRANGEBYSCORE', LIVE, whole(-long_ago), whole(long_ago))
local reply = { 'OK', lapsed and '1' or '' }
for i = 3, #ARGV do
  local var = variable(ARGV[i], 4 + (i - 3) * GROUP)
  local told = {}
  if var.mode then
    if redis.call('EXISTS', var.values) == 1 then know(var, 'fifo') end -- put in by hand
    serve(var)
    for _, waiter in ipairs(redis.call('ZRANGE', var.signalled, 0, -1)) do
      local whose, number = string.match(waiter, '^([^:]+):(.+)$')
      if whose == client then told[#told + 1] = number end
    end
  end
  reply[#reply + 1] = var.born or ''
  reply[#reply + 1] = table.concat(told, ' ')
end
return reply
