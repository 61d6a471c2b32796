//go:build cgo

/* Lua values to MessagePack. Everything here may raise Lua errors and is called inside protected code only. */
#include "bridge.h"

#include <math.h>
#include <string.h>

static inline void
put1(struct ly_buf *b, uint8_t v)
{
	ly_buf_reserve(b, 1);
	b->p[b->len++] = (char)v;
}

static inline void
put_be(struct ly_buf *b, uint8_t code, uint64_t v, int size)
{
	ly_buf_reserve(b, 9);
	char *p = b->p + b->len;
	*p++ = (char)code;
	for (int i = size - 1; i >= 0; i--)
		*p++ = (char)(v >> (8 * i));
	b->len += 1 + (size_t)size;
}

static void
put_bytes(struct ly_buf *b, const void *p, size_t len)
{
	ly_buf_reserve(b, len);
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

static void
put_uint(struct ly_buf *b, uint64_t v)
{
	if (v < 128)
		put1(b, (uint8_t)v);
	else if (v <= UINT8_MAX)
		put_be(b, 0xcc, v, 1);
	else if (v <= UINT16_MAX)
		put_be(b, 0xcd, v, 2);
	else if (v <= UINT32_MAX)
		put_be(b, 0xce, v, 4);
	else
		put_be(b, 0xcf, v, 8);
}

static void
put_int(struct ly_buf *b, int64_t v)
{
	if (v >= 0)
		put_uint(b, (uint64_t)v);
	else if (v >= -32)
		put1(b, (uint8_t)v);
	else if (v >= INT8_MIN)
		put_be(b, 0xd0, (uint64_t)v, 1);
	else if (v >= INT16_MIN)
		put_be(b, 0xd1, (uint64_t)v, 2);
	else if (v >= INT32_MIN)
		put_be(b, 0xd2, (uint64_t)v, 4);
	else
		put_be(b, 0xd3, (uint64_t)v, 8);
}

static void
put_double(struct ly_buf *b, double v)
{
	uint64_t u;
	memcpy(&u, &v, 8);
	put_be(b, 0xcb, u, 8);
}

static void
put_float(struct ly_buf *b, float v)
{
	uint32_t u;
	memcpy(&u, &v, 4);
	put_be(b, 0xca, u, 4);
}

/* put_number: a Lua number without a fraction is an integer on the wire. */
static void
put_number(struct ly_buf *b, double v)
{
	if (v >= 0 && v < 128 && v == (double)(uint8_t)v && !(v == 0 && signbit(v)))
		put1(b, (uint8_t)v);
	else if (v >= 0 && v < 18446744073709551616.0 && floor(v) == v)
		put_uint(b, (uint64_t)v);
	else if (v < 0 && v >= -9223372036854775808.0 && floor(v) == v)
		put_int(b, (int64_t)v);
	else
		put_double(b, v);
}

static void
put_str(struct ly_buf *b, const char *s, size_t len)
{
	if (len < 32)
		put1(b, (uint8_t)(0xa0 | len));
	else if (len <= UINT8_MAX)
		put_be(b, 0xd9, len, 1);
	else if (len <= UINT16_MAX)
		put_be(b, 0xda, len, 2);
	else
		put_be(b, 0xdb, len, 4);
	put_bytes(b, s, len);
}

static void
put_bin(struct ly_buf *b, const char *s, size_t len)
{
	if (len <= UINT8_MAX)
		put_be(b, 0xc4, len, 1);
	else if (len <= UINT16_MAX)
		put_be(b, 0xc5, len, 2);
	else
		put_be(b, 0xc6, len, 4);
	put_bytes(b, s, len);
}

static void
put_array(struct ly_buf *b, uint32_t n)
{
	if (n < 16)
		put1(b, (uint8_t)(0x90 | n));
	else if (n <= UINT16_MAX)
		put_be(b, 0xdc, n, 2);
	else
		put_be(b, 0xdd, n, 4);
}

static void
put_map(struct ly_buf *b, uint32_t n)
{
	if (n < 16)
		put1(b, (uint8_t)(0x80 | n));
	else if (n <= UINT16_MAX)
		put_be(b, 0xde, n, 2);
	else
		put_be(b, 0xdf, n, 4);
}

static void
put_ext(struct ly_buf *b, int8_t type, const void *p, size_t len)
{
	switch (len) {
	case 1: put1(b, 0xd4); break;
	case 2: put1(b, 0xd5); break;
	case 4: put1(b, 0xd6); break;
	case 8: put1(b, 0xd7); break;
	case 16: put1(b, 0xd8); break;
	default:
		if (len <= UINT8_MAX)
			put_be(b, 0xc7, len, 1);
		else if (len <= UINT16_MAX)
			put_be(b, 0xc8, len, 2);
		else
			put_be(b, 0xc9, len, 4);
	}
	put1(b, (uint8_t)type);
	put_bytes(b, p, len);
}

static void
put_uuid(struct ly_buf *b, const struct ly_uuid *u)
{
	uint8_t d[16] = {
		(uint8_t)(u->time_low >> 24), (uint8_t)(u->time_low >> 16), (uint8_t)(u->time_low >> 8),
		(uint8_t)u->time_low, (uint8_t)(u->time_mid >> 8), (uint8_t)u->time_mid,
		(uint8_t)(u->time_hi_and_version >> 8), (uint8_t)u->time_hi_and_version,
		u->clock_seq_hi_and_reserved, u->clock_seq_low,
	};
	memcpy(d + 10, u->node, 6);
	put_ext(b, LY_EXT_UUID, d, 16);
}

/* put_tuple writes a tuple as the array that it is, or with what the other side needs to know it again. */
static void
put_tuple(struct ly_buf *b, const struct ly_tuple *t, const struct ly_codec *c)
{
	if (c->tuple_ext == 0) {
		put_bytes(b, t->data, t->size);
	} else if (c->tuple_ext == 1) {
		put_be(b, 0xc9, (uint64_t)t->size + 12, 4);
		put1(b, LY_EXT_LIVE_TUPLE);
		put_bytes(b, &t->address, 8);
		put_bytes(b, &t->format, 4);
		put_bytes(b, t->data, t->size);
	} else {
		ly_buf_reserve(b, (size_t)t->size + 16);
		/* the extension holds the format id, then the tuple */
		size_t id = t->format < 128 ? 1 : t->format <= UINT8_MAX ? 2 : t->format <= UINT16_MAX ? 3 : 5;
		size_t len = id + t->size;
		if (len <= UINT8_MAX)
			put_be(b, 0xc7, len, 1);
		else if (len <= UINT16_MAX)
			put_be(b, 0xc8, len, 2);
		else
			put_be(b, 0xc9, len, 4);
		put1(b, LY_EXT_TUPLE);
		put_uint(b, t->format);
		put_bytes(b, t->data, t->size);
	}
}

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
	switch (ly_kind_of(L, vm, idx)) {
	case LY_INT8: put_int(b, *(const int8_t *)p); return;
	case LY_INT16: put_int(b, *(const int16_t *)p); return;
	case LY_INT32: put_int(b, *(const int32_t *)p); return;
	case LY_INT64: put_int(b, *(const int64_t *)p); return;
	case LY_UINT8: put_uint(b, *(const uint8_t *)p); return;
	case LY_UINT16: put_uint(b, *(const uint16_t *)p); return;
	case LY_UINT32: put_uint(b, *(const uint32_t *)p); return;
	case LY_UINT64: put_uint(b, *(const uint64_t *)p); return;
	case LY_FLOAT: put_float(b, *(const float *)p); return;
	case LY_DOUBLE: put_double(b, *(const double *)p); return;
	case LY_BOOL: put1(b, *(const uint8_t *)p ? 0xc3 : 0xc2); return;
	case LY_POINTER:
		if (*(void *const *)p == NULL) {
			put1(b, 0xc0);
			return;
		}
		break;
	case LY_TUPLE: put_tuple(b, p, c); return;
	case LY_DECIMAL: {
		const struct ly_ext *e = p;
		put_ext(b, LY_EXT_DECIMAL, e->data, e->size);
		return;
	}
	case LY_UUID: put_uuid(b, p); return;
	case LY_VARBINARY: {
		const struct ly_varbinary *v = p;
		put_bin(b, v->data, v->size);
		return;
	}
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

/* The most elements that encode_plain tries: as many as one byte of a header can count. */
#define PLAIN 15

/* order_pairs puts the pairs of a packet's outermost map in the order of their numbers, the largest first: the order of a
 * Lua table changes from one run of the program to the next, and packets should not. at[i] is where pair i begins, at[n]
 * where the last one ends. */
static void
order_pairs(struct ly_buf *b, size_t *at, const int *number, uint32_t n)
{
	uint32_t order[PLAIN];
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = i;
		for (; k > 0 && number[order[k - 1]] < number[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	size_t size = at[n] - at[0];
	ly_buf_reserve(b, size);
	char *from = b->p + at[0], *room = b->p + at[n];
	for (uint32_t i = 0; i < n; i++) {
		size_t len = at[order[i] + 1] - at[order[i]];
		memcpy(room, b->p + at[order[i]], len);
		room += len;
	}
	memmove(from, b->p + at[n], size);
}

/* encode_plain encodes small tables in one pass: arrays whose elements come in order, and maps whose keys are strings. It
 * returns 0, with nothing written, for all others, which take a pass to find out what they are. */
static int
encode_plain(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
	size_t start = b->len;
	int top = lua_gettop(L);
	uint32_t n = 0;
	enum shape shape = SHAPE_AUTO;
	int named = c->key_names && depth == 0, ordered = 1;
	size_t at[PLAIN + 1];
	int number[PLAIN];
	put1(b, 0x90);
	lua_pushnil(L);
	while (lua_next(L, idx)) {
		int is_text = lua_type(L, top + 1) == LUA_TSTRING;
		if (n == 0)
			shape = is_text ? SHAPE_MAP : SHAPE_ARRAY;
		if (++n > PLAIN || is_text != (shape == SHAPE_MAP) ||
		    (!is_text && (lua_type(L, top + 1) != LUA_TNUMBER || lua_tonumber(L, top + 1) != n))) {
			b->len = start;
			lua_settop(L, top);
			return 0;
		}
		at[n - 1] = b->len;
		if (is_text)
			encode_key(L, vm, b, top + 1, c, depth);
		if (named) {
			number[n - 1] = (uint8_t)b->p[at[n - 1]];
			named = number[n - 1] < 0x80;
			ordered = ordered && (n < 2 || number[n - 2] > number[n - 1]);
		}
		ly_encode(L, vm, b, top + 2, c, depth + 1);
		lua_settop(L, top + 1);
	}
	if (named && !ordered && shape == SHAPE_MAP) {
		at[n] = b->len;
		order_pairs(b, at, number, n);
	}
	b->p[start] = (char)((shape == SHAPE_MAP ? 0x80 : 0x90) | n);
	return 1;
}

static void
encode_table(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth)
{
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
	if (hint == SHAPE_AUTO && encode_plain(L, vm, b, idx, c, depth))
		return;
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
	put_map(b, n);
	lua_pushnil(L);
	while (lua_next(L, idx)) {
		encode_key(L, vm, b, lua_gettop(L) - 1, c, depth);
		ly_encode(L, vm, b, lua_gettop(L), c, depth + 1);
		lua_pop(L, 1);
	}
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
		luaL_checkstack(L, 8, "encode");
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
