-- Ends the claim of some values and stores what came of them, in one step.
-- KEYS 1-4, the group of the claimed variable, then for each other workspace that is stored into its keys 1-3, then a
--      group for each variable to store into.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 claim, 5 number of other workspaces, 6 number of variables to store into,
--      7… the incarnations of these workspaces, then for each of these variables its name and which of the workspaces it is
--      in (0: the claim's own), then for each value its index, which of the variables to store into (0: none), what to store
-- Returns OK, the number and the indexes of values that somebody else has settled before (nothing was stored for these),
--   and the numbers of variables that are not there (nothing was stored into these); or GONE.
local name, id, others, targets = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local again = refused()
if again then return again end
local var = variable(name, FIRST)
check(var)
local at, key = 7, FIRST + GROUP
local spaces = { [0] = HOME }
for i = 1, others do
  local space = { workspace = KEYS[key], variables = KEYS[key + 1], live = KEYS[key + 2] }
  space.gone = redis.call('HGET', space.workspace, 'incarnation') ~= ARGV[at]
  spaces[i] = space
  at, key = at + 1, key + 3
end
local into, stores = {}, {}
for i = 1, targets do
  into[i], stores[i] = variable(ARGV[at], key, spaces[tonumber(ARGV[at + 1])]), {}
  check(into[i])
  at, key = at + 2, key + GROUP
end

local c = claims()
local claim = c.get(var, id)
local indexes, fields = {}, {}
for i = at, #ARGV, 3 do
  indexes[#indexes + 1] = i
  fields[#fields + 1] = id .. '/' .. ARGV[i]
end
if claim and not redis.call('ZSCORE', var.deadlines, id) then error('NWSDAMAGED claim ' .. id .. ' has no deadline') end
local held = claim and redis.call('HMGET', var.claimed, unpack(fields)) or {}
local lost, settled = {}, {}
local named = {}
for j, i in ipairs(indexes) do
  if held[j] and not named[fields[j]] then
    named[fields[j]] = true
    settled[#settled + 1] = fields[j]
    local target = stores[tonumber(ARGV[i + 1])]
    if target then target[#target + 1] = ARGV[i + 2] end
  else
    lost[#lost + 1] = ARGV[i]
  end
end
local reply = { 'OK', whole(#lost), unpack(lost) }
for i = 1, targets do
  if into[i].space.gone or not into[i].mode then
    reply[#reply + 1] = whole(i)
  elseif #stores[i] > 0 then
    store(into[i], stores[i], 1, #stores[i])
  end
end
if #settled > 0 then
  redis.call('HDEL', var.claimed, unpack(settled))
  if #settled == claim.n or #c.values(var, claim) == 0 then
    c.drop(var, claim)
  else
    if claim.attempt > 1 then -- whoever died before did not die over what is left
      claim.attempt = 1
      c.list(var, claim)
    end
    if tonumber(redis.call('ZSCORE', var.deadlines, id)) < FIRST_TIME then c.lapse(var, claim) end -- its first may be another
  end
else
  ease()
end
return answer(reply)
