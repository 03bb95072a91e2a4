-- Ends a job: its variables are deleted, and whoever settles one of its tasks learns that.
-- KEYS 1-4, groups of the job's: count, backlog, result, job.
-- ARGV 1 incarnation, 2 request, 3 the name of the first of these variables, 4 id of the job
-- Returns OK, or GONE.
local again = refused()
if again then return again end
local w = waiting()
ease()
w.delete(variable(ARGV[3], FIRST))
for i, name in ipairs({ 'backlog:', 'result:', 'job:' }) do w.delete(variable(name .. ARGV[4], FIRST + i * GROUP)) end
return answer({ 'OK' })
