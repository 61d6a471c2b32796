-- The module crypto: digests, codes that authenticate a message, and block ciphers, of whole texts or in pieces.
local core = require('internal.core')

local sum, hmac, cipher = core.fn('digest.sum'), core.fn('digest.hmac'), core.fn('crypto.cipher')

local crypto = {
    cipher_algo = { des = 'des', aes128 = 'aes128', aes192 = 'aes192', aes256 = 'aes256' },
    cipher_mode = { ecb = 'ecb', cbc = 'cbc', cfb = 'cfb', ofb = 'ofb' },
}

local digest_names = {}
for _, name in ipairs(core.fn('digest.names')()) do digest_names[name] = true end

local function crypto_error(message)
    local e = core.new_error('CryptoError', message, 3)
    core.set_last_error(e)
    error(e, 0)
end

-- An accumulator takes pieces of text; finish(text) makes the result of all of them.
local methods = {}
local mt = { __index = methods }

local function new_accumulator(start, finish, first)
    return setmetatable({ parts = {}, start = start, finish = finish, settings = first }, mt)
end

local function check_open(a)
    if a.parts == nil then error('Cipher context is not initialized or already freed', 3) end
end

function methods.init(a, ...)
    check_open(a)
    if select('#', ...) > 0 and a.start ~= nil then a.settings = { a.start(...) } end
    a.parts = {}
end

function methods.update(a, text)
    check_open(a)
    if type(text) ~= 'string' then error('Usage: update(string)', 2) end
    table.insert(a.parts, text)
    if a.settings ~= nil then return '' end
end

function methods.result(a)
    check_open(a)
    return a.finish(table.concat(a.parts), unpack(a.settings or {}))
end

function methods.free(a) a.parts = nil end

local function unsupported(what)
    return { __index = function(_, name) error(('%s "%s" is not supported'):format(what, tostring(name)), 2) end }
end

crypto.digest = setmetatable({}, unsupported('Digest method'))
crypto.hmac = setmetatable({}, unsupported('HMAC method'))

for name in pairs(digest_names) do
    crypto.digest[name] = setmetatable({
        new = function() return new_accumulator(nil, function(text) return sum(name, text) end) end,
    }, {
        __call = function(_, text)
            if type(text) ~= 'string' then error(('Usage: digest.%s(string)'):format(name), 2) end
            return sum(name, text)
        end,
    })

    local function keyed(key, text, what)
        if type(key) ~= 'string' or type(text) ~= 'string' then
            error(('Usage: hmac.%s(key, string)'):format(what), 3)
        end
        return hmac(name, key, text)
    end
    local function start(key)
        if type(key) ~= 'string' then error('Usage: hmac.init(key)', 3) end
        return key
    end
    local function finish(text, key) return keyed(key, text, name) end
    crypto.hmac[name] = setmetatable({
        new = function(key) return new_accumulator(start, finish, key and { key }) end,
    }, { __call = function(_, key, text) return (keyed(key, text, name)) end })
    crypto.hmac[name .. '_hex'] = function(key, text) return keyed(key, text, name .. '_hex'):hex() end
end

local function direction(encrypt, algorithm, mode)
    local what = encrypt and 'encrypt' or 'decrypt'
    local function run(text, key, iv)
        if type(text) ~= 'string' or type(key) ~= 'string' or type(iv) ~= 'string' then
            error(('Usage: cipher.%s.%s.%s(string, key, initial vector)'):format(algorithm, mode, what), 2)
        end
        local out, problem = cipher(encrypt, algorithm, mode, text, key, iv)
        if out == nil then crypto_error(problem) end
        return out
    end
    return setmetatable({
        new = function(key, iv)
            return new_accumulator(function(...) return ... end, run, { key, iv })
        end,
    }, { __call = function(_, text, key, iv) return run(text, key, iv or '') end })
end

crypto.cipher = setmetatable({}, unsupported('Cipher method'))
for algorithm in pairs(crypto.cipher_algo) do
    local modes = setmetatable({}, unsupported('Cipher mode'))
    for mode in pairs(crypto.cipher_mode) do
        modes[mode] = { encrypt = direction(true, algorithm, mode), decrypt = direction(false, algorithm, mode) }
    end
    crypto.cipher[algorithm] = modes
end

return crypto
