-- Lists a workspace by the end of its owner's lease, so that anybody finds those whose owner is dead.
-- KEYS 1 names
-- ARGV 1 workspace, 2 lease in ms, or '' for one that has none
-- Returns OK.
local t = redis.call('TIME')
local ends = '+inf'
if ARGV[2] ~= '' then ends = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[2])) end
redis.call('ZADD', KEYS[1], ends, ARGV[1])
return { 'OK' }
