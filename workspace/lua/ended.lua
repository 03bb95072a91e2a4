-- Finds workspaces whose owner's lease seems to have ended.
-- KEYS 1 names
-- Returns up to 1,000 pairs: workspace, its score.
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1000)
