-- A key's string; what is of another type is damaged, and as good as an empty string.
local function read_string(key)
  local value = redis.pcall('GET', key)
  if type(value) == 'table' then
    return ''
  end
  return value
end
