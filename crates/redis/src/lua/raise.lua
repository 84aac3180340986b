-- KEYS: calls, board, sketch. ARGV: totals, each: calls 7 | user 8. Raises where it is lower; may be repeated. Answers 1 where
-- anything was behind these totals or damaged, else 0.
local calls, board_key, sketch = KEYS[1], KEYS[2], KEYS[3]
local totals, users, new, raised = {}, {}, {}, {}
for from = 1, #ARGV[1], 15 do
  totals[#totals + 1] = unpack_at('>I7', ARGV[1], from)
  users[#users + 1] = sub(ARGV[1], from + 7, from + 14)
end
local known = afresh(calls, 'HMGET', calls, unpack(users))
local before = checked_board(redis.pcall('GET', board_key))
-- Whoever has called has raised a board that was not full.
local is_sound = before ~= '' and in_order(before)
local board = is_sound and before or ''
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
-- A corrupt sketch may take users, and be found out when it is read.
if type(redis.pcall('PFCOUNT', sketch)) ~= 'number' then
  call('SET', sketch, NO_SKETCH)
end
-- Who has called before is in the sketch, unless it was lost: then the first of them is not.
local was_lost = call('PFADD', sketch, users[1]) == 1
local missing = was_lost and users or new
if #missing > 0 then
  call('PFADD', sketch, unpack(missing))
end
return (#raised > 0 or was_lost or not is_sound) and 1 or 0
