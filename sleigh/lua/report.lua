-- Stores what a worker does, and tells it who is in the team.
-- KEYS 1-4, groups of: status@R, team
-- ARGV 1 incarnation, 2 request, 3 the variable status@R, 4 what it does, a JSON object; "wrote" is added to it: when (ms)
-- Returns OK and the value of team ('' if there is none); or GONE.
local again = refused()
if again then return again end
local status, team = variable(ARGV[3], FIRST), variable('team', FIRST + GROUP)
check(status)
check(team)
know(status, 'single')
store(status, { string.sub(ARGV[4], 1, -2) .. ',"wrote":' .. whole(now()) .. '}' }, 1, 1)
return answer({ 'OK', redis.call('LINDEX', team.values, 0) or '' })
