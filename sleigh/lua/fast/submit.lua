-- The common case of submit.lua, which comes after: a job of a team that ends with its master begins, with no name, and all its
-- tasks are handed out, to nobody who waits, or there is one for who does.
local function submitted()
  local lane, number, publish = fresh()
  local id, ear, n = ARGV[4], ARGV[11], #ARGV - 11
  if not lane or ARGV[5] == '' or ARGV[6] ~= '' or ARGV[7] ~= '' or ARGV[9] ~= '0' then return nil end
  if n < 1 or n > math.min(tonumber(ARGV[8]), 1000) then return nil end
  local INTO, COUNT, RESULT, JOB = 5, 10, 20, 25 -- where their keys begin
  local names = { ARGV[3], 'count:' .. id, 'backlog:' .. id, 'result:' .. id, 'job:' .. id }
  local known = redis.call('HMGET', KEYS[2], unpack(names))
  local born = string.match(known[1] or '', '^fifo (%d+)$')
  if not born or known[2] or known[3] or known[4] or known[5] then return nil end
  if redis.call('EXISTS', unpack(KEYS, COUNT)) > 0 then return nil end
  local client, now = string.match(KEYS[4], '[^:]*$'), time()
  if ear ~= '' and string.match(ear, '^[^:]*') ~= client or not lives(client, now) then return nil end
  local to = listener(INTO, publish, now)
  if to == nil or to and (n > 1 or #ARGV[12] > BROUGHT_BYTES) then return nil end
  local bytes = 0
  for i = 12, #ARGV do bytes = bytes + #ARGV[i] end
  if n > 1 and bytes > MOST_BYTES then return nil end -- some are to wait: see read in prelude.lua

  local used = 4 + (to and 1 or 0) + (ear ~= '' and 1 or 0)
  local before = redis.call('HINCRBY', KEYS[1], 'tickets', used) - used
  local result = string.format('%.0f', before + 4)
  redis.call('HSET', KEYS[2],
    names[2], string.format('single %.0f 1', before + 1), names[5], string.format('single %.0f 1', before + 2),
    names[3], string.format('fifo %.0f', before + 3), names[4], 'fifo ' .. result)
  redis.call('RPUSH', KEYS[JOB], ARGV[5])
  redis.call('RPUSH', KEYS[COUNT],
    string.format('{"submitted":%s,"done":0,"failed":0,"out":%.0f,"window":%s}', ARGV[10], n, ARGV[8]))
  if to then
    bring(to, born, before + 5, ARGV[12], publish, now)
  else
    redis.call('RPUSH', KEYS[INTO], unpack(ARGV, 12))
  end
  if ear ~= '' then
    redis.call('ZADD', KEYS[3], string.format('%.0f', now), client)
    redis.call('ZADD', KEYS[RESULT + 1], string.format('%.0f', before + used), ear)
  end
  local reply = { 'OK', ARGV[10], '0', '0', string.format('%.0f', n), '0', result }
  keep(lane, number, reply)
  return reply
end

local reply = submitted()
if reply then return reply end
