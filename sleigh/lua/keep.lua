-- Has the master of a job leave it whose results are all there, and were given: they are kept.
-- KEYS 1-4, groups of: the job's master; finished.
-- ARGV 1 incarnation, 2 request, 3 the variable of the job's master, 4 id of the job, 5 who its master is (see master.go), with
--      what becomes of the job, 6 what is to be known of it later
-- Returns OK; ENDED; TAKEN and who has the job; or GONE.
local again = refused()
if again then return again end
local master, finished = variable(ARGV[3], FIRST), variable('finished', FIRST + GROUP)
check(finished)
local other = taken(master)
if other then return other end
if not master.mode then return { 'ENDED' } end
ease()
store(master, { (string.gsub(ARGV[5], '"client":"[^"]*"', '"client":"","left":' .. whole(now()), 1)) }, 1, 1)
list_finished(finished, ARGV[4], ARGV[6])
return answer({ 'OK' })
