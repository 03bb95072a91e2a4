-- Says who is in the team, and which jobs there are.
-- KEYS 1-4 and one group: rank
-- ARGV 1 incarnation, 2 request, 3 the variable rank
-- Returns OK, how many ranks are taken, these, and the ids of the jobs; or GONE.
local again = refused()
if again then return again end
local ranks = variable(ARGV[3], FIRST)
local reply = { 'OK', '0' }
for _, id in ipairs(redis.call('ZRANGE', ranks.deadlines, 0, -1)) do reply[#reply + 1] = id end
reply[2] = whole(#reply - 2)
for _, name in ipairs(redis.call('HKEYS', HOME.variables)) do
  local id = string.match(name, '^count:(.*)$')
  if id then reply[#reply + 1] = id end
end
return reply
