-- Keep the shard's list of users with overdue holds true after some were given back.
-- KEYS 1 open holds of the user  2 due
-- ARGV 1 user id
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', KEYS[2], first[2], ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
