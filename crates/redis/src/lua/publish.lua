-- KEYS: record, lease. ARGV: now, slack, ticket's time, ticket's nonce or '', lease lifetime, lifetime of a set, version,
-- sessions. Answers 1 if the set was written, else 0.
local now, slack, handed_out, nonce = time_now(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local version, sessions = ARGV[7], ARGV[8]
local stamp, refused = read_stamp()
if refused then
  return refused
end
local record = read_record(KEYS[1])
local lives, there = set_lives(record, stamp, now)
local wanted
if lives then
  wanted = is_later(version, record)
else
  wanted = nonce ~= '' and live_lease(KEYS[2], stamp, now, tonumber(ARGV[5])) == nonce
end
-- Whatever comes of it, no lease is out afterwards: a slower reader must not fill with what it read before.
redis.call('DEL', KEYS[2])
local base = math.min(handed_out, now)
local ends = base + tonumber(ARGV[6])
if wanted and ends > now then
  write_record(KEYS[1], with_set(record, pack_set(stamp, version, base, ends, sessions)), now, slack)
  return 1
end
-- A set that is known to be out of date goes, also where its successor came too late to be written.
if there and (wanted or not lives) then
  write_record(KEYS[1], with_set(record, '\0\0'), now, slack)
end
return 0
