-- A lease is the right to fill an absent entry: format 1 byte | stamp 16 | nonce 8 | handed out at 7
local LEASE_FORMAT, LEASE_SIZE = '\1', 32

-- The nonce of the lease, if it is whole, bears this stamp and has not lapsed.
local function live_lease(key, stamp, now, lasts)
  local lease = read_string(key)
  if lease and #lease == LEASE_SIZE and string.sub(lease, 1, 17) == LEASE_FORMAT .. stamp
    and now < struct.unpack('>I7', lease, 26) + lasts
  then
    return string.sub(lease, 18, 25)
  end
  return nil
end

local function write_lease(key, stamp, nonce, now, lasts, slack)
  local lease = LEASE_FORMAT .. stamp .. nonce .. struct.pack('>I7', now)
  redis.call('SET', key, lease, 'PX', ttl_of(lasts, slack))
end
