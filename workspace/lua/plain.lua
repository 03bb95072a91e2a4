-- One plain command, so that it travels with the scripts and is tried again as they are.
-- KEYS 1 its key
-- ARGV 1 command, 2… what follows the key
-- Returns what the command does.
return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2, #ARGV))
