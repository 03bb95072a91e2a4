-- Says which clients wait for variables.
-- KEYS 1-4, then of each variable: waiters
-- ARGV 1 incarnation, 2 how many waiting calls are looked at, at most
-- Returns OK, then for each variable that somebody waits for: which it is (from 0), how many clients, and for each of these:
--   its name, waiting fetchers, waiting finders (those who iterate among them); or GONE.
local left = tonumber(ARGV[2])
if gone() then return { 'GONE' } end
local reply = { 'OK' }
for i = FIRST, #KEYS do
  local order, found = {}, {}
  local function count(waiters, what)
    left = left - #waiters
    for _, waiter in ipairs(waiters) do
      local client = string.match(waiter, '^([^:]+):') or '' -- put in by hand
      if not found[client] then
        found[client] = { 0, 0 }
        order[#order + 1] = client
      end
      found[client][what] = found[client][what] + 1
    end
  end
  local waited = redis.call('EXISTS', KEYS[i]) == 1
  if waited and left > 0 then count(redis.call('ZRANGEBYSCORE', KEYS[i], 0, '(' .. FIRST_TIME, 'LIMIT', 0, left), 1) end
  if waited and left > 0 then count(redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', '(0', 'LIMIT', 0, left), 2) end
  if #order > 0 then
    reply[#reply + 1] = whole(i - FIRST)
    reply[#reply + 1] = whole(#order)
    for _, client in ipairs(order) do
      reply[#reply + 1] = client
      reply[#reply + 1] = whole(found[client][1])
      reply[#reply + 1] = whole(found[client][2])
    end
  end
end
return reply
