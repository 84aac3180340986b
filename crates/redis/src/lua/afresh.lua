-- Runs a command on a key. What is of another type, or a sketch that is corrupt, is damaged, and as good as absent: the ledger of calls raises the
-- counts again.
local function afresh(key, ...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    if not string.find(answer.err, '^WRONGTYPE') and not string.find(answer.err, '^INVALIDOBJ') then
      error(answer)
    end
    -- In a slot that is moving, a key that was deleted is out of reach: then this call fails, and the next one finds it absent.
    redis.call('DEL', key)
    return redis.call(...)
  end
  return answer
end
