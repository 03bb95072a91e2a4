-- Ends jobs of a team that ends with its master: their variables are deleted, and whoever settles one of their tasks learns that.
-- KEYS 1-4, groups of each job's: count, backlog, result, job.
-- ARGV 1 incarnation, 2 request, 3 'count:' and the id of the first job, 4… the ids of the others
-- Returns OK; or GONE.
local again = refused()
if again then return again end
ease()
local id = string.match(ARGV[3], '^count:(.*)$')
for i = 4, #ARGV + 1 do
  local vars, told = {}, 0
  for k, what in ipairs({ 'count:', 'backlog:', 'result:', 'job:' }) do
    vars[k] = variable(what .. id, FIRST + (4 * (i - 4) + k - 1) * GROUP)
    local waiters = redis.pcall('ZRANGE', vars[k].waiters, 0, -1)
    for _, waiter in ipairs(waiters) do -- the caller knows of its own
      if string.sub(waiter, 1, #CALLER + 1) ~= CALLER .. ':' then told = told + 1 end
    end
  end
  if told > 0 then
    for _, var in ipairs(vars) do waiting().delete(var) end
  else
    local first = FIRST + 4 * (i - 4) * GROUP
    redis.call('UNLINK', unpack(KEYS, first, first + 4 * GROUP - 1))
    redis.call('HDEL', HOME.variables, vars[1].name, vars[2].name, vars[3].name, vars[4].name)
  end
  id = ARGV[i]
end
return answer({ 'OK' })
