-- KEYS: calls, board, sketch. ARGV: totals, each: calls 7 | user 8. Raises where it is lower; may be repeated.
local calls, board_key, sketch = KEYS[1], KEYS[2], KEYS[3]
local totals, users, new, raised = {}, {}, {}, {}
for from = 1, #ARGV[1], 15 do
  totals[#totals + 1] = unpack_at('>I7', ARGV[1], from)
  users[#users + 1] = sub(ARGV[1], from + 7, from + 14)
end
local known = afresh(calls, 'HMGET', calls, unpack(users))
local before = checked_board(redis.pcall('GET', board_key))
local board = in_order(before) and before or ''
for at, user in ipairs(users) do
  local total = tonumber(known[at] or 0) or 0
  if total == 0 then
    new[#new + 1] = user
  end
  if total < totals[at] then
    total = totals[at]
    raised[#raised + 1], raised[#raised + 2] = user, total
  end
  board = with_total(board, total, user)
end
if #raised > 0 then
  call('HSET', calls, unpack(raised))
end
if board ~= before then
  call('SET', board_key, board)
end
-- Who has called before is in the sketch, unless it was lost: then the first of them is not.
local missing = afresh(sketch, 'PFADD', sketch, users[1]) == 1 and users or new
if #missing > 0 then
  afresh(sketch, 'PFADD', sketch, unpack(missing))
end
return 1
