-- Gives claimed values back: they are the next again, in their order, as if they had never been claimed.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 claim, 5 client, 6… indexes of the values
-- Returns OK, or GONE. Values that this client does not hold any more are passed over.
local name, id, client = ARGV[3], ARGV[4], ARGV[5]
local again = refused()
if again then return again end
local var = variable(name, FIRST)
check(var)
local w = waiting()
local claim = w.claims.get(var, id)
ease()
if claim and claim.holder == client then
  local indexes = {}
  for i = 6, #ARGV do indexes[i - 5] = ARGV[i] end
  w.claims.release(var, claim, indexes)
  if var.position then w.serve_followers(var) end
  w.serve(var)
end
return answer({ 'OK' })
