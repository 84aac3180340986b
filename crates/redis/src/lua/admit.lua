-- Calls that travel together; each is decided by itself, in order, and each sees what those before it did.
-- KEYS: the record of each call; then, for each place (an API in a partition) that they name: floors, calls, boards, sketches.
-- ARGV: now, slack, policies, calls, each: policy 1 | place 1 | 1 to check the session, else 0: 1 | member 8 | version of the
-- token 8 | verifier 32.
-- Answers now 7 bytes, then for each call: A (admitted) or L (limited) and what `describe` says, a or l for the same as
-- units 1 | units held, newest first, 7 each, D (its session is dead), U (unknown: no set to say), or E (failed) | length 2 | error.
local CALL = 51
local now, slack, calls = time_now(ARGV[1]), tonumber(ARGV[2]), ARGV[4]
local stamp, refused = read_stamp()
if refused then
  return refused
end
local policies, at = {}, 1
while at <= #ARGV[3] do
  local policy
  policy, at = read_policy(ARGV[3], at)
  policy.heads, policy.now = {}, rep(pack('>I7', now), policy.cost)
  policies[#policies + 1] = policy
end
local callers = #calls / CALL
local places = (#KEYS - callers) / 4
-- A key of another type reads as absent here.
local stored = redis.call('MGET', unpack(KEYS, 1, callers + places))
-- What the calls of this batch have written: a user may be among them twice.
local written, floors = {}, {}
local answers = { pack('>I7', now) }

local function count_call(place, from)
  local at_key = callers + place
  local floor = floors[place] or checked_floor(stored[at_key])
  local totals, board, sketch = KEYS[at_key + places], KEYS[at_key + 2 * places], KEYS[at_key + 3 * places]
  floors[place] = count(totals, board, KEYS[at_key], sketch, floor, sub(calls, from + 3, from + 10))
end

-- Nearly every call, in a third of the time: a set of one session, which is the token's, and no log but a short one of this
-- policy. What it does is what the general way does; where anything is otherwise, it does nothing and answers nil.
local ONE_SESSION = '\0\2' .. stamp
local LOGS, SHORT = SET_FROM + SET_HEAD + SESSION, 64
-- A key that is read often is given its lifetime anew only so often.
local EXTENSION = 60
local lifetimes = {}

-- Stores the logs of a plain record: over the old ones where they fit and the key lives long enough, else all of it.
local function write_plain(key, record, logs, ends, longest)
  local needed = floor(max(ends, now + longest) / 1000000) + 1
  local room = #record - (LOGS - 1) - #logs
  if room >= 0 and needed <= unpack_at('>I4', record, 2) then
    if room > 0 then
      logs = logs .. '\0'
    end
    call('SETRANGE', key, '77', logs)
    return sub(record, 1, LOGS - 1) .. logs
  end
  local seconds = needed + EXTENSION - floor(now / 1000000)
  -- As text, for it is the same for most of a batch.
  local lifetime = lifetimes[seconds]
  if not lifetime then
    lifetime = { pack('>I4', needed + EXTENSION), tostring(seconds * 1000 + slack) }
    lifetimes[seconds] = lifetime
  end
  record = sub(record, 1, 1) .. lifetime[1] .. sub(record, 6, LOGS - 1) .. logs
  call('SET', key, record, 'PX', lifetime[2])
  return record
end

local function admit_plain(record, from, policy, place, key)
  if sub(record, 6, 15) ~= ONE_SESSION or byte(record) ~= 2 then
    return nil
  end
  local ends, session, deadline = unpack_at('>I7c40I7', record, SET_FROM + 16)
  if now >= ends or now >= deadline or session ~= sub(calls, from + 11, from + 50) then
    return nil
  end
  local units, units_from = 0, LOGS
  if has_log(record, LOGS) then
    local head = LOGS + #policy.tag
    units_from = head + LOG_HEAD
    if sub(record, LOGS, head - 1) ~= policy.tag or units_from > #record then
      return nil
    end
    local longest, largest
    units, longest, largest = unpack_at('>I2I6I2', record, head)
    local next_at = units_from + units * UNIT
    if units > SHORT or next_at > #record + 1 or has_log(record, next_at) or longest ~= policy.longest
      or largest ~= policy.largest or unpack_at('>I7', record, units_from) > now
    then
      return nil
    end
  end
  for at = 1, #policy, 2 do
    local spare = policy[at] - policy.cost
    if spare < units and now - unpack_at('>I7', record, units_from + spare * UNIT) < policy[at + 1] then
      answers[#answers + 1] = 'l' .. char(units) .. sub(record, units_from, units_from + units * UNIT - 1)
      return true
    end
  end
  local oldest = now - policy.longest
  while units > 0 and unpack_at('>I7', record, units_from + (units - 1) * UNIT) <= oldest do
    units = units - 1
  end
  local others = math.min(units, policy.largest - policy.cost)
  units = others + policy.cost
  if units > SHORT then
    return nil
  end
  -- First, so that a call that cannot be counted is not charged.
  count_call(place, from)
  local kept = policy.now .. sub(record, units_from, units_from + others * UNIT - 1)
  local head = policy.heads[units]
  if not head then
    head = policy.tag .. pack('>I2I6I2', units, policy.longest, policy.largest)
    policy.heads[units] = head
  end
  written[key] = write_plain(key, record, head .. kept, ends, policy.longest)
  answers[#answers + 1] = 'a' .. char(units)
  answers[#answers + 1] = kept
  return true
end

-- Nil where the session lives. As one string, version and verifier are compared by identity, in a time that tells nothing.
local function verdict(record, from)
  if not set_lives(record, stamp, now) then
    return 'U'
  end
  local version, token = sub(calls, from, from + 7), sub(calls, from, from + 39)
  for session = SET_FROM + SET_HEAD, logs_from(record) - 1, SESSION do
    if sub(record, session, session + 39) == token then
      return now >= unpack_at('>I7', record, session + 40) and 'D' or nil
    end
    if sub(record, session, session + 7) == version then
      return 'D'
    end
  end
  return is_later(version, record) and 'U' or 'D'
end

local function admit(index)
  local from = (index - 1) * CALL + 1
  local policy, place, checks = byte(calls, from, from + 2)
  policy = policies[policy]
  local key = KEYS[index]
  local record = written[key] or stored[index]
  if checks == 1 and record and admit_plain(record, from, policy, place, key) then
    return
  end
  record = checked(record)
  local dead = checks == 1 and verdict(record, from + 11)
  if dead then
    answers[#answers + 1] = dead
    return
  end
  local admitted, states, changed = decide(record, policy, now, true)
  if admitted then
    -- First, so that a call that cannot be counted is not charged.
    count_call(place, from)
  end
  if changed then
    write_record(key, changed, now, slack)
    written[key] = changed
  end
  answers[#answers + 1] = (admitted and 'A' or 'L') .. states
end

for index = 1, callers do
  local done, failure = pcall(admit, index)
  if not done then
    local text = sub(type(failure) == 'table' and failure.err or tostring(failure), 1, 500)
    answers[#answers + 1] = 'E' .. pack('>I2', #text) .. text
  end
end
return table.concat(answers)
