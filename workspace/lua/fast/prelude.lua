-- What the common cases share whose scripts work on several variables: each is one straight way from the first line to a return,
-- which reads all that it needs, then writes. Where something is not as it mostly is, it falls through with nothing changed, to
-- the whole script after it; waiting.lua and claims.lua tell what the keys hold.
local FIRST_TIME = 100000000000
local LIVE_MS = 6000
local GRACE_MS = 1500
local UNTOLD_GRACE_MS = 5000
local BROUGHT_BYTES = 4096
local MOST_BYTES = 16777216
local PAGE_BYTES = 1048576 -- of several values, which the whole script would read again

-- The lane and number of a request that is new, of a workspace that nobody watches, and how to publish there.
local function fresh()
  local workspace = redis.call('HMGET', KEYS[1], 'incarnation', 'watched', 'publish')
  local epoch, lane, number = string.match(ARGV[2], '^(%d+) (%d+) (%d+)$')
  if not lane or workspace[1] ~= ARGV[1] or workspace[2] then return nil end
  local client = redis.call('HMGET', KEYS[4], 'epoch', lane)
  if client[1] ~= epoch then return nil end
  local last = client[2]
  if last and (tonumber(string.match(last, '^%d+')) >= tonumber(number) or string.sub(last, -1) == '@') then return nil end
  return lane, number, workspace[3] or 'PUBLISH'
end

local function time()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Whether a client has given a sign of life lately.
local function lives(client, now)
  local seen = redis.call('ZSCORE', KEYS[3], client)
  return seen and tonumber(seen) > now - LIVE_MS
end

-- The first n values of a list; nil if they are many bytes, as far as the first of them tells.
local function head(key, n)
  if n < 1 then return {} end
  local first = redis.call('LINDEX', key, 0)
  if n == 1 then return { first } end
  if #first * n > PAGE_BYTES then return nil end
  local values, bytes = redis.call('LRANGE', key, 0, n - 1), 0
  for _, text in ipairs(values) do bytes = bytes + #text end
  return bytes <= PAGE_BYTES and values or nil
end

-- Who is to be told of a value that is stored into the variable in mode fifo whose keys begin at KEYS[first]: false if nobody
-- waits that has not been told of another one; or the first who does, if it takes a claim from the message, and the variable is
-- empty; nil if it is for the whole script to say.
local function listener(first, publish, now)
  redis.call('LLEN', KEYS[first]) -- fails before anything is written if this key was put in by hand
  local waiters = redis.call('ZRANGE', KEYS[first + 1], '0', '0', 'WITHSCORES')
  if #waiters == 0 then return false end
  local till = string.format('%.0f', now)
  local late = redis.call('ZCOUNT', KEYS[first + 1], FIRST_TIME, till) + redis.call('ZCOUNT', KEYS[first + 4], '-inf', till)
  local place = tonumber(waiters[2])
  if late > 0 or place <= 0 then return nil end
  if place >= FIRST_TIME then return false end
  local client, lease = string.match(waiters[1], '^([^:]+):%d+=(%d+)$')
  if not client or not lives(client, now) or redis.call('EXISTS', KEYS[first]) > 0 then return nil end
  redis.call('HLEN', KEYS[first + 2]) -- as above
  redis.call('HLEN', KEYS[first + 3])
  local inbox = KEYS[1] .. ':inbox:' .. client
  local there = redis.pcall('PUBSUB', publish == 'SPUBLISH' and 'SHARDNUMSUB' or 'NUMSUB', inbox) -- see waiting.lua
  if there.err or tonumber(there[2]) == 0 then return nil end
  return { name = waiters[1], place = waiters[2], client = client, lease = lease, inbox = inbox, first = first }
end

-- How long to wait for one that was told.
local function patience(heard)
  return type(heard) == 'number' and heard > 0 and GRACE_MS or UNTOLD_GRACE_MS
end

-- Has a listener claim a value by the message, under this ticket.
local function bring(to, born, ticket, value, publish, now)
  local first, id = to.first, string.format('%.0f', ticket)
  redis.call('HSET', KEYS[first + 3], id .. '/1', value, id, '1 1 ' .. to.client .. ' 0')
  redis.call('ZADD', KEYS[first + 4], string.format('%.0f', now + to.lease), id)
  redis.call('HSET', KEYS[first + 2], to.name, '!' .. to.place .. ' ' .. id)
  local heard = redis.pcall(publish, to.inbox, string.match(to.name, '[^:]*$') .. '\n5:CLAIM' .. #born .. ':' .. born .. #id .. ':' .. id
    .. '1:11:-1:1' .. #value .. ':' .. value)
  redis.call('ZADD', KEYS[first + 1], string.format('%.0f', now + patience(heard)), to.name)
end

-- Tells a listener to come for the first of some values; the others are in the list then.
local function summon(to, values, publish, now)
  redis.call('HSET', KEYS[to.first + 2], to.name, '+' .. to.place .. ' 0 0 ' .. values[1])
  if #values > 1 then redis.call('RPUSH', KEYS[to.first], unpack(values, 2)) end
  local heard = redis.pcall(publish, to.inbox, string.match(to.name, '[^:]*$'))
  redis.call('ZADD', KEYS[to.first + 1], string.format('%.0f', now + patience(heard)), to.name)
end

-- Keeps a reply in the lane of the request.
local function keep(lane, number, reply)
  local parts = { number, ' ' }
  for _, text in ipairs(reply) do
    local n = #parts
    parts[n + 1], parts[n + 2], parts[n + 3] = #text, ':', text
  end
  redis.call('HSET', KEYS[4], lane, table.concat(parts))
end
