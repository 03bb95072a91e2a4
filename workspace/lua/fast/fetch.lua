-- The common cases of fetch.lua, which comes after: a new request for values of a variable in mode fifo that nobody iterates,
-- the caller included. Either there are some and nobody waits, or one is asked for and was handed to this waiter, or there is
-- none at all and it begins to wait. All else falls through, and so do many values of which one is large.
local workspace = redis.call('HMGET', KEYS[1], 'incarnation', 'watched')
local epoch, lane, number = string.match(ARGV[2], '^(%d+) (%d+) (%d+)$')
if lane and workspace[1] == ARGV[1] and not workspace[2] and ARGV[8] ~= 'iterate' then
  local client = redis.call('HMGET', KEYS[4], 'epoch', lane)
  local known = redis.call('HGET', KEYS[2], ARGV[3])
  local born = known and string.match(known, '^fifo (%d+)$')
  if client[1] == epoch and born and (ARGV[5] == '' or ARGV[5] == born)
    and (not client[2] or tonumber(string.match(client[2], '^%d+')) < tonumber(number)) then
    local waiter, value, n = ARGV[4], nil, tonumber(ARGV[7])
    local first = n > 1 and redis.call('EXISTS', KEYS[6], KEYS[9]) == 0 and redis.call('LINDEX', KEYS[5], 0)
    if first and #first <= 4096 then
      local values = redis.call('LRANGE', KEYS[5], 0, n - 1)
      local kept, large = {}, false
      for i, text in ipairs(values) do
        large = large or #text > 4096
        kept[i] = #text .. ':' .. text
      end
      if not large then
        redis.call('LTRIM', KEYS[5], #values, -1)
        redis.call('HSET', KEYS[4], lane, number .. ' 6:VALUES' .. #born .. ':' .. born .. table.concat(kept))
        return { 'VALUES', born, unpack(values) }
      end
    end
    local handed = waiter ~= '' and ARGV[5] ~= '' and redis.call('HGET', KEYS[7], waiter)
    local start = n == 1 and handed and string.match(handed, '^[+]%d+ %d+ %d+ ()')
    if start then
      value = string.sub(handed, start)
      redis.call('ZREM', KEYS[6], waiter) -- fails before anything is lost if this key was put in by hand
      redis.call('HDEL', KEYS[7], waiter)
    elseif n == 1 and redis.call('EXISTS', KEYS[6], KEYS[9]) == 0 then
      value = redis.call('LPOP', KEYS[5])
    end
    if value and #value > 4096 then
      redis.call('HSET', KEYS[4], lane, number .. ' 6:VALUES' .. #born .. ':' .. born .. '@', lane .. '@', value)
      return { 'VALUES', born, value }
    end
    if value then
      redis.call('HSET', KEYS[4], lane, number .. ' 6:VALUES' .. #born .. ':' .. born .. #value .. ':' .. value)
      return { 'VALUES', born, value }
    end
    if n == 1 and waiter ~= '' and redis.call('EXISTS', KEYS[5], KEYS[7], KEYS[9]) == 0 then
      local name = string.match(waiter, '^([^:]+):')
      local seen = redis.call('ZSCORE', KEYS[3], name)
      local t = redis.call('TIME')
      local now = t[1] * 1000 + math.floor(t[2] / 1000)
      if (not seen or tonumber(seen) > now - 6000) and not redis.call('ZSCORE', KEYS[6], waiter) then
        redis.call('HDEL', KEYS[1], '')
        redis.call('ZADD', KEYS[3], string.format('%.0f', now), name)
        redis.call('ZADD', KEYS[6], redis.call('HINCRBY', KEYS[1], 'tickets', 1), waiter)
        redis.call('HSET', KEYS[4], lane, number .. ' 4:WAIT' .. #born .. ':' .. born)
        return { 'WAIT', born }
      end
    end
  end
end
