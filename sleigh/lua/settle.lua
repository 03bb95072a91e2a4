-- Settles claimed tasks with their results, hands out the next tasks of their jobs, and claims some for slots that are free. A
-- master settles results by it, which are tasks of no job here, and claims more.
-- KEYS 1-4, groups of: the claimed variable, that to claim from; then for each job of these tasks: count, backlog, result.
-- ARGV 1 incarnation, 2 request, 3 the claimed variable, 4 that to claim from, which tasks are handed out in, 5 its incarnation, if
--      the caller wants no other; of the claims that are to be made: 6 for each how many tasks at the most, as "n n …", or '',
--      7 sharers (see claim.lua), 8 lease in ms; 9 the waiter that is to wait no more, or '', 10 whether the claim that it was
--      brought is used (0 or 1), 11 the one that is to wait if there are too few tasks, or ''; 12 number of jobs, 13… their ids;
--      then one JSON array which has for each task: its claim, its index there, twice (or the first and last of several values that
--      just end), which of the jobs (0: none), how many of its elements are done, how many of these failed, and how many of the texts
--      that follow are its own; these, … for each task: the result ('' = none), how its text begins as far as that tells its elements
--      ('' = whatever they are), what of it stays claimed ('' = nothing), and tasks that are given back in its place
-- Returns OK, what became of waiting (WAITS, BURIED if the caller may not, DELETED, or ''), born of the variable that tasks are
--   claimed from, and the ids of jobs that have ended; if claims were made, these and that (see claims.lua); or GONE.
-- A task that somebody else has settled is passed over. So is one that has other elements by now: another worker has it too,
-- and one of the two has given some back.
local claimed, task = variable(ARGV[3], FIRST), nil
local w = waiting()
local c = w.claims
local again = refused()
if again and again[1] == 'CLAIMED' then return c.again(claimed, again, CALLER) end
if again then return again end
check(claimed)
if ARGV[4] == ARGV[3] then
  task = claimed
else
  task = variable(ARGV[4], FIRST + GROUP)
  check(task)
end
local jobs, at = {}, 13
for i = 1, tonumber(ARGV[12]) do
  jobs[i] = job(ARGV[at], FIRST + (3 * i - 1) * GROUP)
  jobs[i].results = {}
  at = at + 1
end

-- What is told of: its claim and its field there, and its value while it is held.
local news, told, ids, fields = cjson.decode(ARGV[at]), {}, {}, {}
for k = 1, #news, 7 do
  local t = { id = news[k], index = news[k + 1], job = jobs[news[k + 3]], done = news[k + 4], failed = news[k + 5], n = news[k + 6], at = at }
  for index = t.index, news[k + 2] do
    local i = #told + 1
    told[i], ids[i], fields[i] = t, t.id, t.id .. '/' .. whole(index)
  end
  at = at + t.n
end
if at ~= #ARGV then error('there are ' .. #ARGV .. ' arguments, not ' .. at) end
local values, entries = c.find(claimed, ids, fields)

local function text_of(t, i) return i <= t.n and ARGV[t.at + i] or '' end
local RESULT, HEAD, KEPT, INSTEAD = 1, 2, 3, 4
local function has_changed(text, head)
  return head ~= '' and string.find(text, head, 1, true) ~= 1 and string.find(text, '^{"job":"%w*","chunk":%d+,"first":%d+,"n":%d+,')
end
local ended, kept, returns = {}, {}, {}
for i, t in ipairs(told) do
  if values[i] and has_changed(values[i], text_of(t, HEAD)) then values[i] = false end
  local j, held = t.job, values[i]
  if held and j and j.submitted then
    j.done, j.failed = j.done + t.done, j.failed + t.failed
    if text_of(t, RESULT) ~= '' then j.results[#j.results + 1] = text_of(t, RESULT) end
    local more = math.max(t.n - INSTEAD + 1, 0)
    if more > 0 then returns[#returns + 1] = t end
    if text_of(t, KEPT) ~= '' then
      kept[#kept + 1], more = { fields[i], text_of(t, KEPT) }, more + 1
    else
      ended[#ended + 1] = i
    end
    j.out = math.max(j.out - 1 + more, 0)
  elseif held then
    ended[#ended + 1] = i
  end
end
local ending = c.ending(claimed, ids, fields, entries, ended)

local reply = { 'OK', '', '' }
local stores = false
for _, j in ipairs(jobs) do stores = stores or j.submitted and #j.results > 0 end
if not stores then ease() end
for _, j in ipairs(jobs) do -- the first write, which fails where memory is short
  if j.submitted and #j.results > 0 then store(j.result, j.results, 1, #j.results) end
end
local came = ARGV[9]
if came ~= '' and ARGV[10] == '1' then
  w.unwait(task, came)
  came = ''
elseif came ~= '' then
  w.stand_aside(task, came)
end
for _, j in ipairs(jobs) do
  if j.submitted then
    hand_out(j, task)
  else
    reply[#reply + 1] = j.id
  end
end
for _, entry in ipairs(kept) do redis.call('HSET', claimed.claimed, entry[1], entry[2]) end
ending()
for _, t in ipairs(returns) do -- they are the next to be claimed, as others may wait for what they do
  local some = {}
  for i = INSTEAD, t.n do some[#some + 1] = ARGV[t.at + i] end
  c.put_back(claimed, some, 0, tonumber(string.match(t.id, '^%d+')), t.index)
end
if #returns > 0 then w.serve(claimed) end

local has = came ~= '' and w.come_back(task, came)
local claims_made, sizes = 0, {}
local made = { 'CLAIMED', '' }
local names = { 'CLAIMED', '' }
for n in string.gmatch(ARGV[6], '%d+') do sizes[#sizes + 1] = tonumber(n) end
if deleted(task, ARGV[5]) then
  reply[2] = 'DELETED'
elseif #sizes > 0 and not w.sign_of_life(CALLER) then
  reply[2] = 'BURIED'
elseif #sizes > 0 then
  local waited = redis.call('EXISTS', task.waiters) == 1
  if not task.mode or task.mode == 'unknown' or waited and not has then w.look(task) end
  claims_made = c.make(task, sizes, tonumber(ARGV[7]), CALLER, tonumber(ARGV[8]), made, names)
  if has and waited then w.look(task) end -- before its own waiter is among those who wait
  if claims_made < #sizes and ARGV[11] ~= '' and (task.mode ~= 'fifo' or redis.call('LLEN', task.values) == 0) then
    w.wait(task, ARGV[11], 'fetch')
    reply[2] = 'WAITS'
  end
end
if has and claims_made == 0 and reply[2] ~= 'WAITS' then w.look(task) end
reply[3] = task.born or ''
if claims_made == 0 then return answer(reply) end
return answer(c.with(made, reply), c.with(names, reply))
