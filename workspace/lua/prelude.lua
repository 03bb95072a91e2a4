-- What all scripts share; it stands before each of them.
--
-- KEYS 1 workspace, 2 variables, 3 live; then, for each variable that the script works on, a group of seven (see
--      keys.go): values, waiting fetchers, waiting finders, signalled, handed, claimed, deadlines.
-- ARGV 1 the incarnation of the workspace that the caller knows.
--
-- A waiter is "<client>:<number>". One that is served is told so on its client's channel, and has a time in which to come
-- for what is handed to it; this stands in the hash "handed":
--   +ticket value  taken from the variable for this fetcher; it goes back if nobody comes
--   -ticket value  the same, but overwritten since (mode single); it is dropped if nobody comes
--   ?ticket        nothing: come and look
--   =n             a finder's; the value itself stands once, in the field =n, and the number of its finders in =n#
-- When memory is short, Redis refuses a script's first write if that may take memory, and none after it. So a script that
-- stores fails with nothing changed or not at all; one that must go on then, begins with ease().

local WORKSPACE, VARIABLES, LIVE = KEYS[1], KEYS[2], KEYS[3]
local GROUP = 7
local LIVE_MS = 6000         -- a client without a sign of life for so long is dead
local GRACE_MS = 1500        -- to come for what was handed, when told
local UNTOLD_GRACE_MS = 5000 -- the same when PUBLISH is refused, and only the client's beat tells
local ROUND = 100            -- waiters served at a time

local function gone()
  return redis.call('HGET', WORKSPACE, 'incarnation') ~= ARGV[1]
end

-- Lets the script write although memory is short: it frees some, or leases and waiters of those who live depend on it.
local function ease()
  redis.call('HDEL', WORKSPACE, '')
end

-- Lua's own conversion loses digits of large numbers.
local function whole(n)
  return string.format('%.0f', n)
end

local clock
local function now()
  if not clock then
    local t = redis.call('TIME')
    clock = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return clock
end

local function ticket()
  return redis.call('HINCRBY', WORKSPACE, 'tickets', 1)
end

-- The variable whose keys begin at KEYS[first]; mode and born are nil where nobody has named it.
local function variable(name, first)
  local var = {
    name = name,
    values = KEYS[first], fetchers = KEYS[first + 1], finders = KEYS[first + 2], signalled = KEYS[first + 3],
    handed = KEYS[first + 4], claimed = KEYS[first + 5], deadlines = KEYS[first + 6],
  }
  local known = redis.call('HGET', VARIABLES, name)
  if known then
    var.mode, var.born = string.match(known, '^(%l+) (%d+)$')
    var.damaged = not var.mode and known
  end
  return var
end

-- Fails, before anything is written, if a key of the variable was put in by hand and is not what it should be.
local function check(var)
  if var.damaged then error('NWSDAMAGED variable ' .. var.name .. ' is listed as: ' .. var.damaged) end
  redis.call('LLEN', var.values)
  redis.call('ZCARD', var.fetchers)
  redis.call('ZCARD', var.finders)
  redis.call('ZCARD', var.signalled)
  redis.call('HLEN', var.handed)
  redis.call('HLEN', var.claimed)
  redis.call('ZCARD', var.deadlines)
end

-- Makes the variable known; a mode in place of "unknown" counts, any other stays.
local function know(var, mode)
  if not var.mode then
    var.mode, var.born = mode, whole(ticket())
  elseif var.mode == 'unknown' and mode ~= 'unknown' then
    var.mode = mode
  else
    return
  end
  redis.call('HSET', VARIABLES, var.name, var.mode .. ' ' .. var.born)
end

local function client_of(waiter)
  return string.match(waiter, '^([^:]+):')
end

local living = {} -- client -> whether it is alive
local function alive(client)
  if living[client] == nil then
    local seen = redis.call('ZSCORE', LIVE, client)
    living[client] = seen and tonumber(seen) > now() - LIVE_MS or false
  end
  return living[client]
end

-- Notes a sign of life. A client that was buried has none: what still comes from it was on its way when it died, and is
-- not done.
local function sign_of_life(client)
  local seen = redis.call('ZSCORE', LIVE, client)
  if seen and tonumber(seen) < 0 then return false end
  redis.call('ZADD', LIVE, whole(now()), client)
  living[client] = true
  return true
end

local function bury(client)
  redis.call('ZADD', LIVE, whole(-now()), client)
  living[client] = false
end

-- Tells these waiters to come, with one message a client. Returns client -> how long to wait for it, without those
-- clients that did not hear it.
local function tell(waiters)
  local order, numbers, grace = {}, {}, {}
  for _, waiter in ipairs(waiters) do
    local client, number = string.match(waiter, '^([^:]+):(.+)$')
    if not numbers[client] then
      numbers[client] = {}
      order[#order + 1] = client
    end
    table.insert(numbers[client], number)
  end
  for _, client in ipairs(order) do
    local heard = redis.pcall('PUBLISH', WORKSPACE .. ':inbox:' .. client, table.concat(numbers[client], ' '))
    if type(heard) ~= 'number' then
      grace[client] = UNTOLD_GRACE_MS
    elseif heard > 0 then
      grace[client] = GRACE_MS
    end
  end
  return grace
end

-- In mode single, what was handed out and not come for is older than what was just stored.
local function overwrite(var)
  local handed = redis.call('HGETALL', var.handed)
  for i = 1, #handed, 2 do
    if string.sub(handed[i + 1], 1, 1) == '+' then
      redis.call('HSET', var.handed, handed[i], '-' .. string.sub(handed[i + 1], 2))
    end
  end
end

local function push(var, values, first, last)
  if first > last then return end
  if var.mode == 'single' then
    redis.call('RPUSH', var.values, values[last])
    redis.call('LTRIM', var.values, -1, -1)
    overwrite(var)
    return
  end
  for i = first, last, 1000 do -- unpack fails at 8,000
    redis.call('RPUSH', var.values, unpack(values, i, math.min(i + 999, last)))
  end
end

-- Where the next value stands, and how many there are. random is in [0, 1), for mode multi.
local function position(var, random)
  local n = redis.call('LLEN', var.values)
  if var.mode == 'lifo' or var.mode == 'single' then return n - 1, n end
  if var.mode == 'multi' then return math.min(math.floor(random * n), math.max(n - 1, 0)), n end
  return 0, n
end

local function peek(var, random)
  return redis.call('LINDEX', var.values, (position(var, random)))
end

local function take(var, random)
  if var.mode == 'fifo' then return redis.call('LPOP', var.values) end
  local i, n = position(var, random)
  if n == 0 then return false end
  if i == 0 then return redis.call('LPOP', var.values) end
  local last = redis.call('RPOP', var.values)
  if i == n - 1 then return last end
  local value = redis.call('LINDEX', var.values, i)
  redis.call('LSET', var.values, i, last) -- fills the hole
  return value
end

-- Puts a value back that was taken and not used, so that it is the next again.
local function put_back(var, value)
  if var.mode == 'single' and redis.call('EXISTS', var.values) == 1 then return end
  redis.call((var.mode == 'fifo' or var.mode == 'unknown') and 'LPUSH' or 'RPUSH', var.values, value)
end

-- What is handed to a waiter: the value or nil, and whether it goes back if it is not used.
local function handed_to(var, waiter)
  local kept = redis.call('HGET', var.handed, waiter)
  local kind = kept and string.sub(kept, 1, 1)
  if kind == '=' then return redis.call('HGET', var.handed, kept) or nil, false end
  if kind == '+' or kind == '-' then return string.sub(kept, string.find(kept, ' ', 1, true) + 1), kind == '+' end
end

-- Ends the waiting of a waiter, and drops what was handed to it.
local function unwait(var, waiter)
  redis.call('ZREM', var.fetchers, waiter)
  redis.call('ZREM', var.finders, waiter)
  if redis.call('ZREM', var.signalled, waiter) == 0 then return end
  if redis.call('EXISTS', var.signalled) == 0 then
    redis.call('DEL', var.handed)
    return
  end
  local kept = redis.call('HGET', var.handed, waiter)
  redis.call('HDEL', var.handed, waiter)
  if kept and string.sub(kept, 1, 1) == '=' and redis.call('HINCRBY', var.handed, kept .. '#', -1) == 0 then
    redis.call('HDEL', var.handed, kept, kept .. '#')
  end
end

-- Ends the waiting of a waiter that has no use for what was handed to it.
local function give_back(var, waiter)
  local value, returns = handed_to(var, waiter)
  if value and returns then put_back(var, value) end
  unwait(var, waiter)
end

-- Takes back what was handed to waiters that did not come; those that live wait again, in their old place.
local function recall(var)
  local late = redis.call('ZRANGEBYSCORE', var.signalled, '-inf', whole(now()), 'LIMIT', 0, ROUND)
  for i = #late, 1, -1 do -- the oldest value goes back last, and so to the head
    local waiter = late[i]
    local kept = redis.call('HGET', var.handed, waiter)
    local finder = kept and string.sub(kept, 1, 1) == '='
    local lives = alive(client_of(waiter))
    if lives and finder then
      redis.call('ZADD', var.signalled, whole(now() + LIVE_MS), waiter) -- it is in nobody's way
    else
      give_back(var, waiter)
      if lives and kept then redis.call('ZADD', var.fetchers, string.match(kept, '^.(%d+)'), waiter) end
    end
  end
end

-- A claim is listed in the hash "claimed" as "values attempt client request ticket", its values as claim/1, claim/2 and so
-- on. request is the name that its holder gave the claim when asking; where that is not the claim's own, because the claim
-- had ended and was there before, @request leads to it. A claim that has ended, or was released, stands in "deadlines" by
-- its ticket, which is far less than any time: so the values that were claimed first are the next again.
local FIRST_TIME = 100000000000

local function claim_of(var, id)
  local entry = redis.call('HGET', var.claimed, id)
  if not entry then return nil end
  local n, attempt, holder, request, order = string.match(entry, '^(%d+) (%d+) (%S+) (%S+) (%d+)$')
  if not n then error('NWSDAMAGED claim ' .. id .. ' is listed as: ' .. entry) end
  return { id = id, n = tonumber(n), attempt = tonumber(attempt), holder = holder, request = request, ticket = order }
end

local function list_claim(var, claim)
  local entry = { claim.n, claim.attempt, claim.holder, claim.request, claim.ticket }
  redis.call('HSET', var.claimed, claim.id, table.concat(entry, ' '))
end

-- The claim that was made by this request, if it was made.
local function claim_by(var, request)
  return claim_of(var, redis.call('HGET', var.claimed, '@' .. request) or request)
end

local function end_claim(var, claim)
  redis.call('HDEL', var.claimed, claim.id, '@' .. claim.request)
  redis.call('ZREM', var.deadlines, claim.id)
end

-- How many claims have ended.
local function end_claims(var)
  if redis.call('EXISTS', var.deadlines) == 0 then return 0 end
  local late = redis.call('ZRANGEBYSCORE', var.deadlines, FIRST_TIME, whole(now()), 'LIMIT', 0, ROUND)
  if #late > 0 then ease() end
  for _, id in ipairs(late) do redis.call('ZADD', var.deadlines, claim_of(var, id).ticket, id) end
  return redis.call('ZCOUNT', var.deadlines, '-inf', FIRST_TIME)
end

-- The first claim that has ended, if there is one.
local function ended_claim(var)
  if end_claims(var) == 0 then return nil end
  return claim_of(var, redis.call('ZRANGE', var.deadlines, 0, 0)[1])
end

-- The values of a claim that are not settled: index, value, index, value …
local function claimed_values(var, claim)
  local fields, found = {}, {}
  for i = 1, claim.n do fields[i] = claim.id .. '/' .. i end
  local values = redis.call('HMGET', var.claimed, unpack(fields))
  for i = 1, claim.n do
    if values[i] then
      found[#found + 1] = i
      found[#found + 1] = values[i]
    end
  end
  return found
end

-- The value that a find gives, if there is one.
local function first_value(var, random)
  local ended = ended_claim(var)
  if ended then return claimed_values(var, ended)[2] end
  return peek(var, random)
end

-- A finder is in nobody's way, so that what it is to find is kept for it as long as its client lives, told or not.
local function serve_finders(var)
  local waiters = redis.call('ZRANGE', var.finders, 0, -1)
  if #waiters == 0 then return end
  local kept, served, grace = '=' .. whole(ticket()), {}, tell(waiters)
  for _, waiter in ipairs(waiters) do
    if grace[client_of(waiter)] or alive(client_of(waiter)) then
      redis.call('HSET', var.handed, waiter, kept)
      redis.call('ZADD', var.signalled, whole(now() + LIVE_MS), waiter)
      served[#served + 1] = waiter
    end
  end
  if #served > 0 then redis.call('HSET', var.handed, kept, first_value(var, 0), kept .. '#', #served) end
  redis.call('DEL', var.finders)
end

-- Serves up to n waiting fetchers in the order of their tickets. Those whose clients are dead are dropped.
local function serve_fetchers(var, n, hand)
  for _ = 1, 100 do
    if n <= 0 then return end
    local waiters = redis.call('ZRANGE', var.fetchers, 0, ROUND - 1)
    local chosen, passed = {}, {}
    for _, waiter in ipairs(waiters) do
      if not alive(client_of(waiter)) then
        passed[#passed + 1] = waiter
      elseif #chosen < n then
        chosen[#chosen + 1] = waiter
      end
    end
    local grace = tell(chosen)
    for _, waiter in ipairs(chosen) do
      local patience = grace[client_of(waiter)]
      if patience then
        hand(waiter)
        redis.call('ZADD', var.signalled, whole(now() + patience), waiter)
        n = n - 1
      else
        living[client_of(waiter)] = false
      end
      passed[#passed + 1] = waiter
    end
    if #passed == 0 then return end
    redis.call('ZREM', var.fetchers, unpack(passed))
  end
end

-- Brings together what is there and who waits: all finders first, then the fetchers.
local function serve(var)
  check(var)
  ease()
  recall(var)
  local n, ended = redis.call('LLEN', var.values), end_claims(var)
  if n + ended > 0 then serve_finders(var) end
  serve_fetchers(var, ended, function(waiter)
    redis.call('HSET', var.handed, waiter, '?' .. redis.call('ZSCORE', var.fetchers, waiter))
  end)
  serve_fetchers(var, n, function(waiter)
    local value = peek(var, 0)
    redis.call('HSET', var.handed, waiter, '+' .. redis.call('ZSCORE', var.fetchers, waiter) .. ' ' .. value)
    take(var, 0)
  end)
end

-- Stores values[first..last], one after the other.
local function store(var, values, first, last)
  local waited = redis.call('EXISTS', var.fetchers, var.finders) > 0
  if waited or not var.mode or var.mode == 'unknown' or var.mode == 'single' then check(var) end
  know(var, 'fifo')
  if var.mode == 'fifo' then
    push(var, values, first, last)
    if waited then serve(var) end
    return
  end
  while first <= last and waited do
    push(var, values, first, first)
    serve(var)
    first, waited = first + 1, redis.call('EXISTS', var.fetchers, var.finders) > 0
  end
  push(var, values, first, last)
end

-- Registers a waiter; one that waits already, or was woken in vain, keeps its place.
local function wait(var, waiters, waiter)
  ease()
  if not sign_of_life(client_of(waiter)) then return { 'BURIED' } end
  local place = redis.call('ZSCORE', waiters, waiter)
  if not place then
    local kept = redis.call('HGET', var.handed, waiter)
    if kept then
      place = string.match(kept, '^%?(%d+)')
      unwait(var, waiter)
    end
    redis.call('ZADD', waiters, place or whole(ticket()), waiter)
  end
  return { 'WAIT', var.born }
end

-- Whether the variable that a waiter waits for has been deleted meanwhile, even if there is one of that name again.
local function deleted(var, born)
  return born ~= '' and var.born ~= born
end

-- Brings the variable up to date before somebody looks into it.
local function look(var)
  if not var.mode or var.mode == 'unknown' then -- a value may have been put in by hand
    check(var)
    ease()
    know(var, redis.call('EXISTS', var.values) == 1 and 'fifo' or 'unknown')
  end
  if redis.call('EXISTS', var.fetchers, var.finders, var.signalled, var.deadlines) > 0
    and redis.call('EXISTS', var.values, var.signalled, var.deadlines) > 0 then
    serve(var)
  end
end

-- Works on a damaged variable too.
local function delete_variable(var)
  for _, waiters in ipairs({ var.fetchers, var.finders, var.signalled }) do
    local told = redis.pcall('ZRANGE', waiters, 0, -1)
    if not told.err then tell(told) end
  end
  redis.call('UNLINK', var.values, var.fetchers, var.finders, var.signalled, var.handed, var.claimed, var.deadlines)
  redis.call('HDEL', VARIABLES, var.name)
end
