-- Calls that travel together; each is decided by itself, in order, and each sees what those before it did.
-- KEYS: the record of each call; then, for each place (an API in a partition) that they name: boards, calls, sketches.
-- ARGV: now, slack, policies, calls, each: policy 1 | place 1 | 1 to check the session, else 0: 1 | user 8 | version of the
-- token 8 | verifier 32.
-- Answers now 7 bytes, then for each call: A (admitted) or L (limited) and what `describe` says, a or l for the same and the
-- log as it is kept then, D (its session is dead), U (unknown: no set to say), or E (failed) | length 2 | error.
local CALL = 51
local now, slack, calls = time_now(ARGV[1]), tonumber(ARGV[2]), ARGV[4]
local stamp, refused = read_stamp()
if refused then
  return refused
end
local policies, at = {}, 1
while at <= #ARGV[3] do
  local policy
  policy, at = read_policy(ARGV[3], at)
  policies[#policies + 1] = policy
end
local callers = #calls / CALL
local places = (#KEYS - callers) / 3
-- A key of another type reads as absent here.
local stored = call('MGET', unpack(KEYS, 1, callers + places))
local answers, answered = { pack('>I7', now) }, 1
-- Records that this batch has written: a user may be among its callers twice.
local written = {}
