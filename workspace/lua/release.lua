-- Gives claimed values back: they are the next again, in their order, as if they had never been claimed.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 claim, 4… indexes of the values
-- Returns OK, or GONE. Values that are not claimed any more are passed over.
local name, id = ARGV[2], ARGV[3]
if gone() then return { 'GONE' } end
local var = variable(name, 4)
local claim = claim_of(var, id)
if not claim then return { 'OK' } end
for i = #ARGV, 4, -1 do
  local field = id .. '/' .. ARGV[i]
  local value = redis.call('HGET', var.claimed, field)
  -- What memory is too short for stays claimed until the lease ends.
  if value and put_back(var, value) then redis.call('HDEL', var.claimed, field) end
end
if #claimed_values(var, claim) == 0 then end_claim(var, claim) end
serve(var)
return { 'OK' }
