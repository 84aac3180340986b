-- KEYS: board, sketch. ARGV: member. One admitted call.
afresh(KEYS[1], 'ZINCRBY', KEYS[1], 1, ARGV[1])
afresh(KEYS[2], 'PFADD', KEYS[2], ARGV[1])
return 1
