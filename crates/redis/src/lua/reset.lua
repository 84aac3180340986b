-- KEYS: record. ARGV: now, slack, then the two tags of a policy, or nothing for all. Forgets what was charged; a cached set stays. Answers
-- how many logs went that still mattered.
local now, slack = time_now(ARGV[1]), tonumber(ARGV[2])
local record = read_record(KEYS[1])
local logs, kept, gone, mattered = logs_from(record), '', 0, 0
local at = logs
while has_log(record, at) do
  local head, units, next_at, longest = log_at(record, at)
  local tag = sub(record, at, head - 1)
  if #ARGV == 2 or tag == ARGV[3] or tag == ARGV[4] then
    gone = gone + 1
    if units > 0 and now - unit_at(record, head + LOG_HEAD, 0) < longest then
      mattered = mattered + 1
    end
  else
    kept = kept .. sub(record, at, next_at - 1)
  end
  at = next_at
end
if gone > 0 then
  -- As in a change: a full engine must take what forgets.
  redis.call('PERSIST', KEYS[1])
  write_record(KEYS[1], sub(record, 1, logs - 1) .. kept, now, slack)
end
return mattered
