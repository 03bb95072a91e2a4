-- Gives the terms of a team that lasts, and makes them if it is new.
-- KEYS 1-4, groups of: terms, stop.
-- ARGV 1 incarnation, 2 request, 3 the variable terms, 4 what they are if the team is new
-- Returns OK and the terms; TAKEN: the workspace ends with its owner; STOPPED: somebody is about to end the team; LEFT: who was is
--   gone, and the caller has to do it now; or GONE.
local again = refused()
if again then return again end
local terms, stop = variable(ARGV[3], FIRST), variable('stop', FIRST + GROUP)
check(terms)
check(stop)
local owned = redis.call('HMGET', HOME.workspace, 'owner', 'lease')
if owned[1] and tonumber(owned[2]) > now() then return { 'TAKEN' } end
local ends = redis.call('LINDEX', stop.values, 0)
if ends then
  if waiting().alive(string.match(ends, '^"(.*)"$') or '', HOME) then return { 'STOPPED' } end
  redis.call('LSET', stop.values, 0, '"' .. string.match(CLIENT, '[^:]*$') .. '"')
  return answer({ 'LEFT' })
end
know(terms, 'single')
if redis.call('LLEN', terms.values) == 0 then store(terms, { ARGV[4] }, 1, 1) end
return answer({ 'OK', redis.call('LINDEX', terms.values, 0) })
