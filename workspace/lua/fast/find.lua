-- The common cases of find.lua, which comes after: there is a value in a variable of mode fifo, none that was handed out
-- or claimed, and the caller does not wait yet; or there is none at all and it begins to wait. All else falls through.
local workspace = redis.call('HMGET', KEYS[1], 'incarnation', 'watched')
if workspace[1] == ARGV[1] then
  local known = redis.call('HGET', KEYS[2], ARGV[3])
  local born = known and string.match(known, '^fifo (%d+)')
  local waiter = ARGV[4]
  if born and (ARGV[5] == '' or ARGV[5] == born) and redis.call('EXISTS', KEYS[7], KEYS[9]) == 0
    and (waiter == '' or not redis.call('ZSCORE', KEYS[6], waiter)) then
    local value = redis.call('LINDEX', KEYS[5], 0)
    if value then return { 'VALUES', born, value } end
    local name = string.match(waiter, '^([^:]+):')
    local epoch, lane, number = string.match(ARGV[2], '^(%d+) (%d+) (%d+)$')
    if name and lane and not workspace[2] then
      local client = redis.call('HMGET', KEYS[4], 'epoch', lane)
      local seen = redis.call('ZSCORE', KEYS[3], name)
      local t = redis.call('TIME')
      local now = t[1] * 1000 + math.floor(t[2] / 1000)
      if client[1] == epoch and (not client[2] or tonumber(string.match(client[2], '^%d+')) < tonumber(number))
        and (not seen or tonumber(seen) > now - 6000) then
        redis.call('HDEL', KEYS[1], '')
        redis.call('ZADD', KEYS[3], string.format('%.0f', now), name)
        redis.call('ZADD', KEYS[6], -redis.call('HINCRBY', KEYS[1], 'tickets', 1), waiter)
        redis.call('HSET', KEYS[4], lane, number .. ' 4:WAIT' .. #born .. ':' .. born)
        return { 'WAIT', born }
      end
    end
  end
end
