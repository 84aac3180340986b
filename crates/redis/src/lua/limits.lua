-- What decides: whether the call is admitted, the states of the windows, and the record to be stored, nil where it stays as it
-- is. With `charges` unset, nothing is charged.
local function decide(record, policy, now, charges)
  if #policy == 0 then
    return true, '', nil
  end
  if policy.by_buckets then
    return decide_by_buckets(record, policy, now, charges)
  end
  return decide_by_units(record, policy, now, charges)
end
