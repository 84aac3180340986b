-- KEYS: log. ARGV: now, slack, cost, then quota and period of each window. Answers as `describe` does.
local now, slack, cost = time_now(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local windows = numbers_from(4)
local log, clamped = read_log(KEYS[1], now)
local longest, largest = struct.unpack('>I6I2', log)
for at = 1, #windows, 2 do
  if wait_for(log, windows[at], windows[at + 1], cost, now) > 0 then
    if clamped then
      redis.call('SET', KEYS[1], log, 'PX', ttl_of(longest, slack))
    end
    return describe(log, windows, cost, now)
  end
end
for at = 1, #windows, 2 do
  largest = math.max(largest, windows[at])
  longest = math.max(longest, windows[at + 1])
end
-- The call's own units are the newest; of the others, as many as still matter to any policy that was ever asked for.
local kept = math.min(later_than(log, now - longest), largest - cost)
log = struct.pack('>I6I2', longest, largest)
  .. string.rep(struct.pack('>I7', now), cost)
  .. string.sub(log, LOG_HEAD + 1, LOG_HEAD + kept * LOG_UNIT)
redis.call('SET', KEYS[1], log, 'PX', ttl_of(longest, slack))
return describe(log, windows, 0, now)
