-- Ends a job: its variables are deleted, and whoever settles one of its tasks learns that.
-- KEYS 1-4, groups of the job's: count, backlog, result, job; then, in a team that lasts: master, state, failed, finished; then
--      named, if it has a name.
-- ARGV 1 incarnation, 2 request, 3 the name of the first of these variables, 4 id of the job, 5 its name, or '', 6 what is to be
--      known of it later, or '', 7 the master that may have it, if it is not the caller; '*': whoever has
-- Returns OK; TAKEN and who has the job; or GONE.
local again = refused()
if again then return again end
local MOST = 1000 -- jobs that are known when they have ended
local id, name, last = ARGV[4], ARGV[5], #KEYS > FIRST + 4 * GROUP
local finished, named
if last then
  local master = variable('master:' .. id, FIRST + 4 * GROUP)
  local holder = master_of(master)
  local other = ARGV[7] ~= '*' and holder ~= ARGV[7] and taken(master)
  if other then return other end
  finished = variable('finished', FIRST + 7 * GROUP)
  check(finished)
  if name ~= '' then
    named = variable('named:' .. name, FIRST + 8 * GROUP)
    check(named)
  end
end
local w = waiting()
ease()
local known = variable(ARGV[3], FIRST).mode
w.delete(variable(ARGV[3], FIRST))
for i, what in ipairs({ 'backlog:', 'result:', 'job:' }) do w.delete(variable(what .. id, FIRST + i * GROUP)) end
if last then
  for i, what in ipairs({ 'master:', 'state:', 'failed:' }) do w.delete(variable(what .. id, FIRST + (3 + i) * GROUP)) end
  if known and ARGV[6] ~= '' then
    store(finished, { ARGV[6] }, 1, 1)
    if redis.call('LLEN', finished.values) > MOST then take(finished, 0) end
  end
  if named and redis.call('LINDEX', named.values, 0) == '"' .. id .. '"' then w.delete(named) end
end
return answer({ 'OK' })
