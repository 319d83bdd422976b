-- Put before every other script. All keys of one call belong to one shard, and so to one slot of a cluster.
--
-- The user's hash: t trust  x valid until  s, e period start and end  v videos  a seconds of audio
--   V, A their limits ('' = none)  n last change  g generation
-- A hash counts while its t equals the shard's trust; g rises with everything that a reading of the database
-- under way could have missed. Times are microseconds since 1970, given by the caller: its clock rolls periods.
-- The journal: k kind  u user  s period start  m metric (v, a)  n now, and by kind
--   c count: d difference  i name of the call       h hold: d amount  h id  x expiry  y client key
--   s settle: d difference  h id  z state  f final o open a record: e period end  V, A limits

local LIMIT = {v = 'V', a = 'A'}

local function trusted(hash_trust, valid_until, trust_key, now)
  return hash_trust and hash_trust == redis.call('GET', trust_key) and tonumber(now) < tonumber(valid_until)
end

local function overdue(open_key, now)
  return redis.call('ZCOUNT', open_key, '-inf', now) > 0
end

-- A reading of the database that is under way has not seen what is about to be written.
local function outdate(user_key)
  redis.call('HDEL', user_key, 't')
  redis.call('HINCRBY', user_key, 'g', 1)
end

-- Whether a call that is repeated because its answer was lost was carried out: 1, 0, or -3 where nobody can tell.
local function carried_out(journal_key, name)
  for _, entry in ipairs(redis.call('XREVRANGE', journal_key, '+', '-', 'COUNT', 10000)) do
    local fields = entry[2]
    if fields[#fields - 1] == 'i' and fields[#fields] == name then return 1 end
  end
  -- A flush may have moved it meanwhile, unless the journal still reaches further back than the first attempt.
  local first = redis.call('XRANGE', journal_key, '-', '+', 'COUNT', 1)[1]
  if first and redis.call('TIME')[1] * 1000 - first[1]:match('%d+') < 10000 then return -3 end
  return 0
end
