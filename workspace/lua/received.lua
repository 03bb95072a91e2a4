-- Takes a large reply out of its lane, once its caller has it. A copy of the call that comes late changes nothing.
-- KEYS 1-4.
-- ARGV 1 incarnation, 2 request
-- Returns OK, or what refused() in prelude.lua says of a lane that has gone on.
brief = true
local again, replayed = refused()
if again and not replayed then return again end
if replayed then
  ease()
  redis.call('HSET', CLIENT, lane, number .. ' ')
  redis.call('HDEL', CLIENT, lane .. '@')
end
return { 'OK' }
