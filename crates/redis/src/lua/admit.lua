-- The end of the script that admits: each call in turn. One that fails does so alone.
local index = 1
-- Made where the first call needs it.
local admit_in_general

local function admit_the_rest()
  while index <= callers do
    local from = (index - 1) * CALL + 1
    local policy, checks, apart, place = byte(calls, from, from + 3)
    local key, record = KEYS[index], stored[index]
    if written[key] then
      record = call('GET', key)
    end
    local may_be_plain = checks == 1 and place > 0 and apart == 0 and record
    if not (may_be_plain and admit_plain(record, from, policy, place, key)) then
      admit_in_general = admit_in_general or general()
      local answer = admit_in_general(record, from, policy, place, key, apart)
      answered = answered + 1
      answers[answered] = answer
    end
    index = index + 1
  end
end

while index <= callers do
  local done, failure = pcall(admit_the_rest)
  if not done then
    local text = sub(type(failure) == 'table' and failure.err or tostring(failure), 1, 500)
    -- A mistake of this script's gets the code that the engine would give it.
    if string.find(text, '^@?user_script') then
      text = 'ERR ' .. text
    end
    answered = answered + 1
    answers[answered] = 'E' .. pack('>I2', #text) .. text
    index = index + 1
  end
end
if #noted > 0 then
  note_pending(KEYS[#KEYS - 1], ARGV[6], noted)
end
return table.concat(answers)
