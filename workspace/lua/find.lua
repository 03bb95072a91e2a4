-- Reads one value and leaves it there; where there is none, the caller waits.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 waiter ('' = do not wait), 4 born ('' at first), 5 random in [0, 1)
-- Returns VALUE value, KEPT value (it is kept for this waiter, should the reply be lost, until it leaves), EMPTY born, WAIT born, DELETED, BURIED, or GONE.
local name, waiter, born, random = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if gone() then return { 'GONE' } end
local var = variable(name, 4)
if deleted(var, born) then return { 'DELETED' } end
look(var)
local value = waiter ~= '' and handed_to(var, waiter)
if value then return { 'KEPT', value } end
value = first_value(var, random)
if value then
  if waiter ~= '' then unwait(var, waiter) end
  return { 'VALUE', value }
end
if waiter == '' then return { 'EMPTY', var.born } end
return wait(var, var.finders, waiter)
