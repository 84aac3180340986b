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

-- Nearly every call, in a third of the time: a set of one session, which is the token's, and a short log of this policy, or
-- none. What it does is what the general way does; where anything is otherwise, it does nothing and answers nil.
local ONE_SESSION = '\0\2' .. stamp
local LOGS, SHORT = SET_FROM + SET_HEAD + SESSION, 64
-- A key that is read often is given its lifetime anew only so often.
local EXTENSION = 60
-- As text, for they are the same for most of a batch.
local lifetimes, offsets = {}, {}

-- Puts a log in the place of the one that lies from `at` to before `next_at`: over it where it fits and the key lives long
-- enough, else by a whole record.
local function write_plain(key, record, log, at, next_at, needed)
  needed = floor(needed / 1000000) + 1
  local is_last = not has_log(record, next_at)
  local room = (is_last and #record + 1 or next_at) - at - #log
  if needed <= unpack_at('>I4', record, 2) and (room == 0 or (is_last and room > 0)) then
    if room > 0 then
      log = log .. '\0'
    end
    offsets[at] = offsets[at] or tostring(at - 1)
    call('SETRANGE', key, offsets[at], log)
    return sub(record, 1, at - 1) .. log .. (is_last and '' or sub(record, next_at))
  end
  local seconds = needed + EXTENSION - floor(now / 1000000)
  local lifetime = lifetimes[seconds]
  if not lifetime then
    lifetime = { pack('>I4', needed + EXTENSION), tostring(seconds * 1000 + slack) }
    lifetimes[seconds] = lifetime
  end
  local after = is_last and '' or sub(record, next_at)
  record = sub(record, 1, 1) .. lifetime[1] .. sub(record, 6, at - 1) .. log .. after
  call('SET', key, record, 'PX', lifetime[2])
  return record
end

-- Where this policy's log begins and ends, its head, and until when the other logs matter; nil where one of them does no
-- more, which the general way clears away.
local function find_plain(record, tag)
  local at, until_, mine, mine_ends, mine_head = LOGS, 0, nil, nil, nil
  while has_log(record, at) do
    local head = at + byte(record, at) + 1
    if head + LOG_HEAD + UNIT - 1 > #record then
      return nil
    end
    local units, longest, _, newest = unpack_at('>I2I6I2I7', record, head)
    local next_at = head + LOG_HEAD + units * UNIT
    if units == 0 or next_at > #record + 1 then
      return nil
    end
    if sub(record, at, head - 1) == tag then
      mine, mine_ends, mine_head = at, next_at, head
    elseif newest > now or now - newest >= longest then
      return nil
    else
      until_ = max(until_, newest + longest)
    end
    at = next_at
  end
  return mine or at, mine_ends or at, mine_head, until_
end

local function admit_plain(record, from, policy, place, key)
  if sub(record, 6, 15) ~= ONE_SESSION or byte(record) ~= 2 then
    return nil
  end
  local ends, session, deadline = unpack_at('>I7c40I7', record, SET_FROM + 16)
  if now >= ends or now >= deadline or session ~= sub(calls, from + 11, from + 50) then
    return nil
  end
  local mine, next_at, head, until_ = find_plain(record, policy.tag)
  if not mine then
    return nil
  end
  local units, longest, largest, units_from = 0, policy.longest, policy.largest, 1
  if head then
    local stored_longest, stored_largest, newest
    units, stored_longest, stored_largest, newest = unpack_at('>I2I6I2I7', record, head)
    longest, largest, units_from = max(longest, stored_longest), max(largest, stored_largest), head + LOG_HEAD
    if units > SHORT or newest > now then
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
  local oldest = now - longest
  while units > 0 and unpack_at('>I7', record, units_from + (units - 1) * UNIT) <= oldest do
    units = units - 1
  end
  local others = math.min(units, largest - policy.cost)
  units = others + policy.cost
  if units > SHORT then
    return nil
  end
  -- First, so that a call that cannot be counted is not charged.
  count_call(place, from)
  local kept = policy.now .. sub(record, units_from, units_from + others * UNIT - 1)
  local log
  if longest == policy.longest and largest == policy.largest then
    log = policy.heads[units]
    if not log then
      log = policy.tag .. pack('>I2I6I2', units, longest, largest)
      policy.heads[units] = log
    end
  else
    log = policy.tag .. pack('>I2I6I2', units, longest, largest)
  end
  written[key] = write_plain(key, record, log .. kept, mine, next_at, max(ends, now + longest, until_))
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
