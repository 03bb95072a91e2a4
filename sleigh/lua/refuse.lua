-- Stores who wanted to join and may not. Of many only the last are kept.
-- KEYS 1-4 and one group: refused
-- ARGV 1 incarnation, 2 request, 3 refused, 4 who and why, 5 how many to keep
-- Returns OK or GONE.
local again = refused()
if again then return again end
local list = variable(ARGV[3], FIRST)
check(list)
store(list, { ARGV[4] }, 1, 1)
for _ = tonumber(ARGV[5]) + 1, redis.call('LLEN', list.values) do take(list, 0) end
return answer({ 'OK' })
