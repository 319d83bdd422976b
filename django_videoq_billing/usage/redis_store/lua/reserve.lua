-- Count and hold.
-- KEYS 1 user  2 trust  3 journal  4 open holds  5 due  6 hold  [7 client key]
-- ARGV 1 now  2 metric  3 amount  4 user id  5 hold id  6 expiry  7 prefix of hold keys  8 client key or ''
--   9 '1' when the call is repeated because its answer was lost
-- Returns {status, used, limit (-1 = none), period start, period end}, and for 2 {.., hold id, amount, state}
--   status 1 held, 2 known by its key or id, 0 refused, -1 hash not trusted, -2 overdue holds must go first
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', 'e', ARGV[2], LIMIT[ARGV[2]])
if ARGV[9] == '1' then  -- before anything else: what was held must not be held twice
  local held = redis.call('HMGET', KEYS[6], 's', 'e')
  if held[1] then return {1, tonumber(hash[5]) or tonumber(ARGV[3]), tonumber(hash[6]) or -1, held[1], held[2]} end
end
if not trusted(hash[1], hash[2], KEYS[2], ARGV[1]) then return {-1} end
local used, limit, amount = tonumber(hash[5]), tonumber(hash[6]) or -1, tonumber(ARGV[3])

local known = KEYS[7] and redis.call('GET', KEYS[7])
if known then
  local hold = redis.call('HMGET', ARGV[7] .. known, 's', 'd', 'z', 'x', 'e')
  if hold[3] == 'held' or hold[3] == 'committed' then  -- the rows may have given it back, and so its key
    if hold[3] == 'held' and tonumber(hold[4]) <= tonumber(ARGV[1]) then return {-2} end
    return {2, used, limit, hold[1], hold[5], known, hold[2], hold[3]}
  end
end
if limit >= 0 and used + amount > limit then
  return {overdue(KEYS[4], ARGV[1]) and -2 or 0, used, limit, hash[3], hash[4]}
end
redis.call('HSET', KEYS[1], ARGV[2], used + amount, 'n', ARGV[1])
redis.call('HSET', KEYS[6], 'u', ARGV[4], 's', hash[3], 'e', hash[4], 'm', ARGV[2], 'd', amount, 'z', 'held',
  'x', ARGV[6], 'y', ARGV[8])
redis.call('ZADD', KEYS[4], ARGV[6], ARGV[5])
redis.call('ZADD', KEYS[5], 'LT', ARGV[6], ARGV[4])
if KEYS[7] then redis.call('SET', KEYS[7], ARGV[5]) end
redis.call('XADD', KEYS[3], '*', 'k', 'h', 'u', ARGV[4], 's', hash[3], 'm', ARGV[2], 'n', ARGV[1], 'd', amount,
  'h', ARGV[5], 'x', ARGV[6], 'y', ARGV[8])
return {1, used + amount, limit, hash[3], hash[4]}
