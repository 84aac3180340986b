-- KEYS: record. ARGV: now, slack, policy. Answers what `decide` would say of a call that it has not charged yet.
local now = time_now(ARGV[1])
local _, states = decide(read_record(KEYS[1]), read_policy(ARGV[3], 1), now, false)
return pack('>I7', now) .. states
