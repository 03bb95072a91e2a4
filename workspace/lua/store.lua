-- Stores values, one after the other: all waiting finders get each, the longest waiting fetcher takes it, else it stays.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4… values
-- Returns OK or GONE.
local again = refused()
if again then return again end
store(variable(ARGV[3], FIRST), ARGV, 4, #ARGV)
return answer({ 'OK' })
