-- KEYS: board, sketch. ARGV: member. One admitted call.
redis.call('ZINCRBY', KEYS[1], 1, ARGV[1])
redis.call('PFADD', KEYS[2], ARGV[1])
return 1
