-- The common case of submit.lua, which comes after: a job of a team that ends with its master begins, with no name, and all its
-- tasks are handed out, to nobody who waits, or there is one for who does.
local lane, number, publish = fresh()
local n = #ARGV - 11
if lane and ARGV[5] ~= '' and ARGV[6] == '' and ARGV[7] == '' and ARGV[9] == '0' and n > 0 and n <= math.min(tonumber(ARGV[8]), 1000) then
  local id = ARGV[4]
  local names = { ARGV[3], 'count:' .. id, 'backlog:' .. id, 'result:' .. id, 'job:' .. id }
  local known = redis.call('HMGET', KEYS[2], unpack(names))
  local born = known[1] and string.match(known[1], '^fifo (%d+)$')
  local client, ear = string.match(KEYS[4], '[^:]*$'), ARGV[11]
  local new = not (known[2] or known[3] or known[4] or known[5]) and redis.call('EXISTS', unpack(KEYS, 10)) == 0
  local now = time()
  if born and new and (ear == '' or string.match(ear, '^[^:]*') == client) and lives(client, now) then
    local waited, to, bytes = redis.call('EXISTS', KEYS[6]) == 1, nil, 0
    for i = 12, n > 1 and #ARGV or 0 do bytes = bytes + #ARGV[i] end
    if waited and n == 1 and #ARGV[12] <= SMALL_BYTES then to = listener(5, publish, now) end
    redis.call('LLEN', KEYS[5]) -- fails before anything is written if this key was put in by hand
    if (to or not waited) and bytes <= 16777216 then -- of more than one reply holds some are to wait: see read in prelude.lua
      local used = 4 + (to and 1 or 0) + (ear ~= '' and 1 or 0)
      local before = redis.call('HINCRBY', KEYS[1], 'tickets', used) - used
      local result = string.format('%.0f', before + 4)
      redis.call('HSET', KEYS[2], names[2], string.format('single %.0f 1', before + 1), names[5], string.format('single %.0f 1', before + 2),
        names[3], string.format('fifo %.0f', before + 3), names[4], 'fifo ' .. result)
      redis.call('RPUSH', KEYS[25], ARGV[5])
      redis.call('RPUSH', KEYS[10], string.format('{"submitted":%s,"done":0,"failed":0,"out":%.0f,"window":%s}', ARGV[10], n, ARGV[8]))
      if to then
        bring(to, born, before + 5, ARGV[12], publish, now)
      else
        redis.call('RPUSH', KEYS[5], unpack(ARGV, 12))
      end
      if ear ~= '' then
        redis.call('ZADD', KEYS[3], string.format('%.0f', now), client)
        redis.call('ZADD', KEYS[21], string.format('%.0f', before + used), ear)
      end
      local reply = { 'OK', ARGV[10], '0', '0', string.format('%.0f', n), '0', result }
      keep(lane, number, reply)
      return reply
    end
  end
end
