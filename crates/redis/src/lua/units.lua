-- The exact limit: the times of a user's admitted units under a policy, and the rule that judges them. `text` holds the units
-- from `from` on. The head of a log says what was ever asked of it: what bounds what it keeps.

-- How many of the newest units are later than this time: a binary search.
local function later_than(text, from, units, time)
  local low, high = 0, units
  while low < high do
    local middle = math.floor((low + high) / 2)
    if unit_at(text, from, middle) > time then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- How long until a window admits `cost` units: until the unit leaves that is one too many.
local function wait_for(text, from, units, quota, period, cost, now)
  local spare = quota - cost
  if spare < 0 then
    return period
  end
  if spare >= units then
    return 0
  end
  return math.max(0, period - (now - unit_at(text, from, spare)))
end

-- For each window: the units held 4, the time until the oldest of them leaves 7, and the wait for `cost` more 7 (0: the call
-- is charged already).
local function describe(text, from, units, policy, cost, now)
  local states = {}
  for at = 1, #policy, 2 do
    local quota, period = policy[at], policy[at + 1]
    local held = later_than(text, from, units, now - period)
    local reset = held == 0 and 0 or period - (now - unit_at(text, from, held - 1))
    local wait = cost == 0 and 0 or wait_for(text, from, units, quota, period, cost, now)
    states[#states + 1] = pack('>I4I7I7', held, reset, wait)
  end
  return table.concat(states)
end

-- The log of a policy as it stands now: the text that holds its units, where they begin, how many, the longest period, the
-- largest quota, and where the log begins and ends in the record. Where the clock stepped back, a unit from the future becomes
-- one of now; the last answer says so.
local function find_log(record, policy, now)
  local at, next_at, head, units, longest = seek_log(record, policy.tag)
  if not head then
    return '', 1, 0, 0, 0, at, at, false
  end
  local from, largest = head + LOG_HEAD, unpack_at('>I2', record, head + 8)
  local future = units > 0 and unit_at(record, from, 0) > now and later_than(record, from, units, now) or 0
  if future == 0 then
    return record, from, units, longest, largest, at, next_at, false
  end
  local clamped = rep(pack('>I7', now), future) .. sub(record, from + future * UNIT, next_at - 1)
  return clamped, 1, units, longest, largest, at, next_at, true
end

local function decide_by_units(record, policy, now, charges)
  local text, from, units, longest, largest, log_from, log_to, stepped_back = find_log(record, policy, now)
  local cost, admitted = policy.cost, true
  for at = 1, #policy, 2 do
    admitted = admitted and wait_for(text, from, units, policy[at], policy[at + 1], cost, now) == 0
  end
  local kept, states
  if admitted and charges then
    longest, largest = math.max(longest, policy.longest), math.max(largest, policy.largest)
    -- The call's own units are the newest; of the others, as many as still matter to any policy that was ever asked for.
    local others = math.min(later_than(text, from, units, now - longest), largest - cost)
    kept, units = rep(pack('>I7', now), cost) .. sub(text, from, from + others * UNIT - 1), others + cost
    states = describe(kept, 1, units, policy, 0, now)
  else
    states = describe(text, from, units, policy, cost, now)
    if not stepped_back then
      return admitted, states, nil
    end
    kept = text
  end
  local log = policy.tag .. pack('>I2I6I2', units, longest, largest) .. kept
  return admitted, states, with_log(record, log_from, log_to, log, now)
end
