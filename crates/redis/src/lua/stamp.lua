-- The mark of the engine's run: it changes with a restart as primary and with a promotion, so that what an engine
-- remembers from before it lost writes can be told apart. 64 of the 160 random bits are kept, as 8 bytes.
local function read_stamp()
  local info = redis.call('INFO', 'replication')
  -- A demoted primary answers from a past that the new one may have left.
  if not string.find(info, 'role:master', 1, true) then
    return nil, redis.error_reply('READONLY this engine is a replica now')
  end
  local high, low = string.match(info, 'master_replid:(%x%x%x%x%x%x%x%x)(%x%x%x%x%x%x%x%x)')
  return struct.pack('>I4I4', tonumber(high, 16), tonumber(low, 16))
end
