-- The counts of an API in one partition: `calls`, a hash of every caller's total; `board`, the callers with the highest, best
-- first: total 7 | user 8 each; `sketch`, a HyperLogLog of the callers. Of equal totals the lower user is the better.
local PLACES, PLACE = 10, 15
-- A HyperLogLog of nobody, as the engine writes it: sparse, no cached count, all registers zero.
local NO_SKETCH = 'HYLL\1\0\0\0\0\0\0\0\0\0\0\0\127\255'

-- What is stored as a board; what is damaged is as good as none.
local function checked_board(board)
  return type(board) == 'string' and #board % PLACE == 0 and #board <= PLACES * PLACE and board or ''
end
