-- Ends a request whose caller does not want it any more, or has not learnt what became of it: what it has taken goes back
-- or to the next, its waiter leaves, and if it was not done, it can never be done from now on.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request ('' if only a waiter leaves), 3 variable, 4 waiter ('' if there is none), 5 born, 6 how many of the
--      values that it took have been used and stay away
-- Returns NOT (it was not done), UNDONE (it had taken something or was waiting), DONE and its reply (it was done and stays
--   so), or GONE.
local request, waiter, born = ARGV[2], ARGV[4], ARGV[5]
if gone() then return { 'GONE' } end
local reply
if request ~= '' then
  local again, replayed = refused()
  if replayed then
    reply = again
  elseif again then
    request = '' -- its client or its lane went on without it
  end
end
local var = variable(ARGV[3], FIRST)
undamaged(var)
local word = reply and reply[1]
local its_born, index, order
if word == 'VALUES' then its_born, index, order = string.match(reply[2], '^(%d+) ?(%d*) ?(%d*)$') end
local mine = var.mode and not (its_born and var.born ~= its_born) and not deleted(var, born)
ease()
local w = waiting()
if mine then
  check(var)
  if word == 'VALUES' then
    local used = tonumber(ARGV[6])
    index, order = tonumber(index) or 0, tonumber(order) or 0
    if index > 0 then index = index + used end
    if #reply > 2 + used then w.put_back(var, { unpack(reply, 3 + used) }, index, order) end
  elseif word == 'CLAIM' then
    local claim, indexes = w.claims.get(var, reply[3]), {}
    if claim then
      for i = 1, claim.n do indexes[i] = whole(i) end
      w.claims.release(var, claim, indexes)
    end
  end
  if waiter ~= '' then w.give_back(var, waiter) end
  w.serve(var)
end
if word == 'OK' or word == 'NOVAR' then return { 'DONE', unpack(reply) } end
if request ~= '' then
  answer({})
else
  changed()
end
return { word and 'UNDONE' or 'NOT' }
