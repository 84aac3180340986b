-- An entry is a user's set of sessions:
--   format 1 byte | stamp 16 | version 8 | end 7, then for each session: version 8 | verifier 32 | deadline 7
-- Numbers are big-endian; times are microseconds. Versions do not fit a Lua number, so they stay bytes here.
local ENTRY_FORMAT, ENTRY_HEAD, ENTRY_SESSION = '\1', 32, 47

-- The entry if it is whole, bears this stamp and has not ended; the second answer says whether one is to be deleted.
local function read_entry(key, stamp, now)
  local entry = read_string(key)
  if not entry then
    return nil, false
  end
  local whole = #entry >= ENTRY_HEAD
    and (#entry - ENTRY_HEAD) % ENTRY_SESSION == 0
    and string.sub(entry, 1, 17) == ENTRY_FORMAT .. stamp
  if whole and now < struct.unpack('>I7', entry, 26) then
    return entry, false
  end
  return nil, true
end

-- Compared in halves: whole versions do not fit a Lua number, and Lua compares strings by locale.
local function is_later(version, entry)
  local high, low = struct.unpack('>I4I4', version)
  local entry_high, entry_low = struct.unpack('>I4I4', entry, 18)
  return high > entry_high or (high == entry_high and low > entry_low)
end

-- The entry of these sessions (version 8 | verifier 32 | remaining 7 each), whose time is counted from `base`.
local function pack_entry(stamp, version, base, ends, sessions)
  local parts = { ENTRY_FORMAT, stamp, version, struct.pack('>I7', ends) }
  for from = 1, #sessions, ENTRY_SESSION do
    parts[#parts + 1] = string.sub(sessions, from, from + 39)
    parts[#parts + 1] = struct.pack('>I7', base + struct.unpack('>I7', sessions, from + 40))
  end
  return table.concat(parts)
end
