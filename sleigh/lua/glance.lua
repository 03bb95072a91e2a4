-- Says what a team is: its terms, and how many are there.
-- KEYS 1-4, groups of: rank, terms
-- ARGV 1 incarnation, 2 request, 3 the variable rank
-- Returns OK, the value of terms ('' if there is none), how many workers there are, their slots, one more than their highest
--   rank, and how many jobs there are; or GONE.
local again = refused()
if again then return again end
local ranks, terms = variable(ARGV[3], FIRST), variable('terms', FIRST + GROUP)
local workers, slots, count, jobs = 0, 0, 0, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ranks.deadlines, '(' .. whole(now()), '+inf')) do
  local text = redis.call('HGET', ranks.claimed, id .. '/1') or ''
  local rank, n = string.match(text, '^{"rank":(%d+),"slots":(%d+)}$')
  if rank then
    workers, slots, count = workers + 1, slots + tonumber(n), math.max(count, tonumber(rank) + 1)
  end
end
for _, name in ipairs(redis.call('HKEYS', HOME.variables)) do
  if string.find(name, '^count:') then jobs = jobs + 1 end
end
return { 'OK', redis.call('LINDEX', terms.values, 0) or '', whole(workers), whole(slots), whole(count), whole(jobs) }
