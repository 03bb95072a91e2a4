-- The common case of cancel.lua, which comes after: one who found has left, or one who has the claim that a message brought.
-- All else falls through.
if ARGV[2] == '' and ARGV[4] ~= '' then
  local workspace = redis.call('HMGET', KEYS[1], 'incarnation', 'watched')
  local known = redis.call('HGET', KEYS[2], ARGV[3])
  if workspace[1] == ARGV[1] and not workspace[2] and known and string.match(known, '^%l+ (%d+)') == ARGV[5] then
    local kept = redis.call('HGET', KEYS[7], ARGV[4])
    local kind = kept and string.sub(kept, 1, 1)
    if kind == '=' or kind == '!' and ARGV[6] == '1' then
      redis.call('ZREM', KEYS[6], ARGV[4])
      redis.call('HDEL', KEYS[7], ARGV[4])
      if kind == '=' and redis.call('HINCRBY', KEYS[7], kept .. '#', -1) == 0 then
        redis.call('HDEL', KEYS[7], kept, kept .. '#')
      end
      return { 'NOT' }
    end
  end
end
