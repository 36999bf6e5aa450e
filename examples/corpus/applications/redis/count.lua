-- Counts the keys that begin with an argument.
local found = redis.call('KEYS', ARGV[1] .. '*')
return cjson.encode({ prefix = ARGV[1], keys = #found })
