-- uses common: count whatever the limit says; a negative amount corrects, not below zero.
-- KEYS 1 user  2 trust  3 journal
-- ARGV 1 now  2 metric  3 amount  4 user id  5 name of the call
-- Returns {status}: 1 counted, -1 hash not trusted
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', ARGV[2])
if not trusted(hash[1], hash[2], KEYS[2], ARGV[1]) then return {-1} end
local difference = math.max(tonumber(ARGV[3]), -tonumber(hash[4]))
redis.call('HSET', KEYS[1], ARGV[2], hash[4] + difference, 'n', ARGV[1])
redis.call('XADD', KEYS[3], '*', 'c',
  table.concat({ARGV[4], ARGV[2], ARGV[1], string.format('%d', difference), ARGV[5]}, '\n'), 's', hash[3])
return {1}
