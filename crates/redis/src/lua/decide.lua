-- KEYS: record. ARGV: now, slack, policy. Answers now 7 bytes, then what `describe` says.
local now, slack, policy = time_now(ARGV[1]), tonumber(ARGV[2]), read_policy(ARGV[3], 1)
local _, states, record = decide(read_record(KEYS[1]), policy, now, true)
if record then
  write_record(KEYS[1], record, now, slack)
end
return pack('>I7', now) .. states
