//go:build cgo

/* Lua values to MessagePack. Everything here may raise Lua errors and is called inside protected code only. */
#include "put.h"

/* The encoder calls Lua for some values, and that Lua may encode too, into the same buffer. So what was written is kept as
 * a string on the stack meanwhile: nothing leaks when the call raises. */
static void
save(lua_State *L, const struct ly_buf *b)
{
	luaL_checkstack(L, 8, "encode");
	lua_pushlstring(L, b->p, b->len);
}

static void
restore(lua_State *L, struct ly_buf *b, int idx)
{
	size_t len;
	const char *s = lua_tolstring(L, idx, &len);
	b->len = 0;
	put_bytes(b, s, len);
}

/* put_packed calls the Lua packer of a kind, which returns the bytes of the extension. */
static void
put_packed(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, enum ly_kind kind, int8_t type)
{
	if (vm->ref_pack[kind] == LUA_NOREF)
		ly_raise(L, vm, "unsupported Lua type '%s'", "cdata");
	save(L, b);
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_pack[kind]);
	lua_pushvalue(L, idx);
	lua_call(L, 1, 1);
	restore(L, b, lua_gettop(L) - 1);
	size_t len;
	const char *s = lua_tolstring(L, -1, &len);
	if (s == NULL)
		luaL_error(L, "a packer returned no string");
	put_ext(b, type, s, len);
	lua_pop(L, 2);
}

static void
unsupported(lua_State *L, struct ly_vm *vm, struct ly_buf *b, const struct ly_codec *c, const char *type)
{
	if (!c->invalid_as_nil)
		ly_raise(L, vm, "unsupported Lua type '%s'", type);
	put1(b, 0xc0);
}

static int try_serialize(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth);

static void
encode_cdata(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
	const void *p = lua_topointer(L, idx);
	enum ly_kind kind = ly_kind_of(L, vm, idx);
	if (put_cdata(b, kind, p, c))
		return;
	switch (kind) {
	case LY_ERROR:
		if (c->error_ext) {
			put_packed(L, vm, b, idx, LY_ERROR, LY_EXT_ERROR);
		} else {
			luaL_checkstack(L, 4, "encode");
			lua_getfield(L, idx, "message");
			size_t len;
			const char *s = lua_tolstring(L, -1, &len);
			put_str(b, s ? s : "", s ? len : 0);
			lua_pop(L, 1);
		}
		return;
	case LY_DATETIME: put_packed(L, vm, b, idx, LY_DATETIME, LY_EXT_DATETIME); return;
	case LY_INTERVAL: put_packed(L, vm, b, idx, LY_INTERVAL, LY_EXT_INTERVAL); return;
	default:
		break;
	}
	if (!try_serialize(L, vm, b, idx, c, depth))
		unsupported(L, vm, b, c, "cdata");
}

/* try_serialize encodes what the metamethod __serialize makes of the value. */
static int
try_serialize(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
	if (!c->load_metatables || !luaL_getmetafield(L, idx, "__serialize"))
		return 0;
	if (!lua_isfunction(L, -1)) {
		lua_pop(L, 1);
		return 0;
	}
	save(L, b);
	lua_insert(L, -2);
	lua_pushvalue(L, idx);
	if (lua_pcall(L, 1, 1, 0) != 0) {
		if (lua_type(L, -1) == LUA_TSTRING) /* the reference makes an error object of a text */
			ly_raise(L, vm, "%s", lua_tostring(L, -1));
		lua_error(L);
	}
	restore(L, b, lua_gettop(L) - 1);
	ly_encode(L, vm, b, lua_gettop(L), c, depth); /* in place of the value, so no deeper */
	lua_pop(L, 2);
	return 1;
}

enum shape { SHAPE_AUTO, SHAPE_ARRAY, SHAPE_MAP };

/* table_shape decides between array and map and counts. Returns the number of pairs or the array's length. */
static enum shape
table_shape(lua_State *L, int idx, enum shape hint, const struct ly_codec *c, uint32_t *n)
{
	uint32_t count = 0, top = 0;
	int is_array = hint != SHAPE_MAP;
	lua_pushnil(L);
	while (lua_next(L, idx)) {
		lua_pop(L, 1);
		count++;
		if (!is_array)
			continue;
		double k;
		if (lua_type(L, -1) != LUA_TNUMBER || (k = lua_tonumber(L, -1)) < 1 || k > UINT32_MAX || k != floor(k))
			is_array = 0;
		else if (k > top)
			top = (uint32_t)k;
	}
	if (hint == SHAPE_ARRAY) {
		*n = is_array ? top : (uint32_t)lua_objlen(L, idx);
		return SHAPE_ARRAY;
	}
	if (is_array && c->sparse_ratio > 0 && top > (uint32_t)c->sparse_safe &&
	    (uint64_t)top > (uint64_t)count * (uint32_t)c->sparse_ratio) {
		if (!c->sparse_convert)
			ly_raise(L, ly_vm_of(L), "excessively sparse array%s", "");
		is_array = 0;
	}
	*n = is_array ? top : count;
	return is_array ? SHAPE_ARRAY : SHAPE_MAP;
}

/* encode_key encodes the key of a map; in the outermost table names of protocol keys become their numbers. */
static void
encode_key(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
	if (c->key_names && depth == 0 && lua_type(L, idx) == LUA_TSTRING) {
		int top = lua_gettop(L);
		lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_names);
		lua_pushvalue(L, idx);
		lua_rawget(L, -2);
		int named = lua_isnumber(L, -1);
		if (named)
			put_number(b, lua_tonumber(L, -1));
		lua_settop(L, top);
		if (named)
			return;
	}
	ly_encode(L, vm, b, idx, c, depth + 1);
}

static void
encode_table(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
	if (ly_encode_plain(vm, b, lua_topointer(L, idx), c, depth))
		return;
	luaL_checkstack(L, 8, "encode");
	enum shape hint = SHAPE_AUTO;
	if (c->load_metatables && luaL_getmetafield(L, idx, "__serialize")) {
		if (lua_type(L, -1) == LUA_TSTRING) {
			const char *s = lua_tostring(L, -1);
			if (strcmp(s, "map") == 0 || strcmp(s, "mapping") == 0)
				hint = SHAPE_MAP;
			else if (strcmp(s, "array") == 0 || strcmp(s, "seq") == 0 || strcmp(s, "sequence") == 0)
				hint = SHAPE_ARRAY;
			else
				ly_raise(L, vm, "invalid __serialize value%s", "");
			lua_pop(L, 1);
		} else {
			lua_pop(L, 1);
			if (try_serialize(L, vm, b, idx, c, depth))
				return;
			ly_raise(L, vm, "invalid __serialize value%s", "");
		}
	}
	if (depth >= c->max_depth) {
		if (!c->deep_as_nil)
			ly_raise(L, vm, "Too high nest level - %s", lua_pushfstring(L, "%d", depth + 1));
		put1(b, 0xc0);
		return;
	}
	uint32_t n;
	if (table_shape(L, idx, hint, c, &n) == SHAPE_ARRAY) {
		put_array(b, n);
		for (uint32_t i = 1; i <= n; i++) {
			lua_rawgeti(L, idx, (int)i);
			ly_encode(L, vm, b, lua_gettop(L), c, depth + 1);
			lua_pop(L, 1);
		}
		return;
	}
	struct ly_pairs order;
	put_map(b, n);
	pairs_begin(&order, c->key_names && depth == 0);
	lua_pushnil(L);
	while (lua_next(L, idx)) {
		size_t at = b->len;
		encode_key(L, vm, b, lua_gettop(L) - 1, c, depth);
		pairs_add(&order, b, at);
		ly_encode(L, vm, b, lua_gettop(L), c, depth + 1);
		lua_pop(L, 1);
	}
	pairs_end(&order, b);
}

/* ly_encode appends the value at the absolute index idx to b. Raises for what can't be encoded. */
void
ly_encode(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
	size_t len;
	const char *s;
	switch (lua_type(L, idx)) {
	case LUA_TNIL:
		put1(b, 0xc0);
		return;
	case LUA_TBOOLEAN:
		put1(b, lua_toboolean(L, idx) ? 0xc3 : 0xc2);
		return;
	case LUA_TNUMBER:
		if (c->finite && !isfinite(lua_tonumber(L, idx))) {
			if (!c->invalid_as_nil)
				ly_raise(L, vm, "number must not be NaN or Inf%s", "");
			put1(b, 0xc0);
			return;
		}
		put_number(b, lua_tonumber(L, idx));
		return;
	case LUA_TSTRING:
		s = lua_tolstring(L, idx, &len);
		if (len > UINT32_MAX)
			luaL_error(L, "string is too long for MessagePack: %d bytes", (int)len);
		put_str(b, s, len);
		return;
	case LUA_TTABLE:
		encode_table(L, vm, b, idx, c, depth);
		return;
	case LUA_TCDATA_:
		encode_cdata(L, vm, b, idx, c, depth);
		return;
	case LUA_TFUNCTION:
		if (c->functions && depth == 0) {
			lua_pushvalue(L, idx);
			int32_t ref = luaL_ref(L, LUA_REGISTRYINDEX);
			put_ext(b, LY_EXT_FUNCTION, &ref, 4);
			return;
		}
		unsupported(L, vm, b, c, "function");
		return;
	case LUA_TUSERDATA:
		s = ly_to_object(L, vm, idx, &len);
		if (s != NULL) {
			put_bytes(b, s, len);
			return;
		}
		luaL_checkstack(L, 8, "encode");
		if (!try_serialize(L, vm, b, idx, c, depth))
			unsupported(L, vm, b, c, "userdata");
		return;
	case LUA_TLIGHTUSERDATA:
		if (lua_touserdata(L, idx) == NULL) {
			put1(b, 0xc0);
			return;
		}
		unsupported(L, vm, b, c, "userdata");
		return;
	default:
		unsupported(L, vm, b, c, lua_typename(L, lua_type(L, idx)));
	}
}
