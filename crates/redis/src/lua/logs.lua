-- The logs of a record: finding one, and putting another in its place.

local function unit_at(text, from, index)
  return (unpack_at('>I7', text, from + index * UNIT))
end

-- Where a policy's log begins and ends, where its head is, its units and its longest period; of a policy without a log, where it would
-- begin and end, and nothing more.
local function seek_log(record, tag)
  local at = logs_from(record)
  while has_log(record, at) do
    local head, units, next_at, longest = log_at(record, at)
    if sub(record, at, head - 1) == tag then
      return at, next_at, head, units, longest
    end
    at = next_at
  end
  return at, at
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

-- The record with this log in place of what is there, and without those that no longer matter.
local function with_log(record, from, to, log, now)
  local logs = logs_from(record)
  local before, after = live_logs(record, logs, from, now), live_logs(record, to, #record + 1, now)
  return sub(record, 1, logs - 1) .. before .. log .. after
end
