-- The time in microseconds: the engine's own, unless a test gives another. `<` before a time is the engine's own, and no later than
-- that one: nobody waits for the answer any more then, and what was to count has been taken for not counted.
local function time_now(given)
  local limit
  if string.sub(given, 1, 1) == '<' then
    limit = tonumber(string.sub(given, 2))
  elseif given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  if limit and now > limit then
    error({ err = string.format('TOOLATE %.0f', now) })
  end
  return now
end
