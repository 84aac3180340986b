-- A policy that begins here: length of its name 1 | name | cost 4 | windows 1, then for each: quota 4 | period 6. A name that begins
-- with a tilde is of a policy of buckets. The second answer is where the next one begins.
local function read_policy(text, at)
  local name_ends = at + byte(text, at)
  local cost, count = unpack_at('>I4I1', text, name_ends + 1)
  local policy = { tag = sub(text, at, name_ends), cost = cost, longest = 0, largest = 0 }
  policy.by_buckets = byte(text, at + 1) == 126
  at = name_ends + 6
  for _ = 1, count do
    local quota, period = unpack_at('>I4I6', text, at)
    policy[#policy + 1], policy[#policy + 2] = quota, period
    policy.longest, policy.largest = math.max(policy.longest, period), math.max(policy.largest, quota)
    at = at + 10
  end
  return policy, at
end
