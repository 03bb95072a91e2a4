-- Ends the leases of all claims that a client holds: its own, or those of one that is known to be dead. That one can make
-- none from now on.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 client, 4 caller
-- Returns OK and the number of claims, or GONE.
local name, client = ARGV[2], ARGV[3]
if gone() then return { 'GONE' } end
local var = variable(name, 4)
ease()
if client ~= ARGV[4] then bury(client) end
local n = 0
for _, id in ipairs(redis.call('ZRANGE', var.deadlines, 0, -1)) do
  local claim = claim_of(var, id)
  if claim.holder == client then
    redis.call('ZADD', var.deadlines, claim.ticket, id)
    n = n + 1
  end
end
if n > 0 then serve(var) end
return { 'OK', n }
