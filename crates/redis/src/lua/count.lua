-- Counting within a batch. What is to be noted; and of each place, the board, and its last entry: the total, and the user in halves.
local noted, boards, last_totals, last_highs, last_lows = {}, {}, {}, {}, {}
-- Made where the first call needs it: nearly all are neither their user's first nor near the board.
local counted

local function know_board(place, board)
  boards[place] = board
  last_totals[place] = -1
  if #board == PLACES * PLACE then
    last_totals[place], last_highs[place], last_lows[place] = unpack_at('>I7I4I4', board, #board - PLACE + 1)
  end
end

for place = 1, places do
  know_board(place, checked_board(stored[callers + place]))
end

-- Whether a total may have a place on a board.
local function may_rank(place, total, from)
  local last = last_totals[place]
  if total ~= last then
    return total > last
  end
  local high, low = unpack_at('>I4I4', calls, from + 4)
  return high < last_highs[place] or (high == last_highs[place] and low < last_lows[place])
end

-- Counts a call, before anything else of it: one that cannot be counted is not charged.
local function count_call(place, from)
  local at_key, user = callers + place, sub(calls, from + 4, from + 11)
  local total = redis.pcall('HINCRBY', KEYS[at_key + places], user, '1')
  if type(total) ~= 'number' or total == 1 or may_rank(place, total, from) then
    counted = counted or rankings()
    know_board(place, counted(KEYS[at_key + places], KEYS[at_key], KEYS[at_key + 2 * places], boards[place], user, total))
  end
  noted[#noted + 1] = sub(calls, from + 3, from + 11)
end
