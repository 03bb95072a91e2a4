-- Ends the waiting of a caller whose context ended. What was handed to it goes back, or to the next.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 waiter, 4 born
-- Returns OK.
local name, waiter, born = ARGV[2], ARGV[3], ARGV[4]
if gone() then return { 'OK' } end
local var = variable(name, 4)
if not var.mode or deleted(var, born) then return { 'OK' } end
check(var)
ease()
give_back(var, waiter)
serve(var)
return { 'OK' }
