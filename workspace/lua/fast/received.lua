-- The common case of received.lua, which comes after: the lane has not gone on. All else falls through.
local epoch, lane, number = string.match(ARGV[2], '^(%d+) (%d+) (%d+)$')
if lane and redis.call('HGET', KEYS[1], 'incarnation') == ARGV[1] then
  local client = redis.call('HMGET', KEYS[4], 'epoch', lane)
  if client[1] == epoch and client[2] and string.match(client[2], '^%d+ ') == number .. ' ' then
    redis.call('HDEL', KEYS[1], '') -- which is done when memory is short, and so is what follows
    redis.call('HSET', KEYS[4], lane, number .. ' ')
    redis.call('HDEL', KEYS[4], lane .. '@')
    return { 'OK' }
  end
end
