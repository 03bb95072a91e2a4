-- Introduces a client that is about to send requests (see refused() in prelude.lua).
-- KEYS 1-4.
-- ARGV 1 incarnation, 2 client, 3 epoch: a new name for the time from now on, 4 host, 5 pid, 6 program
-- Returns OK and clients that have been silent for long (see bye.lua), BURIED, or GONE.
local client = ARGV[2]
if gone() then return { 'GONE' } end
ease()
local w = waiting()
if not w.sign_of_life(client) then return { 'BURIED' } end
redis.call('DEL', CLIENT)
redis.call('HSET', CLIENT, 'epoch', ARGV[3], 'host', ARGV[4], 'pid', ARGV[5], 'program', ARGV[6])
return { 'OK', table.concat(w.silent(), ' ') }
