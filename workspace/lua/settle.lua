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
local indexes = {}
for i = at, #ARGV, 3 do indexes[#indexes + 1] = ARGV[i] end
local held = c.held(var, claim, indexes)
local lost, settled = {}, {}
for j, index in ipairs(indexes) do
  if held[j] then
    settled[#settled + 1] = held[j]
    local target = stores[tonumber(ARGV[at + 3 * j - 2])]
    if target then target[#target + 1] = ARGV[at + 3 * j - 1] end
  else
    lost[#lost + 1] = index
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
  c.settle(var, claim, settled)
else
  ease()
end
return answer(reply)
