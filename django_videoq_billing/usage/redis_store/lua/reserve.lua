-- Count and hold.
-- KEYS 1 user  2 trust  3 journal  4 open holds  5 due  6 hold  [7 client key]
-- ARGV 1 now  2 metric  3 amount  4 the field of its limit  5 user id  6 hold id  7 expiry  8 the lines of its entry
--   [9 prefix of hold keys]
-- Returns {status, used, limit (-1 = none), period start, period end}, and for 2 {.., hold id, amount, state}
--   status 1 held, 2 known by its key, 0 refused, -1 hash not trusted, -2 overdue holds must go first
--   used is -1 where the known hold is of another period
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', 'e', ARGV[2], ARGV[4])
if not hash[1] or hash[1] ~= redis.call('GET', KEYS[2]) or tonumber(ARGV[1]) >= tonumber(hash[2]) then return {-1} end
local used, limit = hash[5] + ARGV[3], tonumber(hash[6]) or -1

local known = KEYS[7] and redis.call('GET', KEYS[7])
if known then
  local hold = redis.call('HMGET', ARGV[9] .. known, 'b', 's', 'e', 'z')
  if hold[4] == 'held' or hold[4] == 'committed' then  -- the rows may have given it back, and so its key
    local amount, expiry = hold[1]:match('^.-\n.-\n.-\n(.-)\n.-\n(.-)\n')
    if hold[4] == 'held' then
      if tonumber(expiry) <= tonumber(ARGV[1]) then return {-2} end
      redis.call('HSET', ARGV[9] .. known, 'r', '1')
    end
    return {2, hold[2] == hash[3] and tonumber(hash[5]) or -1, limit, hold[2], hold[3], known, amount, hold[4]}
  end
end
if limit >= 0 and used > limit then
  return {redis.call('ZCOUNT', KEYS[4], '-inf', ARGV[1]) > 0 and -2 or 0, used - ARGV[3], limit, hash[3], hash[4]}
end
redis.call('HSET', KEYS[1], ARGV[2], used, 'n', ARGV[1])
redis.call('HSET', KEYS[6], 'b', ARGV[8], 's', hash[3], 'e', hash[4], 'z', 'held')
redis.call('ZADD', KEYS[4], ARGV[7], ARGV[6])
redis.call('ZADD', KEYS[5], 'LT', ARGV[7], ARGV[5])
if KEYS[7] then redis.call('SET', KEYS[7], ARGV[6]) end
redis.call('XADD', KEYS[3], '*', 'h', ARGV[8], 's', hash[3])
return {1, used, limit, hash[3], hash[4]}
