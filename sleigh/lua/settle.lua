-- Settles claimed tasks with their results, and hands out the next tasks of their jobs.
-- KEYS 1-4, groups of: the claimed variable, task; then for each job of these tasks: count, backlog, result.
-- ARGV 1 incarnation, 2 request, 3 the claimed variable, 4 claim, 5 number of jobs, 6… their ids; then for each task: its index
--      in the claim, the index of its first element and how many it has ('' = whatever it is), which of the jobs (0: none),
--      how many of its elements are done, how many of these failed, the result ('' = none), what of it stays claimed
--      ('' = nothing), how many tasks are given back in its place, and these
-- Returns OK, the number and the indexes of tasks that somebody else has settled, and the ids of jobs that have ended; or GONE.
-- So counts a task that has other elements by now: another worker has it too, and one of the two has given some back.
local again = refused()
if again then return again end
local claimed = variable(ARGV[3], FIRST)
check(claimed)
local task = claimed
if ARGV[3] ~= 'task' then
  task = variable('task', FIRST + GROUP)
  check(task)
end
local jobs, at = {}, 6
for i = 1, tonumber(ARGV[5]) do
  jobs[i] = job(ARGV[at], FIRST + (3 * i - 1) * GROUP)
  jobs[i].results = {}
  at = at + 1
end

local indexes, tasks = {}, {}
while at <= #ARGV do
  local t = { elements = ARGV[at + 1], job = jobs[tonumber(ARGV[at + 2])], done = tonumber(ARGV[at + 3]), failed = tonumber(ARGV[at + 4]) }
  t.result, t.kept, t.first, t.last = ARGV[at + 5], ARGV[at + 6], at + 8, at + 7 + tonumber(ARGV[at + 7])
  tasks[#tasks + 1], indexes[#indexes + 1] = t, ARGV[at]
  at = t.last + 1
end
local c = claims()
local claim = c.get(claimed, ARGV[4])
local held, values = c.held(claimed, claim, indexes)
local function changed_since(t, text)
  local first, n = string.match(text, '^{"job":"%w*","chunk":%d+,"first":(%d+),"n":(%d+)')
  return t.elements ~= '' and first and t.elements ~= first .. ' ' .. n
end
local lost, settled = {}, {}
for i, t in ipairs(tasks) do
  if not held[i] or changed_since(t, values[i]) then
    lost[#lost + 1] = indexes[i]
  else
    local j = t.job
    local wanted = j and j.submitted
    if wanted then
      j.done, j.failed, j.out = j.done + t.done, j.failed + t.failed, math.max(j.out + t.last - t.first, 0)
      if t.result ~= '' then table.insert(j.results, t.result) end
    end
    t.returns = wanted and t.last >= t.first
    if wanted and t.kept ~= '' then
      j.out = j.out + 1
      t.field = held[i]
    else
      settled[#settled + 1] = held[i]
    end
  end
end

local reply = { 'OK', whole(#lost), unpack(lost) }
if #settled == 0 then ease() end
for _, j in ipairs(jobs) do
  if not j.submitted then
    reply[#reply + 1] = j.id
  else
    if #j.results > 0 then store(j.result, j.results, 1, #j.results) end
    hand_out(j, task)
  end
end
for _, t in ipairs(tasks) do
  if t.field then redis.call('HSET', claimed.claimed, t.field, t.kept) end
end
if #settled > 0 then c.settle(claimed, claim, settled) end
local w
for i, t in ipairs(tasks) do
  if t.returns then -- they are the next to be claimed, as others may wait for what they do
    local values = {}
    for k = t.first, t.last do values[#values + 1] = ARGV[k] end
    w = w or waiting()
    c.put_back(claimed, values, 0, tonumber(string.match(ARGV[4], '^%d+')), tonumber(indexes[i]))
  end
end
if w then w.serve(claimed) end
return answer(reply)
