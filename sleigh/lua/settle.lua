-- Settles claimed tasks with their results, hands out the next tasks of their jobs, and claims some for slots that are free. A
-- master settles results by it, which are tasks of no job here, and claims more.
-- KEYS 1-4, groups of: the claimed variable, that to claim from; then for each job of these tasks: count, backlog, result.
-- ARGV 1 incarnation, 2 request, 3 the claimed variable, 4 that to claim from, which tasks are handed out in, 5 its incarnation, if
--      the caller wants no other; of the claims that are to be made: 6 for each how many tasks at the most, as "n n …", or '',
--      7 sharers (see claim.lua), 8 lease in ms; 9 the waiter that is to wait no more, or '', 10 whether the claim that it was
--      brought is used (0 or 1), 11 the one that is to wait if there are too few tasks, or ''; 12 number of jobs, 13… their ids;
--      then for each claim: its id, the number of its tasks here, and of each of these: its index in the claim, the index of its
--      first element and how many it has ('' = whatever it is), which of the jobs (0: none), how many of its elements are done,
--      how many of these failed, the result ('' = none), what of it stays claimed ('' = nothing), how many tasks are given back
--      in its place, and these
-- Returns OK, what became of waiting (WAITS, BURIED if the caller may not, DELETED, or ''), born of the variable that tasks are
--   claimed from, and the ids of jobs that have ended; if claims were made, these and that (see claims.lua); or GONE.
-- A task that somebody else has settled is passed over. So is one that has other elements by now: another worker has it too,
-- and one of the two has given some back.
local claimed, task = variable(ARGV[3], FIRST), nil
local w = waiting()
local c = w.claims
local again = refused()
if again and again[1] == 'CLAIMED' then return (c.reply(c.replied(claimed, again, CALLER))) end
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

local told = {} -- by claim
while at <= #ARGV do
  local s = { id = ARGV[at], indexes = {}, tasks = {}, settled = {} }
  local n = tonumber(ARGV[at + 1])
  at = at + 2
  for i = 1, n do
    local t = { elements = ARGV[at + 1], job = jobs[tonumber(ARGV[at + 2])], done = tonumber(ARGV[at + 3]), failed = tonumber(ARGV[at + 4]) }
    t.result, t.kept, t.first, t.last = ARGV[at + 5], ARGV[at + 6], at + 8, at + 7 + tonumber(ARGV[at + 7])
    s.tasks[i], s.indexes[i] = t, ARGV[at]
    at = t.last + 1
  end
  s.claim = c.get(claimed, s.id)
  told[#told + 1] = s
end
c.held_all(claimed, told)

local function has_changed(t, text)
  local first, n = string.match(text, '^{"job":"%w*","chunk":%d+,"first":(%d+),"n":(%d+)')
  return t.elements ~= '' and first and t.elements ~= first .. ' ' .. n
end
local settles = false
for _, s in ipairs(told) do
  for i, t in ipairs(s.tasks) do
    local j = t.job
    local wanted = j and j.submitted
    t.lost = not s.held[i] or has_changed(t, s.values[i])
    if wanted and not t.lost then
      j.done, j.failed, j.out = j.done + t.done, j.failed + t.failed, math.max(j.out + t.last - t.first, 0)
      if t.result ~= '' then table.insert(j.results, t.result) end
      t.returns = t.last >= t.first
    end
    if wanted and not t.lost and t.kept ~= '' then
      j.out = j.out + 1
      t.field = s.held[i]
    elseif not t.lost then
      s.settled[#s.settled + 1], settles = s.held[i], true
    end
  end
end
c.may_settle(claimed, told)

local reply = { 'OK', '', '' }
if not settles then ease() end
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
local returned = false
for _, s in ipairs(told) do
  for _, t in ipairs(s.tasks) do
    if t.field then redis.call('HSET', claimed.claimed, t.field, t.kept) end
  end
end
c.settle_all(claimed, told)
for _, s in ipairs(told) do
  for i, t in ipairs(s.tasks) do
    if t.returns then -- they are the next to be claimed, as others may wait for what they do
      local values = {}
      for k = t.first, t.last do values[#values + 1] = ARGV[k] end
      c.put_back(claimed, values, 0, tonumber(string.match(s.id, '^%d+')), tonumber(s.indexes[i]))
      returned = true
    end
  end
end
if returned then w.serve(claimed) end

local has = came ~= '' and w.come_back(task, came)
local made, sizes = {}, {}
for n in string.gmatch(ARGV[6], '%d+') do sizes[#sizes + 1] = tonumber(n) end
if deleted(task, ARGV[5]) then
  reply[2] = 'DELETED'
elseif #sizes > 0 and not w.sign_of_life(CALLER) then
  reply[2] = 'BURIED'
elseif #sizes > 0 then
  local waited = redis.call('EXISTS', task.waiters) == 1
  if not task.mode or task.mode == 'unknown' or waited and not has then w.look(task) end
  made = c.make(task, sizes, tonumber(ARGV[7]), CALLER, tonumber(ARGV[8]))
  if #made < #sizes and ARGV[11] ~= '' then
    w.wait(task, ARGV[11], 'fetch')
    reply[2] = 'WAITS'
  end
end
if has and #made == 0 then w.look(task) end
reply[3] = task.born or ''
return answer(c.reply(made, reply))
