-- The counts of an API in one partition: `calls`, a hash of every caller's total; `board`, a sorted set of the callers with the
-- highest; `floor`, the lowest place of a board that is full (total 7 | member 8), so that most calls need not look at the
-- board; `sketch`, a HyperLogLog of the callers. A member is the complement of the user's number: of equal totals the lower
-- number is the later member.
local PLACES = 100

local function ranks_above(total, member, floor)
  local lowest, high, low = unpack_at('>I7I4I4', floor)
  if total ~= lowest then
    return total > lowest
  end
  local member_high, member_low = unpack_at('>I4I4', member)
  return member_high > high or (member_high == high and member_low > low)
end

-- Offers a caller's total to the board. `floor` is what is known of it, '' for a board with room; answers what is known then.
local function offer(board, floor_key, floor, total, member)
  if floor ~= '' and not ranks_above(total, member, floor) then
    return floor
  end
  local added = afresh(board, 'ZADD', board, 'GT', total, member)
  if added == 0 and member ~= sub(floor, 8) then
    return floor
  end
  local size = redis.call('ZCARD', board)
  if size > PLACES then
    redis.call('ZPOPMIN', board, size - PLACES)
  elseif size < PLACES then
    if floor ~= '' then
      redis.call('DEL', floor_key)
    end
    return ''
  end
  local lowest = redis.call('ZRANGE', board, 0, 0, 'WITHSCORES')
  floor = pack('>I7', tonumber(lowest[2])) .. lowest[1]
  redis.call('SET', floor_key, floor)
  return floor
end

-- Counts one call, and answers what is known of the floor then.
local function count(calls, board, floor_key, sketch, floor, member)
  local total = redis.pcall('HINCRBY', calls, member, '1')
  if type(total) ~= 'number' then
    total = afresh(calls, 'HINCRBY', calls, member, '1')
  end
  -- Only a caller's first call can change the sketch.
  if total == 1 then
    afresh(sketch, 'PFADD', sketch, member)
  end
  return offer(board, floor_key, floor, total, member)
end

-- What is stored as a floor; what is damaged is as good as none.
local function checked_floor(floor)
  return type(floor) == 'string' and #floor == 15 and floor or ''
end
