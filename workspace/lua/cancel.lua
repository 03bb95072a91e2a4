-- Ends a request whose caller does not want it any more, or has not learnt what became of it: what it has taken goes back
-- or to the next, its waiter leaves, and if it was not done, it can never be done from now on.
-- KEYS 1-4 and one group: the variable.
-- ARGV 1 incarnation, 2 request ('' if only a waiter leaves), 3 variable, 4 waiter ('' if there is none), 5 born, 6 how many
--      of the values that it took have been used and stay away, from the first on; without a request, those that a message
--      brought; 7… the places, from 1 on, of others that have been used
-- Returns NOT (it was not done), UNDONE (it had taken something or was waiting), DONE and its reply (it was done and stays
--   so), NOCLIENT (the client was forgotten, so that nobody knows), or GONE.
local request, waiter, born = ARGV[2], ARGV[4], ARGV[5]
if gone() then return { 'GONE' } end
local reply, forgotten
if request ~= '' then
  local again, replayed = refused()
  if replayed then
    reply = again
  elseif again then
    request = '' -- its client or its lane went on without it
    forgotten = again[1] == 'NOCLIENT'
  end
end
local var = variable(ARGV[3], FIRST)
undamaged(var)
local word = reply and reply[1]
local its_born, from
if word == 'VALUES' then its_born, from = string.match(reply[2], '^(%d+) ?(.*)$') end
local mine = var.mode and not (its_born and var.born ~= its_born) and not deleted(var, born)
ease()
local w, made = waiting(), {}
if word == 'CLAIMED' then -- the rest of what it did stays done
  made, reply = w.claims.replied(var, reply, CALLER)
  word = reply[1]
end
if mine then
  check(var)
  if word == 'VALUES' then
    if from == '' then from = (#reply - 2) .. ',0,0,1' end -- by lua/fast
    local used, parts, last = {}, {}, #reply
    for i = 1, tonumber(ARGV[6]) do used[i + 2] = true end
    for i = 7, #ARGV do used[ARGV[i] + 2] = true end
    for part in string.gmatch(from, '%S+') do table.insert(parts, 1, part) end
    for _, part in ipairs(parts) do -- the last first, so that the first is the next again
      local n, index, order, first = string.match(part, '^(%d+),(%d+),(%d+),(%d+)$')
      local begin = last - n + 1
      while last >= begin do
        local start = last + 1
        while start > begin and not used[start - 1] do start = start - 1 end
        if start <= last then
          local values, skipped = { unpack(reply, start, last) }, start - begin
          w.put_back(var, values, tonumber(index) > 0 and index + skipped or 0, tonumber(order), first + skipped)
        end
        last = start - 2 -- what was used before them
      end
      last = begin - 1
    end
  elseif word == 'CLAIM' then
    local claim, indexes = w.claims.get(var, reply[3]), {}
    if claim then
      for i = 1, claim.n do indexes[i] = whole(i) end
      w.claims.release(var, claim, indexes)
    end
  end
  for _, m in ipairs(made) do
    local indexes = {}
    for i = 1, m.claim.n do indexes[i] = whole(i) end
    w.claims.release(var, m.claim, indexes)
  end
  if waiter ~= '' and ARGV[2] == '' and tonumber(ARGV[6]) > 0 then
    w.unwait(var, waiter)
  elseif waiter ~= '' then
    w.give_back(var, waiter)
  end
  w.serve(var)
end
if word == 'OK' or word == 'NOVAR' then return { 'DONE', unpack(reply) } end
if request ~= '' then
  answer({})
else
  changed()
end
if word then return { 'UNDONE' } end
if forgotten then return { 'NOCLIENT' } end
return { 'NOT' }
