-- A policy that begins here: length of its name 1 | name | cost 2 | windows 1, then for each: quota 2 | period 6. The second
-- answer is where the next one begins.
local function read_policy(text, at)
  local name_ends = at + byte(text, at)
  local cost, count = unpack_at('>I2I1', text, name_ends + 1)
  local policy = { tag = sub(text, at, name_ends), cost = cost, longest = 0, largest = 0 }
  at = name_ends + 4
  for _ = 1, count do
    local quota, period = unpack_at('>I2I6', text, at)
    policy[#policy + 1], policy[#policy + 2] = quota, period
    policy.longest, policy.largest = math.max(policy.longest, period), math.max(policy.largest, quota)
    at = at + 8
  end
  return policy, at
end
