-- What all scripts begin with. claims.lua and waiting.lua follow, then the script itself. Those two are one function each
-- that makes the others, so that a store for which nobody waits does not spend its time on that.
--
-- KEYS 1 workspace, 2 variables, 3 live, 4 the calling client; then a group of five for each variable that the script
--      works on (see keys.go): values, waiters, handed, claimed, deadlines.
-- ARGV 1 the incarnation of the workspace that the caller knows; 2 in those that begin with refused(): the request, as
--      "epoch lane number", or '' for one that is sent only once.
--
-- When memory is short, Redis refuses a script's first write if that may take memory, and none after it. So a script that
-- stores fails with nothing changed or not at all; one that must go on then, begins with ease().

local HOME = { workspace = KEYS[1], variables = KEYS[2], live = KEYS[3] }
local CLIENT = KEYS[4]
local CALLER = string.match(CLIENT, '[^:]*$')
local FIRST, GROUP = 5, 5
local VERSION = '1'         -- of all this: the keys, their contents, and the contracts of the scripts
local FORGET_MS = 600000    -- after which a client that is silent is forgotten
local NOTIFY_MS = 50        -- who watches a workspace hears no more often than this
local MOST_BYTES = 16777216 -- in one reply, but for one value

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

local watched, notified
local function gone()
  local found = redis.call('HMGET', HOME.workspace, 'incarnation', 'watched', 'notified')
  watched, notified = found[2], found[3]
  return found[1] ~= ARGV[1]
end

local function ticket(space)
  return redis.call('HINCRBY', space.workspace, 'tickets', 1)
end

-- Lets the script write although memory is short: it frees some, or leases and waiters of those who live depend on it.
local eased
local function ease()
  if not eased then redis.call('HDEL', HOME.workspace, '') end
  eased = true
end

-- Each client sends its requests in lanes, one after the other in each, with rising numbers. A lane keeps the number of
-- the last request that was done and its reply, as "number length:text length:text …": so one that is sent again, because
-- its reply was lost, is not done again. A large text at its end stands by itself in the field "lane@", and "@" in its place:
-- so it is copied less often.
local lane, number, apart
local brief -- what stands apart is not asked for
local LARGE_BYTES = 4096

-- The reply to give at once instead of doing the request; nil if it is to be done.
local function refused()
  if gone() then return { 'GONE' } end
  if ARGV[2] == '' then return nil end
  local epoch
  epoch, lane, number = string.match(ARGV[2], '^(%w+) (%d+) (%d+)$')
  local found = redis.call('HMGET', CLIENT, 'epoch', lane)
  if not epoch or found[1] ~= epoch then return { 'NOCLIENT' } end
  if not found[2] then return nil end
  apart = string.sub(found[2], -1) == '@'
  local blank = string.find(found[2], ' ', 1, true)
  local last = string.sub(found[2], 1, blank - 1)
  if last ~= number then
    if tonumber(last) > tonumber(number) then return { 'STALE' } end
    return nil
  end
  local reply, at = {}, blank + 1
  while at <= #found[2] and string.sub(found[2], at) ~= '@' do
    local colon = string.find(found[2], ':', at, true)
    local length = tonumber(string.sub(found[2], at, colon - 1))
    reply[#reply + 1] = string.sub(found[2], colon + 1, colon + length)
    at = colon + 1 + length
  end
  if at <= #found[2] and not brief then reply[#reply + 1] = redis.call('HGET', CLIENT, lane .. '@') or nil end
  if #reply == 0 then return { 'STALE' } end -- it was cancelled
  return reply, true
end

-- Tells those who watch the workspace that something has changed.
local function changed()
  if not watched then return end
  if now() >= tonumber(watched) then
    redis.call('HDEL', HOME.workspace, 'watched', 'notified')
    return
  end
  if notified and now() < tonumber(notified) + NOTIFY_MS then return end
  redis.call('HSET', HOME.workspace, 'notified', whole(now()))
  local publish = redis.call('HGET', HOME.workspace, 'publish') or 'PUBLISH'
  redis.pcall(publish, HOME.workspace .. ':changes', '')
end

-- A reply in one text: "length:text length:text …".
local function packed(reply)
  local parts = {}
  for i, text in ipairs(reply) do parts[i] = string.len(text) .. ':' .. text end
  return table.concat(parts)
end

-- Ends a request: the reply is kept in its lane. kept is what to keep instead where the rest can be found again.
local function answer(reply, kept)
  if lane then
    kept = kept or reply
    local last = kept[#kept]
    if last and #last > LARGE_BYTES then
      redis.call('HSET', CLIENT, lane, number .. ' ' .. packed({ unpack(kept, 1, #kept - 1) }) .. '@', lane .. '@', last)
    else
      redis.call('HSET', CLIENT, lane, number .. ' ' .. packed(kept))
      if apart then redis.call('HDEL', CLIENT, lane .. '@') end
    end
  end
  changed()
  return reply
end

-- The variable whose keys begin at KEYS[first]; mode and born are nil where nobody has named it. position counts, in mode
-- single, the values that were stored; in mode fifo those that have left the list at its head, from when somebody first
-- iterates.
local function variable(name, first, space)
  local var = {
    name = name, space = space or HOME,
    values = KEYS[first], waiters = KEYS[first + 1], handed = KEYS[first + 2], claimed = KEYS[first + 3],
    deadlines = KEYS[first + 4],
  }
  local known = redis.call('HGET', var.space.variables, name)
  if known then
    local position
    var.mode, var.born, position = string.match(known, '^(%l+) (%d+) ?(%d*)$')
    var.damaged = not var.mode and known
    var.position = tonumber(position)
  end
  return var
end

local function undamaged(var)
  if var.damaged then error('NWSDAMAGED variable ' .. var.name .. ' is listed as: ' .. var.damaged) end
end

-- Fails, before anything is written, if a key of the variable was put in by hand and is not what it should be.
local function check(var)
  if var.checked then return end
  undamaged(var)
  redis.call('LLEN', var.values)
  if redis.call('EXISTS', var.waiters, var.handed, var.claimed, var.deadlines) > 0 then
    redis.call('ZCARD', var.waiters)
    redis.call('HLEN', var.handed)
    redis.call('HLEN', var.claimed)
    redis.call('ZCARD', var.deadlines)
  end
  if not var.space.checked then redis.call('ZCARD', var.space.live) end
  var.checked, var.space.checked = true, true
end

local function note(var)
  local entry = var.mode .. ' ' .. var.born
  if var.position then entry = entry .. ' ' .. whole(var.position) end
  redis.call('HSET', var.space.variables, var.name, entry)
end

-- Makes the variable known; a mode in place of "unknown" counts, any other stays.
local function know(var, mode)
  if not var.mode then
    var.mode, var.born = mode, whole(ticket(var.space))
  elseif var.mode == 'unknown' and mode ~= 'unknown' then
    var.mode = mode
    if mode == 'lifo' or mode == 'multi' then var.position = nil end
  else
    return
  end
  if mode == 'single' then var.position = var.position or 1 end
  note(var)
end

-- Whether the variable that a caller asked for before has been deleted meanwhile, even if there is one of that name again.
local function deleted(var, born)
  return born ~= '' and var.born ~= born
end

local function move(var, n)
  if not var.position or n == 0 then return end
  var.position = var.position + n
  note(var)
end

-- Adds values[first..last] to the list.
local function push(var, values, first, last)
  if first > last then return end
  if var.mode == 'single' then
    redis.call('RPUSH', var.values, values[last])
    redis.call('LTRIM', var.values, -1, -1)
    move(var, last - first + 1)
    return
  end
  for i = first, last, 1000 do -- unpack fails at 8,000
    redis.call('RPUSH', var.values, unpack(values, i, math.min(i + 999, last)))
  end
end

-- Where the next value stands, and how many there are. random is in [0, 1), for mode multi.
local function next_place(var, random)
  local n = redis.call('LLEN', var.values)
  if var.mode == 'lifo' or var.mode == 'single' then return n - 1, n end
  if var.mode == 'multi' then return math.min(math.floor(random * n), math.max(n - 1, 0)), n end
  return 0, n
end

local function peek(var, random)
  if var.mode == 'fifo' then return redis.call('LINDEX', var.values, 0) end
  return redis.call('LINDEX', var.values, (next_place(var, random)))
end

local function take(var, random)
  if var.mode == 'fifo' then
    local value = redis.call('LPOP', var.values)
    if value then move(var, 1) end
    return value
  end
  local i, n = next_place(var, random)
  if n == 0 then return false end
  if i == 0 then return redis.call('LPOP', var.values) end
  local last = redis.call('RPOP', var.values)
  if i == n - 1 then return last end
  local value = redis.call('LINDEX', var.values, i)
  redis.call('LSET', var.values, i, last) -- fills the hole
  return value
end

-- Appends up to n values to found, without taking them, from list index start on in the direction of step (1 or -1), but
-- not more than one reply should hold.
local function read(var, start, step, n, found)
  local bytes, count = 0, 0
  while count < n do
    local some = math.min(n - count, bytes == 0 and 1 or math.max(1, math.floor((MOST_BYTES - bytes) * count / bytes)), 1000)
    local first = start + step * count
    local last = first + step * (some - 1)
    local values = redis.call('LRANGE', var.values, math.min(first, last), math.max(first, last))
    for i = 1, #values do
      local value = values[step == 1 and i or #values + 1 - i]
      bytes = bytes + #value
      if count > 0 and bytes > MOST_BYTES then return count end
      found[#found + 1] = value
      count = count + 1
    end
    if #values < some then return count end
  end
  return count
end

-- Appends up to n values to found, and takes them.
local function take_some(var, random, n, found)
  n = math.min(n, redis.call('LLEN', var.values))
  if var.mode == 'multi' then
    local bytes = 0
    math.randomseed(math.floor(random * 2147483647))
    for i = 1, n do
      found[#found + 1] = take(var, i == 1 and random or math.random())
      bytes = bytes + #found[#found]
      if bytes > MOST_BYTES then return end
    end
  elseif n == 1 then
    found[#found + 1] = take(var, random)
  elseif n > 0 and var.mode == 'fifo' then
    n = read(var, 0, 1, n, found)
    redis.call('LTRIM', var.values, n, -1)
    move(var, n)
  elseif n > 0 then
    n = read(var, -1, -1, n, found)
    redis.call('LTRIM', var.values, 0, -n - 1)
  end
end
