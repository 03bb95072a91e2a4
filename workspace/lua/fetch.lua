-- Takes up to n values, at least one; where there is none, the caller waits.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request, 3 variable, 4 waiter ('' = do not wait), 5 born ('' at first), 6 random in [0, 1), 7 n,
--      8 '' or iterate (in order only)
-- Returns VALUES born value value …, EMPTY born, WAIT born, DELETED, MODE mode (in which nobody iterates), BURIED, or GONE.
local name, waiter, born, random, n = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local again = refused()
if again then
  if again[1] == 'VALUES' then again[2] = string.match(again[2], '^%d+') end
  return again
end
local var = variable(name, FIRST)
if deleted(var, born) then return { 'DELETED' } end
if ARGV[8] == 'iterate' and (var.mode == 'lifo' or var.mode == 'multi') then return { 'MODE', var.mode } end

-- The lane keeps more of it than the caller gets: for cancel.lua, how many values came together, the index that the first of
-- them has for those who iterate, the ticket of when they left the list, and the place of the first among those that did.
local reply, from = { 'VALUES', false }, {}
local function took(before, index, order, first)
  if #reply > before then from[#from + 1] = table.concat({ #reply - before, whole(index), order, first }, ',') end
end

local w
if not var.mode or var.mode == 'unknown' or redis.call('EXISTS', var.waiters, var.deadlines) > 0 then
  w = waiting()
  w.look(var)
  if waiter ~= '' then
    local handed, _, index, order = w.handed_to(var, waiter)
    reply[3] = handed or nil
    took(2, index or 0, order or 0, 1)
  end
  local claim = #reply - 2 < n and w.claims.first(var)
  while claim and #reply - 2 < n do -- values whose claim has ended are there for anybody; taking them settles them
    local before = #reply
    local first, index = w.claims.take(var, claim, n - (before - 2), reply)
    took(before, index, string.match(claim.id, '^%d+'), first)
    claim = w.claims.first(var)
  end
end
reply[2] = var.born
if #reply - 2 < n then
  local before, index, order = #reply, 0, 0
  if var.position or ARGV[8] == 'iterate' then -- others may take and give back at the same time
    ease()
    index, order = var.position or 0, ticket(HOME)
  end
  take_some(var, random, n - (before - 2), reply)
  took(before, index, whole(order), 1)
end
if #reply > 2 then
  if w and waiter ~= '' then w.unwait(var, waiter) end
  return answer(reply, { 'VALUES', var.born .. ' ' .. table.concat(from, ' '), unpack(reply, 3) })
end
ease()
if waiter == '' then return answer({ 'EMPTY', var.born }) end
reply = (w or waiting()).wait(var, waiter, 'fetch')
return reply[1] == 'WAIT' and answer(reply) or reply
