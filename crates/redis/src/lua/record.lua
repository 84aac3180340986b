-- Where the logs of a record begin.
local function logs_from(record)
  local sessions = unpack_at('>I2', record, 6)
  if sessions == 0 then
    return SET_FROM
  end
  return SET_FROM + SET_HEAD + (sessions - 1) * SESSION
end

-- Whether a log begins here.
local function has_log(record, at)
  return at <= #record and byte(record, at) ~= 0
end

-- The log that begins here: where its head is, its units, where the next log begins, and its longest period.
local function log_at(record, at)
  local head = at + 1 + byte(record, at)
  if head + LOG_HEAD - 1 > #record then
    return nil
  end
  local units, longest = unpack_at('>I2I6', record, head)
  return head, units, head + LOG_HEAD + units * UNIT, longest
end

-- What is stored, or an empty record where that is nothing or damaged.
local function checked(record)
  if not record or #record < #NO_RECORD or byte(record) ~= 2 then
    return NO_RECORD
  end
  local at = logs_from(record)
  while has_log(record, at) do
    local head, _, next_at = log_at(record, at)
    if not head then
      return NO_RECORD
    end
    at = next_at
  end
  return at <= #record + 1 and record or NO_RECORD
end

-- A user's record. A key of another type is damaged, too.
local function read_record(key)
  local record = redis.pcall('GET', key)
  return checked(type(record) == 'string' and record)
end

-- Stores a record for as long as any part of it matters, and for `extension` seconds more; one that says nothing goes.
local function write_record(key, record, now, slack, extension)
  local lasts, at = 0, logs_from(record)
  if at > SET_FROM then
    lasts = unpack_at('>I7', record, SET_FROM + 16) - now
  end
  while has_log(record, at) do
    local _, _, next_at, longest = log_at(record, at)
    lasts, at = max(lasts, longest), next_at
  end
  if lasts <= 0 then
    call('DEL', key)
    return
  end
  lasts = lasts + (extension or 0) * 1000000
  record = sub(record, 1, 1) .. pack('>I4', floor((now + lasts) / 1000000)) .. sub(record, 6)
  call('SET', key, record, 'PX', ceil(lasts / 1000) + slack)
end
