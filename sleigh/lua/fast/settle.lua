-- The common case of settle.lua, which comes after: claims end as a whole, of tasks of one job at the most, which nobody else has,
-- or results are claimed; what is claimed next is in the list of a variable where nobody else waits for it.
local lane, number, publish = fresh()
local jobs, ARGS = tonumber(ARGV[12]), #ARGV
local claimed, from, result = 5, ARGV[4] == ARGV[3] and 5 or 10, 25
if lane and jobs <= 1 and ARGS < 9000 then
  local names = { ARGV[4], ARGV[3] }
  if jobs == 1 then names[3], names[4], names[5] = 'count:' .. ARGV[13], 'backlog:' .. ARGV[13], 'result:' .. ARGV[13] end
  local known = redis.call('HMGET', KEYS[2], unpack(names))
  local born = known[1] and string.match(known[1], '^fifo (%d+)$')
  local result_born = known[5] and string.match(known[5], '^fifo (%d+)$')
  local simple = born and (ARGV[5] == '' or ARGV[5] == born) and known[2] and string.find(known[2], '^fifo %d+$')

  -- What is told of.
  local at = 13 + jobs
  local news = cjson.decode(ARGV[at])
  local ids, sizes, fields, heads, results, named = {}, {}, {}, {}, {}, {}
  local c, tasks, done, failed = 0, 0, 0, 0
  for k = 1, #news, 7 do
    local id, first, last, n = news[k], news[k + 1], news[k + 2], news[k + 6]
    if id ~= ids[c] then
      simple = simple and not named[id]
      c = c + 1
      ids[c], sizes[c], named[id] = id, 0, true
    elseif first <= news[k - 5] then
      simple = false
    end
    simple = simple and n <= 2 * jobs and news[k + 3] == jobs -- what is of no job has no result
    for index = first, last do
      tasks = tasks + 1
      fields[tasks] = id .. '/' .. index
    end
    sizes[c], done, failed = sizes[c] + last - first + 1, done + news[k + 4], failed + news[k + 5]
    if n > 0 and ARGV[at + 1] ~= '' then results[#results + 1] = ARGV[at + 1] end
    if n > 1 then heads[tasks] = ARGV[at + 2] end
    at = at + n
  end
  simple = simple and tasks + c < 7000 -- unpack fails at 8,000
  if simple and tasks > 0 then
    for i, id in ipairs(ids) do fields[tasks + i] = id end
    local found = redis.call('HMGET', KEYS[claimed + 3], unpack(fields))
    for i = 1, tasks do -- not as "simple = … and found[i] and …": see below
      if not found[i] or heads[i] and string.find(found[i], heads[i], 1, true) ~= 1 then simple = false end
    end
    local entry, size
    for i = 1, c do -- most are listed as the one before
      if found[tasks + i] ~= entry then
        entry = found[tasks + i]
        size = entry and tonumber(string.match(entry, '^(%d+) %d+ %S+ %d+$') or '')
      end
      simple = simple and size == sizes[i]
    end
    redis.call('ZCARD', KEYS[claimed + 4]) -- fails before anything is written if this key was put in by hand
  end

  -- The job, whose next tasks are handed out.
  local submitted, had, lost, out, window
  local backlog, moves = 0, 0
  if simple and jobs == 1 then
    local text = redis.call('LINDEX', KEYS[15], 0)
    submitted, had, lost, out, window = string.match(text or '',
      '^{"submitted":(%d+),"done":(%d+),"failed":(%d+),"out":(%d+),"window":(%d+)}$')
    -- As "simple = … and known[3] and …" the embedded server would leave simple as it was where known[3] is missing: its Lua does
    -- not assign to a local if an element, a call or a not decides that more follow.
    if not (submitted and result_born and known[3] and known[4] and string.find(known[4], '^fifo %d+$')) then simple = false end
    if simple then
      out = math.max(out - tasks, 0)
      backlog = redis.call('LLEN', KEYS[20])
      moves = math.max(math.min(backlog, window - out), 0)
      simple = moves <= 1000
    end
  end

  -- Who waits for tasks.
  local leaves, waits, now = ARGV[9], ARGV[11], time()
  local client = string.match(KEYS[4], '[^:]*$')
  local handed, back, listed, there, late, others
  if simple then
    local till = string.format('%.0f', now)
    listed = redis.call('LLEN', KEYS[from])
    there = listed
    others = redis.call('ZCARD', KEYS[from + 1])
    late = redis.call('ZCOUNT', KEYS[from + 4], '-inf', till)
    if others > 0 then late = late + redis.call('ZCOUNT', KEYS[from + 1], '100000000000', till) end
    if leaves ~= '' then
      handed = redis.call('HGET', KEYS[from + 2], leaves)
      local waited = redis.call('ZSCORE', KEYS[from + 1], leaves)
      if waited then others = others - 1 end
      if handed and ARGV[10] == '1' then
        simple = waited and string.sub(handed, 1, 1) == '!'
      elseif handed then -- a value that it was told to come for is the first again
        local start = string.match(handed, '^[+]%d+ 0 0 ()')
        back = start and string.sub(handed, start)
        simple, there = back, there + 1
      end
    else
      redis.call('HLEN', KEYS[from + 2])
    end
    redis.call('HLEN', KEYS[from + 3])
    simple = simple and late == 0 and (others == 0 or there + moves == 0) and lives(client, now)
  end

  -- The claims that are to be made: what is in the list, then what is handed out.
  local counts, total, wanted = {}, 0, 0
  local values, moved, taken -- of the list, of what is handed out; how many of the list
  if simple then
    local left = there + moves
    for n in string.gmatch(ARGV[6], '%d+') do
      wanted = wanted + 1
      n = math.min(n, left - total, math.ceil((left - total) / ARGV[7]), 1000 - total)
      if n < 1 and left > total then simple = false end -- there are too many for one claim
      if n > 0 then counts[wanted], total = n, total + n end
    end
    if back and total == 0 then simple = false end
    taken = math.min(total, there) - (back and 1 or 0)
    values, moved = head(KEYS[from], taken), head(KEYS[20], moves)
    if back and values then table.insert(values, 1, back) end
    simple = simple and values and moved and (waits == '' or not redis.call('ZSCORE', KEYS[from + 1], waits))
  end

  -- Who waits for results.
  local to, waited
  if simple and #results > 0 then
    waited = redis.call('EXISTS', KEYS[result + 1]) == 1
    if waited then to = listener(result, publish, now) end
    if to and (#results > 1 or #results[1] > SMALL_BYTES) and redis.call('ZCARD', KEYS[result + 1]) > 1 then to = nil end
    redis.call('LLEN', KEYS[result]) -- fails before anything is written if this key was put in by hand
    simple = to or not waited
  end

  if simple then
    local waiting = waits ~= '' and #counts < wanted and there + moves == total
    local brings = to and #results == 1 and #results[1] <= SMALL_BYTES
    local used = #counts + (brings and 1 or 0) + (waiting and 1 or 0)
    if #results == 0 then redis.call('HDEL', KEYS[1], '') end -- it need not fail where memory is short: see prelude.lua
    local ticket = used > 0 and redis.call('HINCRBY', KEYS[1], 'tickets', used) - used
    if brings then
      ticket = ticket + 1
      bring(to, result_born, ticket, results[1], publish, now)
    elseif to then
      summon(to, results, publish, now)
    elseif #results > 0 then
      redis.call('RPUSH', KEYS[result], unpack(results))
    end
    if leaves ~= '' then
      redis.call('ZREM', KEYS[from + 1], leaves)
      if handed then redis.call('HDEL', KEYS[from + 2], leaves) end
    end
    if jobs == 1 then
      redis.call('LSET', KEYS[15], 0, string.format('{"submitted":%s,"done":%.0f,"failed":%.0f,"out":%.0f,"window":%s}',
        submitted, had + done, lost + failed, out + moves, window))
    end
    if tasks > 0 then
      redis.call('HDEL', KEYS[claimed + 3], unpack(fields))
      redis.call('ZREM', KEYS[claimed + 4], unpack(ids))
    end
    if moves > 0 then
      redis.call('LTRIM', KEYS[20], moves, -1)
      local first = total - #values + 1
      if first <= moves then redis.call('RPUSH', KEYS[from], unpack(moved, first)) end
    end
    local reply = { 'OK', waiting and 'WAITS' or '', born }
    local kept = reply
    if total > 0 then
      if taken > 0 then redis.call('LTRIM', KEYS[from], taken, -1) end
      local made, brief, entries, scores, k = { 'CLAIMED', tostring(#counts) }, {}, {}, {}, 0
      local till, held = string.format('%.0f', now + ARGV[8]), ' 1 ' .. client .. ' 0'
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
        scores[2 * i - 1], scores[2 * i] = till, id
      end
      redis.call('HSET', KEYS[from + 3], unpack(entries))
      redis.call('ZADD', KEYS[from + 4], unpack(scores))
      kept = { 'CLAIMED', table.concat(brief, ' '), reply[1], reply[2], reply[3] }
      for i = 1, 3 do made[#made + 1] = reply[i] end
      reply, ticket = made, ticket + #counts
    end
    if wanted > 0 then redis.call('ZADD', KEYS[3], string.format('%.0f', now), client) end
    if waiting then redis.call('ZADD', KEYS[from + 1], string.format('%.0f', ticket + 1), waits) end
    keep(lane, number, kept)
    return reply
  end
end
