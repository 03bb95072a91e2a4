-- Waiters, and who gets what. (Nothing here is done before waiting() is called; see prelude.lua.)
--
-- A waiter is "<client>:<number>"; what may follow the number says that it takes its reply from the message that tells it:
-- "=" of one that finds or iterates, "=lease" (ms) of one that claims. It stands in the sorted set "waiters" by a score that says what it does:
--   ticket             it waits in a fetch or a claim
--   -ticket            it waits in a find
--   -(FIRST_TIME + i)  it iterates and has seen all there is; it waits for a value with index i or more
--   a time             it was told to come, and has until then to do so
-- It is told on its client's channel. What is handed to it meanwhile stands in the hash "handed":
--   +ticket index order value  taken from the variable for this fetcher; it goes back if nobody comes
--   ?ticket                    nothing: come and look (for one who iterates, its score takes the ticket's place)
--   =n                         a finder's; the value itself stands once, in the field =n, and the number of its finders in =n#
--   =in                        the same for one who iterates; n is the index of the value
--   !ticket claim              a claim that the message brought, until it says that it has it
local made_waiting
local function waiting()
  if made_waiting then return made_waiting end
  local LIVE_MS = 6000         -- a client without a sign of life for so long is dead
  local GRACE_MS = 1500        -- to come for what was handed, when told
  local UNTOLD_GRACE_MS = 5000 -- the same when PUBLISH is refused, and only the client's beat tells
  local ROUND = 100            -- waiters served at a time
  local BROUGHT_BYTES = 4096   -- of a value that a message brings
  local C = claims()
  local W = { claims = C }
  made_waiting = W

  local function client_of(waiter)
    return string.match(waiter, '^([^:]+):') or '' -- put in by hand
  end

  local living = {} -- client -> whether it is alive
  function W.alive(client, space)
    if living[client] == nil then
      local seen = redis.call('ZSCORE', space.live, client)
      living[client] = seen and tonumber(seen) > now() - LIVE_MS or false
    end
    return living[client]
  end

  -- Notes a sign of life of the caller. A client that was buried has none: what still comes from it was on its way when it
  -- died, and is not done. If it was dead for the others, so that its waiters may have been dropped, that is counted, for
  -- its beat to tell it.
  function W.sign_of_life(client)
    local seen = redis.call('ZSCORE', HOME.live, client)
    if seen and tonumber(seen) < 0 then return false end
    if seen and tonumber(seen) <= now() - LIVE_MS then redis.call('HINCRBY', CLIENT, 'lapses', 1) end
    redis.call('ZADD', HOME.live, whole(now()), client)
    living[client] = true
    return true
  end

  function W.bury(client)
    redis.call('ZADD', HOME.live, whole(-now()), client)
    living[client] = false
  end

  -- Clients that have been silent for so long that they can be forgotten; the caller has just given a sign of life.
  function W.silent()
    local long_ago = now() - FORGET_MS
    return redis.call('ZRANGEBYSCORE', HOME.live, whole(-long_ago), whole(long_ago), 'LIMIT', 0, ROUND)
  end

  -- Tells these waiters to come, with one message a client. What they would be told then, if it is given and small, is
  -- brought to those who take it from the message. Returns client -> how long to wait for it, without those clients that
  -- did not hear it.
  local function tell(space, waiters, reply)
    if #waiters == 0 then return {} end
    local order, numbers, grace, brought, plain = {}, {}, {}, nil, {}
    if reply and #reply[#reply] <= BROUGHT_BYTES then brought = '\n' .. packed(reply) end
    for _, waiter in ipairs(waiters) do
      local client, n = client_of(waiter), string.match(waiter, '[^:]*$')
      if not numbers[client] then
        numbers[client] = {}
        order[#order + 1] = client
      end
      table.insert(numbers[client], n)
      if not string.find(n, '=', 1, true) then plain[client] = true end
    end
    local publish = redis.call('HGET', space.workspace, 'publish') or 'PUBLISH'
    for _, client in ipairs(order) do
      local message = table.concat(numbers[client], ' ')
      if brought and not plain[client] then message = message .. brought end
      local heard = redis.pcall(publish, space.workspace .. ':inbox:' .. client, message)
      if type(heard) ~= 'number' then
        grace[client] = UNTOLD_GRACE_MS
      elseif heard > 0 then
        grace[client] = GRACE_MS
      end
    end
    return grace
  end

  -- Whether a client hears what is published here: only then a message may bring a claim. Redis passes all messages on to its
  -- replicas, so that a client that has not noticed a failover would hear of a claim that is not made.
  local function listens(space, client)
    local publish = redis.call('HGET', space.workspace, 'publish')
    local found = redis.pcall('PUBSUB', publish == 'SPUBLISH' and 'SHARDNUMSUB' or 'NUMSUB', space.workspace .. ':inbox:' .. client)
    return not found.err and tonumber(found[2]) > 0
  end

  -- Puts values back that were taken together and not used, so that they are the next again. index is what the first has for
  -- those who iterate, order the ticket of when they were taken from the list, first the place of the first among what was
  -- taken then; they may be 0.
  function W.put_back(var, values, index, order, first)
    if var.mode == 'single' then
      local overwritten = index ~= var.position or redis.call('EXISTS', var.values) == 1
      if not overwritten then redis.call('RPUSH', var.values, values[1]) end
      return
    end
    if order > 0 or var.mode == 'fifo' and var.position then
      C.put_back(var, values, index, order, first)
      if var.position then W.serve_followers(var) end
      return
    end
    local youngest = var.mode == 'lifo' or var.mode == 'multi'
    for i = #values, 1, -1 do redis.call(youngest and 'RPUSH' or 'LPUSH', var.values, values[i]) end
  end

  -- What is handed to a waiter: the value or nil, and whether it goes back if it is not used, with which index and order.
  function W.handed_to(var, waiter)
    local kept = redis.call('HGET', var.handed, waiter)
    local kind = kept and string.sub(kept, 1, 1)
    if kind == '=' then return redis.call('HGET', var.handed, kept) or nil, false end
    if kind == '+' then
      local index, order, start = string.match(kept, '^.%d+ (%d+) (%d+) ()')
      return string.sub(kept, start), true, tonumber(index), tonumber(order)
    end
  end

  -- The claim that a message brought, or was to bring, to a waiter, if its client still holds it.
  function W.brought_to(var, waiter)
    local kept = redis.call('HGET', var.handed, waiter)
    local id = kept and string.match(kept, '^!%d+ (.+)$')
    local claim = id and C.get(var, id)
    local holds = claim and claim.holder == client_of(waiter)
      and tonumber(redis.call('ZSCORE', var.deadlines, id) or 0) >= FIRST_TIME
    return holds and claim or nil
  end

  -- Ends the waiting of a waiter, and drops what was handed to it.
  function W.unwait(var, waiter)
    if redis.call('ZREM', var.waiters, waiter) == 0 then return end
    local kept = redis.call('HGET', var.handed, waiter)
    if not kept then return end
    redis.call('HDEL', var.handed, waiter)
    if string.sub(kept, 1, 1) == '=' and redis.call('HINCRBY', var.handed, kept .. '#', -1) == 0 then
      redis.call('HDEL', var.handed, kept, kept .. '#')
    end
  end

  -- Puts back what was handed to a waiter that has no use for it. Returns whether that was anything.
  local function take_back(var, waiter)
    local value, returns, index, order = W.handed_to(var, waiter)
    if value and returns then W.put_back(var, { value }, index, order, 1) end
    local claim = W.brought_to(var, waiter)
    if claim then C.release(var, claim, { '1' }) end
    return claim or returns
  end

  -- Ends the waiting of a waiter that has no use for what was handed to it.
  function W.give_back(var, waiter)
    take_back(var, waiter)
    W.unwait(var, waiter)
  end

  -- The same in two steps: what comes between them gives nothing to this waiter, and what was handed to it to nobody.
  function W.stand_aside(var, waiter) redis.call('ZREM', var.waiters, waiter) end
  function W.come_back(var, waiter)
    local had = take_back(var, waiter)
    redis.call('HDEL', var.handed, waiter)
    return had
  end

  -- Takes back what was handed to waiters that did not come; those that live wait again, in their old place.
  local function recall(var)
    local late = redis.call('ZRANGEBYSCORE', var.waiters, FIRST_TIME, whole(now()), 'LIMIT', 0, ROUND)
    for i = #late, 1, -1 do -- the oldest value goes back last, and so to the head
      local waiter = late[i]
      local kept = redis.call('HGET', var.handed, waiter)
      local lives, kind = W.alive(client_of(waiter), var.space), kept and string.sub(kept, 1, 1)
      if lives and (kind == '=' or kind == '!') then
        redis.call('ZADD', var.waiters, whole(now() + LIVE_MS), waiter) -- it is in nobody's way, or has a lease
      elseif kind == '!' then -- it may have heard the message: the claim is its own until the lease ends
        W.unwait(var, waiter)
      else
        W.give_back(var, waiter)
        if lives and kept then redis.call('ZADD', var.waiters, string.match(kept, '^.(-?%d+)'), waiter) end
      end
    end
  end

  -- A finder is in nobody's way, so that what it is to find is kept for it as long as its client lives, told or not.
  local function serve_finders(var)
    local waiters = redis.call('ZRANGEBYSCORE', var.waiters, '(-' .. FIRST_TIME, '(0')
    if #waiters == 0 then return end
    local kept, served, value = '=' .. whole(ticket(var.space)), 0, W.first_value(var, 0)
    local grace = tell(var.space, waiters, { 'KEPT', var.born, value })
    for _, waiter in ipairs(waiters) do
      if grace[client_of(waiter)] or W.alive(client_of(waiter), var.space) then
        redis.call('HSET', var.handed, waiter, kept)
        redis.call('ZADD', var.waiters, whole(now() + LIVE_MS), waiter)
        served = served + 1
      else
        redis.call('ZREM', var.waiters, waiter)
      end
    end
    if served > 0 then redis.call('HSET', var.handed, kept, value, kept .. '#', served) end
  end

  -- Serves up to n waiting fetchers in the order of their tickets. Those whose clients are dead are dropped.
  local function serve_fetchers(var, n, hand)
    for _ = 1, 100 do
      if n <= 0 then return end
      local waiters = redis.call('ZRANGEBYSCORE', var.waiters, 0, '(' .. FIRST_TIME, 'WITHSCORES', 'LIMIT', 0, ROUND)
      local chosen, places, dropped = {}, {}, {}
      for i = 1, #waiters, 2 do
        if not W.alive(client_of(waiters[i]), var.space) then
          dropped[#dropped + 1] = waiters[i]
        elseif #chosen < n then
          chosen[#chosen + 1], places[#places + 1] = waiters[i], waiters[i + 1]
        end
      end
      local grace = tell(var.space, chosen)
      for i, waiter in ipairs(chosen) do
        local patience = grace[client_of(waiter)]
        if patience then
          hand(waiter, places[i])
          redis.call('ZADD', var.waiters, whole(now() + patience), waiter)
          n = n - 1
        else
          living[client_of(waiter)] = false
          dropped[#dropped + 1] = waiter
        end
      end
      if #dropped > 0 then redis.call('ZREM', var.waiters, unpack(dropped)) end
      if #chosen + #dropped == 0 then return end
    end
  end

  -- Serves the first of those who wait for a value with a claim of it, if that is the only one there is: so it need not
  -- come for more.
  local function serve_claimer(var)
    while var.mode == 'fifo' and not var.position and redis.call('LLEN', var.values) == 1 do
      local first = redis.call('ZRANGEBYSCORE', var.waiters, 0, '(' .. FIRST_TIME, 'WITHSCORES', 'LIMIT', 0, 1)
      local waiter, client = first[1], first[1] and client_of(first[1])
      local lease = waiter and string.match(waiter, '=(%d+)$')
      local value = peek(var, 0)
      if not lease or #value > BROUGHT_BYTES then return end
      if not W.alive(client, var.space) then
        redis.call('ZREM', var.waiters, waiter)
      elseif not listens(var.space, client) then
        return -- it is served as a fetcher
      else
        local claim = { id = whole(ticket(var.space)), attempt = 1, holder = client, index = 0 }
        redis.call('LPOP', var.values)
        C.add(var, claim, { value })
        redis.call('ZADD', var.deadlines, whole(now() + lease), claim.id)
        redis.call('HSET', var.handed, waiter, '!' .. first[2] .. ' ' .. claim.id)
        local grace = tell(var.space, { waiter }, { 'CLAIM', var.born, claim.id, '1', '-', '1', value })
        redis.call('ZADD', var.waiters, whole(now() + (grace[client] or UNTOLD_GRACE_MS)), waiter)
      end
    end
  end

  -- Serves those who iterate and wait for an index below this one. As with finders, the value is kept for them. nil has all
  -- of them come and look.
  function W.serve_followers(var, below)
    local least = below and '(-' .. whole(FIRST_TIME + below) or '-inf'
    local waiters, told, replies = redis.call('ZRANGEBYSCORE', var.waiters, least, -FIRST_TIME), {}, {}
    for _, waiter in ipairs(waiters) do
      local score = tonumber(redis.call('ZSCORE', var.waiters, waiter))
      local index, value = var.position, false
      if below and var.mode ~= 'single' then index = math.max(index, -score - FIRST_TIME) end
      if below then value = redis.call('LINDEX', var.values, var.mode == 'single' and 0 or whole(index - var.position)) end
      if value then
        local kept = '=i' .. whole(index)
        redis.call('HSET', var.handed, waiter, kept, kept, value)
        redis.call('HINCRBY', var.handed, kept .. '#', 1)
      else
        redis.call('HSET', var.handed, waiter, '?' .. whole(score))
      end
      redis.call('ZADD', var.waiters, whole(now() + LIVE_MS), waiter)
      local what = value and index or 0
      if not told[what] then
        told[what] = {}
        replies[#replies + 1] = { told[what], value and { 'KEPT', var.born, whole(index), value } or nil }
      end
      table.insert(told[what], waiter)
    end
    for _, some in ipairs(replies) do tell(var.space, some[1], some[2]) end
  end

  function W.begin_positions(var)
    ease()
    var.position = C.number_all(var)
    note(var)
  end

  -- The index that the next value to come will have, for those who iterate.
  function W.next_index(var)
    if var.mode == 'single' then return var.position + redis.call('EXISTS', var.values) end
    return var.position + redis.call('LLEN', var.values)
  end

  -- The value that a find gives, if there is one.
  function W.first_value(var, random)
    local ended = C.first(var)
    if ended then return C.values(var, ended)[2] end
    return peek(var, random)
  end

  -- Brings together what is there and who waits: all finders first, then the fetchers.
  function W.serve(var)
    check(var)
    ease()
    recall(var)
    if var.mode == 'single' and redis.call('LLEN', var.values) > 1 then -- put in by hand
      redis.call('LTRIM', var.values, -1, -1)
      move(var, 1)
    end
    if var.position then W.serve_followers(var, W.next_index(var)) end
    local ended = C.ended(var)
    if redis.call('LLEN', var.values) + ended > 0 then serve_finders(var) end
    serve_fetchers(var, ended, function(waiter, place)
      redis.call('HSET', var.handed, waiter, '?' .. place)
    end)
    serve_claimer(var)
    serve_fetchers(var, redis.call('LLEN', var.values), function(waiter, place)
      local index, order = 0, 0
      if var.position then index, order = var.position, ticket(var.space) end
      local kept = '+' .. place .. ' ' .. whole(index) .. ' ' .. whole(order) .. ' ' .. peek(var, 0)
      redis.call('HSET', var.handed, waiter, kept)
      take(var, 0)
    end)
  end

  -- Stores values[first..last], one after the other.
  function W.store(var, values, first, last)
    check(var)
    know(var, 'fifo')
    local waited = redis.call('EXISTS', var.waiters) == 1
    if var.mode == 'fifo' then
      push(var, values, first, last)
      if waited then W.serve(var) end
      return
    end
    while first <= last and waited do
      push(var, values, first, first)
      W.serve(var)
      first, waited = first + 1, redis.call('EXISTS', var.waiters) == 1
    end
    if first <= last then
      push(var, values, first, last)
    end
  end

  -- Registers a waiter; one that waits already, or was woken in vain, keeps its place. what is 'fetch', 'find', or the index
  -- that one who iterates waits for.
  function W.wait(var, waiter, what)
    ease()
    if not W.sign_of_life(client_of(waiter)) then return { 'BURIED' } end
    local score = redis.call('ZSCORE', var.waiters, waiter)
    if not score or tonumber(score) >= FIRST_TIME then
      local kept = redis.call('HGET', var.handed, waiter)
      W.unwait(var, waiter)
      if what == 'fetch' then
        score = kept and string.match(kept, '^[?!](%d+)') or whole(ticket(var.space))
      elseif what == 'find' then
        score = whole(-ticket(var.space))
      else
        score = whole(-FIRST_TIME - what)
      end
      redis.call('ZADD', var.waiters, score, waiter)
    end
    return { 'WAIT', var.born }
  end

  -- Brings the variable up to date before somebody looks into it.
  function W.look(var)
    if not var.mode or var.mode == 'unknown' then -- a value may have been put in by hand
      check(var)
      ease()
      know(var, redis.call('EXISTS', var.values) == 1 and 'fifo' or 'unknown')
    end
    undamaged(var)
    if redis.call('EXISTS', var.waiters, var.deadlines) > 0
      and redis.call('EXISTS', var.values, var.handed, var.deadlines) > 0 then
      W.serve(var)
    end
  end

  -- Works on a damaged variable too.
  function W.delete(var)
    local told = redis.pcall('ZRANGE', var.waiters, 0, -1)
    if not told.err then tell(var.space, told) end
    redis.call('UNLINK', var.values, var.waiters, var.handed, var.claimed, var.deadlines)
    redis.call('HDEL', var.space.variables, var.name)
  end

  return W
end

-- Stores values[first..last], one after the other.
local function store(var, values, first, last)
  if var.mode and var.mode ~= 'unknown' and redis.call('EXISTS', var.waiters) == 0 then
    push(var, values, first, last)
  else
    waiting().store(var, values, first, last)
  end
end
