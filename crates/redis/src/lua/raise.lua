-- KEYS: calls, board, sketch. ARGV: totals, each: calls 7 | user 8. Raises where it is lower; may be repeated.
local calls, board_key, sketch = KEYS[1], KEYS[2], KEYS[3]
local totals, users, raised = {}, {}, {}
for from = 1, #ARGV[1], 15 do
  totals[#totals + 1] = unpack_at('>I7', ARGV[1], from)
  users[#users + 1] = sub(ARGV[1], from + 7, from + 14)
end
local known = afresh(calls, 'HMGET', calls, unpack(users))
local board = checked_board(redis.pcall('GET', board_key))
local before = board
for at, user in ipairs(users) do
  local total = tonumber(known[at] or 0) or 0
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
afresh(sketch, 'PFADD', sketch, unpack(users))
return 1
