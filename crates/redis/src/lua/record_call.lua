-- KEYS: calls, board, sketch. ARGV: user. One admitted call.
local total = redis.pcall('HINCRBY', KEYS[1], ARGV[1], '1')
counted(KEYS[1], KEYS[2], KEYS[3], checked_board(redis.pcall('GET', KEYS[2])), ARGV[1], total)
return 1
