-- Who is in the team: takes, keeps and gives back ranks, and counts who is there. A rank that is taken is a claim of the variable
-- rank, which is named by the number of the rank and held by the client of the worker's keeper.
-- KEYS 1-4, groups of: rank, team; and to leave, for each of the ranks: worker@R, status@R, progress@R, dismiss@R
-- ARGV 1 incarnation, 2 request, 3 the variable rank, 4 what: take, renew, leave or look, 5 client, 6 lease in ms, 7 slots of a
--      worker, 8 how many ranks there are at least, 9… to take: how many; else the ranks
-- Returns OK, the value of team, then ranks: those taken (the lowest that are free); to renew, those that others have; else those
--   that were given up now, since their leases have ended; or GONE.
local what, client, lease, slots, least = ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local again = refused()
if again then return again end
local ranks, team = variable(ARGV[3], FIRST), variable('team', FIRST + GROUP)
check(ranks)
check(team)
ease()
local c = claims()
local differs, told = not team.mode, {}
know(ranks, 'fifo')
know(team, 'single')

local function hold(rank)
  local id = whole(rank)
  c.add(ranks, { id = id, attempt = 1, holder = client, index = 0 }, { '{"rank":' .. id .. ',"slots":' .. slots .. '}' })
  redis.call('ZADD', ranks.deadlines, whole(now() + lease), id)
  differs = true
end

local function free(id)
  redis.call('HDEL', ranks.claimed, id .. '/1')
  c.drop(ranks, { id = id })
  differs = true
end

if what == 'renew' then
  for i = 9, #ARGV do
    local claim = c.get(ranks, ARGV[i])
    if not claim then
      hold(tonumber(ARGV[i])) -- it was given up, and nobody else has it
    elseif claim.holder == client then
      redis.call('ZADD', ranks.deadlines, whole(now() + lease), ARGV[i])
    else
      told[#told + 1] = ARGV[i]
    end
  end
elseif what == 'leave' then
  for i = 9, #ARGV do
    local claim = c.get(ranks, ARGV[i])
    if claim and claim.holder == client then
      free(ARGV[i])
      local w, first = waiting(), FIRST + (4 * (i - 9) + 2) * GROUP
      w.delete(variable('worker@' .. ARGV[i], first))
      w.delete(variable('status@' .. ARGV[i], first + GROUP))
      w.delete(variable('progress@' .. ARGV[i], first + 2 * GROUP))
      w.delete(variable('dismiss@' .. ARGV[i], first + 3 * GROUP))
    end
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', ranks.deadlines, '-inf', whole(now()))) do
  free(id)
  if what == 'look' then told[#told + 1] = id end
end

if what == 'take' then
  local rank = 0
  for _ = 1, tonumber(ARGV[9]) do
    while redis.call('HEXISTS', ranks.claimed, whole(rank)) == 1 do rank = rank + 1 end
    hold(rank)
    told[#told + 1] = whole(rank)
  end
end

if differs then
  local all = redis.call('HGETALL', ranks.claimed)
  local workers, sum, count = 0, 0, least
  for i = 2, #all, 2 do
    local rank, n = string.match(all[i], '^{"rank":(%d+),"slots":(%d+)}$')
    if rank then
      workers, sum, count = workers + 1, sum + tonumber(n), math.max(count, tonumber(rank) + 1)
    end
  end
  local text = string.format('{"workers":%.0f,"slots":%.0f,"count":%.0f}', workers, sum, count)
  if redis.call('LINDEX', team.values, 0) ~= text then store(team, { text }, 1, 1) end
end
return answer({ 'OK', redis.call('LINDEX', team.values, 0) or '', unpack(told) })
