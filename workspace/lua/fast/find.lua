-- The common case of find.lua, which comes after: there is a value in a variable of mode fifo, none that was handed out
-- or claimed, and the caller does not wait yet. All else falls through.
if redis.call('HGET', KEYS[1], 'incarnation') == ARGV[1] then
  local known = redis.call('HGET', KEYS[2], ARGV[3])
  local born = known and string.match(known, '^fifo (%d+)')
  if born and (ARGV[5] == '' or ARGV[5] == born) and redis.call('EXISTS', KEYS[7], KEYS[9]) == 0
    and (ARGV[4] == '' or not redis.call('ZSCORE', KEYS[6], ARGV[4])) then
    local value = redis.call('LINDEX', KEYS[5], 0)
    if value then return { 'VALUES', born, value } end
  end
end
