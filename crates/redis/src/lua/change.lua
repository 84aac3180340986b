-- KEYS: record, lease. ARGV: now, slack, nonce, lease lifetime. Answers now.
local now, slack, nonce, lasts = time_now(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local stamp, refused = read_stamp()
if refused then
  return refused
end
local record = read_record(KEYS[1])
-- An engine that is full lets a script write on that has written already, and takes this. (A deletion would do as well, but in a slot
-- that is moving a key that was deleted is out of the script's reach.)
redis.call('PERSIST', KEYS[1])
write_record(KEYS[1], with_set(record, '\0\0'), now, slack)
write_lease(KEYS[2], stamp, nonce, now, lasts, slack)
return now
