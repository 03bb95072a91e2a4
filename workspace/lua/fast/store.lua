-- The common case of store.lua, which comes after: a new request, a variable in mode fifo that nobody iterates, and either
-- nobody waits, or nothing is there, nobody is late, and the first who waits is in a fetch or a claim, or the only one in a
-- find that was not told. All else falls through.
local workspace = redis.call('HMGET', KEYS[1], 'incarnation', 'watched', 'publish')
local epoch, lane, number = string.match(ARGV[2], '^(%d+) (%d+) (%d+)$')
if lane and workspace[1] == ARGV[1] and not workspace[2] and #ARGV <= 1003 then
  local client = redis.call('HMGET', KEYS[4], 'epoch', lane)
  local known = redis.call('HGET', KEYS[2], ARGV[3])
  local born = known and string.match(known, '^fifo (%d+)$')
  if client[1] == epoch and born
    and (not client[2] or tonumber(string.match(client[2], '^%d+')) < tonumber(number)) then
    if redis.call('EXISTS', KEYS[6]) == 0 then
      redis.call('RPUSH', KEYS[5], unpack(ARGV, 4))
      redis.call('HSET', KEYS[4], lane, number .. ' 2:OK')
      return { 'OK' }
    end
    local first = redis.call('ZRANGE', KEYS[6], '0', '1', 'WITHSCORES') -- texts: Redis would print numbers
    local waiter, score, value = first[1], tonumber(first[2]) or 0, ARGV[4]
    local name, call = string.match(waiter, '^([^:]+):(.+)$')
    local finds = score < 0 and score > -100000000000 and (not first[3] or (tonumber(first[4]) or 0) > 100000000000)
    local takes = score > 0 and score < 100000000000
    local seen = #ARGV == 4 and name and (finds or takes) and redis.call('ZSCORE', KEYS[3], name)
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)
    local alone = seen and tonumber(seen) > now - 6000
    if alone and redis.call('EXISTS', KEYS[5], KEYS[7], KEYS[9]) > 0 then
      local time = string.format('%.0f', now)
      redis.call('HLEN', KEYS[7]) -- fails before anything is written if this key was put in by hand
      alone = redis.call('EXISTS', KEYS[5]) + redis.call('ZCOUNT', KEYS[6], '100000000000', time)
        + redis.call('ZCOUNT', KEYS[9], '-inf', time) == 0
    end
    if alone then
      local publish, inbox = workspace[3] or 'PUBLISH', KEYS[1] .. ':inbox:' .. name
      local small = #value <= 4096
      if finds then
        local kept = '=' .. string.sub(first[2], 2)
        redis.call('RPUSH', KEYS[5], value)
        redis.call('HSET', KEYS[7], waiter, kept, kept, value, kept .. '#', '1')
        redis.call('ZADD', KEYS[6], string.format('%.0f', now + 6000), waiter)
        redis.call('HSET', KEYS[4], lane, number .. ' 2:OK')
        if small and string.find(call, '=', 1, true) then
          call = call .. '\n4:KEPT' .. #born .. ':' .. born .. #value .. ':' .. value
        end
        redis.pcall(publish, inbox, call)
        return { 'OK' }
      end
      local lease = small and string.match(call, '=(%d+)$')
      local there = lease and redis.pcall('PUBSUB', publish == 'SPUBLISH' and 'SHARDNUMSUB' or 'NUMSUB', inbox) -- see waiting.lua
      if there and not there.err and tonumber(there[2]) > 0 then
        local id = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'tickets', '1'))
        redis.call('HSET', KEYS[8], id .. '/1', value, id, '1 1 ' .. name .. ' 0')
        redis.call('ZADD', KEYS[9], string.format('%.0f', now + lease), id)
        redis.call('HSET', KEYS[7], waiter, '!' .. first[2] .. ' ' .. id)
        redis.call('HSET', KEYS[4], lane, number .. ' 2:OK')
        call = call .. '\n5:CLAIM' .. #born .. ':' .. born .. #id .. ':' .. id .. '1:11:-1:1' .. #value .. ':' .. value
        local heard = redis.pcall(publish, inbox, call)
        local patience = type(heard) == 'number' and 1500 or 5000
        redis.call('ZADD', KEYS[6], string.format('%.0f', now + patience), waiter)
        return { 'OK' }
      end
      local heard = redis.pcall(publish, inbox, call)
      if type(heard) == 'number' and heard > 0 then
        redis.call('HSET', KEYS[7], waiter, '+' .. first[2] .. ' 0 0 ' .. value)
        redis.call('ZADD', KEYS[6], string.format('%.0f', now + 1500), waiter)
        redis.call('HSET', KEYS[4], lane, number .. ' 2:OK')
        return { 'OK' }
      end
    end
  end
end
