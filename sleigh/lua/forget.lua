-- Ends jobs of a team that ends with its master: their variables are deleted, and whoever settles one of their tasks learns that.
-- KEYS 1-4, groups of each job's: count, backlog, result, job.
-- ARGV 1 incarnation, 2 request, 3 'count:' and the id of the first job, 4… the ids of the others
-- Returns OK; or GONE.
local again = refused()
if again then return again end
ease()
for i, id in ipairs({ string.match(ARGV[3], '^count:(.*)$'), unpack(ARGV, 4) }) do
  local first = FIRST + (i - 1) * 4 * GROUP
  local names, told = {}, 0
  for k, what in ipairs({ 'count:', 'backlog:', 'result:', 'job:' }) do
    names[k] = what .. id
    local waiters = redis.pcall('ZRANGE', KEYS[first + (k - 1) * GROUP + 1], 0, -1)
    for _, waiter in ipairs(waiters) do -- its own are known to the caller
      if string.sub(waiter, 1, #CALLER + 1) ~= CALLER .. ':' then told = told + 1 end
    end
  end
  if told > 0 then
    for k, name in ipairs(names) do waiting().delete(variable(name, first + (k - 1) * GROUP)) end
  else
    redis.call('UNLINK', unpack(KEYS, first, first + 4 * GROUP - 1))
    redis.call('HDEL', HOME.variables, unpack(names))
  end
end
return answer({ 'OK' })
