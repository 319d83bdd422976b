-- uses common
-- KEYS 1 user  2 trust  3 open holds
-- ARGV 1 now  2 period start  3 metric  4 prefix of hold keys
-- Returns what is counted in that period without the open holds, or nil where that cannot be told
local hash = redis.call('HMGET', KEYS[1], 't', 'x', 's', ARGV[3])
if not trusted(hash[1], hash[2], KEYS[2], ARGV[1]) or hash[3] ~= ARGV[2] then return nil end
local used = tonumber(hash[4])
for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local hold = redis.call('HMGET', ARGV[4] .. id, 'b', 's')
  if not hold[1] then return nil end  -- evicted
  local _, metric, _, amount = hold[1]:match(LINES)
  if metric == ARGV[3] and hold[2] == ARGV[2] then used = used - amount end
end
return math.max(used, 0)
