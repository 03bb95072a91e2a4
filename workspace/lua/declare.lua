-- Gives a variable its mode. Waiters of a variable that had none stay.
-- KEYS 1-3.
-- ARGV 1 incarnation, 2 variable, 3 mode
-- Returns OK, DECLARED mode (it has another one, and keeps it), or GONE.
local name, mode = ARGV[2], ARGV[3]
if gone() then return { 'GONE' } end
local var = variable(name, 4)
if var.damaged then error('NWSDAMAGED variable ' .. name .. ' is listed as: ' .. var.damaged) end
if var.mode and var.mode ~= 'unknown' and var.mode ~= mode then return { 'DECLARED', var.mode } end
know(var, mode)
return { 'OK' }
