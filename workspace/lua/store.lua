-- Stores values, one after the other: all waiting finders get each, the longest waiting fetcher takes it, else it stays.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3… values
-- Returns OK or GONE.
local name = ARGV[2]
if gone() then return { 'GONE' } end
store(variable(name, 4), ARGV, 3, #ARGV)
return { 'OK' }
