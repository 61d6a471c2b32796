//go:build cgo

/* The C functions under the Lua modules msgpack and box.iproto. Options are those of a struct ly_codec that Lua owns. */
#include "bridge.h"

#include <string.h>

#define VM ((struct ly_vm *)lua_touserdata(L, lua_upvalueindex(1)))

/* codec_of returns the struct ly_codec behind the cdata or light userdata at idx. */
static const struct ly_codec *
codec_of(lua_State *L, int idx)
{
	if (lua_type(L, idx) == LUA_TLIGHTUSERDATA)
		return lua_touserdata(L, idx);
	if (lua_type(L, idx) != LUA_TCDATA_)
		luaL_error(L, "codec expected");
	return lua_topointer(L, idx);
}

/* encode(codec, value) -> string. The buffer belongs to the VM. */
static int
encode(lua_State *L)
{
	struct ly_vm *vm = VM;
	const struct ly_codec *c = codec_of(L, 1);
	lua_settop(L, 2);
	struct ly_buf *shared = &vm->bufs[vm->depth];
	shared->len = 0;
	ly_encode(L, vm, shared, 2, c, 0);
	lua_pushlstring(L, shared->p, shared->len);
	return 1;
}

/* decode(codec, string, position) -> value, next position. Raises for what is malformed. */
static int
decode(lua_State *L)
{
	struct ly_vm *vm = VM;
	const struct ly_codec *c = codec_of(L, 1);
	size_t len;
	const char *s = luaL_checklstring(L, 2, &len);
	lua_Integer from = luaL_optinteger(L, 3, 1);
	if (from < 1 || (size_t)from > len + 1)
		return luaL_error(L, "decode: position %d is out of the string", (int)from);
	const char *p = s + from - 1;
	ly_decode(L, vm, &p, s + len, c, 0);
	lua_pushinteger(L, p - s + 1);
	return 2;
}

/* decode_at(codec, pointer, length) -> value, bytes read. The pointer is light or a cdata pointer; its owner keeps the
 * memory. */
static int
decode_at(lua_State *L)
{
	struct ly_vm *vm = VM;
	const struct ly_codec *c = codec_of(L, 1);
	const char *s = NULL;
	if (lua_type(L, 2) == LUA_TLIGHTUSERDATA)
		s = lua_touserdata(L, 2);
	else if (lua_type(L, 2) == LUA_TCDATA_)
		s = *(const char *const *)lua_topointer(L, 2);
	const char *p = s;
	size_t len = (size_t)luaL_checknumber(L, 3);
	if (s == NULL)
		return luaL_error(L, "decode: no memory");
	ly_decode(L, vm, &p, s + len, c, 0);
	lua_pushnumber(L, (lua_Number)(p - s));
	return 2;
}

static const struct ly_tuple *
check_tuple(lua_State *L, struct ly_vm *vm, int idx)
{
	if (lua_type(L, idx) != LUA_TCDATA_ || ly_kind_of(L, vm, idx) != LY_TUPLE)
		luaL_typerror(L, idx, "tuple");
	return lua_topointer(L, idx);
}

/* decode_tuple(codec, tuple) -> a table of its fields. */
static int
decode_tuple(lua_State *L)
{
	struct ly_vm *vm = VM;
	const struct ly_tuple *t = check_tuple(L, vm, 2);
	const char *p = t->data;
	ly_decode(L, vm, &p, t->data + t->size, codec_of(L, 1), 0);
	return 1;
}

/* check(string, position) -> position behind the value that starts there, or nil when it is malformed. */
static int
check(lua_State *L)
{
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	lua_Integer from = luaL_optinteger(L, 2, 1);
	if (from < 1 || (size_t)from > len)
		return 0;
	const char *p = s + from - 1;
	if (ly_skip(&p, s + len) != 0)
		return 0;
	lua_pushinteger(L, p - s + 1);
	return 1;
}

/* header(string, position, is map) -> count, next position; nothing when something else stands there. */
static int
header(lua_State *L)
{
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	lua_Integer from = luaL_optinteger(L, 2, 1);
	if (from < 1 || (size_t)from > len)
		return 0;
	const char *p = s + from - 1;
	uint32_t n;
	int rc = lua_toboolean(L, 3) ? ly_read_map(&p, s + len, &n) : ly_read_array(&p, s + len, &n);
	if (rc != 0)
		return 0;
	lua_pushnumber(L, n);
	lua_pushinteger(L, p - s + 1);
	return 2;
}

/* fields(codec, tuple, first, last) -> the fields from number first (0-based) up to, not including, last. */
static int
fields(lua_State *L)
{
	struct ly_vm *vm = VM;
	const struct ly_codec *c = codec_of(L, 1);
	const struct ly_tuple *t = check_tuple(L, vm, 2);
	const char *p = t->data, *end = t->data + t->size;
	lua_Number from = lua_tonumber(L, 3), to = lua_tonumber(L, 4);
	uint32_t n;
	if (ly_read_array(&p, end, &n) != 0)
		return luaL_error(L, "not an array");
	if (to < n)
		n = to < 0 ? 0 : (uint32_t)to;
	if (from < 0 || from >= n)
		return 0;
	uint32_t first = (uint32_t)from;
	for (uint32_t i = 0; i < first; i++)
		if (ly_skip(&p, end) != 0)
			return luaL_error(L, "Invalid MsgPack");
	if (n - first > LUAI_MAXCSTACK - 100 || !lua_checkstack(L, (int)(n - first) + 8))
		return luaL_error(L, "too many fields to unpack");
	for (uint32_t i = first; i < n; i++)
		ly_decode(L, vm, &p, end, c, 0);
	return (int)(n - first);
}

static void
put(lua_State *L, struct ly_vm *vm, const char *name, lua_CFunction f)
{
	lua_pushlightuserdata(L, vm);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

int
ly_open_msgpack(lua_State *L, struct ly_vm *vm)
{
	put(L, vm, "encode", encode);
	put(L, vm, "decode", decode);
	put(L, vm, "decode_at", decode_at);
	put(L, vm, "decode_tuple", decode_tuple);
	put(L, vm, "check", check);
	put(L, vm, "header", header);
	put(L, vm, "fields", fields);
	return 0;
}
