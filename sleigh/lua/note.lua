-- Notes how far the master of a job has used its results: those at the head of the list are dropped.
-- KEYS 1-4, groups of the job's: result, master, state, failed.
-- ARGV 1 incarnation, 2 request, 3 the name of the first of these variables, 4 id of the job, 5 how many results to drop,
--      6 its state (see lasting.go), 7 '1' if the master leaves the job, 8… failures to keep
-- Returns OK; ENDED; TAKEN and who has the job; or GONE.
local again = refused()
if again then return again end
local id, n = ARGV[4], tonumber(ARGV[5])
local result, master = variable(ARGV[3], FIRST), variable('master:' .. id, FIRST + GROUP)
local state, failed = variable('state:' .. id, FIRST + 2 * GROUP), variable('failed:' .. id, FIRST + 3 * GROUP)
for _, var in ipairs({ result, state, failed }) do check(var) end
if not result.mode or not state.mode then return { 'ENDED' } end
local other = taken(master)
if other then return other end
store(state, { ARGV[6] }, 1, 1)
push(failed, ARGV, 8, #ARGV)
if n > 0 then
  n = math.min(n, redis.call('LLEN', result.values))
  redis.call('LTRIM', result.values, n, -1)
  move(result, n)
end
if ARGV[7] == '1' then
  local _, text = master_of(master)
  store(master, { (string.gsub(text, '"client":"[^"]*"', '"client":"","left":' .. whole(now()), 1)) }, 1, 1)
end
return answer({ 'OK' })
