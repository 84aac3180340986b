-- A lease is the right to fill an absent set: format 1 byte | stamp 8 | nonce 8 | handed out at 7
local LEASE_FORMAT, LEASE_SIZE = '\2', 24

-- The nonce of the lease, if it is whole, bears this stamp and has not lapsed.
local function live_lease(key, stamp, now, lasts)
  local lease = redis.pcall('GET', key)
  if type(lease) == 'string' and #lease == LEASE_SIZE and sub(lease, 1, 9) == LEASE_FORMAT .. stamp
    and now < unpack_at('>I7', lease, 18) + lasts
  then
    return sub(lease, 10, 17)
  end
  return nil
end

local function write_lease(key, stamp, nonce, now, lasts, slack)
  local lease = LEASE_FORMAT .. stamp .. nonce .. pack('>I7', now)
  redis.call('SET', key, lease, 'PX', math.ceil(lasts / 1000) + slack)
end
