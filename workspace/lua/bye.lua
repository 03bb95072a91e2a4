-- Forgets clients: the caller, which closes, and others that have been silent for long.
-- KEYS 1-4 and the key of each of the others.
-- ARGV 1 incarnation, 2 the caller if it closes, or '', 3… the others
-- Returns OK or GONE.
local client = ARGV[2]
if gone() then return { 'GONE' } end
if client ~= '' then
  redis.call('DEL', CLIENT)
  redis.call('ZREM', HOME.live, client)
end
for i = 3, #ARGV do
  local seen = redis.call('ZSCORE', HOME.live, ARGV[i])
  if not seen or math.abs(tonumber(seen)) < now() - FORGET_MS then
    redis.call('DEL', KEYS[FIRST + i - 3])
    redis.call('ZREM', HOME.live, ARGV[i])
  end
end
return { 'OK' }
