-- The exact limit: the times of a user's admitted units under a policy, and the rule that judges them. `text` holds the units
-- from `from` on. The head of a log says what was ever asked of it: what bounds what it keeps.

local function unit_at(text, from, index)
  return (unpack_at('>I7', text, from + index * UNIT))
end

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

-- For each window: the units held 2, the time until the oldest of them leaves 7, and the wait for `cost` more 7 (0: the call
-- is charged already).
local function describe(text, from, units, policy, cost, now)
  local states = {}
  for at = 1, #policy, 2 do
    local quota, period = policy[at], policy[at + 1]
    local held = later_than(text, from, units, now - period)
    local reset = held == 0 and 0 or period - (now - unit_at(text, from, held - 1))
    local wait = cost == 0 and 0 or wait_for(text, from, units, quota, period, cost, now)
    states[#states + 1] = pack('>I2I7I7', held, reset, wait)
  end
  return table.concat(states)
end

-- The log of a policy as it stands now: the text that holds its units, where they begin, how many, the longest period, the
-- largest quota, and where the log begins and ends in the record. Where the clock stepped back, a unit from the future becomes
-- one of now; the last answer says so.
local function find_log(record, policy, now)
  local at, tag = logs_from(record), policy.tag
  while has_log(record, at) do
    local head, units, next_at, longest = log_at(record, at)
    if sub(record, at, head - 1) == tag then
      local from, largest = head + LOG_HEAD, unpack_at('>I2', record, head + 8)
      local future = units > 0 and unit_at(record, from, 0) > now and later_than(record, from, units, now) or 0
      if future == 0 then
        return record, from, units, longest, largest, at, next_at, false
      end
      local clamped = rep(pack('>I7', now), future) .. sub(record, from + future * UNIT, next_at - 1)
      return clamped, 1, units, longest, largest, at, next_at, true
    end
    at = next_at
  end
  return '', 1, 0, 0, 0, at, at, false
end

-- The logs that begin here, without those that no longer matter.
local function live_logs(record, at, to, now)
  local live = ''
  while at < to and has_log(record, at) do
    local head, units, next_at, longest = log_at(record, at)
    if units > 0 and now - unit_at(record, head + LOG_HEAD, 0) < longest then
      live = live .. sub(record, at, next_at - 1)
    end
    at = next_at
  end
  return live
end

-- What decides: whether the call is admitted, the states of the windows, and the record to be stored, nil where it stays as it
-- is. With `charges` unset, nothing is charged.
local function decide(record, policy, now, charges)
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
  local logs = logs_from(record)
  local before, after = live_logs(record, logs, log_from, now), live_logs(record, log_to, #record + 1, now)
  return admitted, states, sub(record, 1, logs - 1) .. before .. log .. after
end
