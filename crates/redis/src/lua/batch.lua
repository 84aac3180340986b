-- Calls that travel together; each is decided by itself, in order, and each sees what those before it did.
-- KEYS: the record of each call; then, for each place (an API in a partition) that they name: boards, calls, sketches; then the
-- records of those limits that are kept apart from their user's; then, where a call is counted, what those are noted under, and the
-- fence.
-- ARGV: now, slack, policies, calls, how many limits are kept apart, the names of the places as `note_pending` takes them. A call: policy 1,
-- 0 for none | 1 to check the session, else 0: 1 | which limits that are kept apart 1, 0 for its own record's | place 1, 0 where it is not
-- counted | user 8 | version of the token 8 | verifier 32.
-- Answers now 7 bytes, then for each call: A (admitted) or L (limited) and what `describe` says, a or l for the same and the
-- log as it is kept then, D (its session is dead), U (unknown: no set to say), or E (failed) | length 2 | error.
local CALL = 52
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
local counts = ARGV[6] ~= '\0'
local apart_to = counts and #KEYS - 2 or #KEYS
local apart_from = apart_to - tonumber(ARGV[5])
local refusal = counts and fenced(KEYS[#KEYS])
if refusal then
  return refusal
end
local places = (apart_from - callers) / 3
-- A key of another type reads as absent here.
local stored = call('MGET', unpack(KEYS, 1, callers + places))
local answers, answered = { pack('>I7', now) }, 1
-- Records that this batch has written: a user may be among its callers twice.
local written = {}
