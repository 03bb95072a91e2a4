-- Deletes a variable: its values, its claims and its declaration. All who wait for it are told.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable
-- Returns OK, NOVAR, or GONE.
local name = ARGV[2]
if gone() then return { 'GONE' } end
local var = variable(name, 4)
if not var.mode and not var.damaged then return { 'NOVAR' } end
delete_variable(var)
return { 'OK' }
