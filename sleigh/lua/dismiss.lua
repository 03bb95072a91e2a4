-- Tells the worker of a rank to leave, and its keeper to have no other.
-- KEYS 1-4, groups of: rank, dismiss@R
-- ARGV 1 incarnation, 2 request, 3 the variable rank, 4 the rank
-- Returns OK; NONE if nobody has the rank; or GONE.
local again = refused()
if again then return again end
local ranks, order = variable(ARGV[3], FIRST), variable('dismiss@' .. ARGV[4], FIRST + GROUP)
check(ranks)
check(order)
local claim = claims().get(ranks, ARGV[4])
local ends = claim and redis.call('ZSCORE', ranks.deadlines, ARGV[4])
if not ends or tonumber(ends) <= now() then return { 'NONE' } end
ease()
know(order, 'single')
store(order, { '"' .. claim.holder .. '"' }, 1, 1)
return answer({ 'OK' })
