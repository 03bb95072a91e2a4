-- Deletes a workspace, some variables and clients at a time. From the first call on it is gone for all others.
-- KEYS 1-4, a group for each variable to delete, and the key of each client to forget.
-- ARGV 1 its incarnation, or '' for whichever there is, 2 why: '', ended (only if nobody's lease holds it) or rest (go on
--      with a deletion that has begun), 3 number of variables, 4… variables, then clients
-- Returns OK, MORE (variables or clients are left: call again with them), HELD until (ms) for one that lives on, VERSION
--   version (it was made by programs of another one), or GONE.
local why, variables = ARGV[2], tonumber(ARGV[3])
local found = redis.call('HMGET', HOME.workspace, 'incarnation', 'owner', 'lease', 'persistent', 'tickets', 'version')
if not found[5] then return { 'GONE' } end
if found[6] ~= VERSION then return { 'VERSION', found[6] or '0' } end
if found[1] then
  if why == 'rest' then return { 'OK' } end -- somebody else did the rest, and there is a new one
  if ARGV[1] ~= '' and found[1] ~= ARGV[1] then return { 'GONE' } end
  if why == 'ended' then
    if found[4] == '1' or not found[2] then return { 'HELD', '+inf' } end
    if tonumber(found[3]) > now() then return { 'HELD', found[3] } end
  end
  redis.call('HDEL', HOME.workspace, 'incarnation')
end
local w = waiting()
for i = 1, variables do w.delete(variable(ARGV[3 + i], FIRST + (i - 1) * GROUP)) end
for i = variables + 1, #ARGV - 3 do
  redis.call('DEL', KEYS[FIRST + variables * GROUP + i - variables - 1])
  redis.call('ZREM', HOME.live, ARGV[3 + i])
end
if redis.call('EXISTS', HOME.variables, HOME.live) > 0 then return { 'MORE' } end
redis.call('DEL', HOME.workspace)
return { 'OK' }
