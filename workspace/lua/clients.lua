-- Describes clients.
-- KEYS 1-4, then the key of each client.
-- ARGV 1 incarnation, 2… clients
-- Returns OK, then for each client: ms since its last sign of life ('' if there is no such client, or it was buried), host, pid,
--   program ('' where that is not known); or GONE.
if gone() then return { 'GONE' } end
local reply = { 'OK' }
for i = 2, #ARGV do
  local seen = tonumber(redis.call('ZSCORE', HOME.live, ARGV[i]) or -1)
  local found = redis.call('HMGET', KEYS[FIRST + i - 2], 'host', 'pid', 'program')
  reply[#reply + 1] = seen >= 0 and whole(math.max(now() - seen, 0)) or ''
  for k = 1, 3 do reply[#reply + 1] = found[k] or '' end
end
return reply
