-- Renews the owner's lease, or gives the ownership back with a lease of 0.
-- KEYS 1-4.
-- ARGV 1 incarnation, 2 client, 3 lease in ms
-- Returns OK and its end (ms), LOST (somebody else owns it), or GONE.
local client, lease = ARGV[2], tonumber(ARGV[3])
if gone() then return { 'GONE' } end
if redis.call('HGET', HOME.workspace, 'owner') ~= client then return { 'LOST' } end
ease()
local ends = whole(now() + lease)
redis.call('HSET', HOME.workspace, 'lease', ends)
return { 'OK', ends }
