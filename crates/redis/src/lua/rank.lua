-- Whether this total of a user, in halves, has a better place than that of another.
local function is_better(total, high, low, other, other_high, other_low)
  if total ~= other then
    return total > other
  end
  return high < other_high or (high == other_high and low < other_low)
end

-- Whether each entry is better than the one behind it. Looked at where there is time for it: by a raise.
local function in_order(board)
  for at = 1, #board - PLACE, PLACE do
    local total, high, low = unpack_at('>I7I4I4', board, at)
    if not is_better(total, high, low, unpack_at('>I7I4I4', board, at + PLACE)) then
      return false
    end
  end
  return true
end

-- The board with this total of a user's, if it has a place there.
local function with_total(board, total, user)
  local high, low = unpack_at('>I4I4', user)
  -- Most are below the last of a full board.
  if #board == PLACES * PLACE and not is_better(total, high, low, unpack_at('>I7I4I4', board, #board - PLACE + 1)) then
    return board
  end
  local own, better_than
  for at = 1, #board, PLACE do
    local other, other_high, other_low = unpack_at('>I7I4I4', board, at)
    if other_high == high and other_low == low then
      if other >= total then
        return board
      end
      own = at
    elseif not better_than and is_better(total, high, low, other, other_high, other_low) then
      better_than = at
    end
  end
  local place = better_than or #board + 1
  if own then
    board = sub(board, 1, own - 1) .. sub(board, own + PLACE)
    place = place > own and place - PLACE or place
  end
  return sub(sub(board, 1, place - 1) .. pack('>I7', total) .. user .. sub(board, place), 1, PLACES * PLACE)
end
