-- uses common: after a count, a correction or a taking back whose answer was lost.
-- KEYS 1 user  2 journal
-- ARGV 1 metric  2 the field of its limit  3 name of the call
-- Returns {status, used, limit, period start, period end}: 1 carried out, 0 not, -3 nobody can tell
local done = carried_out(KEYS[2], ARGV[3])
local hash = redis.call('HMGET', KEYS[1], 's', 'e', ARGV[1], ARGV[2])
if done == 1 and not hash[3] then done = -3 end
return {done, tonumber(hash[3]) or 0, tonumber(hash[4]) or -1, hash[1] or '0', hash[2] or '0'}
