-- Notes how far the master of a job has used its results: those at the head of the list are dropped. It is a sign of life: a
-- master may use results for some time after it, and is not to count as dead before.
-- KEYS 1-4, groups of the job's: result, master, state, failed.
-- ARGV 1 incarnation, 2 request, 3 the name of the first of these variables, 4 id of the job, 5 how many failures were kept
--      before, 6 its state (see lasting.go), with how many results were dropped ever, 7 '1' if the master leaves the job,
--      8… failures to keep
-- Returns OK; ENDED; TAKEN and who has the job; or GONE.
local again = refused()
if again then return again end
local id = ARGV[4]
local result, master = variable(ARGV[3], FIRST), variable('master:' .. id, FIRST + GROUP)
local state, failed = variable('state:' .. id, FIRST + 2 * GROUP), variable('failed:' .. id, FIRST + 3 * GROUP)
for _, var in ipairs({ result, state, failed }) do check(var) end
if not result.mode or not state.mode then return { 'ENDED' } end
local other = taken(master)
if other then return other end
local before = string.match(redis.call('LINDEX', state.values, 0) or '', '^{"dropped":(%d+)') or 0
local n = math.min(tonumber(string.match(ARGV[6], '^{"dropped":(%d+)')) - before, redis.call('LLEN', result.values))
local kept = redis.call('LLEN', failed.values) - tonumber(ARGV[5]) -- of these: it is not known of each call whether it was done
ease()
waiting().sign_of_life(CALLER)
store(state, { ARGV[6] }, 1, 1)
push(failed, ARGV, 8 + math.max(kept, 0), #ARGV)
if n > 0 then
  redis.call('LTRIM', result.values, n, -1)
  move(result, n)
end
if ARGV[7] == '1' then
  local _, text = master_of(master)
  store(master, { (string.gsub(text, '"client":"[^"]*"', '"client":"","left":' .. whole(now()), 1)) }, 1, 1)
end
return answer({ 'OK' })
