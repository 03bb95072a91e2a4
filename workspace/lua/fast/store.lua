-- The common case of store.lua, which comes after: a new request, a variable in mode fifo that nobody iterates, and either
-- nobody waits, or nothing is there and somebody waits in a fetch. All else falls through.
local workspace = redis.call('HMGET', KEYS[1], 'incarnation', 'watched', 'publish')
local epoch, lane, number = string.match(ARGV[2], '^(%d+) (%d+) (%d+)$')
if lane and workspace[1] == ARGV[1] and not workspace[2] and #ARGV <= 1003 then
  local client = redis.call('HMGET', KEYS[4], 'epoch', lane)
  local known = redis.call('HGET', KEYS[2], ARGV[3])
  if client[1] == epoch and known and string.find(known, '^fifo %d+$')
    and (not client[2] or tonumber(string.match(client[2], '^%d+')) < tonumber(number)) then
    if redis.call('EXISTS', KEYS[6]) == 0 then
      redis.call('RPUSH', KEYS[5], unpack(ARGV, 4))
      redis.call('HSET', KEYS[4], lane, number .. ' 2:OK')
      return { 'OK' }
    end
    if #ARGV == 4 and redis.call('EXISTS', KEYS[5], KEYS[7], KEYS[9]) == 0 then
      local first = redis.call('ZRANGE', KEYS[6], 0, 0, 'WITHSCORES')
      local name, waiter = string.match(first[1], '^([^:]+):(.+)$')
      local score = tonumber(first[2])
      local seen = name and score > 0 and score < 100000000000 and redis.call('ZSCORE', KEYS[3], name)
      local t = redis.call('TIME')
      local now = t[1] * 1000 + math.floor(t[2] / 1000)
      if seen and tonumber(seen) > now - 6000 then
        local heard = redis.pcall(workspace[3] or 'PUBLISH', KEYS[1] .. ':inbox:' .. name, waiter)
        if type(heard) == 'number' and heard > 0 then
          redis.call('HSET', KEYS[7], first[1], '+' .. first[2] .. ' 0 0 ' .. ARGV[4])
          redis.call('ZADD', KEYS[6], string.format('%.0f', now + 1500), first[1])
          redis.call('HSET', KEYS[4], lane, number .. ' 2:OK')
          return { 'OK' }
        end
      end
    end
  end
end
