-- Says what keeps a team: tasks that clients have of whom nothing is heard, and results that nobody takes.
-- KEYS 1-4, groups of: variables with tasks; then for each job: result
-- ARGV 1 incarnation, 2 request, 3 the first of the variables with tasks, 4 how many there are, 5… the others, then the ids of the
--      jobs
-- Returns OK, for each job: how many texts with results wait to be taken; then for each client that is silent and has tasks:
--   client, ms since its last sign of life (-1 if there is none), ms until the last of its tasks go to others, how many tasks
--   and elements it has, which are estimates where it has very many; or GONE.
local again = refused()
if again then return again end
local SILENT_MS = 6000   -- as in status.go
local MOST_CLAIMS = 2000 -- of each variable, by the ends of their leases: those of the silent end first
local MOST_READ = 20     -- claims of which the tasks are counted; others are taken to have as many each
local n = tonumber(ARGV[4])
local order, found = {}, {}
local read = { claims = 0, tasks = 0, elements = 0 }

-- What is known of a client; false if it is not silent.
local function silent(client)
  if found[client] == nil then
    local seen = redis.call('ZSCORE', HOME.live, client)
    local age = seen and now() - math.abs(tonumber(seen)) or -1
    found[client] = (age < 0 or age > SILENT_MS) and { age = age, ends = 0, tasks = 0, elements = 0, unread = 0 }
    if found[client] then order[#order + 1] = client end
  end
  return found[client]
end

local function add(var, c, id, ends)
  local claim = c.listed(var, id)
  local of = silent(claim.holder)
  if not of then return end
  of.ends = math.max(of.ends, ends - now())
  if read.claims == MOST_READ then
    of.unread = of.unread + 1
    return
  end
  local values, elements = c.values(var, claim), 0
  for i = 2, #values, 2 do
    elements = elements + tonumber(string.match(values[i], '^{"job":"[^"]*","chunk":%d+,"first":%d+,"n":(%d+)') or 1)
  end
  of.tasks, of.elements = of.tasks + #values / 2, of.elements + elements
  read.claims, read.tasks, read.elements = read.claims + 1, read.tasks + #values / 2, read.elements + elements
end

local c = claims()
for i = 1, n do
  local var = variable(i == 1 and ARGV[3] or ARGV[3 + i], FIRST + (i - 1) * GROUP)
  local held = redis.call('ZRANGEBYSCORE', var.deadlines, FIRST_TIME, '+inf', 'WITHSCORES', 'LIMIT', 0, MOST_CLAIMS)
  local brought = {} -- by a message that its client has not said to have: it does not work on that
  for _, kept in ipairs(#held > 0 and redis.call('HVALS', var.handed) or {}) do
    local id = string.match(kept, '^!%d+ (.+)$')
    if id then brought[id] = true end
  end
  for k = 1, #held, 2 do
    if not brought[held[k]] then add(var, c, held[k], tonumber(held[k + 1])) end
  end
end

local reply = { 'OK' }
for i = 4 + n, #ARGV do
  local result = variable('result:' .. ARGV[i], FIRST + (i - 4) * GROUP)
  reply[#reply + 1] = whole(redis.call('LLEN', result.values))
end
for _, client in ipairs(order) do
  local of = found[client]
  local more = of.unread / math.max(read.claims, 1)
  reply[#reply + 1] = client
  for _, number in ipairs({ of.age, of.ends, of.tasks + more * read.tasks, of.elements + more * read.elements }) do
    reply[#reply + 1] = whole(number)
  end
end
return reply
