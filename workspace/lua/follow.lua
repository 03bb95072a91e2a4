-- Reads up to n values that one who iterates has not seen, and leaves them there; where there is none, the caller waits.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 waiter ('' = do not wait), 5 born ('' at first), 6 n, 7 from: the index up
--      to which it has seen all ('0' at first), 8 lists, or nothing
-- Returns VALUES born index value index value …; with lists: VALUES born head, then index and a list of values, of which it is
--   that of the first, index list … (head: all with this index or a higher one that were there are there still, and if n is 0
--   nothing has come in between; it may be 0 where that is not known); KEPT born index value (see find.lua), EMPTY born, WAIT
--   born, DELETED, MODE mode (in which nobody iterates), BURIED, or GONE.
local name, waiter, born, n, from = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local lists = ARGV[8] == 'lists'
local again = refused()
if again then return again end
local var = variable(name, FIRST)
if deleted(var, born) then return { 'DELETED' } end
local w = waiting()
w.look(var)
if var.mode == 'lifo' or var.mode == 'multi' then return { 'MODE', var.mode } end
local kept = waiter ~= '' and redis.call('HGET', var.handed, waiter)
local index = kept and string.match(kept, '^=i(%d+)$')
if index then return { 'KEPT', var.born, index, redis.call('HGET', var.handed, kept) } end
if not var.position then w.begin_positions(var) end

local found = { 'VALUES', var.born }
if lists then found[3] = var.mode == 'fifo' and whole(var.position) or '0' end
local heading = #found
local function add(index, values)
  if lists and #values > 0 then
    found[#found + 1], found[#found + 2] = whole(index), values
    return
  end
  for i, value in ipairs(values) do
    found[#found + 1], found[#found + 2] = whole(index + i - 1), value
  end
end

if var.mode == 'single' then
  if n > 0 and var.position > from then add(var.position, { w.first_value(var, 0) or nil }) end
else
  local ended = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', var.deadlines, '-inf', '(' .. FIRST_TIME)) do
    local claim = w.claims.listed(var, id)
    local values = w.claims.values(var, claim)
    for i = 1, #values, 2 do
      local index = claim.index + tonumber(values[i]) - 1
      if index > from then ended[#ended + 1] = { index = index, value = values[i + 1] } end
    end
  end
  -- What was released of a claim may lie between what it had left when it ended.
  table.sort(ended, function(a, b) return a.index < b.index end)
  for i = 1, math.min(n, #ended) do add(ended[i].index, { ended[i].value }) end
  n = math.max(0, n - #ended)
  local start = math.max(0, from + 1 - var.position)
  local some = {}
  read(var, start, 1, n, some)
  add(var.position + start, some)
end
if #found > heading then
  if waiter ~= '' then w.unwait(var, waiter) end
  return found
end
if waiter == '' then return { 'EMPTY', var.born } end
local reply = w.wait(var, waiter, w.next_index(var))
return reply[1] == 'WAIT' and answer(reply) or reply
