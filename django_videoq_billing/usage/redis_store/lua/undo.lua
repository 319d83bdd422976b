-- Take back what was counted without a hold, in the period in which it was counted.
-- KEYS 1 user  2 journal
-- ARGV 1 now  2 metric  3 amount  4 period start  5 the lines of its entry
local hash = redis.call('HMGET', KEYS[1], 't', 's', ARGV[2], 'g')
if hash[2] == ARGV[4] then
  redis.call('HSET', KEYS[1], ARGV[2], math.max(hash[3] - ARGV[3], 0), 'n', ARGV[1])
end
if hash[4] and not hash[1] then redis.call('HINCRBY', KEYS[1], 'g', 1) end
redis.call('XADD', KEYS[2], '*', 'c', ARGV[5], 's', ARGV[4])
