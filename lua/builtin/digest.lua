-- The module digest: digests, checksums, base64, and a cipher.
local core = require('internal.core')
local crypto = require('crypto')
local ffi = require('ffi')

local crc32_update, guava, urandom, pbkdf2, base64_encode, base64_decode = core.fn('digest.crc32_update'),
    core.fn('digest.guava'), core.fn('digest.urandom'), core.fn('digest.pbkdf2'), core.fn('digest.base64_encode'),
    core.fn('digest.base64_decode')

local digest = {}

local function usage(text) core.illegal('Usage: ' .. text, 3) end

local function check_string(s, what)
    if type(s) ~= 'string' then usage(what .. '(string)') end
end

for _, name in ipairs { 'md4', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512' } do
    digest[name] = function(s) return crypto.digest[name](s) end
    digest[name .. '_hex'] = function(s)
        check_string(s, ('digest.%s_hex'):format(name))
        return crypto.digest[name](s):hex()
    end
end

-- accumulator is a checksum of text that comes in pieces, of which the checksum is taken when it is asked for.
local function accumulator(sum, seed, check)
    local methods = {}
    local mt = { __index = methods }
    function methods.update(a, s)
        check(s)
        a[#a + 1] = s
    end
    function methods.result(a) return sum(table.concat(a), a.seed) end
    function methods.clear(a, new_seed)
        for i = 1, #a do a[i] = nil end
        if type(new_seed) == 'number' then a.seed = new_seed end
    end
    function methods.copy(a) return setmetatable({ seed = a.seed, unpack(a) }, mt) end
    return function(options)
        local own = seed
        if type(options) == 'table' then own = options.seed or seed elseif options ~= nil then own = options end
        return setmetatable({ seed = own }, mt)
    end
end

local function checksum(name, go, seed)
    local function check(s) check_string(s, 'digest.' .. name) end
    return setmetatable({ new = accumulator(go, seed, check) }, {
        __call = function(_, s, own_seed)
            check_string(s, 'digest.' .. name)
            return go(s, own_seed or seed)
        end,
    })
end

local go_murmur, go_xxhash32, go_xxhash64 = core.fn('digest.murmur'), core.fn('digest.xxhash32'), core.fn('digest.xxhash64')
digest.murmur = checksum('murhash', go_murmur, 13)
digest.xxhash32 = checksum('xxhash32', go_xxhash32, 0)
digest.xxhash64 = checksum('xxhash64', function(s, seed) return ffi.cast('uint64_t', go_xxhash64(s, seed)) end, 0)

local crc_start = 4294967295

function digest.crc32_update(crc, s)
    check_string(s, 'digest.crc32_update')
    return crc32_update(crc, s)
end

-- CRC-32 can be carried on from piece to piece.
local crc_methods = {}
local crc_mt = { __index = crc_methods }

function crc_methods.update(c, s)
    check_string(s, 'digest.crc32')
    c.value = crc32_update(c.value, s)
end

function crc_methods.result(c) return c.value end

function crc_methods.clear(c) c.value = crc_start end

function crc_methods.copy(c) return setmetatable({ value = c.value }, crc_mt) end

digest.crc32 = setmetatable({
    crc_begin = crc_start,
    new = function() return setmetatable({ value = crc_start }, crc_mt) end,
}, {
    __call = function(_, s)
        check_string(s, 'digest.crc32')
        return crc32_update(crc_start, s)
    end,
})

--- guava(key, buckets): the bucket of a key, by consistent hashing.
function digest.guava(key, buckets) return guava(ffi.cast('uint64_t', key), buckets) end

function digest.urandom(n)
    if type(n) ~= 'number' then usage('digest.urandom(len)') end
    return urandom(n)
end

local encode_usage = 'digest.base64_encode(string[, table])'

function digest.base64_encode(s, options)
    if type(s) ~= 'string' or options ~= nil and type(options) ~= 'table' then usage(encode_usage) end
    options = options or {}
    return base64_encode(s, options.urlsafe or false, options.nopad or false, options.nowrap or false)
end

function digest.base64_decode(s)
    if type(s) ~= 'string' then usage('digest.base64_decode(string)') end
    return base64_decode(s)
end

local function derive(name, password, salt, iterations, size)
    if type(password) ~= 'string' or type(salt) ~= 'string' then
        usage(('digest.%s(pass, salt[,iterations][,digest_len])'):format(name))
    end
    iterations, size = iterations or 100000, size or 128
    if type(iterations) ~= 'number' or type(size) ~= 'number' or iterations < 1 or size < 1 or size > 128 then
        usage(('digest.%s(pass, salt[,iterations][,digest_len])'):format(name))
    end
    return pbkdf2(password, salt, iterations, size)
end

function digest.pbkdf2(...) return (derive('pbkdf2', ...)) end

function digest.pbkdf2_hex(...) return derive('pbkdf2_hex', ...):hex() end

digest.aes256cbc = {
    encrypt = function(...) return crypto.cipher.aes256.cbc.encrypt(...) end,
    decrypt = function(...) return crypto.cipher.aes256.cbc.decrypt(...) end,
}

return digest
