-- The time in microseconds: the engine's own, unless a test gives another.
local function time_now(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
