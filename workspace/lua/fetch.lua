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

local reply, w, index, order = { 'VALUES', false }, nil, 0, 0
if not var.mode or var.mode == 'unknown' or redis.call('EXISTS', var.waiters, var.deadlines) > 0 then
  w = waiting()
  w.look(var)
  if waiter ~= '' then
    local handed, _, its_index, its_order = w.handed_to(var, waiter)
    reply[3], index, order = handed or nil, its_index or 0, its_order or 0
  end
  if reply[3] and var.position then n = 1 end -- so that the indexes of what goes back have no gaps
  local claim = #reply - 2 < n and w.claims.first(var)
  while claim and #reply - 2 < n do -- a value whose claim has ended is there for anybody; taking it settles it
    reply[#reply + 1], index = w.claims.take(var, claim)
    if var.position then n, order = 1, tonumber(string.match(claim.id, '^%d+')) end
    claim = w.claims.first(var)
  end
end
reply[2] = var.born
if #reply - 2 < n then
  if var.position or ARGV[8] == 'iterate' then -- others may take and give back at the same time
    ease()
    index, order = var.position or 0, ticket(HOME)
  end
  take_some(var, random, n - (#reply - 2), reply)
end
if #reply > 2 then
  if w and waiter ~= '' then w.unwait(var, waiter) end
  if order == 0 then return answer(reply) end
  -- The lane keeps what cancel.lua wants to know of values that go back.
  return answer(reply, { 'VALUES', var.born .. ' ' .. whole(index) .. ' ' .. whole(order), unpack(reply, 3) })
end
ease()
if waiter == '' then return answer({ 'EMPTY', var.born }) end
reply = (w or waiting()).wait(var, waiter, 'fetch')
return reply[1] == 'WAIT' and answer(reply) or reply
