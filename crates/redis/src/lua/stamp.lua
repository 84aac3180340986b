-- The mark of the engine's run: it changes with a restart as primary and with a promotion, so that what an engine
-- remembers from before it lost writes can be told apart. 64 of the 160 random bits are kept.
local function read_stamp()
  local info = redis.call('INFO', 'replication')
  -- A demoted primary answers from a past that the new one may have left.
  if not string.find(info, 'role:master', 1, true) then
    return nil, redis.error_reply('READONLY this engine is a replica now')
  end
  return string.match(info, 'master_replid:(' .. string.rep('%x', 16) .. ')')
end
