-- KEYS: calls, board, sketch, what it is noted under, fence. ARGV: now, slack, user, the name of the place. One admitted call.
time_now(ARGV[1])
local refusal = fenced(KEYS[5])
if refusal then
  return refusal
end
local total = redis.pcall('HINCRBY', KEYS[1], ARGV[3], '1')
counted(KEYS[1], KEYS[2], KEYS[3], checked_board(redis.pcall('GET', KEYS[2])), ARGV[3], total)
note_pending(KEYS[4], ARGV[4], { '\1' .. ARGV[3] })
return 1
