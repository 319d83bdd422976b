-- Install a hash rebuilt from the database, unless something happened since `begin` that the reading missed.
-- KEYS 1 user  2 trust  3 journal  4 open holds  5 due  6 cleaned
-- ARGV 1 trust  2 generation  3 cleaned  4 valid until  5 period start  6 period end  7 videos  8 seconds
--   9 video limit ('' = none)  10 seconds limit  11 last change  12 seconds until the hash is forgotten
--   13 user id  14 '1': the period's record has to be made or changed  15 prefix of hold keys
--   16 prefix of client keys  17 seconds to remember an outcome
--   18.. holds as the database knows them, 8 values each: id, period start, period end, metric, amount, state,
--     expiry, client key. What is settled there is settled; what is held there may be further on here.
-- Returns 1 installed, 0 begin again
local hash = redis.call('HMGET', KEYS[1], 't', 'g')
if hash[1] or hash[2] ~= ARGV[2] or redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if #ARGV > 17 and (redis.call('GET', KEYS[6]) or '0') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 't', ARGV[1], 'x', ARGV[4], 's', ARGV[5], 'e', ARGV[6], 'v', ARGV[7], 'a', ARGV[8],
  'V', ARGV[9], 'A', ARGV[10], 'n', ARGV[11])
redis.call('EXPIRE', KEYS[1], ARGV[12])
if ARGV[14] == '1' then
  redis.call('XADD', KEYS[3], '*', 'o', table.concat({ARGV[13], ARGV[6], ARGV[9], ARGV[10]}, '\n'), 's', ARGV[5])
end
for i = 18, #ARGV, 8 do
  local id, metric, state, key = ARGV[i], ARGV[i + 3], ARGV[i + 5], ARGV[i + 7]
  local hold_key = ARGV[15] .. id
  if state ~= 'held' or redis.call('EXISTS', hold_key) == 0 then
    if key == '' and state ~= 'held' then  -- given up in the rows; here it would be kept for good
      local given_up = (redis.call('HGET', hold_key, 'b') or ''):match('^.-\n.-\n.-\n.-\n.-\n.-\n(.+)$')
      local client_key = given_up and ARGV[16] .. metric .. ':' .. ARGV[13] .. '\n' .. given_up
      if client_key and redis.call('GET', client_key) == id then redis.call('DEL', client_key) end
    end
    local lines = table.concat({ARGV[13], metric, ARGV[11], ARGV[i + 4], id, ARGV[i + 6], key}, '\n')
    redis.call('HSET', hold_key, 'b', lines, 's', ARGV[i + 1], 'e', ARGV[i + 2], 'z', state)
    if state == 'held' then
      redis.call('ZADD', KEYS[4], ARGV[i + 6], id)
      redis.call('ZADD', KEYS[5], 'LT', ARGV[i + 6], ARGV[13])
    else
      redis.call('ZREM', KEYS[4], id)
      redis.call('EXPIRE', hold_key, ARGV[17])
    end
    if key ~= '' then
      local client_key = ARGV[16] .. metric .. ':' .. ARGV[13] .. '\n' .. key
      redis.call('SET', client_key, id)
      if state ~= 'held' then redis.call('EXPIRE', client_key, ARGV[17]) end
    end
  end
end
return 1
