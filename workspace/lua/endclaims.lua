-- Ends the leases of all claims that a client holds: its own, or those of one that is known to be dead. That one can do
-- nothing from now on, and does not wait any more: what was on its way to it goes to others.
-- KEYS 1-4, one group: the variable, and the client's own key.
-- ARGV 1 incarnation, 2 variable, 3 client, 4 caller
-- Returns OK and the number of claims, or GONE.
local name, client = ARGV[2], ARGV[3]
if gone() then return { 'GONE' } end
local var = variable(name, FIRST)
check(var)
ease()
local w = waiting()
local n, waited = 0, false
if client ~= ARGV[4] then
  w.bury(client)
  redis.call('DEL', KEYS[FIRST + GROUP])
  local waiters = redis.call('ZRANGE', var.waiters, 0, -1)
  for i = #waiters, 1, -1 do -- the oldest value goes back last, and so to the head
    if string.sub(waiters[i], 1, #client + 1) == client .. ':' then
      if w.brought_to(var, waiters[i]) then -- it may have begun to work on that: the claim ends as any other
        w.unwait(var, waiters[i])
      else
        local value, returns, _, order = w.handed_to(var, waiters[i])
        if value and returns and order == 0 and var.mode == 'fifo' then -- before all that was claimed since: others may wait for it
          w.unwait(var, waiters[i])
          w.claims.put_back(var, { value }, 0, 0, 1)
        else
          w.give_back(var, waiters[i])
        end
      end
      waited = true
    end
  end
end
for _, id in ipairs(redis.call('ZRANGE', var.deadlines, 0, -1)) do
  local claim = w.claims.listed(var, id)
  if claim.holder == client then
    w.claims.lapse(var, claim)
    n = n + 1
  end
end
if n > 0 or waited then
  if var.position then w.serve_followers(var) end
  w.serve(var)
end
changed()
return { 'OK', whole(n) }
