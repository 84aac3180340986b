-- Buckets that refill evenly, one a window (the generic cell rate algorithm, ITU-T I.371): `ahead` is how far a window's theoretical
-- arrival time was ahead of the last charge, in microseconds. A log of buckets has the time of that charge as its newest unit;
-- then, in the room of further units, the doubles. All is computed in the order in which other engines compute it.
local TOLERANCE = 1 / 64

local function level_of(ahead, period, passed)
  return max(0, math.min(ahead or 0, period) - passed)
end

-- For each window: the units held 4, the time until one more has refilled 7, and the wait for `cost` more 7 (0: the call is
-- charged already).
local function describe_buckets(policy, levels, cost)
  local states = {}
  for at = 1, #policy, 2 do
    local quota, period, level = policy[at], policy[at + 1], levels[at]
    local unit = period / quota
    local remaining = max(0, floor((period + TOLERANCE - level) / unit))
    local reset = level > 0 and max(1, ceil(level - (period - (remaining + 1) * unit))) or 0
    local over = level + cost * period / quota - period
    local wait = cost > 0 and over > TOLERANCE and max(1, ceil(over)) or 0
    states[#states + 1] = pack('>I4I7I7', max(0, quota - remaining), reset, wait)
  end
  return table.concat(states)
end

local function decide_by_buckets(record, policy, now, charges)
  local log_from, log_to, head, units = seek_log(record, policy.tag)
  local charged_at, levels, raw = now, {}, ''
  if head then
    charged_at = unit_at(record, head + LOG_HEAD, 0)
    raw = sub(record, head + LOG_HEAD + UNIT, log_to - 1)
  end
  local stepped_back = charged_at > now
  local passed = stepped_back and 0 or now - charged_at
  local cost, admitted = policy.cost, true
  for at = 1, #policy, 2 do
    local double_at = (at - 1) * 4 + 1
    local ahead = double_at + 7 <= #raw and unpack_at('>d', raw, double_at) or 0
    levels[at] = level_of(ahead, policy[at + 1], passed)
    admitted = admitted and levels[at] + cost * policy[at + 1] / policy[at] - policy[at + 1] <= TOLERANCE
  end
  local states
  if admitted and charges then
    local doubles = {}
    for at = 1, #policy, 2 do
      local ahead = levels[at] + cost * policy[at + 1] / policy[at]
      doubles[#doubles + 1] = pack('>d', ahead)
      levels[at] = level_of(ahead, policy[at + 1], 0)
    end
    raw = table.concat(doubles)
    raw = raw .. rep('\0', -#raw % UNIT)
    states = describe_buckets(policy, levels, 0)
  else
    states = describe_buckets(policy, levels, cost)
    if not stepped_back then
      return admitted, states, nil
    end
  end
  local head_now = pack('>I2I6I2I7', 1 + #raw / UNIT, policy.longest, 0, now)
  return admitted, states, with_log(record, log_from, log_to, policy.tag .. head_now .. raw, now)
end
