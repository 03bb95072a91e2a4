-- Lists a workspace that is about to be made, so that anybody finds it should its maker die before it has said more.
-- KEYS 1 names
-- ARGV 1 workspace, 2 for how long, in ms
-- Returns OK and the time (ms). One that is listed already stays as it is.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], 'NX', string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
return { 'OK', string.format('%.0f', now) }
