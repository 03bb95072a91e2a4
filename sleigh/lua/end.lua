-- Ends a job of a team that lasts: its variables are deleted, and whoever settles one of its tasks learns that.
-- KEYS 1-4, groups of the job's: count, backlog, result, job, master, state, failed, finished; then named, if it has a name.
-- ARGV 1 incarnation, 2 request, 3 the name of the first of these variables, 4 id of the job, 5 its name, or '', 6 what is to be
--      known of it later (with -1 for done and failed, if this is to count them), or '', 7 the master that may have it, if it is not the caller; '*': whoever has
-- Returns OK; TAKEN and who has the job; or GONE.
local again = refused()
if again then return again end
local id, name, text = ARGV[4], ARGV[5], ARGV[6]
local UNCOUNTED = '"done":-1,"failed":-1'
local master = variable('master:' .. id, FIRST + 4 * GROUP)
local holder = master_of(master)
local other = ARGV[7] ~= '*' and holder ~= ARGV[7] and taken(master)
if other then return other end
local finished, named = variable('finished', FIRST + 7 * GROUP), nil
check(finished)
if name ~= '' then
  named = variable('named:' .. name, FIRST + 8 * GROUP)
  check(named)
end
local from, to = string.find(text, UNCOUNTED, 1, true)
local j = from and job(id, FIRST)
if j and j.submitted then -- its numbers are those of attempts: an element has one at most that has not failed
  local indexes, failed = {}, 0
  for _, e in ipairs(redis.call('LRANGE', variable('failed:' .. id, FIRST + 6 * GROUP).values, 0, -1)) do
    local index = string.match(e, '"index":(%d+)')
    if index and not indexes[index] then indexes[index], failed = true, failed + 1 end
  end
  local done = j.done - j.failed + failed
  text = string.sub(text, 1, from - 1) .. '"done":' .. whole(done) .. ',"failed":' .. whole(failed) .. string.sub(text, to + 1)
end
local w = waiting()
ease()
local known = variable(ARGV[3], FIRST).mode
for i, what in ipairs({ 'count:', 'backlog:', 'result:', 'job:', 'master:', 'state:', 'failed:' }) do
  w.delete(variable(what .. id, FIRST + (i - 1) * GROUP))
end
if known and text ~= '' then list_finished(finished, id, text) end
if named and redis.call('LINDEX', named.values, 0) == '"' .. id .. '"' then w.delete(named) end
return answer({ 'OK' })
