-- After a flush is committed: drop what the database has now, but for the last applied entry.
-- KEYS 1 journal  2 cleaned  3.. settled holds
-- ARGV 1 id of the last applied entry
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
if #KEYS > 2 then
  redis.call('INCR', KEYS[2])
  for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
end
