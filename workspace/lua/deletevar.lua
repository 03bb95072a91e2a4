-- Deletes a variable: its values, its claims and its declaration. All who wait for it are told.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable
-- Returns OK, NOVAR, or GONE.
local again = refused()
if again then return again end
local var = variable(ARGV[3], FIRST)
if not var.mode and not var.damaged then
  ease()
  return answer({ 'NOVAR' })
end
waiting().delete(var)
return answer({ 'OK' })
