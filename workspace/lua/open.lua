-- Opens a workspace, and makes it where it is missing.
-- KEYS 1-4.
-- ARGV 1 incarnation to give it if it is new, 2 client, 3 what for: own, create, use, or new (it must not be there),
--      4 persistent (1 or ''), 5 the owner's lease in ms, 6 host, 7 pid, 8 program, 9 the command by which this Redis tells
--      waiters: PUBLISH, or SPUBLISH in a cluster, 10 until when it may be made (ms): so a copy of the call that comes late,
--      after all is over, does not make it again
-- Returns OK incarnation owner ('1' if the caller's) persistent ('1' or '') lease (end of the owner's, ms; +inf if it is
--   persistent or nobody owns it), ENDED (what is there has to be deleted first), VERSION version (it was made by programs
--   of another one), TAKEN, LATE, or GONE (missing).
local incarnation, client, purpose, persistent, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local found = redis.call('HMGET', HOME.workspace, 'incarnation', 'owner', 'lease', 'persistent', 'tickets', 'version')
if found[5] and found[6] ~= VERSION then return { 'VERSION', found[6] or '0' } end
if found[5] and not found[1] then return { 'ENDED' } end -- somebody is deleting it, or died at it
local owned = found[2] and tonumber(found[3]) > now()
if found[2] and not owned and found[4] ~= '1' then return { 'ENDED' } end
if purpose == 'new' then
  if found[1] and (found[1] ~= incarnation or found[2] ~= client) then return { 'TAKEN' } end
  purpose = 'own'
end
if not found[1] then
  if purpose == 'use' then return { 'GONE' } end
  if now() > tonumber(ARGV[10]) then return { 'LATE' } end
  redis.call('HSET', HOME.workspace, 'version', VERSION, 'incarnation', incarnation, 'persistent', persistent, 'tickets', 0,
    'publish', ARGV[9])
else
  incarnation = found[1]
end
if purpose == 'own' and not found[2] then -- its first owner decides
  redis.call('HSET', HOME.workspace, 'persistent', persistent)
  found[4] = persistent
end
if purpose == 'own' and not owned then
  found[3] = whole(now() + lease)
  redis.call('HSET', HOME.workspace, 'owner', client, 'lease', found[3], 'host', ARGV[6], 'pid', ARGV[7], 'program', ARGV[8])
  found[2] = client
end
local ends = found[2] and found[4] ~= '1' and found[3] or '+inf'
return { 'OK', incarnation, found[2] == client and '1' or '', found[4] or persistent, ends }
