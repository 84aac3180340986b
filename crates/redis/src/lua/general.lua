-- Any other call: a set of several sessions, or none; a long log, or one of a clock that stepped back; buckets; limits that are kept
-- apart, or whose subject is no user; damage.

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

return function(record, from, index, place, key, apart)
  record = checked(record)
  local dead = byte(calls, from + 1) == 1 and verdict(record, from + 12)
  if dead then
    return dead
  end
  local limits_key, limits = key, record
  if apart > 0 then
    limits_key = KEYS[apart_from + apart]
    limits = read_record(limits_key)
  end
  local admitted, states, changed = true, '', nil
  if index > 0 then
    admitted, states, changed = decide(limits, policies[index], now, true)
  end
  if admitted and place > 0 then
    count_call(place, from)
  end
  if changed then
    write_record(limits_key, changed, now, slack, EXTENSION)
    written[limits_key] = true
  end
  return (admitted and 'A' or 'L') .. states
end
