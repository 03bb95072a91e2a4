-- Reads one value and leaves it there; where there is none, the caller waits.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 waiter ('' = do not wait), 5 born ('' at first), 6 random in [0, 1)
-- Returns VALUES born value, KEPT born value (it is kept for this waiter, should the reply be lost, until it leaves),
--   EMPTY born, WAIT born, DELETED, BURIED, or GONE.
local name, waiter, born, random = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local again = refused()
if again then return again end
local var = variable(name, FIRST)
if deleted(var, born) then return { 'DELETED' } end
if var.mode and var.mode ~= 'unknown' and redis.call('EXISTS', var.handed, var.deadlines) == 0 then
  local value = peek(var, random)
  if value then
    if waiter ~= '' then redis.call('ZREM', var.waiters, waiter) end
    return { 'VALUES', var.born, value }
  end
end

local w = waiting()
w.look(var)
local value = waiter ~= '' and w.handed_to(var, waiter)
if value then return { 'KEPT', var.born, value } end
value = w.first_value(var, random)
if value then
  if waiter ~= '' then w.unwait(var, waiter) end
  return { 'VALUES', var.born, value }
end
if waiter == '' then return { 'EMPTY', var.born } end
local reply = w.wait(var, waiter, 'find')
return reply[1] == 'WAIT' and answer(reply) or reply
