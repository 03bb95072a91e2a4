-- Says what workers and jobs do.
-- KEYS 1-4, groups of: task; for each rank: worker@R, status@R, progress@R, task@R; for each job: count, backlog, job, master
-- ARGV 1 incarnation, 2 request, 3 the variable task, 4 number of ranks, 5… these, then the ids of the jobs
-- Returns OK, for each rank: worker@R, status@R, progress@R ('' if there is none), ms since its last sign of life and since it
--   wrote status@R (-1 if there is none); for each job: count, job ('' if it has ended), how many of its elements are in
--   backlog, and in task and task@R: where these are very long, by those at their heads; who has it ('' if the team has one
--   master), and for how many ms nobody has had it (0 while somebody has); or GONE.
local again = refused()
if again then return again end
local MOST_READ = 4194304 -- bytes of each list, but for some tasks
local STEP = 50

local function value_at(group)
  return redis.call('LINDEX', KEYS[group], 0) or ''
end

-- Adds the elements of the tasks in a list to those of their jobs.
local function add_elements(var, sums)
  local n, seen, bytes, found = redis.call('LLEN', var.values), 0, 0, {}
  local function add(text)
    local id, elements = string.match(text, '^{"job":"([^"]*)","chunk":%d+,"first":%d+,"n":(%d+)')
    if id then found[id] = (found[id] or 0) + tonumber(elements) end
    bytes = bytes + #text
  end
  while seen < n and bytes < MOST_READ do
    local tasks = redis.call('LRANGE', var.values, seen, seen + STEP - 1)
    for _, text in ipairs(tasks) do add(text) end
    seen = seen + #tasks
  end
  for id, elements in pairs(found) do found[id] = math.floor(elements * n / seen + 0.5) end
  local c = claims()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', var.deadlines, '-inf', '(' .. FIRST_TIME, 'LIMIT', 0, STEP)) do
    local values = c.values(var, c.listed(var, id)) -- they were given back, and are the next to be claimed
    for i = 2, #values, 2 do add(values[i]) end
  end
  for id, elements in pairs(found) do sums[id] = (sums[id] or 0) + elements end
end

local reply, queued, group = { 'OK' }, {}, FIRST + GROUP
add_elements(variable(ARGV[3], FIRST), queued)
for i = 5, 4 + tonumber(ARGV[4]) do
  local info = value_at(group)
  reply[#reply + 1] = info
  local report = value_at(group + GROUP)
  reply[#reply + 1] = report
  reply[#reply + 1] = value_at(group + 2 * GROUP)
  add_elements(variable('task@' .. ARGV[i], group + 3 * GROUP), queued)
  local client = string.match(info, '"client":"([^"]*)"')
  local seen = client and redis.call('ZSCORE', HOME.live, client)
  reply[#reply + 1] = seen and whole(math.max(now() - math.abs(tonumber(seen)), 0)) or '-1'
  local wrote = string.match(report, '"wrote":(%d+)}$')
  reply[#reply + 1] = wrote and whole(math.max(now() - tonumber(wrote), 0)) or '-1'
  group = group + 4 * GROUP
end
for i = 5 + tonumber(ARGV[4]), #ARGV do
  local waits = {}
  reply[#reply + 1] = value_at(group)
  add_elements(variable('backlog:' .. ARGV[i], group + GROUP), waits)
  reply[#reply + 1] = value_at(group + 2 * GROUP)
  reply[#reply + 1] = whole(waits[ARGV[i]] or 0)
  reply[#reply + 1] = whole(queued[ARGV[i]] or 0)
  local holder, text = master_of(variable('master:' .. ARGV[i], group + 3 * GROUP))
  reply[#reply + 1] = text or ''
  reply[#reply + 1] = holder and whole(silence(holder, text)) or '0'
  group = group + 4 * GROUP
end
return reply
