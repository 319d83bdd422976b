-- Count without a hold.
-- KEYS 1 user  2 trust  3 journal  4 open holds
-- ARGV 1 now  2 metric  3 amount (negative: take back)  4 '1' within the limit, '0' whatever it says  5 user id
--   6 a name for this call  7 '1' when it is repeated because its answer was lost
-- Returns {status, used, limit (-1 = none), period start, period end}
--   status 1 counted, 0 refused, -1 hash not trusted, -2 refused while overdue holds wait to be given back,
--   -3 nobody can tell whether the lost call counted
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', 'e', ARGV[2], LIMIT[ARGV[2]])
if ARGV[7] == '1' then  -- before anything else: what was counted must not be counted twice
  local done = carried_out(KEYS[3], ARGV[6])
  if done == -3 or done == 1 and not hash[5] then return {-3} end
  if done == 1 then return {1, tonumber(hash[5]), tonumber(hash[6]) or -1, hash[3], hash[4]} end
end
if not trusted(hash[1], hash[2], KEYS[2], ARGV[1]) then return {-1} end
local used, limit, amount = tonumber(hash[5]), tonumber(hash[6]) or -1, tonumber(ARGV[3])
if ARGV[4] == '1' and limit >= 0 and used + amount > limit then
  return {overdue(KEYS[4], ARGV[1]) and -2 or 0, used, limit, hash[3], hash[4]}
end
if used + amount < 0 then amount = -used end
redis.call('HSET', KEYS[1], ARGV[2], used + amount, 'n', ARGV[1])
redis.call('XADD', KEYS[3], '*', 'k', 'c', 'u', ARGV[5], 's', hash[3], 'm', ARGV[2], 'n', ARGV[1], 'd', amount,
  'i', ARGV[6])
return {1, used + amount, limit, hash[3], hash[4]}
