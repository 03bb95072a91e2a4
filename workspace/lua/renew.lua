-- Renews the owner's lease.
-- KEYS 1-3.
-- ARGV 1 incarnation, 2 client, 3 lease in ms
-- Returns OK, LOST (somebody else owns it), or GONE.
local client, lease = ARGV[2], tonumber(ARGV[3])
if gone() then return { 'GONE' } end
if redis.call('HGET', WORKSPACE, 'owner') ~= client then return { 'LOST' } end
redis.call('HSET', WORKSPACE, 'lease', whole(now() + lease))
return { 'OK' }
