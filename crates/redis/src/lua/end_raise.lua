-- KEYS: mark. ARGV: nonce 8. Answers 1 where nothing was lost since the raise of this nonce began, else 0.
local stamp, refused = read_stamp()
if refused then
  return refused
end
local mark, whole = redis.pcall('GET', KEYS[1]), 'W' .. stamp
if type(mark) == 'string' and #mark == 24 and string.sub(mark, 1, 17) == 'R' .. stamp .. ARGV[1] then
  redis.call('SET', KEYS[1], whole)
  return 1
end
-- Said twice, it is as well.
return mark == whole and 1 or 0
