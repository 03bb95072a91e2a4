-- Takes up to n values under a lease; where there is none, the caller waits.
-- A claim whose lease has ended comes first, as it is, with its attempt number one higher.
-- KEYS 1-3 and one group: the variable.
-- ARGV 1 incarnation, 2 variable, 3 waiter ('' = do not wait), 4 born ('' at first), 5 random in [0, 1),
--      6 request, which becomes the id of a new claim, 7 client, 8 n, 9 sharers (at most this part of the values, but one), 10 lease in ms
-- Returns CLAIM id attempt index value index value …, EMPTY born, WAIT born, DELETED, BURIED, or GONE.
local name, waiter, born, random, id, client = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local n, sharers, lease = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
if gone() then return { 'GONE' } end
local var = variable(name, 4)
if deleted(var, born) then return { 'DELETED' } end

local function hold(claim)
  claim.holder, claim.request = client, id
  list_claim(var, claim)
  redis.call('ZADD', var.deadlines, whole(now() + lease), claim.id)
end
local function reply(claim, indexed)
  return { 'CLAIM', claim.id, claim.attempt, unpack(indexed) }
end

local again = claim_by(var, id)
if again then return reply(again, claimed_values(var, again)) end -- asked before, but the reply was lost

ease()
if not sign_of_life(client) then return { 'BURIED' } end -- it is dead, and would hold the claim for a whole lease
look(var)
local ended = ended_claim(var)
if ended then
  redis.call('HSET', var.claimed, '@' .. id, ended.id)
  redis.call('HDEL', var.claimed, '@' .. ended.request)
  ended.attempt = ended.attempt + 1
  hold(ended)
  if waiter ~= '' then
    give_back(var, waiter)
    serve(var)
  end
  return reply(ended, claimed_values(var, ended))
end

local values = {}
if waiter ~= '' then values[1] = handed_to(var, waiter) end
local more = redis.call('LLEN', var.values)
more = math.min(more, math.max(1, math.min(n, math.ceil(more / sharers))) - #values)
local at = 0
if more > 0 then
  if var.mode == 'multi' then
    more, at = 1, position(var, random)
    values[#values + 1] = redis.call('LINDEX', var.values, at)
  else
    local youngest = var.mode == 'lifo' or var.mode == 'single'
    local found = redis.call('LRANGE', var.values, youngest and -more or 0, youngest and -1 or more - 1)
    for i = 1, more do values[#values + 1] = found[youngest and more + 1 - i or i] end
  end
end
if #values > 0 then
  local claim, fields, indexed = { id = id, n = #values, attempt = 1, ticket = whole(ticket()) }, {}, {}
  for i, value in ipairs(values) do
    fields[2 * i - 1], fields[2 * i] = id .. '/' .. i, value
    indexed[2 * i - 1], indexed[2 * i] = i, value
  end
  redis.call('HSET', var.claimed, unpack(fields))
  hold(claim)
  if waiter ~= '' then unwait(var, waiter) end
  if more > 0 then
    if var.mode == 'multi' then
      take(var, random)
    elseif var.mode == 'lifo' or var.mode == 'single' then
      redis.call('LTRIM', var.values, 0, -more - 1)
    else
      redis.call('LTRIM', var.values, more, -1)
    end
  end
  return reply(claim, indexed)
end
if waiter == '' then return { 'EMPTY', var.born } end
return wait(var, var.fetchers, waiter)
