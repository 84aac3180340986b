-- Whether the set of a record bears this stamp and has not ended; the second answer says whether one is there at all.
local function set_lives(record, stamp, now)
  local there = logs_from(record) > SET_FROM
  return there and sub(record, SET_FROM, SET_FROM + 7) == stamp and now < unpack_at('>I7', record, SET_FROM + 16), there
end

-- Compared in halves: whole versions do not fit a Lua number, and Lua compares strings by locale.
local function is_later(version, record)
  local high, low = unpack_at('>I4I4', version)
  local cached_high, cached_low = unpack_at('>I4I4', record, SET_FROM + 8)
  return high > cached_high or (high == cached_high and low > cached_low)
end

-- The set of these sessions (version 8 | verifier 32 | remaining 7 each), whose time is counted from `base`.
local function pack_set(stamp, version, base, ends, sessions)
  local parts = { pack('>I2', #sessions / SESSION + 1), stamp, version, pack('>I7', ends) }
  for from = 1, #sessions, SESSION do
    parts[#parts + 1] = sub(sessions, from, from + 39)
    parts[#parts + 1] = pack('>I7', base + unpack_at('>I7', sessions, from + 40))
  end
  return table.concat(parts)
end

-- The record with this set, or with none: '\0\0'. What is known of limits stays.
local function with_set(record, set)
  return sub(record, 1, 5) .. set .. sub(record, logs_from(record))
end
