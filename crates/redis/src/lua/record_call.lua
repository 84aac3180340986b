-- KEYS: calls, board, floor, sketch. ARGV: member. One admitted call.
local calls, board, floor_key, sketch = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
count(calls, board, floor_key, sketch, checked_floor(redis.pcall('GET', floor_key)), ARGV[1])
return 1
