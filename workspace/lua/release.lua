-- Gives claimed values back: they are the next again, in their order, as if they had never been claimed.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 claim, 4 client, 5… indexes of the values
-- Returns OK, or GONE. Values that this client does not hold any more are passed over.
local name, id, client = ARGV[2], ARGV[3], ARGV[4]
if gone() then return { 'GONE' } end
local var = variable(name, 4)
local claim = claim_of(var, id)
if not claim or claim.holder ~= client then return { 'OK' } end
check(var)
ease()
for i = #ARGV, 5, -1 do
  local field = id .. '/' .. ARGV[i]
  local value = redis.call('HGET', var.claimed, field)
  if value then
    put_back(var, value)
    redis.call('HDEL', var.claimed, field)
  end
end
if #claimed_values(var, claim) == 0 then end_claim(var, claim) end
serve(var)
return { 'OK' }
