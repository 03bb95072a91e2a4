-- Gives a variable its mode. Waiters of a variable that had none stay.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 mode
-- Returns OK, DECLARED mode (it has another one, and keeps it), or GONE.
local mode = ARGV[4]
local again = refused()
if again then return again end
local var = variable(ARGV[3], FIRST)
undamaged(var)
if var.mode and var.mode ~= 'unknown' and var.mode ~= mode then
  ease()
  return answer({ 'DECLARED', var.mode })
end
local iterated = var.position
know(var, mode)
if iterated and not var.position then waiting().serve_followers(var) end -- they cannot go on in this mode
ease()
return answer({ 'OK' })
