-- Claims: values that were taken under a lease. (Nothing here is done before claims() is called; see prelude.lua.)
--
-- A claim is listed in the hash "claimed" as "values attempt client index", its values as claim/1, claim/2 and so on; index
-- is that of the first value for those who iterate, or 0; in mode single it tells whether there was a later value. A claim's
-- name begins with its ticket. One that has ended, or was released, stands in "deadlines" by this ticket, which is far less
-- than any time: so the values that were claimed first are the next again. After the point of the score stands the place of
-- the first value in its claim, for a part that was released. Values that come back from elsewhere to a variable that is
-- iterated become such a claim too, since in the list they would shift all others.
local FIRST_TIME = 100000000000 -- in ms; tickets are less

local made_claims
local function claims()
  if made_claims then return made_claims end
  local ROUND = 100 -- leases ended at a time
  local MOST = 1000 -- values of a claim
  local C = {}
  made_claims = C

  function C.get(var, id)
    local entry = redis.call('HGET', var.claimed, id)
    if not entry then return nil end
    local n, attempt, holder, index = string.match(entry, '^(%d+) (%d+) (%S+) (%d+)$')
    if not n or tonumber(n) > MOST then error('NWSDAMAGED claim ' .. id .. ' is listed as: ' .. entry) end
    return { id = id, n = tonumber(n), attempt = tonumber(attempt), holder = holder, index = tonumber(index) }
  end

  -- The same for one that stands in "deadlines".
  function C.listed(var, id)
    return C.get(var, id) or error('NWSDAMAGED claim ' .. id .. ' is not listed')
  end

  function C.entry(claim)
    return table.concat({ claim.n, claim.attempt, claim.holder, whole(claim.index) }, ' ')
  end

  function C.list(var, claim)
    redis.call('HSET', var.claimed, claim.id, C.entry(claim))
  end

  -- Forgets a claim, all values of which are settled.
  function C.drop(var, claim)
    redis.call('HDEL', var.claimed, claim.id)
    redis.call('ZREM', var.deadlines, claim.id)
  end

  local function overwritten(var, claim)
    return var.mode == 'single' and claim.index ~= var.position
  end

  -- Where a claim that has ended stands among these.
  local function score(claim, first)
    return string.match(claim.id, '^%d+') .. string.format('.%04d', tonumber(first))
  end

  -- Lets the lease of a claim end now.
  function C.lapse(var, claim)
    if overwritten(var, claim) then
      redis.call('HDEL', var.claimed, claim.id .. '/1')
      C.drop(var, claim)
    else
      redis.call('ZADD', var.deadlines, score(claim, C.values(var, claim)[1] or 0), claim.id)
    end
  end

  -- Makes a claim of these values.
  function C.add(var, claim, values)
    local fields = {}
    claim.n = #values
    for i, value in ipairs(values) do fields[2 * i - 1], fields[2 * i] = claim.id .. '/' .. i, value end
    redis.call('HSET', var.claimed, unpack(fields))
    C.list(var, claim)
  end

  -- Which values of a claim are not settled, of those that are named by their indexes: their fields, by the position of the
  -- index. One that is named twice counts the first time. With them come the values of all that are named, by the same.
  function C.held(var, claim, indexes)
    if not claim or #indexes == 0 then return {}, {} end
    if not redis.call('ZSCORE', var.deadlines, claim.id) then error('NWSDAMAGED claim ' .. claim.id .. ' has no deadline') end
    local fields, held, named = {}, {}, {}
    for i, index in ipairs(indexes) do fields[i] = claim.id .. '/' .. index end
    local values = redis.call('HMGET', var.claimed, unpack(fields))
    for i, field in ipairs(fields) do
      if values[i] and not named[field] then
        held[i], named[field] = field, true
      end
    end
    return held, values
  end

  -- Ends the claim of these fields, at least one.
  function C.settle(var, claim, fields)
    redis.call('HDEL', var.claimed, unpack(fields))
    if #fields == claim.n or #C.values(var, claim) == 0 then
      C.drop(var, claim)
      return
    end
    if claim.attempt > 1 then -- whoever died before did not die over what is left
      claim.attempt = 1
      C.list(var, claim)
    end
    if tonumber(redis.call('ZSCORE', var.deadlines, claim.id)) < FIRST_TIME then C.lapse(var, claim) end -- its first may be another
  end

  -- How many claims have ended.
  function C.ended(var)
    if redis.call('EXISTS', var.deadlines) == 0 then return 0 end
    local late = redis.call('ZRANGEBYSCORE', var.deadlines, FIRST_TIME, whole(now()), 'LIMIT', 0, ROUND)
    if #late > 0 then ease() end
    for _, id in ipairs(late) do C.lapse(var, C.listed(var, id)) end
    if var.mode == 'single' then
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', var.deadlines, '-inf', '(' .. FIRST_TIME)) do
        local claim = C.listed(var, id)
        if overwritten(var, claim) then
          ease()
          C.lapse(var, claim)
        end
      end
    end
    return redis.call('ZCOUNT', var.deadlines, '-inf', '(' .. FIRST_TIME)
  end

  -- The first claim that has ended, if there is one.
  function C.first(var)
    if C.ended(var) == 0 then return nil end
    return C.listed(var, redis.call('ZRANGE', var.deadlines, 0, 0)[1])
  end

  -- The values of a claim that are not settled: index, value, index, value …
  function C.values(var, claim)
    local fields, found = {}, {}
    for i = 1, claim.n do fields[i] = claim.id .. '/' .. i end
    local values = redis.call('HMGET', var.claimed, unpack(fields))
    for i = 1, claim.n do
      if values[i] then
        found[#found + 1] = whole(i)
        found[#found + 1] = values[i]
      end
    end
    return found
  end

  -- Takes up to n values that follow each other out of a claim that has ended, and appends them to found. Returns the place
  -- of the first in its claim, and its index for those who iterate.
  function C.take(var, claim, n, found)
    local left = C.values(var, claim)
    local first, fields = tonumber(left[1]), {}
    while #fields < n and tonumber(left[2 * #fields + 1]) == first + #fields do
      found[#found + 1] = left[2 * #fields + 2]
      fields[#fields + 1] = claim.id .. '/' .. left[2 * #fields + 1]
    end
    redis.call('HDEL', var.claimed, unpack(fields))
    if #left == 2 * #fields then
      C.drop(var, claim)
    else
      redis.call('ZADD', var.deadlines, score(claim, left[2 * #fields + 1]), claim.id)
    end
    return first, claim.index > 0 and claim.index + first - 1 or 0
  end

  -- Makes a claim that has ended of values that came from one another. order is the ticket of that, first the place there of
  -- the first, index that of the first for those who iterate, or 0.
  function C.put_back(var, values, index, order, first)
    if index == 0 and var.position and var.mode == 'fifo' then
      index = redis.call('HINCRBY', var.space.workspace, 'tickets', #values) - #values + 1 -- see number_all
    end
    local last = first + #values - 1
    if last > MOST then first, last = 1, #values end
    local id = whole(order) .. '.' .. whole(first)
    if redis.call('HEXISTS', var.claimed, id) == 1 then id = id .. '.' .. whole(ticket(var.space)) end
    local fields = {}
    for i, value in ipairs(values) do fields[2 * i - 1], fields[2 * i] = id .. '/' .. whole(first + i - 1), value end
    redis.call('HSET', var.claimed, unpack(fields))
    local claim = { id = id, n = last, attempt = 0, holder = '-', index = index > 0 and index - first + 1 or 0 }
    C.list(var, claim)
    redis.call('ZADD', var.deadlines, score(claim, first), id)
  end

  -- Makes a part of a claim a claim of its own, which has ended.
  local function split(var, claim, first, values)
    local fields = {}
    for i = 1, #values do fields[i] = claim.id .. '/' .. whole(first + i - 1) end
    redis.call('HDEL', var.claimed, unpack(fields))
    local index = claim.index > 0 and var.mode ~= 'single' and claim.index + first - 1 or claim.index
    C.put_back(var, values, index, tonumber(string.match(claim.id, '^%d+')), first)
  end

  -- Gives values back, by their indexes, as if they had not been claimed.
  function C.release(var, claim, indexes)
    local wanted, left = {}, C.values(var, claim)
    for _, i in ipairs(indexes) do wanted[i] = true end
    local first, run = 0, {}
    for j = 1, #left, 2 do
      local i = tonumber(left[j])
      if #run > 0 and (not wanted[left[j]] or i ~= first + #run) then
        split(var, claim, first, run)
        run = {}
      end
      if wanted[left[j]] then
        if #run == 0 then first = i end
        run[#run + 1] = left[j + 1]
      end
    end
    if #run > 0 then split(var, claim, first, run) end
    if #C.values(var, claim) == 0 then C.drop(var, claim) end
  end

  -- The values of fields that are held, of a claim each, or false, and how the claims are listed. A field that is named twice is
  -- held the first time.
  function C.find(var, ids, fields)
    if #ids == 0 then return {}, {} end
    local entries = redis.call('HMGET', var.claimed, unpack(ids))
    local values, named = redis.call('HMGET', var.claimed, unpack(fields)), {}
    for i, field in ipairs(fields) do
      if not entries[i] or named[field] then values[i] = false end
      named[field] = true
    end
    return values, entries
  end

  -- Ends the claims of fields[i] for each i of a list, when what it returns is called. All that may fail does so before.
  function C.ending(var, ids, fields, entries, list)
    local count, gone, away, parts, sizes = {}, {}, {}, {}, {}
    for _, i in ipairs(list) do count[ids[i]] = (count[ids[i]] or 0) + 1 end
    for _, i in ipairs(list) do
      local id, entry = ids[i], entries[i]
      local some = count[id]
      if type(some) == 'number' then
        local size = sizes[entry]
        if not size then
          size = tonumber(string.match(entry, '^(%d+) %d+ %S+ %d+$') or '') or C.get(var, id) -- which fails
          sizes[entry] = size
        end
        if size == some then
          gone[#gone + 1], away[#away + 1], some = id, id, away
        else
          if not redis.call('ZSCORE', var.deadlines, id) then error('NWSDAMAGED claim ' .. id .. ' has no deadline') end
          some = {}
          parts[#parts + 1] = { claim = C.get(var, id), fields = some }
        end
        count[id] = some
      end
      some[#some + 1] = fields[i]
    end
    return function()
      if #gone > 0 then
        redis.call('HDEL', var.claimed, unpack(away))
        redis.call('ZREM', var.deadlines, unpack(gone))
      end
      for _, part in ipairs(parts) do C.settle(var, part.claim, part.fields) end
    end
  end

  -- Adds a claim and its values, given as C.values gives them, to a reply: "id attempt before n", with the indexes of the values
  -- after it unless they are 1 to n, then the values.
  local function describe(reply, id, attempt, before, indexed)
    local indexes, at, in_order = {}, #reply + 1, true
    for i = 1, #indexed / 2 do
      indexes[i], reply[at + i] = indexed[2 * i - 1], indexed[2 * i]
      in_order = in_order and tonumber(indexes[i]) == i
    end
    local head = { id, attempt, before, whole(#indexes) }
    if not in_order then head[5] = table.concat(indexes, ' ') end
    reply[at] = table.concat(head, ' ')
  end

  -- Makes claims of up to sizes[1], sizes[2] … values of a variable in mode fifo, for a client that does not wait. Those that have
  -- ended come first, as they are. Of what is in the list a claim takes at most the part of one of so many sharers, but one.
  -- Returns how many, and adds to reply how many, and these (before: who held it last, or -); and to names, for the lane to keep, of
  -- each id, attempt and before, in one text with blanks.
  function C.make(var, sizes, sharers, holder, lease, reply, names)
    local made, till, fields, scores = 0, whole(now() + lease), {}, {}
    if var.mode ~= 'fifo' then return 0 end
    local all = {}
    local function told()
      reply[2], names[2] = whole(made), table.concat(all, ' ')
      return made
    end
    for _ = 1, math.min(C.ended(var), #sizes) do
      local claim = C.first(var)
      local before = claim.holder
      claim.attempt, claim.holder = claim.attempt + 1, holder
      C.list(var, claim)
      redis.call('ZADD', var.deadlines, till, claim.id)
      describe(reply, claim.id, whole(claim.attempt), before, C.values(var, claim))
      made = made + 1
      all[made] = claim.id .. ' ' .. whole(claim.attempt) .. ' ' .. before
    end
    local there, counts, total = redis.call('LLEN', var.values), {}, 0
    for i = made + 1, #sizes do
      local n = math.min(sizes[i], there - total, math.ceil((there - total) / sharers), MOST - total)
      if n < 1 then break end
      counts[#counts + 1], total = n, total + n
    end
    if total == 0 then return told() end
    local values, at, index = {}, 0, var.position
    take_some(var, 0, total, values)
    local id = redis.call('HINCRBY', var.space.workspace, 'tickets', #counts) - #counts
    local f, s, r = 0, 0, #reply
    for _, n in ipairs(counts) do
      n = math.min(n, #values - at) -- fewer are there if they are large
      if n == 0 then break end
      id, made = id + 1, made + 1
      local name, size = whole(id), whole(n)
      all[made] = name .. ' 1 -'
      reply[r + 1] = all[made] .. ' ' .. size
      for i = 1, n do
        fields[f + 1], fields[f + 2] = name .. '/' .. i, values[at + i]
        reply[r + 1 + i] = values[at + i]
        f = f + 2
      end
      fields[f + 1], fields[f + 2] = name, size .. ' 1 ' .. holder .. ' ' .. (index and whole(index + at) or '0')
      scores[s + 1], scores[s + 2] = till, name
      f, s, at, r = f + 2, s + 2, at + n, r + 1 + n
    end
    redis.call('HSET', var.claimed, unpack(fields))
    redis.call('ZADD', var.deadlines, unpack(scores))
    return told()
  end

  -- The reply proper, after the claims that were made.
  function C.with(made, reply)
    for _, text in ipairs(reply) do made[#made + 1] = text end
    return made
  end

  -- The claims that a reply has made of which the lane kept the names, if holder has them still; and the reply proper.
  function C.replied(var, names, holder)
    local made = {}
    for id, attempt, before in string.gmatch(names[2], '(%S+) (%S+) (%S+)') do
      local claim = C.get(var, id)
      if claim and claim.holder == holder and whole(claim.attempt) == attempt then
        made[#made + 1] = { claim = claim, before = before }
      end
    end
    return made, { unpack(names, 3) }
  end

  -- The same reply again.
  function C.again(var, names, holder)
    local made, reply = C.replied(var, names, holder)
    local texts = { 'CLAIMED', whole(#made) }
    for _, m in ipairs(made) do describe(texts, m.claim.id, whole(m.claim.attempt), m.before, C.values(var, m.claim)) end
    return C.with(texts, reply)
  end

  -- Gives all values that claims hold their indexes, when somebody iterates for the first time. Returns the next index.
  -- Lower ones, tickets, are for those that are on their way to a fetcher now, should they come back.
  function C.number_all(var)
    local all = {}
    for i, id in ipairs(redis.call('ZRANGE', var.deadlines, 0, -1)) do
      local claim = C.listed(var, id)
      claim.left = C.values(var, claim)
      claim.order = tonumber(score(claim, claim.left[1] or 0))
      all[i] = claim
    end
    table.sort(all, function(a, b) return a.order < b.order end)
    local index = FIRST_TIME + 1 -- not so round that a server writes its score in a way that Lua cannot read
    local size, ticket, places = 0, '', {}
    for _, claim in ipairs(all) do
      -- The parts of one claim have the indexes of that claim, unless others have taken their places since.
      local fits = string.match(claim.id, '^%d+') == ticket
      for i = 1, #claim.left, 2 do fits = fits and not places[claim.left[i]] end
      if not fits then index, size, ticket, places = index + size, 0, string.match(claim.id, '^%d+'), {} end
      for i = 1, #claim.left, 2 do places[claim.left[i]] = true end
      size = math.max(size, claim.n)
      claim.index = index
      C.list(var, claim)
    end
    return index + size
  end

  return C
end
