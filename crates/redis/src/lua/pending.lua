-- Notes counted calls for whoever may have to put them into the ledger in place of their process. What is noted goes on: how many places 1,
-- for each: length of its name 1 | name; how many calls 2, for each: place 1 | user 8.
local KEPT = 7 * 86400000

local function note_pending(key, names, entries)
  local text = names .. struct.pack('>I2', #entries) .. table.concat(entries)
  local length = redis.pcall('APPEND', key, text)
  if type(length) ~= 'number' then
    if not string.find(length.err, '^WRONGTYPE') then
      error(length)
    end
    -- Damaged, and as good as none.
    redis.call('SET', key, text)
    length = #text
  end
  if length == #text then
    redis.call('PEXPIRE', key, KEPT)
  end
end
