-- The module help: what the global names help and tutorial print.
local function text(lines)
    return setmetatable({}, {
        __serialize = function() return lines end,
        __call = function() return lines end,
        __tostring = function() return table.concat(lines, '\n') end,
    })
end

return {
    help = text {
        'box.cfg{listen = 3301} opens the database and listens for clients',
        'box.schema.space.create(NAME) makes a space, box.space.NAME is it',
        'box.iproto.override(TYPE, FUNCTION) takes over requests of a type',
        'os.exit() ends the server',
        'The documentation is in the README and the pages that it names.',
    },
    tutorial = text {
        'box.cfg{}',
        "s = box.schema.space.create('test')",
        "s:create_index('primary')",
        "s:insert{1, 'one'}",
        's:select()',
    },
}
