-- What follows where a call has raised its user's total to `total`; what is no number is the failure to do so. Answers the board
-- then.
local function counted(calls, board_key, sketch, board, user, total)
  if type(total) ~= 'number' then
    -- What is no number is damaged, and as good as none.
    if string.find(total.err, 'not an integer', 1, true) then
      call('HSET', calls, user, '0')
    end
    total = afresh(calls, 'HINCRBY', calls, user, '1')
  end
  -- Only a caller's first call can change the sketch.
  if total == 1 then
    afresh(sketch, 'PFADD', sketch, user)
  end
  -- A board without anybody, of callers who are known, was lost: all of it is raised again, and not begun with one of them.
  if board == '' and total > 1 then
    return board
  end
  local changed = with_total(board, total, user)
  if changed ~= board then
    call('SET', board_key, changed)
  end
  return changed
end
