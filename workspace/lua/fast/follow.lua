-- The common case of follow.lua, which comes after: values of a variable in mode fifo that is iterated already, while nobody
-- waits and nothing was handed out or claimed. All else falls through, and so does a page that is too large for a reply.
local known = ARGV[8] == 'lists' and redis.call('HGET', KEYS[2], ARGV[3])
local born, position = string.match(known or '', '^fifo (%d+) (%d+)$')
if born and (ARGV[5] == '' or ARGV[5] == born) and redis.call('EXISTS', KEYS[6], KEYS[7], KEYS[9]) == 0
  and redis.call('HGET', KEYS[1], 'incarnation') == ARGV[1] then
  if ARGV[6] == '0' then return { 'VALUES', born, position } end
  local start = math.max(0, tonumber(ARGV[7]) + 1 - tonumber(position))
  local values = redis.call('LRANGE', KEYS[5], start, start + tonumber(ARGV[6]) - 1)
  local bytes = 0
  for i = 1, #values do bytes = bytes + #values[i] end
  if #values > 0 and bytes <= 16777216 then
    return { 'VALUES', born, position, string.format('%.0f', position + start), values }
  end
end
