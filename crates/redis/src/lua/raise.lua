-- KEYS: calls, board, floor, sketch. ARGV: totals, each: calls 7 | member 8. Raises where it is lower; may be repeated.
local calls, board, floor_key, sketch = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local totals, members, raised = {}, {}, {}
for from = 1, #ARGV[1], 15 do
  totals[#totals + 1] = unpack_at('>I7', ARGV[1], from)
  members[#members + 1] = sub(ARGV[1], from + 7, from + 14)
end
local known = afresh(calls, 'HMGET', calls, unpack(members))
local floor = checked_floor(redis.pcall('GET', floor_key))
-- A board that was lost alone leaves a floor that is too high.
if floor ~= '' and redis.pcall('ZCARD', board) ~= PLACES then
  floor = ''
end
for at, member in ipairs(members) do
  local total = tonumber(known[at] or 0) or 0
  if total < totals[at] then
    total = totals[at]
    raised[#raised + 1], raised[#raised + 2] = member, total
  end
  floor = offer(board, floor_key, floor, total, member)
end
if #raised > 0 then
  redis.call('HSET', calls, unpack(raised))
end
afresh(sketch, 'PFADD', sketch, unpack(members))
return 1
