-- Nearly every call, in a third of the time: a set of one session, which is the token's, and a short log of this policy, or
-- none. It answers and keeps what the general way does; where anything is otherwise, it does nothing and answers false.
local LOGS, SHORT = SET_FROM + SET_HEAD + SESSION, 64
-- A key that is read often is given its lifetime anew only so often.
local EXTENSION = 60
local STAMP_HIGH, STAMP_LOW = unpack_at('>I4I4', stamp)
-- The same for most of a batch: heads of logs with the units of the call, by policy and number of units; and what is text.
local heads, lifetimes, offsets = {}, {}, {}
for index, policy in ipairs(policies) do
  heads[index], policy.units = {}, rep(pack('>I7', now), policy.cost)
end

local function lifetime_until(second)
  local lifetime = lifetimes[second]
  if not lifetime then
    local lasts = second + EXTENSION - floor(now / 1000000)
    lifetime = { '\2' .. pack('>I4', second + EXTENSION), tostring(lasts * 1000 + slack) }
    lifetimes[second] = lifetime
  end
  return lifetime
end

local function admit_plain(record, from, index, place, key)
  local size = #record
  if size < LOGS - 1 then
    return false
  end
  local format, expires, sessions, high, low, ends, session, deadline =
    unpack_at('>I1I4I2I4I4xxxxxxxxI7c40I7', record)
  if format ~= 2 or sessions ~= 2 or high ~= STAMP_HIGH or low ~= STAMP_LOW or now >= ends or now >= deadline
    -- As one string, version and verifier are compared by identity, in a time that tells nothing.
    or session ~= sub(calls, from + 12, from + 51)
  then
    return false
  end

  if index == 0 then
    count_call(place, from)
    answered = answered + 1
    answers[answered] = 'A'
    return true
  end

  -- Of the logs, this policy's, and until when the others matter; one that does no more is cleared away in general.
  local policy = policies[index]
  if policy.by_buckets then
    return false
  end
  local tag, needed, at = policy.tag, ends, LOGS
  local mine, head, next_at, units, longest, largest
  while at <= size do
    local length = byte(record, at)
    if length == 0 then
      break
    end
    local head_at = at + length + 1
    if head_at + LOG_HEAD + UNIT - 1 > size then
      return false
    end
    local count, period, quota, newest = unpack_at('>I2I6I2I7', record, head_at)
    local ends_at = head_at + LOG_HEAD + count * UNIT
    if count == 0 or newest > now or ends_at > size + 1 then
      return false
    end
    if sub(record, at, head_at - 1) == tag then
      mine, head, next_at, units, longest, largest = at, head_at, ends_at, count, period, quota
    elseif now - newest >= period then
      return false
    elseif newest + period > needed then
      needed = newest + period
    end
    at = ends_at
  end
  if not mine then
    mine, head, next_at, units, longest, largest = at, at + #tag, at, 0, 0, 0
  end
  if units > SHORT then
    return false
  end

  local units_from, cost = head + LOG_HEAD, policy.cost
  for window = 1, #policy, 2 do
    local spare = policy[window] - cost
    if spare < units and now - unpack_at('>I7', record, units_from + spare * UNIT) < policy[window + 1] then
      answers[answered + 1], answers[answered + 2] = 'l', sub(record, head, next_at - 1)
      answered = answered + 2
      return true
    end
  end

  longest, largest = max(longest, policy.longest), max(largest, policy.largest)
  local others, oldest = math.min(units, largest - cost), now - longest
  while others > 0 and unpack_at('>I7', record, units_from + (others - 1) * UNIT) <= oldest do
    others = others - 1
  end
  units = others + cost
  local known = longest == policy.longest and largest == policy.largest and heads[index] or {}
  local new_head = known[units]
  if not new_head then
    new_head = pack('>I2I6I2', units, longest, largest) .. policy.units
    known[units] = new_head
  end
  local log = new_head .. sub(record, units_from, units_from + others * UNIT - 1)

  count_call(place, from)
  needed = floor(max(needed, now + longest) / 1000000) + 1
  local room, is_last = next_at - head - #log, next_at == at
  if needed <= expires and next_at > mine and (room == 0 or is_last) then
    local offset = offsets[head]
    if not offset then
      offset = tostring(head - 1)
      offsets[head] = offset
    end
    -- What was longer goes on behind the end of the logs, and means nothing there.
    call('SETRANGE', key, offset, head + #log <= size and is_last and log .. '\0' or log)
  else
    local lifetime = lifetime_until(needed)
    local before, after = sub(record, 6, mine - 1), sub(record, next_at, at - 1)
    call('SET', key, lifetime[1] .. before .. after .. tag .. log, 'PX', lifetime[2])
  end
  written[key] = true
  answers[answered + 1], answers[answered + 2] = 'a', log
  answered = answered + 2
  return true
end
