-- Has changes of the workspace told on its channel for some time (see changed() in prelude.lua).
-- KEYS 1-4.
-- ARGV 1 incarnation, 2 for how long, in ms
-- Returns OK or GONE.
if gone() then return { 'GONE' } end
ease()
redis.call('HSET', HOME.workspace, 'watched', whole(now() + tonumber(ARGV[2])))
return { 'OK' }
