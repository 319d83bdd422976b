-- After a reserve whose answer was lost.
-- KEYS 1 user  2 hold
-- ARGV 1 metric  2 the field of its limit
-- Returns {1, used, limit, period start, period end} where it was carried out, else {0}
local hold = redis.call('HMGET', KEYS[2], 'b', 's', 'e')
if not hold[1] then return {0} end
local hash = redis.call('HMGET', KEYS[1], ARGV[1], ARGV[2])
return {1, tonumber(hash[1]) or tonumber((hold[1]:match('^.-\n.-\n.-\n(.-)\n'))), tonumber(hash[2]) or -1, hold[2], hold[3]}
