-- What refuses the calls of an incarnation that another process has adopted.
local function fenced(fence)
  if redis.call('EXISTS', fence) == 1 then
    return redis.error_reply('FENCED this incarnation was adopted')
  end
  return nil
end
