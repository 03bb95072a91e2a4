-- Stores what is known of a worker that died. Of so many only the last are kept.
-- KEYS 1-4, groups of: death@C, deaths
-- ARGV 1 incarnation, 2 request, 3 the variable death@C, 4 what is known, 5 how many to keep
-- Returns OK and the variables that are to be deleted; or GONE.
local again = refused()
if again then return again end
local death, deaths = variable(ARGV[3], FIRST), variable('deaths', FIRST + GROUP)
check(death)
check(deaths)
know(death, 'single')
store(death, { ARGV[4] }, 1, 1)
store(deaths, { ARGV[3] }, 1, 1)
local old = {}
take_some(deaths, 0, redis.call('LLEN', deaths.values) - tonumber(ARGV[5]), old)
return answer({ 'OK', unpack(old) })
