-- Count without a hold, within the limit.
-- KEYS 1 user  2 trust  3 journal
-- ARGV 1 now  2 metric  3 amount  4 the field of its limit  5 the lines of its entry
-- Returns {status, used, limit (-1 = none), period start, period end}
--   status 1 counted, 0 refused, -1 hash not trusted, -2 refused while overdue holds wait to be given back
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', 'e', ARGV[2], ARGV[4])
if not hash[1] or hash[1] ~= redis.call('GET', KEYS[2]) or tonumber(ARGV[1]) >= tonumber(hash[2]) then return {-1} end
local used, limit = hash[5] + ARGV[3], tonumber(hash[6]) or -1
if limit >= 0 and used > limit then
  local open = KEYS[1]:gsub(':u:', ':o:', 1)
  return {redis.call('ZCOUNT', open, '-inf', ARGV[1]) > 0 and -2 or 0, used - ARGV[3], limit, hash[3], hash[4]}
end
redis.call('HSET', KEYS[1], ARGV[2], used, 'n', ARGV[1])
redis.call('XADD', KEYS[3], '*', 'c', ARGV[5], 's', hash[3])
return {1, used, limit, hash[3], hash[4]}
