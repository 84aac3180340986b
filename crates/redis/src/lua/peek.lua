-- KEYS: log. ARGV: as for `decide`. Answers what `decide` would say of a call that it has not charged yet.
local now, cost = time_now(ARGV[1]), tonumber(ARGV[3])
return describe(read_log(KEYS[1], now), numbers_from(4), cost, now)
