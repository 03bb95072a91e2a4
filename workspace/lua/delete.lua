-- Deletes a workspace, some variables at a time. From the first call on it is gone for all others.
-- KEYS 1-3 and a group for each variable to delete.
-- ARGV 1 its incarnation, or '' for whichever there is, 2 why: '', ended (only if nobody's lease
--      holds it) or rest (go on with a deletion that has begun), 3… variables
-- Returns OK, MORE (variables are left: call again with them), HELD until (ms) for one that lives on, or GONE.
local why = ARGV[2]
local found = redis.call('HMGET', WORKSPACE, 'incarnation', 'owner', 'lease', 'persistent', 'tickets')
if not found[5] then return { 'GONE' } end
if found[1] then
  if why == 'rest' then return { 'OK' } end -- somebody else did the rest, and there is a new one
  if ARGV[1] ~= '' and found[1] ~= ARGV[1] then return { 'GONE' } end
  if why == 'ended' then
    if found[4] == '1' or not found[2] then return { 'HELD', '+inf' } end
    if tonumber(found[3]) > now() then return { 'HELD', found[3] } end
  end
  redis.call('HDEL', WORKSPACE, 'incarnation')
end
for i = 3, #ARGV do delete_variable(variable(ARGV[i], 4 + (i - 3) * GROUP)) end
if redis.call('EXISTS', VARIABLES) == 1 then return { 'MORE' } end
redis.call('DEL', WORKSPACE, VARIABLES, LIVE)
return { 'OK' }
