-- uses common
-- Keep the shard's list of users with overdue holds true after some were given back.
-- KEYS 1 open holds of the user  2 due  3 user
-- ARGV 1 user id  2.. holds that are open and yet unknown (evicted): the rows tell what they are
if #ARGV > 1 then
  redis.call('ZREM', KEYS[1], unpack(ARGV, 2))
  if redis.call('EXISTS', KEYS[3]) == 1 then outdate(KEYS[3]) end
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', KEYS[2], first[2], ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
