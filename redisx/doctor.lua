-- Tries each command that the scripts of this project use, on keys of its own, and leaves nothing behind.
-- KEYS 1 a hash, 2 a list, 3 a sorted set; none of them is there
-- ARGV 1 PUBLISH or SPUBLISH, 2 channel, 3 message
-- Returns pairs: a command that failed, its error.
local hash, list, zset = KEYS[1], KEYS[2], KEYS[3]
local failed = {}
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) ~= 'table' or not reply.err then return true end
  failed[#failed + 1] = command
  failed[#failed + 1] = reply.err
  return false
end

try(ARGV[1], ARGV[2], ARGV[3])
try('PUBSUB', ARGV[1] == 'SPUBLISH' and 'SHARDNUMSUB' or 'NUMSUB', ARGV[2])
try('TIME')
try('EXISTS', hash, list, zset)
-- When memory is full, Redis refuses a script's first write if that may take some. These do not, and so none is refused
-- below but for lack of rights.
local unlink, del = try('UNLINK', hash, list, zset), try('DEL', hash, list, zset)
if not unlink and not del then return failed end -- what is made now could not be removed

try('HSET', hash, 'a', '1', 'b', '1')
try('HGET', hash, 'a')
try('HMGET', hash, 'a', 'b')
try('HKEYS', hash)
try('HEXISTS', hash, 'a')
try('HLEN', hash)
try('HINCRBY', hash, 'a', 1)
try('HDEL', hash, 'a')

try('RPUSH', list, 'a', 'b', 'c')
try('LPUSH', list, 'a', 'b', 'c')
try('LLEN', list)
try('LINDEX', list, 0)
try('LRANGE', list, 0, -1)
try('LSET', list, 0, 'd')
try('LTRIM', list, 0, 2)
try('LPOP', list)
try('RPOP', list)

try('ZADD', zset, 1, 'a', 2, 'b', 3, 'c')
try('ZSCORE', zset, 'a')
try('ZCARD', zset)
try('ZCOUNT', zset, '-inf', 2)
try('ZRANGE', zset, 0, -1)
try('ZRANGEBYSCORE', zset, '-inf', 2)
try('ZREM', zset, 'a')

redis.pcall(unlink and 'UNLINK' or 'DEL', hash, list, zset)
return failed
