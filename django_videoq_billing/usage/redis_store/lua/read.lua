-- uses common
-- KEYS 1 user  2 trust
-- ARGV 1 now  2 period start
-- Returns {videos, seconds, last change} of that period, or nil where the hash cannot tell
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', 'v', 'a', 'n')
if not trusted(hash[1], hash[2], KEYS[2], ARGV[1]) or hash[3] ~= ARGV[2] then return nil end
return {hash[4], hash[5], hash[6]}
