-- The common case of settle.lua, which comes after: claims end as a whole, of tasks of one job at the most, which nobody else has,
-- or results are claimed; what is claimed next is in the list of a variable where nobody else waits for it.
local function settled()
  local lane, number, publish = fresh()
  local jobs = tonumber(ARGV[12])
  if not lane or jobs > 1 or #ARGV > 9000 then return nil end
  local CLAIMED, FROM, COUNT, BACKLOG, RESULT = 5, ARGV[4] == ARGV[3] and 5 or 10, 15, 20, 25 -- where their keys begin
  local fifo = '^fifo (%d+)$'
  local names = { ARGV[4], ARGV[3] }
  if jobs == 1 then names[3], names[4], names[5] = 'count:' .. ARGV[13], 'backlog:' .. ARGV[13], 'result:' .. ARGV[13] end
  local known = redis.call('HMGET', KEYS[2], unpack(names))
  local born = string.match(known[1] or '', fifo)
  local result_born = string.match(known[5] or '', fifo)
  if not born or ARGV[5] ~= '' and ARGV[5] ~= born or not string.find(known[2] or '', fifo) then return nil end
  if jobs == 1 and not (known[3] and string.find(known[4] or '', fifo) and result_born) then return nil end

  -- What is told of.
  local at = 13 + jobs
  local news = cjson.decode(ARGV[at])
  local ids, sizes, fields, heads, results, named = {}, {}, {}, {}, {}, {}
  local claims, tasks, done, failed = 0, 0, 0, 0
  for k = 1, #news, 7 do
    local id, first, last, n = news[k], news[k + 1], news[k + 2], news[k + 6]
    if id ~= ids[claims] then
      if named[id] then return nil end
      claims = claims + 1
      ids[claims], sizes[claims], named[id] = id, 0, true
    elseif first <= news[k - 5] then
      return nil
    end
    if n > 2 * jobs or news[k + 3] ~= jobs then return nil end -- what is of no job has no result
    for index = first, last do
      tasks = tasks + 1
      fields[tasks] = id .. '/' .. index
    end
    sizes[claims], done, failed = sizes[claims] + last - first + 1, done + news[k + 4], failed + news[k + 5]
    if n > 0 and ARGV[at + 1] ~= '' then results[#results + 1] = ARGV[at + 1] end
    if n > 1 then heads[tasks] = ARGV[at + 2] end
    at = at + n
  end
  if tasks + claims > 7000 then return nil end -- unpack fails at 8,000

  -- The job, whose next tasks are handed out.
  local submitted, had, lost, out, window
  local moves = 0
  if jobs == 1 then
    submitted, had, lost, out, window = string.match(redis.call('LINDEX', KEYS[COUNT], 0) or '',
      '^{"submitted":(%d+),"done":(%d+),"failed":(%d+),"out":(%d+),"window":(%d+)}$')
    if not submitted then return nil end
    out = math.max(out - tasks, 0)
    moves = math.max(math.min(redis.call('LLEN', KEYS[BACKLOG]), window - out), 0)
    if moves > 1000 then return nil end
  end

  -- Who waits for tasks, and what was on its way to the waiter that leaves.
  local leaves, waits, now = ARGV[9], ARGV[11], time()
  local client, till = string.match(KEYS[4], '[^:]*$'), string.format('%.0f', now)
  local there, others = redis.call('LLEN', KEYS[FROM]), redis.call('ZCARD', KEYS[FROM + 1])
  if redis.call('ZCOUNT', KEYS[FROM + 4], '-inf', till) > 0 then return nil end
  if others > 0 and redis.call('ZCOUNT', KEYS[FROM + 1], FIRST_TIME, till) > 0 then return nil end
  local handed, back = redis.call('HGET', KEYS[FROM + 2], leaves), nil
  if leaves ~= '' then
    local waited = redis.call('ZSCORE', KEYS[FROM + 1], leaves)
    if waited then others = others - 1 end
    if handed and ARGV[10] == '1' then
      if not waited or string.sub(handed, 1, 1) ~= '!' then return nil end
    elseif handed then -- a value that it was told to come for is the first again
      local start = string.match(handed, '^[+]%d+ 0 0 ()')
      if not start then return nil end
      back, there = string.sub(handed, start), there + 1
    end
  end
  redis.call('HLEN', KEYS[FROM + 3])
  if others > 0 and there + moves > 0 or not lives(client, now) then return nil end
  if waits ~= '' and redis.call('ZSCORE', KEYS[FROM + 1], waits) then return nil end

  -- Who waits for results.
  local to, brings = false, false
  if #results > 0 then
    to = listener(RESULT, publish, now)
    if to == nil then return nil end
    if to and #results == 1 and #results[1] <= BROUGHT_BYTES then brings = true end
    if to and not brings and redis.call('ZCARD', KEYS[RESULT + 1]) > 1 then return nil end
  end

  -- How many claims are to be made, of how many tasks each.
  local counts, total, wanted = {}, 0, 0
  for n in string.gmatch(ARGV[6], '%d+') do
    local left = there + moves - total
    wanted = wanted + 1
    n = math.min(tonumber(n), left, math.ceil(left / ARGV[7]), 1000 - total)
    if n < 1 and left > 0 then return nil end -- there are too many for one claim
    if n > 0 then counts[wanted], total = n, total + n end
  end
  if back and total == 0 then return nil end

  -- What is larger.
  if tasks > 0 then
    redis.call('ZCARD', KEYS[CLAIMED + 4]) -- fails before anything is written if this key was put in by hand
    for i, id in ipairs(ids) do fields[tasks + i] = id end
    local found = redis.call('HMGET', KEYS[CLAIMED + 3], unpack(fields))
    for i = 1, tasks do
      if not found[i] or heads[i] and string.find(found[i], heads[i], 1, true) ~= 1 then return nil end
    end
    local entry, size
    for i = 1, claims do -- most are listed as the one before
      if found[tasks + i] ~= entry then
        entry = found[tasks + i]
        size = tonumber(string.match(entry or '', '^(%d+) %d+ %S+ %d+$') or '')
      end
      if size ~= sizes[i] then return nil end
    end
  end
  local taken = math.min(total, there) - (back and 1 or 0)
  local values, moved = head(KEYS[FROM], taken), head(KEYS[BACKLOG], moves)
  if not values or not moved then return nil end
  if back then table.insert(values, 1, back) end

  local waiting = waits ~= '' and #counts < wanted and there + moves == total
  local used = #counts + (brings and 1 or 0) + (waiting and 1 or 0)
  if #results == 0 then redis.call('HDEL', KEYS[1], '') end -- it need not fail where memory is short: see prelude.lua
  local ticket = used > 0 and redis.call('HINCRBY', KEYS[1], 'tickets', used) - used
  if brings then
    ticket = ticket + 1
    bring(to, result_born, ticket, results[1], publish, now)
  elseif to then
    summon(to, results, publish, now)
  elseif #results > 0 then
    redis.call('RPUSH', KEYS[RESULT], unpack(results))
  end
  if leaves ~= '' then
    redis.call('ZREM', KEYS[FROM + 1], leaves)
    if handed then redis.call('HDEL', KEYS[FROM + 2], leaves) end
  end
  if jobs == 1 then
    redis.call('LSET', KEYS[COUNT], 0, string.format('{"submitted":%s,"done":%.0f,"failed":%.0f,"out":%.0f,"window":%s}',
      submitted, had + done, lost + failed, out + moves, window))
  end
  if tasks > 0 then
    redis.call('HDEL', KEYS[CLAIMED + 3], unpack(fields))
    redis.call('ZREM', KEYS[CLAIMED + 4], unpack(ids))
  end
  if moves > 0 then
    redis.call('LTRIM', KEYS[BACKLOG], moves, -1)
    local first = total - #values + 1
    if first <= moves then redis.call('RPUSH', KEYS[FROM], unpack(moved, first)) end
  end
  local reply = { 'OK', waiting and 'WAITS' or '', born }
  local kept = reply
  if total > 0 then
    if taken > 0 then redis.call('LTRIM', KEYS[FROM], taken, -1) end
    local made, brief, entries, scores, k = { 'CLAIMED', tostring(#counts) }, {}, {}, {}, 0
    local lease, held = string.format('%.0f', now + ARGV[8]), ' 1 ' .. client .. ' 0'
    for i, n in ipairs(counts) do
      local id = string.format('%.0f', ticket + i)
      local r, e = #made, #entries
      brief[i] = id .. ' 1 -'
      made[r + 1] = brief[i] .. ' ' .. n
      for place = 1, n do
        k = k + 1
        local value = values[k] or moved[k - #values]
        made[r + 1 + place] = value
        entries[e + 1], entries[e + 2] = id .. '/' .. place, value
        e = e + 2
      end
      entries[e + 1], entries[e + 2] = id, n .. held
      scores[2 * i - 1], scores[2 * i] = lease, id
    end
    redis.call('HSET', KEYS[FROM + 3], unpack(entries))
    redis.call('ZADD', KEYS[FROM + 4], unpack(scores))
    kept = { 'CLAIMED', table.concat(brief, ' '), reply[1], reply[2], reply[3] }
    for i = 1, 3 do made[#made + 1] = reply[i] end
    reply, ticket = made, ticket + #counts
  end
  if wanted > 0 then redis.call('ZADD', KEYS[3], till, client) end
  if waiting then redis.call('ZADD', KEYS[FROM + 1], string.format('%.0f', ticket + 1), waits) end
  keep(lane, number, kept)
  return reply
end

local reply = settled()
if reply then return reply end
