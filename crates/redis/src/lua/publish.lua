-- KEYS: entry, lease. ARGV: now, slack, ticket's time, ticket's nonce or '', lease lifetime, entry lifetime, version,
-- sessions. Answers 1 if the set was written, else 0.
local now, slack, handed_out, nonce = time_now(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local version, sessions = ARGV[7], ARGV[8]
local stamp, refused = read_stamp()
if refused then
  return refused
end
local entry, spoilt = read_entry(KEYS[1], stamp, now)
local wanted
if entry then
  wanted = is_later(version, entry)
else
  wanted = nonce ~= '' and live_lease(KEYS[2], stamp, now, tonumber(ARGV[5])) == nonce
end
-- Whatever comes of it, no lease is out afterwards: a slower reader must not fill with what it read before.
redis.call('DEL', KEYS[2])
local base = math.min(handed_out, now)
local ends = base + tonumber(ARGV[6])
if wanted and ends > now then
  redis.call('SET', KEYS[1], pack_entry(stamp, version, base, ends, sessions), 'PX', ttl_of(ends - now, slack))
  return 1
end
-- An entry that is known to be out of date goes, also where its successor came too late to be written.
if spoilt or (entry and wanted) then
  redis.call('DEL', KEYS[1])
end
return 0
