-- KEYS: record. ARGV: now, slack. Forgets the cached set.
local now, slack = time_now(ARGV[1]), tonumber(ARGV[2])
local record = read_record(KEYS[1])
-- As in a change: a full engine must take what forgets.
redis.call('PERSIST', KEYS[1])
write_record(KEYS[1], with_set(record, '\0\0'), now, slack)
return 1
