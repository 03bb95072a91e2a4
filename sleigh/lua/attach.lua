-- Makes the caller the master of a job, if its last one has left it or is not heard of any more.
-- KEYS 1-4, groups of the job's: count, backlog, result, job, master, state.
-- ARGV 1 incarnation, 2 request, 3 the name of the first of these variables, 4 id of the job, 5 who the caller is (see master.go),
--      6 what the description of the job is to have
-- Returns OK and the state of the job ('' if there is none yet); HELD, who has the job, and how many ms ago that one gave a
--   sign of life; OTHER and the description, if it has not that; ENDED; or GONE.
local again = refused()
if again then return again end
local id = ARGV[4]
local j = job(id, FIRST)
local description, master, state =
  variable('job:' .. id, FIRST + 3 * GROUP), variable('master:' .. id, FIRST + 4 * GROUP), variable('state:' .. id, FIRST + 5 * GROUP)
for _, var in ipairs({ description, state }) do check(var) end
local holder, text = master_of(master)
if not j.submitted or not holder or ARGV[3] ~= j.count.name then return { 'ENDED' } end
if silence(holder, text) == 0 and holder ~= CALLER then
  return { 'HELD', text, whole(now() - tonumber(redis.call('ZSCORE', HOME.live, holder))) }
end
local described = redis.call('LINDEX', description.values, 0) or ''
if not string.find(described, ARGV[6], 1, true) then return { 'OTHER', described } end
ease()
waiting().sign_of_life(CALLER)
store(master, { ARGV[5] }, 1, 1)
return answer({ 'OK', redis.call('LINDEX', state.values, 0) or '' })
