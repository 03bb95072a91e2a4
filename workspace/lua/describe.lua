-- Describes a workspace.
-- KEYS 1-4.
-- Returns OK, owner, its host, pid and program (all '' if nobody who lives owns it), end of its lease (ms), persistent ('1'
--   or ''), number of variables; or GONE.
local found = redis.call('HMGET', HOME.workspace, 'incarnation', 'owner', 'host', 'pid', 'program', 'lease', 'persistent')
if not found[1] then return { 'GONE' } end
if not found[2] or tonumber(found[6]) <= now() then
  for i = 2, 6 do found[i] = '' end
end
local reply = { 'OK' }
for i = 2, 7 do reply[i] = found[i] or '' end
reply[8] = whole(redis.call('HLEN', HOME.variables))
return reply
