//go:build cgo

/* MessagePack to Lua values. Sizes are checked against the bytes that are there before anything is allocated. */
#include "bridge.h"

#include <string.h>

static inline uint64_t
be(const char *p, int size)
{
	uint64_t v = 0;
	for (int i = 0; i < size; i++)
		v = v << 8 | (uint8_t)p[i];
	return v;
}

/* head reads the first byte and what belongs to it. For strings, binaries and extensions *n is the length of what
 * follows, for arrays and maps the number of elements. *type is an extension's type. Returns the class of the value, or
 * 0 when it is cut short or no MessagePack. */
enum cls { C_BAD, C_NIL, C_BOOL, C_UINT, C_INT, C_FLOAT, C_DOUBLE, C_STR, C_BIN, C_ARRAY, C_MAP, C_EXT };

static enum cls
head(const char **p, const char *end, uint64_t *n, int8_t *type)
{
	const char *s = *p;
	if (s >= end)
		return C_BAD;
	uint8_t c = (uint8_t)*s++;
	size_t left = (size_t)(end - s);
	enum cls r;
	int size = 0;
	if (c < 0x80) {
		*n = c;
		*p = s;
		return C_UINT;
	}
	if (c >= 0xe0) {
		*n = (uint64_t)(int64_t)(int8_t)c;
		*p = s;
		return C_INT;
	}
	if (c < 0xc0) {
		*p = s;
		if (c < 0x90) {
			*n = c & 15;
			return C_MAP;
		}
		if (c < 0xa0) {
			*n = c & 15;
			return C_ARRAY;
		}
		*n = c & 31;
		return *n <= left ? C_STR : C_BAD;
	}
	switch (c) {
	case 0xc0: *p = s; return C_NIL;
	case 0xc2: case 0xc3: *n = c & 1; *p = s; return C_BOOL;
	case 0xc4: case 0xc5: case 0xc6: r = C_BIN; size = 1 << (c - 0xc4); break;
	case 0xc7: case 0xc8: case 0xc9: r = C_EXT; size = 1 << (c - 0xc7); break;
	case 0xca: r = C_FLOAT; size = 4; break;
	case 0xcb: r = C_DOUBLE; size = 8; break;
	case 0xcc: case 0xcd: case 0xce: case 0xcf: r = C_UINT; size = 1 << (c - 0xcc); break;
	case 0xd0: case 0xd1: case 0xd2: case 0xd3: r = C_INT; size = 1 << (c - 0xd0); break;
	case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:
		*n = (uint64_t)1 << (c - 0xd4);
		if (left < 1 + *n)
			return C_BAD;
		*type = (int8_t)*s++;
		*p = s;
		return C_EXT;
	case 0xd9: case 0xda: case 0xdb: r = C_STR; size = 1 << (c - 0xd9); break;
	case 0xdc: case 0xdd: r = C_ARRAY; size = 2 << (c - 0xdc); break;
	case 0xde: case 0xdf: r = C_MAP; size = 2 << (c - 0xde); break;
	default: return C_BAD;
	}
	if (left < (size_t)size)
		return C_BAD;
	uint64_t v = be(s, size);
	s += size;
	left -= (size_t)size;
	if (r == C_INT) {
		int shift = 64 - 8 * size;
		v = (uint64_t)((int64_t)(v << shift) >> shift);
	} else if (r == C_EXT) {
		if (left < 1)
			return C_BAD;
		*type = (int8_t)*s++;
		left--;
	}
	if ((r == C_STR || r == C_BIN || r == C_EXT) && v > left)
		return C_BAD;
	*n = v;
	*p = s;
	return r;
}

int
ly_read_map(const char **p, const char *end, uint32_t *n)
{
	const char *s = *p;
	uint64_t v;
	int8_t type;
	if (head(&s, end, &v, &type) != C_MAP)
		return -1;
	*n = (uint32_t)v;
	*p = s;
	return 0;
}

int
ly_read_array(const char **p, const char *end, uint32_t *n)
{
	const char *s = *p;
	uint64_t v;
	int8_t type;
	if (head(&s, end, &v, &type) != C_ARRAY)
		return -1;
	*n = (uint32_t)v;
	*p = s;
	return 0;
}

/* The sizes of values by their first byte, where that says it all: numbers, booleans, nil and short strings. 0 for others. */
static const uint8_t whole_size[256] = {
	[0x00 ... 0x7f] = 1, [0xe0 ... 0xff] = 1, [0xc0] = 1, [0xc2] = 1, [0xc3] = 1,
	[0xca] = 5, [0xcb] = 9, [0xcc] = 2, [0xcd] = 3, [0xce] = 5, [0xcf] = 9, [0xd0] = 2, [0xd1] = 3, [0xd2] = 5, [0xd3] = 9,
	[0xa0] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
	31, 32,
};

/* ly_skip counts what is left to skip instead of going down, so that no nesting can exhaust the stack. */
int
ly_skip(const char **p, const char *end)
{
	const char *s = *p;
	uint64_t todo = 1;
	if (s < end && whole_size[(uint8_t)*s] > 0 && end - s >= whole_size[(uint8_t)*s]) {
		*p = s + whole_size[(uint8_t)*s];
		return 0;
	}
	while (todo > 0) {
		uint64_t n = 0;
		int8_t type;
		todo--;
		switch (head(&s, end, &n, &type)) {
		case C_BAD: return -1;
		case C_STR: case C_BIN: case C_EXT: s += n; break;
		case C_ARRAY: todo += n; break;
		case C_MAP: todo += 2 * n; break;
		default: break;
		}
		if (todo > (uint64_t)(end - s))
			return -1;
	}
	*p = s;
	return 0;
}

/* From 1e14 on a Lua number prints with an exponent, so larger integers are 64-bit cdata. */
#define NUMBER_MAX 100000000000000LL

static void
push_uint(lua_State *L, struct ly_vm *vm, uint64_t v)
{
	if (v < (uint64_t)NUMBER_MAX) {
		lua_pushnumber(L, (double)v);
		return;
	}
	vm->shared.scratch.u64 = v;
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_u64);
	lua_call(L, 0, 1);
}

static void
push_int(lua_State *L, struct ly_vm *vm, int64_t v)
{
	if (v > -NUMBER_MAX && v < NUMBER_MAX) {
		lua_pushnumber(L, (double)v);
		return;
	}
	vm->shared.scratch.i64 = v;
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_i64);
	lua_call(L, 0, 1);
}

static void
unsupported(lua_State *L, struct ly_vm *vm, int8_t type)
{
	ly_refuse(L, vm, lua_pushfstring(L, "Unsupported MsgPack extension type: %d", (int)type));
}

/* make calls the Lua constructor of a kind with a pointer and a size; the constructor copies. */
static void
make(lua_State *L, struct ly_vm *vm, enum ly_kind kind, const char *p, size_t len, int8_t type)
{
	if (vm->ref_make[kind] == LUA_NOREF)
		unsupported(L, vm, type);
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_make[kind]);
	lua_pushlightuserdata(L, (void *)p);
	lua_pushinteger(L, (lua_Integer)len);
	lua_call(L, 2, 1);
}

static void
push_ext(lua_State *L, struct ly_vm *vm, int8_t type, const char *p, size_t len, const struct ly_codec *c)
{
	/* What came from outside can't name memory or functions of this process. */
	if (type >= LY_EXT_INTERNAL && !c->functions)
		unsupported(L, vm, type);
	switch (type) {
	case LY_EXT_FUNCTION: {
		int32_t ref;
		if (len != sizeof(ref))
			ly_invalid(L, vm, "truncated input");
		memcpy(&ref, p, sizeof(ref));
		lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
		return;
	}
	case LY_EXT_DECIMAL: make(L, vm, LY_DECIMAL, p, len, type); return;
	case LY_EXT_UUID: make(L, vm, LY_UUID, p, len, type); return;
	case LY_EXT_ERROR: make(L, vm, LY_ERROR, p, len, type); return;
	case LY_EXT_DATETIME: make(L, vm, LY_DATETIME, p, len, type); return;
	case LY_EXT_INTERVAL: make(L, vm, LY_INTERVAL, p, len, type); return;
	case LY_EXT_TUPLE: {
		uint64_t id;
		int8_t t;
		const char *s = p;
		if (head(&s, p + len, &id, &t) != C_UINT)
			ly_refuse(L, vm, "Can not parse a tuple from MsgPack");
		lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_make[LY_TUPLE]);
		lua_pushlightuserdata(L, (void *)s);
		lua_pushinteger(L, (lua_Integer)(p + len - s));
		lua_pushnumber(L, (lua_Number)id);
		lua_call(L, 3, 1);
		return;
	}
	case LY_EXT_LIVE_TUPLE: {
		if (len < 12)
			ly_invalid(L, vm, "truncated input");
		uint64_t address;
		uint32_t format;
		memcpy(&address, p, 8);
		memcpy(&format, p + 8, 4);
		vm->shared.scratch.u64 = address;
		lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_make[LY_TUPLE]);
		lua_pushlightuserdata(L, (void *)(p + 12));
		lua_pushinteger(L, (lua_Integer)len - 12);
		lua_pushnumber(L, format);
		lua_pushboolean(L, 1); /* the address is in the scratch area */
		lua_call(L, 4, 1);
		return;
	}
	default:
		unsupported(L, vm, type);
	}
}

static void
decode(lua_State *L, struct ly_vm *vm, const char **p, const char *end, const struct ly_codec *c, int top_nil, int depth)
{
	uint64_t n = 0;
	int8_t type = 0;
	enum cls k = head(p, end, &n, &type);
	if ((k >= C_ARRAY) && (depth > 1000 || !lua_checkstack(L, 8)))
		luaL_error(L, "MsgPack is nested too deep");
	switch (k) {
	case C_BAD:
		ly_invalid(L, vm, "truncated input");
		return;
	case C_NIL:
		if (top_nil)
			lua_pushnil(L);
		else
			lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_null);
		return;
	case C_BOOL: lua_pushboolean(L, (int)n); return;
	case C_UINT: push_uint(L, vm, n); return;
	case C_INT: push_int(L, vm, (int64_t)n); return;
	case C_FLOAT: {
		uint32_t u = (uint32_t)n;
		float f;
		memcpy(&f, &u, 4);
		lua_pushnumber(L, f);
		return;
	}
	case C_DOUBLE: {
		double f;
		memcpy(&f, &n, 8);
		lua_pushnumber(L, f);
		return;
	}
	case C_STR:
		lua_pushlstring(L, *p, n);
		*p += n;
		return;
	case C_BIN:
		make(L, vm, LY_VARBINARY, *p, n, 0);
		*p += n;
		return;
	case C_EXT:
		push_ext(L, vm, type, *p, n, c);
		*p += n;
		return;
	case C_ARRAY:
		if (n > (uint64_t)(end - *p))
			ly_invalid(L, vm, "truncated input");
		lua_createtable(L, (int)n, 0);
		if (c->save_metatables) {
			lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_seq);
			lua_setmetatable(L, -2);
		}
		for (uint64_t i = 1; i <= n; i++) {
			decode(L, vm, p, end, c, 0, depth + 1);
			lua_rawseti(L, -2, (int)i);
		}
		return;
	case C_MAP:
		if (2 * n > (uint64_t)(end - *p))
			ly_invalid(L, vm, "truncated input");
		lua_createtable(L, 0, (int)n);
		if (c->save_metatables) {
			lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_map);
			lua_setmetatable(L, -2);
		}
		for (uint64_t i = 0; i < n; i++) {
			decode(L, vm, p, end, c, 0, depth + 1);
			decode(L, vm, p, end, c, 0, depth + 1);
			if (lua_type(L, -2) == LUA_TNUMBER && lua_tonumber(L, -2) != lua_tonumber(L, -2))
				luaL_error(L, "a map key is not a number");
			lua_rawset(L, -3);
		}
		return;
	}
}

void
ly_decode(lua_State *L, struct ly_vm *vm, const char **p, const char *end, const struct ly_codec *c, int top_nil)
{
	decode(L, vm, p, end, c, top_nil, 0);
}

enum ly_scalar
ly_read_scalar(const char *p, const char *end, struct ly_shared *shared)
{
	uint64_t n = 0;
	int8_t type;
	switch (head(&p, end, &n, &type)) {
	case C_BOOL: return n ? LY_TRUE : LY_FALSE;
	case C_UINT:
		if (n >= (uint64_t)NUMBER_MAX)
			return LY_UNREAD;
		shared->number = (double)n;
		return LY_NUMBER;
	case C_INT:
		if ((int64_t)n <= -NUMBER_MAX)
			return LY_UNREAD;
		shared->number = (double)(int64_t)n;
		return LY_NUMBER;
	case C_STR:
		shared->result = p;
		shared->result_end = p + n;
		return LY_TEXT;
	default: return LY_UNREAD;
	}
}
