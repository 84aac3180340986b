-- A log is the times of a subject's admitted units:
--   longest period 6 bytes | largest quota 2, then the units, newest first, 7 bytes each
-- Numbers are big-endian; times are microseconds. The head says what was ever asked of it: what bounds what it keeps.
local LOG_HEAD, LOG_UNIT = 8, 7

local function units_in(log)
  return (#log - LOG_HEAD) / LOG_UNIT
end

local function unit_at(log, index)
  return (struct.unpack('>I7', log, LOG_HEAD + index * LOG_UNIT + 1))
end

-- How many of the newest units are later than this time: a binary search.
local function later_than(log, time)
  local low, high = 0, units_in(log)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if unit_at(log, middle) > time then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- The log as it stands now, and whether that differs from what is stored: where the clock stepped back, a unit from
-- the future becomes one of now. What is damaged is as good as nothing.
local function read_log(key, now)
  local log = read_string(key)
  if not log or #log < LOG_HEAD or units_in(log) % 1 ~= 0 then
    return string.rep('\0', LOG_HEAD), false
  end
  local future = later_than(log, now)
  if future == 0 then
    return log, false
  end
  local clamped = string.rep(struct.pack('>I7', now), future)
  return string.sub(log, 1, LOG_HEAD) .. clamped .. string.sub(log, LOG_HEAD + future * LOG_UNIT + 1), true
end

-- How long until a window admits `cost` units: until the unit leaves that is one too many.
local function wait_for(log, quota, period, cost, now)
  local spare = quota - cost
  if spare < 0 then
    return period
  end
  if spare >= units_in(log) then
    return 0
  end
  return math.max(0, period - (now - unit_at(log, spare)))
end

-- The answer: now, then for each window the units held, the time until the oldest of them leaves, and the wait for
-- `cost` more (0: the call is charged already). `windows` is a list of quota, period, quota, period, …
local function describe(log, windows, cost, now)
  local answer = { now }
  for at = 1, #windows, 2 do
    local quota, period = windows[at], windows[at + 1]
    local held = later_than(log, now - period)
    answer[#answer + 1] = held
    answer[#answer + 1] = held == 0 and 0 or period - (now - unit_at(log, held - 1))
    answer[#answer + 1] = cost == 0 and 0 or wait_for(log, quota, period, cost, now)
  end
  return answer
end

-- ARGV from `first` on as numbers.
local function numbers_from(first)
  local numbers = {}
  for at = first, #ARGV do
    numbers[#numbers + 1] = tonumber(ARGV[at])
  end
  return numbers
end
