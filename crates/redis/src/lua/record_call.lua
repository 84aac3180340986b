-- KEYS: calls, board, sketch, what it is noted under, fence. ARGV: user, the name of the place. One admitted call.
local refusal = fenced(KEYS[5])
if refusal then
  return refusal
end
local total = redis.pcall('HINCRBY', KEYS[1], ARGV[1], '1')
counted(KEYS[1], KEYS[2], KEYS[3], checked_board(redis.pcall('GET', KEYS[2])), ARGV[1], total)
note_pending(KEYS[4], ARGV[2], { '\1' .. ARGV[1] })
return 1
