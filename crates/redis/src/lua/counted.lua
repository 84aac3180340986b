-- What follows where a call has raised its user's total to `total`; what is no number is the failure to do so. Answers the board
-- then.
local function counted(calls, board_key, sketch, board, user, total)
  if type(total) ~= 'number' then
    total = afresh(calls, 'HINCRBY', calls, user, '1')
  end
  -- Only a caller's first call can change the sketch.
  if total == 1 then
    afresh(sketch, 'PFADD', sketch, user)
  end
  local changed = with_total(board, total, user)
  if changed ~= board then
    call('SET', board_key, changed)
  end
  return changed
end
