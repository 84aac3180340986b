-- A record is all that is kept of a user: one key, so that a decision reads once and writes once. Of what is no user, and of a path
-- that has limits of its own, it holds logs only.
--   format 1 byte | when the key expires, in seconds 4 | sessions in the set, plus 1; 0: no set is cached: 2 | set | logs
-- A set: stamp 8 | version 8 | end 7, then for each session: version 8 | verifier 32 | deadline 7.
-- A log, for each policy: length of its name 1 | name | units 2 | longest period 6 | largest quota 2, then the units,
-- newest first, 7 each. A zero in place of a name ends the logs; what follows it means nothing. Numbers are big-endian; times
-- are microseconds. Versions do not fit a Lua number, so they stay bytes.
local sub, byte, rep, pack, unpack_at = string.sub, string.byte, string.rep, struct.pack, struct.unpack
local call, ceil, floor, max = redis.call, math.ceil, math.floor, math.max

local NO_RECORD = '\2\0\0\0\0\0\0'
local SET_FROM, SET_HEAD, SESSION = 8, 23, 47
local LOG_HEAD, UNIT = 10, 7
