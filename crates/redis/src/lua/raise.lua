-- KEYS: board, sketch. ARGV: calls, member, calls, member, … Raises where the board is lower; may be repeated.
afresh(KEYS[1], 'ZADD', KEYS[1], 'GT', unpack(ARGV))
local members = {}
for at = 2, #ARGV, 2 do
  members[#members + 1] = ARGV[at]
end
afresh(KEYS[2], 'PFADD', KEYS[2], unpack(members))
return 1
