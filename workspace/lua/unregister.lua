-- Takes a deleted workspace off the list, unless it was listed anew meanwhile.
-- KEYS 1 names
-- ARGV 1 workspace, 2 its score when it was still there
-- Returns OK.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
return { 'OK' }
