-- uses common: commit, release or expire a hold. The user's keys are named by the hold itself; they share its shard.
-- KEYS 1 hold  2 journal
-- ARGV 1 now  2 state to reach  3 final amount ('' = as reserved)  4 hold id  5 prefix of user keys
--   6 prefix of open holds  7 prefix of client keys  8 seconds to remember the outcome  9 '1': expire it before it is
--   overdue, since nobody was told of it, unless it was asked for again
-- Returns 1 done, 0 nothing to do, -1 unknown hold, -2 it was committed, -3 it was released
local hold = redis.call('HMGET', KEYS[1], 'b', 's', 'z', 'r')
local start, state, target = hold[2], hold[3], ARGV[2]
if not hold[1] then return -1 end
local user, metric, _, amount, _, expiry, key = hold[1]:match(LINES)
if target == 'expired' then
  local stays = hold[4]
  if ARGV[9] == '0' then stays = tonumber(expiry) > tonumber(ARGV[1]) end
  if state ~= 'held' or stays then return 0 end
end
if state == 'committed' then return target == 'committed' and 0 or -2 end
if state == 'released' then return target == 'released' and 0 or -3 end
if state == 'expired' and target == 'released' then return 0 end

local final = target == 'committed' and (ARGV[3] ~= '' and ARGV[3] or amount) or '0'
local difference = state == 'held' and final - amount or tonumber(final)

local user_key = ARGV[5] .. user
local hash = redis.call('HMGET', user_key, 't', 's', metric, 'g')
if hash[2] == start and difference ~= 0 then
  redis.call('HSET', user_key, metric, math.max(hash[3] + difference, 0), 'n', ARGV[1])
end
if hash[4] and not hash[1] then redis.call('HINCRBY', user_key, 'g', 1) end

redis.call('HSET', KEYS[1], 'z', target, 'f', final)
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('ZREM', ARGV[6] .. user, ARGV[4])
if key ~= '' then
  local client_key = ARGV[7] .. metric .. ':' .. user .. '\n' .. key
  if target == 'committed' and state == 'held' then redis.call('EXPIRE', client_key, ARGV[8])
  elseif redis.call('GET', client_key) == ARGV[4] then redis.call('DEL', client_key) end
end
redis.call('XADD', KEYS[2], '*', 'z', user .. '\n' .. metric .. '\n' .. ARGV[1] .. '\n'
  .. string.format('%d', difference) .. '\n' .. ARGV[4] .. '\n' .. target .. '\n' .. final, 's', start)
return 1
