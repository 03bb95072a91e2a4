-- Ends the claim of some values and stores what came of them, in one step.
-- KEYS 1-3, the group of the claimed variable, then a group for each variable to store into.
-- ARGV 1 incarnation, 2 variable, 3 claim, 4 number of variables to store into, 5… their names, then for each value:
--      its index, which of the variables to store into (0: none), what to store
-- Returns OK, the number and the indexes of values that somebody else has settled before (nothing was stored for these),
--   and the names of variables that are not there (nothing was stored into these); or GONE.
local name, id, targets = ARGV[2], ARGV[3], tonumber(ARGV[4])
if gone() then return { 'GONE' } end
local var = variable(name, 4)
check(var)
local into, stores = {}, {}
for i = 1, targets do
  into[i], stores[i] = variable(ARGV[4 + i], 4 + i * GROUP), {}
  check(into[i])
end

local indexes, fields = {}, {}
for i = 5 + targets, #ARGV, 3 do
  indexes[#indexes + 1] = i
  fields[#fields + 1] = id .. '/' .. ARGV[i]
end
local claim = claim_of(var, id)
local held = claim and redis.call('HMGET', var.claimed, unpack(fields)) or {}
local lost, settled = {}, {}
for j, i in ipairs(indexes) do
  if held[j] then
    settled[#settled + 1] = fields[j]
    local target = stores[tonumber(ARGV[i + 1])]
    if target then target[#target + 1] = ARGV[i + 2] end
  else
    lost[#lost + 1] = ARGV[i]
  end
end
local reply = { 'OK', #lost, unpack(lost) }
for i = 1, targets do
  if not into[i].mode then
    reply[#reply + 1] = ARGV[4 + i]
  elseif #stores[i] > 0 then
    store(into[i], stores[i], 1, #stores[i])
  end
end
if #settled == 0 then return reply end

redis.call('HDEL', var.claimed, unpack(settled))
if #settled == claim.n or #claimed_values(var, claim) == 0 then
  end_claim(var, claim)
elseif claim.attempt > 1 then -- whoever died before did not die over what is left
  claim.attempt = 1
  list_claim(var, claim)
end
return reply
