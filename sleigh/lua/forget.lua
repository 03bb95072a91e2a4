-- Ends jobs of a team that ends with its master: their variables are deleted, and whoever settles one of their tasks learns that.
-- KEYS 1-4, groups of each job's: count, backlog, result, job.
-- ARGV 1 incarnation, 2 request, 3 'count:' and the id of the first job, 4 whether the caller's own waiters are told (0 or 1),
--      5… the ids of the other jobs
-- Returns OK; or GONE.
local again = refused()
if again then return again end
ease()
local id = string.match(ARGV[3], '^count:(.*)$')
for i = 1, #ARGV - 3 do
  local first, names, told = FIRST + 4 * (i - 1) * GROUP, {}, false
  for k, what in ipairs({ 'count:', 'backlog:', 'result:', 'job:' }) do
    names[k] = what .. id
    for _, waiter in ipairs(redis.pcall('ZRANGE', KEYS[first + (k - 1) * GROUP + 1], 0, -1)) do
      if ARGV[4] == '1' or string.sub(waiter, 1, #CALLER + 1) ~= CALLER .. ':' then told = true end
    end
  end
  if told then
    for k, name in ipairs(names) do waiting().delete(variable(name, FIRST + (4 * (i - 1) + k - 1) * GROUP)) end
  else
    redis.call('UNLINK', unpack(KEYS, first, first + 4 * GROUP - 1))
    redis.call('HDEL', HOME.variables, unpack(names))
  end
  id = ARGV[4 + i]
end
return answer({ 'OK' })
