-- uses common
-- Before a user's hash is rebuilt from the database: nobody counts on the old one any more.
-- KEYS 1 user  2 trust  3 cleaned
-- ARGV 1 now
-- Returns {trust, generation, cleaned}; {} where somebody else has rebuilt it just now; {''} without trust
local trust = redis.call('GET', KEYS[2])
if not trust then return {''} end
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 'g')
if trusted(hash[1], hash[2], KEYS[2], ARGV[1]) then return {} end
if hash[1] or not hash[3] then
  -- Where the hash is gone its generation goes on from the clock: an earlier one must never come again.
  if not hash[3] then redis.call('HSET', KEYS[1], 'g', ARGV[1]) end
  outdate(KEYS[1])
  redis.call('EXPIRE', KEYS[1], 86400)  -- the install sets another; without one nothing is left behind
end
return {trust, redis.call('HGET', KEYS[1], 'g'), redis.call('GET', KEYS[3]) or '0'}
