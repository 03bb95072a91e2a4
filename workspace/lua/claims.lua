-- Claims: values that were taken under a lease. (Nothing here is done before claims() is called; see prelude.lua.)
--
-- A claim is listed in the hash "claimed" as "values attempt client index", its values as claim/1, claim/2 and so on; index
-- is that of the first value for those who iterate, or 0; in mode single it is OVERWRITTEN once there was a later value. A claim's name begins with its ticket. One that has ended, or was
-- released, stands in "deadlines" by this ticket, which is far less than any time: so the values that were claimed first
-- are the next again. Values that come back from elsewhere to a variable that is iterated become such a claim too, since in
-- the list they would shift all others.
local FIRST_TIME = 100000000000 -- in ms; tickets are less

local function claims()
  local ROUND = 100 -- leases ended at a time
  local OVERWRITTEN = 1
  local C = {}

  function C.get(var, id)
    local entry = redis.call('HGET', var.claimed, id)
    if not entry then return nil end
    local n, attempt, holder, index = string.match(entry, '^(%d+) (%d+) (%S+) (%d+)$')
    if not n then error('NWSDAMAGED claim ' .. id .. ' is listed as: ' .. entry) end
    return { id = id, n = tonumber(n), attempt = tonumber(attempt), holder = holder, index = tonumber(index) }
  end

  function C.list(var, claim)
    local entry = { claim.n, claim.attempt, claim.holder, whole(claim.index) }
    redis.call('HSET', var.claimed, claim.id, table.concat(entry, ' '))
  end

  -- Forgets a claim, all values of which are settled.
  function C.drop(var, claim)
    redis.call('HDEL', var.claimed, claim.id)
    redis.call('ZREM', var.deadlines, claim.id)
  end

  -- Lets the lease of a claim end now.
  function C.lapse(var, claim)
    if var.mode == 'single' and claim.index == OVERWRITTEN then
      redis.call('HDEL', var.claimed, claim.id .. '/1')
      C.drop(var, claim)
    else
      redis.call('ZADD', var.deadlines, string.match(claim.id, '^%d+'), claim.id)
    end
  end

  -- In mode single, what was claimed is older than what was just stored.
  function C.overwrite(var)
    for _, id in ipairs(redis.call('ZRANGE', var.deadlines, 0, -1)) do
      local claim = C.get(var, id)
      claim.index = OVERWRITTEN
      C.list(var, claim)
      if tonumber(redis.call('ZSCORE', var.deadlines, id)) < FIRST_TIME then C.lapse(var, claim) end
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

  -- How many claims have ended.
  function C.ended(var)
    if redis.call('EXISTS', var.deadlines) == 0 then return 0 end
    local late = redis.call('ZRANGEBYSCORE', var.deadlines, FIRST_TIME, whole(now()), 'LIMIT', 0, ROUND)
    if #late > 0 then ease() end
    for _, id in ipairs(late) do C.lapse(var, C.get(var, id) or { id = id }) end
    return redis.call('ZCOUNT', var.deadlines, '-inf', '(' .. FIRST_TIME)
  end

  -- The first claim that has ended, if there is one.
  function C.first(var)
    if C.ended(var) == 0 then return nil end
    local id = redis.call('ZRANGE', var.deadlines, 0, 0)[1]
    return C.get(var, id) or error('NWSDAMAGED claim ' .. id .. ' is not listed')
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

  -- Takes one value out of a claim. Returns it and its index for those who iterate.
  function C.take(var, claim)
    local left = C.values(var, claim)
    redis.call('HDEL', var.claimed, claim.id .. '/' .. left[1])
    if #left == 2 then C.drop(var, claim) end
    return left[2], claim.index > 0 and claim.index + left[1] - 1 or 0
  end

  -- Gives values back, by their indexes, as if they had not been claimed: they become a claim that has ended.
  function C.release(var, claim, indexes)
    local rest = { id = claim.id .. '.' .. indexes[1], n = claim.n, attempt = 0, holder = '-', index = claim.index }
    local old, new = {}, {}
    for _, i in ipairs(indexes) do
      local field = claim.id .. '/' .. i
      local value = redis.call('HGET', var.claimed, field)
      if value then
        old[#old + 1] = field
        new[#new + 1] = rest.id .. '/' .. i
        new[#new + 1] = value
      end
    end
    if #old == 0 then return end
    redis.call('HDEL', var.claimed, unpack(old))
    redis.call('HSET', var.claimed, unpack(new))
    C.list(var, rest)
    C.lapse(var, rest)
    if #C.values(var, claim) == 0 then C.drop(var, claim) end
  end

  -- Gives all values that claims hold their indexes, when somebody iterates for the first time. Returns the next index.
  -- Index 1 is for those that are on their way to a fetcher now, should they come back.
  function C.number_all(var)
    local index = 2
    if var.mode == 'single' then return index end
    local ids = redis.call('ZRANGE', var.deadlines, 0, -1)
    table.sort(ids, function(a, b) return tonumber(string.match(a, '^%d+')) < tonumber(string.match(b, '^%d+')) end)
    for _, id in ipairs(ids) do
      local claim = C.get(var, id)
      claim.index = index
      C.list(var, claim)
      index = index + claim.n
    end
    return index
  end

  return C
end
