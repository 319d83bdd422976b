-- Whether the shard still is what it was at the last flush; if not, every hash of it is to be rebuilt.
-- The entry that was applied last stays in the journal: where it is gone, Redis was emptied or has gone back in
-- time (an old snapshot, a replica that lagged behind).
-- KEYS 1 trust  2 journal
-- ARGV 1 id of the last applied entry, '0-0' before any  2 '1': usage was counted elsewhere  3 a new trust
-- Returns 1 when the shard was not trusted
local lost = ARGV[1] ~= '0-0' and #redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1]) == 0
if not lost and ARGV[2] == '0' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
if lost then
  -- Entries to come must get higher ids than the one applied last, even if this server's clock is behind. Where
  -- the journal is past it already this is refused, and not needed.
  local ms, seq = ARGV[1]:match('(%d+)-(%d+)')
  redis.pcall('XADD', KEYS[2], ms .. '-' .. string.format('%.0f', seq + 1), 'v', '')
end
return 1
