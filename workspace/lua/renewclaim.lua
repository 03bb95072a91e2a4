-- Renews the lease of a claim.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 claim, 4 client, 5 lease in ms
-- Returns OK, LOST (it is settled, or somebody else has it), BURIED, or GONE.
local name, id, client, lease = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if gone() then return { 'GONE' } end
local var = variable(name, FIRST)
local claim = claims().get(var, id)
if not claim or claim.holder ~= client then return { 'LOST' } end
local seen = redis.call('ZSCORE', HOME.live, client)
if seen and tonumber(seen) < 0 then return { 'BURIED' } end
ease()
redis.call('ZADD', var.deadlines, whole(now() + lease), id)
return { 'OK' }
