-- Put before the scripts that use it, which say so in their first line. All keys of one call belong to one shard,
-- and so to one slot of a cluster.
--
-- The user's hash: t trust  x valid until  s, e period start and end  v videos  a seconds of audio
--   V, A their limits ('' = none)  n last change  g generation
-- A hash counts while its t equals the shard's trust; g rises with everything that a reading of the database
-- under way could have missed. Times are microseconds since 1970, given by the caller: its clock rolls periods.
-- The journal: an entry has the period's start in s, and one more field whose value is a list of lines
--   c count: user, metric (v, a), now, difference, name of the call
--   h hold: user, metric, now, amount, id, expiry, client key
--   z settlement: user, metric, now, difference, id, state, final amount
--   o opening of a record: user, period end, video limit, seconds limit
-- A hold: b the same lines as its entry  s, e its period  z state  f final amount  r '1' once it was asked for again by
--   its client key, so that somebody knows of it whatever became of the first answer

local LINES = '^(.-)\n(.-)\n(.-)\n(.-)\n(.-)\n(.-)\n(.*)$'

local function trusted(hash_trust, valid_until, trust_key, now)
  return hash_trust and hash_trust == redis.call('GET', trust_key) and tonumber(now) < tonumber(valid_until)
end

-- A reading of the database that is under way has not seen what is about to be written.
local function outdate(user_key)
  redis.call('HDEL', user_key, 't')
  redis.call('HINCRBY', user_key, 'g', 1)
end

-- Whether a call that is repeated because its answer was lost was carried out: 1, 0, or -3 where nobody can tell.
local function carried_out(journal_key, name)
  for _, entry in ipairs(redis.call('XREVRANGE', journal_key, '+', '-', 'COUNT', 10000)) do
    if entry[2][1] == 'c' and entry[2][2]:sub(-#name - 1) == '\n' .. name then return 1 end
  end
  -- A flush may have moved it meanwhile, unless the journal still reaches further back than the first attempt.
  local first = redis.call('XRANGE', journal_key, '-', '+', 'COUNT', 1)[1]
  if first and redis.call('TIME')[1] * 1000 - first[1]:match('%d+') < 10000 then return -3 end
  return 0
end
