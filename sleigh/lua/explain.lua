-- Says what keeps a team: tasks that clients have of whom nothing is heard, and results that nobody takes.
-- KEYS 1-4, groups of: variables with tasks; then for each job: result
-- ARGV 1 incarnation, 2 request, 3 the first of the variables with tasks, 4 how many there are, 5… the others, then the ids of the
--      jobs
-- Returns OK, for each job: how many texts with results wait to be taken; then for each client that is silent and has tasks:
--   client, ms since its last sign of life (-1 if there is none), ms until the last of its tasks go to others, how many tasks
--   and elements it has; or GONE.
local again = refused()
if again then return again end
local SILENT_MS = 6000  -- as in status.go
local MOST_CLAIMS = 2000 -- of each variable, by the ends of their leases: those of the silent end first
local n = tonumber(ARGV[4])
local order, found = {}, {}

local function add(var, c, id, ends)
  local claim = c.listed(var, id)
  local seen = redis.call('ZSCORE', HOME.live, claim.holder)
  local age = seen and now() - math.abs(tonumber(seen)) or -1
  if seen and age <= SILENT_MS then return end
  local silent = found[claim.holder]
  if not silent then
    silent = { age = age, ends = 0, tasks = 0, elements = 0 }
    order[#order + 1], found[claim.holder] = claim.holder, silent
  end
  silent.ends = math.max(silent.ends, ends - now())
  local values = c.values(var, claim)
  for i = 2, #values, 2 do
    local elements = string.match(values[i], '^{"job":"[^"]*","chunk":%d+,"first":%d+,"n":(%d+)')
    silent.tasks, silent.elements = silent.tasks + 1, silent.elements + tonumber(elements or 1)
  end
end

local c = claims()
for i = 1, n do
  local var = variable(i == 1 and ARGV[3] or ARGV[3 + i], FIRST + (i - 1) * GROUP)
  local held = redis.call('ZRANGEBYSCORE', var.deadlines, FIRST_TIME, '+inf', 'WITHSCORES', 'LIMIT', 0, MOST_CLAIMS)
  for k = 1, #held, 2 do add(var, c, held[k], tonumber(held[k + 1])) end
end

local reply = { 'OK' }
for i = 4 + n, #ARGV do
  local result = variable('result:' .. ARGV[i], FIRST + (i - 4) * GROUP)
  reply[#reply + 1] = whole(redis.call('LLEN', result.values))
end
for _, client in ipairs(order) do
  local silent = found[client]
  reply[#reply + 1] = client
  for _, number in ipairs({ silent.age, silent.ends, silent.tasks, silent.elements }) do reply[#reply + 1] = whole(number) end
end
return reply
