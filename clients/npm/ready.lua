-- Tells the script docker that the server listens.
local file = assert(io.open(os.getenv('READY'), 'w'))
file:write('ready\n')
file:close()
