-- KEYS: mark. ARGV: now, slack, nonce 8, patience. Answers 1, or 0 where somebody else has begun since `patience` ago.
-- A mark: W | stamp 8 where the counts are whole; R | stamp 8 | nonce 8 | time 7 while they are raised.
local now, nonce, patience = time_now(ARGV[1]), ARGV[3], tonumber(ARGV[4])
local stamp, refused = read_stamp()
if refused then
  return refused
end
local mark = redis.pcall('GET', KEYS[1])
if type(mark) == 'string' and #mark == 24 and string.sub(mark, 1, 9) == 'R' .. stamp
  and string.sub(mark, 10, 17) ~= nonce and now < struct.unpack('>I7', mark, 18) + patience
then
  return 0
end
redis.call('SET', KEYS[1], 'R' .. stamp .. nonce .. struct.pack('>I7', now))
return 1
