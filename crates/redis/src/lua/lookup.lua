-- KEYS: entry, lease. ARGV: now, slack, nonce, lease lifetime.
-- Answers {now, 2, entry without its stamp}, or {now, 1} for a miss with the lease, or {now, 0} for one without.
local now, slack, nonce, lasts = time_now(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local stamp, refused = read_stamp()
if refused then
  return refused
end
local entry, spoilt = read_entry(KEYS[1], stamp, now)
if entry then
  return { now, 2, string.sub(entry, 18) }
end
if spoilt then
  redis.call('DEL', KEYS[1])
end
local held = live_lease(KEYS[2], stamp, now, lasts)
if not held then
  write_lease(KEYS[2], stamp, nonce, now, lasts, slack)
end
-- A look-up whose answer was lost, and which is sent again, finds its own lease.
return { now, (not held or held == nonce) and 1 or 0 }
