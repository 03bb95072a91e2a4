-- Adds tasks to a job, and hands out as many as there is room for. Without tasks it sees to those that are handed out.
-- KEYS 1-4, groups of: the variable to hand out in; then of the job: count, backlog, result, job; then, in a team that lasts,
--      master, state, failed; then named, if the job has a name.
-- ARGV 1 incarnation, 2 request, 3 the variable to hand out in, 4 id of the job, 5 its description if it is to begin,
--      6 who its master is (see master.go) in a team that lasts, or '', 7 its name, or '', 8 window (tasks), 9 how many elements
--      it has so far, 10 how many are in these tasks, 11 the waiter that is to wait for results, or '', 12… tasks
-- Returns OK submitted done failed out backlog, and born of the variable with results; DIFFERS and the same, if it has not so many elements; ENDED; TAKEN and who has
--   the job; EXISTS and the id of another job that has the name; or GONE.
local again = refused()
if again then return again end
local into = variable(ARGV[3], FIRST)
check(into)
local id, master, name = ARGV[4], ARGV[6], ARGV[7]
local j, has = job(id, FIRST + GROUP), nil
if master ~= '' then
  has = variable('master:' .. id, FIRST + 5 * GROUP)
  local other = taken(has)
  if other then return other end
end
if ARGV[5] ~= '' and not j.count.mode then
  local named = name ~= '' and variable('named:' .. name, FIRST + 8 * GROUP)
  if named then
    check(named)
    local other = redis.call('LINDEX', named.values, 0)
    if other then return { 'EXISTS', other } end
  end
  local description = variable('job:' .. id, FIRST + 4 * GROUP)
  check(description)
  for _, var in ipairs({ j.count, description }) do know(var, 'single') end
  for _, var in ipairs({ j.backlog, j.result }) do know(var, 'fifo') end
  redis.call('RPUSH', description.values, ARGV[5])
  redis.call('RPUSH', j.count.values, '')
  j.submitted, j.done, j.failed, j.out = 0, 0, 0, 0
  if has then
    local state, failed = variable('state:' .. id, FIRST + 6 * GROUP), variable('failed:' .. id, FIRST + 7 * GROUP)
    check(state)
    check(failed)
    for _, var in ipairs({ has, state }) do know(var, 'single') end
    know(failed, 'fifo')
    redis.call('RPUSH', has.values, master)
    waiting().sign_of_life(CALLER)
  end
  if named then
    know(named, 'single')
    redis.call('RPUSH', named.values, '"' .. id .. '"')
  end
end
if not j.submitted then return { 'ENDED' } end

local word = 'DIFFERS'
j.window = tonumber(ARGV[8])
if j.submitted == tonumber(ARGV[9]) then
  word = 'OK'
  push(j.backlog, ARGV, 12, #ARGV)
  j.submitted = j.submitted + tonumber(ARGV[10])
end
hand_out(j, into)
if #ARGV < 12 then waiting().look(into) end -- a task may be on its way to a worker that has vanished
if ARGV[11] ~= '' then waiting().wait(j.result, ARGV[11], 'fetch') end
return answer({
  word, whole(j.submitted), whole(j.done), whole(j.failed), whole(j.out), whole(redis.call('LLEN', j.backlog.values)), j.result.born,
})
