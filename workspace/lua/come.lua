-- Gives waiting fetchers what was handed to them, each as if it had asked by itself, in a lane of its own.
-- KEYS 1-4, then for each of them two keys of its variable: waiters, handed.
-- ARGV 1 incarnation, 2 epoch, 3… for each: waiter, born, lane, number of its request
-- Returns OK, then for each VALUES and the value, or NOT and '' (it has to ask by itself); NOCLIENT, or GONE.
if gone() then return { 'GONE' } end
local fields = { 'epoch' }
for i = 5, #ARGV, 4 do fields[#fields + 1] = ARGV[i] end
local found = redis.call('HMGET', CLIENT, unpack(fields))
if found[1] ~= ARGV[2] then return { 'NOCLIENT' } end
ease()
local reply, lanes, bytes = { 'OK' }, {}, 0
for i = 2, #fields do
  local waiter, born, lane, number = unpack(ARGV, 4 * i - 5, 4 * i - 2)
  local waiters, handed = KEYS[2 * i + 1], KEYS[2 * i + 2]
  local last, head, value = 0, '6:VALUES' .. #born .. ':' .. born, nil
  if found[i] then last = tonumber(string.match(found[i], '^%d+')) end
  if last < tonumber(number) then
    local kept = redis.pcall('HGET', handed, waiter)
    local start = type(kept) == 'string' and string.match(kept, '^[+]%d+ 0 0 ()')
    if start and bytes > 0 and bytes + #kept > MOST_BYTES then start = nil end
    if start and redis.pcall('ZREM', waiters, waiter) == 1 then -- whose keys were put in by hand asks, and is told
      redis.call('HDEL', handed, waiter)
      value = string.sub(kept, start)
      bytes = bytes + #kept
    end
    lanes[#lanes + 1] = lane -- of what was not done, too: so a copy of the call that comes late does not do it
    lanes[#lanes + 1] = number .. ' ' .. (value and head .. #value .. ':' .. value or '')
  elseif found[i] ~= number .. ' ' and string.sub(found[i], 1, #number + 1 + #head) == number .. ' ' .. head then
    value = string.match(found[i], '^%d+:(.*)$', #number + 2 + #head)
  end
  reply[#reply + 1] = value and 'VALUES' or 'NOT'
  reply[#reply + 1] = value or ''
end
if #lanes > 0 then redis.call('HSET', CLIENT, unpack(lanes)) end
changed()
return reply
