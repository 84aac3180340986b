-- KEYS: record, lease. ARGV: now, slack, nonce, lease lifetime.
-- Answers {now, 2, set without its stamp}, or {now, 1} for a miss with the lease, or {now, 0} for one without.
local now, slack, nonce, lasts = time_now(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local stamp, refused = read_stamp()
if refused then
  return refused
end
local record = read_record(KEYS[1])
local lives, there = set_lives(record, stamp, now)
if lives then
  return { now, 2, sub(record, SET_FROM + 8, logs_from(record) - 1) }
end
-- What is damaged goes, too; what says only limits stays as it is.
if there or record == NO_RECORD then
  write_record(KEYS[1], with_set(record, '\0\0'), now, slack)
end
local held = live_lease(KEYS[2], stamp, now, lasts)
if not held then
  write_lease(KEYS[2], stamp, nonce, now, lasts, slack)
end
return { now, held and 0 or 1 }
