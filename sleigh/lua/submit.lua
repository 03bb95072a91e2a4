-- Adds tasks to a job, and hands out as many as there is room for. Without tasks it sees to those that are handed out.
-- KEYS 1-4, groups of: the variable to hand out in; then of the job: count, backlog, result, job.
-- ARGV 1 incarnation, 2 request, 3 the variable to hand out in, 4 id of the job, 5 its description if it is to begin,
--      6 window (tasks), 7 how many elements it has so far, 8 how many are in these tasks, 9… tasks
-- Returns OK submitted done failed out backlog; DIFFERS and the same, if it has not so many elements; ENDED; or GONE.
local again = refused()
if again then return again end
local into = variable(ARGV[3], FIRST)
check(into)
local j = job(ARGV[4], FIRST + GROUP)
if ARGV[5] ~= '' and not j.count.mode then
  local description = variable('job:' .. ARGV[4], FIRST + 4 * GROUP)
  check(description)
  for _, var in ipairs({ j.count, description }) do know(var, 'single') end
  for _, var in ipairs({ j.backlog, j.result }) do know(var, 'fifo') end
  redis.call('RPUSH', description.values, ARGV[5])
  redis.call('RPUSH', j.count.values, '')
  j.submitted, j.done, j.failed, j.out = 0, 0, 0, 0
end
if not j.submitted then return { 'ENDED' } end

local word = 'DIFFERS'
j.window = tonumber(ARGV[6])
if j.submitted == tonumber(ARGV[7]) then
  word = 'OK'
  push(j.backlog, ARGV, 9, #ARGV)
  j.submitted = j.submitted + tonumber(ARGV[8])
end
hand_out(j, into)
if #ARGV < 9 then waiting().look(into) end -- a task may be on its way to a worker that has vanished
return answer({ word, whole(j.submitted), whole(j.done), whole(j.failed), whole(j.out), whole(redis.call('LLEN', j.backlog.values)) })
