-- wrk -s requests.lua URL -- FILE: sends the heads in FILE one after the other, and tells the sums as one line of JSON.

local heads = {}
local at = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for head in file:read("*a"):gmatch("(.-\r\n\r\n)") do heads[#heads + 1] = head end
  file:close()
end

function request()
  at = at % #heads + 1
  return heads[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"bytes":%d,"seconds":%f,"refused":%d,"broken":%d,"p99":%f}\n',
    summary.requests, summary.bytes, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99) / 1000))
end
