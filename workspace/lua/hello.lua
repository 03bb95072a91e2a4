-- Introduces a client that is about to send requests (see refused() in prelude.lua).
-- KEYS 1-4.
-- ARGV 1 incarnation, 2 client, 3 epoch: a number that is higher each time, 4 host, 5 pid, 6 program
-- Returns OK and clients that have been silent for long (see bye.lua), STALE (a later one has come before), BURIED, or GONE.
local client = ARGV[2]
if gone() then return { 'GONE' } end
ease()
local w = waiting()
if not w.sign_of_life(client) then return { 'BURIED' } end
local epoch = tonumber(redis.call('HGET', CLIENT, 'epoch') or 0)
if epoch > tonumber(ARGV[3]) then return { 'STALE' } end
if epoch < tonumber(ARGV[3]) then
  redis.call('DEL', CLIENT)
  redis.call('HSET', CLIENT, 'epoch', ARGV[3], 'host', ARGV[4], 'pid', ARGV[5], 'program', ARGV[6])
end
return { 'OK', table.concat(w.silent(), ' ') }
