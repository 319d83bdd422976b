-- Take back what was counted without a hold, in the period in which it was counted.
-- KEYS 1 user  2 journal
-- ARGV 1 now  2 metric  3 amount  4 user id  5 period start
--   6 a name for this call  7 '1' when it is repeated because its answer was lost
-- Returns 1 taken back, -3 nobody can tell whether the lost call took it back
if ARGV[7] == '1' then
  local done = carried_out(KEYS[2], ARGV[6])
  if done ~= 0 then return done end
end
local hash = redis.call('HMGET', KEYS[1], 't', 's', ARGV[2], 'g')
if hash[2] == ARGV[5] then
  redis.call('HSET', KEYS[1], ARGV[2], math.max(tonumber(hash[3]) - tonumber(ARGV[3]), 0), 'n', ARGV[1])
end
if hash[4] and not hash[1] then redis.call('HINCRBY', KEYS[1], 'g', 1) end
redis.call('XADD', KEYS[2], '*', 'k', 'c', 'u', ARGV[4], 's', ARGV[5], 'm', ARGV[2], 'n', ARGV[1], 'd',
  -tonumber(ARGV[3]), 'i', ARGV[6])
return 1
