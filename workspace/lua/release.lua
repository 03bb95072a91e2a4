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

-- They become a claim of their own that has ended.
local rest = { attempt = 0, holder = '-', request = '-', ticket = claim.ticket, n = 0, id = id .. '.' .. ARGV[5] }
local values, fields = {}, {}
for i = 5, #ARGV do
  local field = id .. '/' .. ARGV[i]
  local value = redis.call('HGET', var.claimed, field)
  if value then
    rest.n = rest.n + 1
    values[2 * rest.n - 1], values[2 * rest.n] = rest.id .. '/' .. rest.n, value
    fields[rest.n] = field
  end
end
if rest.n == 0 then return { 'OK' } end
redis.call('HDEL', var.claimed, unpack(fields))
redis.call('HSET', var.claimed, unpack(values))
list_claim(var, rest)
redis.call('ZADD', var.deadlines, rest.ticket, rest.id)
if #claimed_values(var, claim) == 0 then end_claim(var, claim) end
serve(var)
return { 'OK' }
