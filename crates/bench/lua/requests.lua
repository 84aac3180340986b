-- Sends the requests of a file in turn, each built beforehand.
-- A line of the file is request line, headers with bars between them, and body, with tabs between them.
-- Arguments: the file; the number of threads; ms to wait before each request (0: none); "check" to count each status.

local threads = {}

function setup(thread)
  thread:set('number', #threads)
  threads[#threads + 1] = thread
end

local requests, at, pause

function init(arguments)
  local file, all, check = arguments[1], tonumber(arguments[2]), arguments[4] == 'check'
  requests, pause = {}, tonumber(arguments[3])
  for line in io.lines(file) do
    local call, header, body = line:match('^([^\t]*)\t([^\t]*)\t(.*)$')
    if body ~= '' then
      header = header .. '\r\nContent-Length: ' .. #body
    end
    header = header:gsub('|', '\r\n')
    requests[#requests + 1] = call .. ' HTTP/1.1\r\nHost: bench\r\n' .. header .. '\r\n\r\n' .. body
  end
  -- Threads begin apart from each other, so that two do not use one token at the same time.
  at = math.floor(#requests * number / all)
  if pause > 0 then
    delay = function()
      return pause
    end
  end
  statuses = {}
  if check then
    -- Costs the generator time, which is why it is a choice.
    response = function(status)
      statuses[status] = (statuses[status] or 0) + 1
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local facts = {
    requests = summary.requests,
    micros = summary.duration,
    p50 = latency:percentile(50),
    p99 = latency:percentile(99),
    refused = errors.status,
    broken = errors.connect + errors.read + errors.write + errors.timeout,
  }
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get('statuses')) do
      local name = 'status_' .. status
      facts[name] = (facts[name] or 0) + count
    end
  end
  for name, value in pairs(facts) do
    io.write(string.format('%s=%d\n', name, value))
  end
end
