//go:build cgo

/* Finding a tuple by a key of one value. Lua calls these functions by FFI, so that LuaJIT compiles the call; code that it has
 * compiled must not come back to Lua in the middle, and nothing here or behind it does. They return an enum ly_scalar: LY_FOUND
 * with the tuple at shared.result, LY_ABSENT, or LY_UNREAD, which sends Lua the long way: to errors, above all. */
#include "put.h"

#include "_cgo_export.h"

static int32_t
find(struct ly_vm *vm, uint32_t space, uint32_t index, const struct ly_buf *key)
{
	int depth = vm->depth++;
	int32_t found = lyGoGet(vm->handle, space, index, key->p, key->len, depth);
	vm->depth = depth;
	return found;
}

/* begin returns the buffer for a key of one value, which holds until find returns; NULL when calls are nested too deep. */
static struct ly_buf *
begin(struct ly_vm *vm)
{
	if (vm->depth >= LY_DEPTH - 1)
		return NULL;
	struct ly_buf *b = &vm->bufs[vm->depth];
	b->len = 0;
	put_array(b, 1);
	return b;
}

static int32_t
find_number(struct ly_vm *vm, uint32_t space, uint32_t index, double key)
{
	struct ly_buf *b = begin(vm);
	if (b == NULL)
		return LY_UNREAD;
	put_number(b, key);
	return find(vm, space, index, b);
}

static int32_t
find_text(struct ly_vm *vm, uint32_t space, uint32_t index, const char *key, size_t size)
{
	struct ly_buf *b = begin(vm);
	if (b == NULL)
		return LY_UNREAD;
	put_str(b, key, size);
	return find(vm, space, index, b);
}

/* ly_open_get adds the functions' addresses to the module table on top. */
void
ly_open_get(lua_State *L)
{
	lua_pushlightuserdata(L, (void *)find_number);
	lua_setfield(L, -2, "find_number");
	lua_pushlightuserdata(L, (void *)find_text);
	lua_setfield(L, -2, "find_text");
}
