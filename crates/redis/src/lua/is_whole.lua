-- KEYS: mark. Answers 1 where the counts have been raised to the whole ledger in this run of the engine, and it was not emptied since.
local stamp, refused = read_stamp()
return refused or (redis.pcall('GET', KEYS[1]) == 'W' .. stamp and 1 or 0)
