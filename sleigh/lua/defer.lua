-- Puts a claimed task at the end of its job's tasks that wait, for another worker.
-- KEYS 1-4, groups of: the variable task; then of the job: count, backlog, result.
-- ARGV 1 incarnation, 2 request, 3 the variable task, 4 claim, 5 index of the task in it, 6 id of the job
-- Returns OK, or GONE. A task that somebody else has settled is passed over; that of a job that has ended is dropped.
local again = refused()
if again then return again end
local task, j = variable(ARGV[3], FIRST), job(ARGV[6], FIRST + GROUP)
check(task)
local c = claims()
local claim = c.get(task, ARGV[4])
local held, values = c.held(task, claim, { ARGV[5] })
if held[1] then
  if j.submitted then
    push(j.backlog, values, 1, 1)
    j.out = math.max(j.out - 1, 0)
    hand_out(j, task)
  end
  ease()
  c.settle(task, claim, held)
end
return answer({ 'OK' })
