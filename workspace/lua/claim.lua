-- Takes up to n values under a lease; where there is none, the caller waits.
-- A claim whose lease has ended comes first, as it is, with its attempt number one higher.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 waiter ('' = do not wait), 5 born ('' at first), 6 random in [0, 1),
--      7 client, 8 n, 9 sharers (at most this part of the values, but one), 10 lease in ms
-- Returns CLAIM born id attempt before index value index value … (before: who held it last, or -), EMPTY born, WAIT born,
--   DELETED, BURIED, STALE (it was done before, and others have settled all since), or GONE.
local name, waiter, born, random, client = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
local n, sharers, lease = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local w = waiting()

local again = refused()
if again and again[1] == 'CLAIM' then -- the lane keeps its name only
  local var = variable(name, FIRST)
  local claim = w.claims.get(var, again[3])
  if not claim then return { 'STALE' } end -- its lease has ended since, and others have settled it
  return { 'CLAIM', again[2], again[3], again[4], again[5], unpack(w.claims.values(var, claim)) }
end
if again then return again end

local var = variable(name, FIRST)
if deleted(var, born) then return { 'DELETED' } end
check(var)
ease()
if not w.sign_of_life(client) then return { 'BURIED' } end -- it is dead, and would hold the claim for a whole lease
w.look(var)

local function hold(claim, before, indexed)
  redis.call('ZADD', var.deadlines, whole(now() + lease), claim.id)
  local head = { 'CLAIM', var.born, claim.id, whole(claim.attempt), before }
  return answer({ head[1], head[2], head[3], head[4], head[5], unpack(indexed) }, head)
end

local brought = waiter ~= '' and w.brought_to(var, waiter)
if brought then
  w.unwait(var, waiter)
  return hold(brought, '-', w.claims.values(var, brought))
end

local ended = w.claims.first(var)
if ended then
  local before = ended.holder
  ended.attempt, ended.holder = ended.attempt + 1, client
  w.claims.list(var, ended)
  if waiter ~= '' then
    w.give_back(var, waiter)
    w.serve(var)
  end
  return hold(ended, before, w.claims.values(var, ended))
end

local values, index = {}, var.position or 0
if waiter ~= '' then
  local handed, _, its_index = w.handed_to(var, waiter)
  if handed then values[1], index = handed, its_index end
end
if var.mode == 'multi' or values[1] and var.position then n = 1 end -- a claim's indexes have no gaps
local there = #values + redis.call('LLEN', var.values)
take_some(var, random, math.min(n, math.max(1, math.ceil(there / sharers))) - #values, values)
if #values > 0 then
  if index == 0 and var.position then index = ticket(HOME) end -- it was on its way when somebody began to iterate
  if waiter ~= '' then w.unwait(var, waiter) end
  local claim, indexed = { id = whole(ticket(HOME)), attempt = 1, holder = client, index = index }, {}
  w.claims.add(var, claim, values)
  for i, value in ipairs(values) do indexed[2 * i - 1], indexed[2 * i] = whole(i), value end
  return hold(claim, '-', indexed)
end
if waiter == '' then return answer({ 'EMPTY', var.born }) end
local reply = w.wait(var, waiter, 'fetch')
return reply[1] == 'WAIT' and answer(reply) or reply
