//go:build cgo

/* msgpack.object and msgpack.iterator: values kept encoded. An object is a userdata that holds its own copy of the
 * bytes, so that it may outlive the request it came with; an iterator holds its object through its environment. */
#include "bridge.h"

#include <math.h>
#include <string.h>

struct ly_object {
	uint32_t size;
	uint16_t names; /* top-level keys can be named as those of the protocol */
	uint16_t kept;  /* tables that were decoded are remembered in the environment */
	char data[];
};

struct ly_iterator {
	const char *p, *end;
};

static const char object_name[] = "msgpack.object";
static const char iterator_name[] = "msgpack.iterator";

/* is_a tells whether idx is a userdata with a metatable, which the registry holds. */
static int
is_a(lua_State *L, int idx, const void *metatable)
{
	if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return 0;
	int same = lua_topointer(L, -1) == metatable;
	lua_pop(L, 1);
	return same;
}

const char *
ly_to_object(lua_State *L, struct ly_vm *vm, int idx, size_t *len)
{
	luaL_checkstack(L, 4, "object");
	if (!is_a(L, idx, vm->object_mt))
		return NULL;
	struct ly_object *o = lua_touserdata(L, idx);
	*len = o->size;
	return o->data;
}

/* make_object pushes an object with room for bytes. Allocates Lua memory, so it may raise. */
static struct ly_object *
make_object(lua_State *L, struct ly_vm *vm, size_t room)
{
	struct ly_object *o = lua_newuserdata(L, sizeof(*o) + room);
	o->size = (uint32_t)room;
	o->names = o->kept = 0;
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_object);
	lua_setmetatable(L, -2);
	return o;
}

/* fill gives an object its bytes. */
static void
fill(struct ly_object *o, const char *p, size_t len, int names)
{
	o->size = (uint32_t)len;
	o->names = (uint16_t)names;
	o->kept = 0;
	memcpy(o->data, p, len);
}

/* ly_push_object pushes an object with a copy of the bytes. Allocates Lua memory, so it may raise. */
void
ly_push_object(lua_State *L, struct ly_vm *vm, const char *p, size_t len, int names)
{
	fill(make_object(L, vm, len), p, len, names);
}

/* How many bytes an object has that is lent. */
#define LOAN 512

int
ly_lend_object(lua_State *L, struct ly_vm *vm, int i, const char *p, size_t len)
{
	if (len > LOAN)
		return 0;
	if (vm->loans[i].object == NULL) {
		vm->loans[i].object = make_object(L, vm, LOAN);
		lua_pushvalue(L, -1);
		vm->loans[i].ref = luaL_ref(L, LUA_REGISTRYINDEX);
	} else {
		lua_rawgeti(L, LUA_REGISTRYINDEX, vm->loans[i].ref);
	}
	fill(vm->loans[i].object, p, len, 1);
	return 1;
}

/* ly_end_loan ends a loan. What isn't given back, because its borrower waits or has failed, is left to the collector. */
void
ly_end_loan(struct ly_vm *vm, int given_back)
{
	vm->lent = 0;
	for (int i = 0; i < 2 && !given_back; i++) {
		if (vm->loans[i].object != NULL)
			luaL_unref(vm->L, LUA_REGISTRYINDEX, vm->loans[i].ref);
		vm->loans[i].object = NULL;
	}
}

static struct ly_object *
check_object(lua_State *L, struct ly_vm *vm, int idx)
{
	if (!is_a(L, idx, vm->object_mt))
		luaL_typerror(L, idx, object_name);
	return lua_touserdata(L, idx);
}

static struct ly_iterator *
check_iterator(lua_State *L, struct ly_vm *vm, int idx)
{
	if (!is_a(L, idx, vm->iterator_mt))
		luaL_typerror(L, idx, iterator_name);
	return lua_touserdata(L, idx);
}

#define VM ((struct ly_vm *)lua_touserdata(L, lua_upvalueindex(1)))

static int
object_decode(lua_State *L)
{
	struct ly_vm *vm = VM;
	struct ly_object *o = check_object(L, vm, 1);
	const char *p = o->data;
	ly_decode(L, vm, &p, o->data + o->size, &vm->wire, 0);
	return 1;
}

static int
object_iterator(lua_State *L)
{
	struct ly_vm *vm = VM;
	struct ly_object *o = check_object(L, vm, 1);
	struct ly_iterator *it = lua_newuserdata(L, sizeof(*it));
	it->p = o->data;
	it->end = o->data + o->size;
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_iterator);
	lua_setmetatable(L, -2);
	lua_createtable(L, 1, 0);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	lua_setfenv(L, -2);
	return 1;
}

/* key_equals compares the scalar at *p with the Lua value at idx and moves *p over it. */
static int
key_equals(lua_State *L, struct ly_vm *vm, const char **p, const char *end, int idx)
{
	uint8_t c = (uint8_t)**p;
	int type = lua_type(L, idx);
	if (type == LUA_TNUMBER && c < 0x80) {
		(*p)++;
		return lua_tonumber(L, idx) == c;
	}
	if (type == LUA_TSTRING && c < 0xa0) {
		if (ly_skip(p, end) != 0)
			luaL_error(L, "Invalid MsgPack");
		return 0;
	}
	if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TCDATA_ && type != LUA_TBOOLEAN) {
		if (ly_skip(p, end) != 0)
			luaL_error(L, "Invalid MsgPack");
		return 0;
	}
	ly_decode(L, vm, p, end, &vm->wire, 0);
	int same = lua_equal(L, -1, idx);
	lua_pop(L, 1);
	return same;
}

/* find_in_map leaves the value of the last key equal to the one at idx on the stack; 0 when there is none. */
static int
find_in_map(lua_State *L, struct ly_vm *vm, const char *p, const char *end, uint32_t n, int idx)
{
	const char *found = NULL;
	while (n-- > 0) {
		int same = key_equals(L, vm, &p, end, idx);
		if (same)
			found = p;
		if (ly_skip(&p, end) != 0)
			luaL_error(L, "Invalid MsgPack");
	}
	if (found == NULL)
		return 0;
	ly_decode(L, vm, &found, end, &vm->wire, 0);
	return 1;
}

/* has_text_key tells whether a map has a key that a string could equal. */
static int
has_text_key(const char *p, const char *end, uint32_t n)
{
	while (n-- > 0) {
		if ((uint8_t)*p >= 0x80)
			return 1;
		p++;
		if (ly_skip(&p, end) != 0)
			return 1;
	}
	return 0;
}

/* get(object, key) for the key at index 2. */
static int
object_get_key(lua_State *L, struct ly_vm *vm, struct ly_object *o)
{
	const char *p = o->data, *end = o->data + o->size;
	uint32_t n;
	if (ly_read_map(&p, end, &n) == 0) {
		if ((!o->names || lua_type(L, 2) != LUA_TSTRING || has_text_key(p, end, n)) && find_in_map(L, vm, p, end, n, 2))
			return 1;
		if (o->names && lua_type(L, 2) == LUA_TSTRING) {
			lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_names);
			lua_pushvalue(L, 2);
			lua_rawget(L, -2);
			lua_remove(L, -2);
			if (lua_isnumber(L, -1)) {
				lua_replace(L, 2);
				if (find_in_map(L, vm, p, end, n, 2))
					return 1;
			}
		}
		lua_pushnil(L);
		return 1;
	}
	if (ly_read_array(&p, end, &n) == 0) {
		double i = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : 0;
		if (i < 1 || i > n || floor(i) != i) {
			lua_pushnil(L);
			return 1;
		}
		for (uint32_t k = 1; k < (uint32_t)i; k++)
			if (ly_skip(&p, end) != 0)
				luaL_error(L, "Invalid MsgPack");
		ly_decode(L, vm, &p, end, &vm->wire, 0);
		return 1;
	}
	return luaL_error(L, "not an array or map");
}

/* keep remembers the table on top as the value of the key at index 2, so that asking again gives the same table. The
 * object's environment, which at first is whatever it was made in, is the memory once there is something to remember. */
static void
keep(lua_State *L, struct ly_object *o)
{
	if (lua_type(L, -1) != LUA_TTABLE || (lua_type(L, 2) != LUA_TSTRING && lua_type(L, 2) != LUA_TNUMBER))
		return;
	if (o->kept) {
		lua_getfenv(L, 1);
	} else {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_setfenv(L, 1);
		o->kept = 1;
	}
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -3);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

/* find_kept pushes what keep remembered for the key at index 2; 0 when there is nothing. */
static int
find_kept(lua_State *L, const struct ly_object *o)
{
	if (!o->kept)
		return 0;
	lua_getfenv(L, 1);
	lua_pushvalue(L, 2);
	lua_rawget(L, -2);
	if (lua_isnil(L, -1)) {
		lua_settop(L, 2);
		return 0;
	}
	return 1;
}

/* look_up is get with a memory for tables. Index 1 is the object, 2 the key. */
static int
look_up(lua_State *L, struct ly_vm *vm, struct ly_object *o)
{
	if (find_kept(L, o))
		return 1;
	lua_pushvalue(L, 2); /* the key may be replaced by a number on the way */
	int n = object_get_key(L, vm, o);
	if (lua_type(L, -1) == LUA_TTABLE) {
		lua_pushvalue(L, 3);
		lua_replace(L, 2);
		keep(L, o);
	}
	return n;
}

static int
object_get(lua_State *L)
{
	struct ly_vm *vm = VM;
	struct ly_object *o = check_object(L, vm, 1);
	lua_settop(L, 2);
	return look_up(L, vm, o);
}

/* find_field reads the value of a small number in an object whose keys can be named, for Lua to call by FFI: LuaJIT
 * compiles such calls, those of functions with a Lua state it can't. It declines (LY_UNREAD) unless the object is a map of
 * such numbers and the value a scalar. Of equal keys the last counts. */
static int32_t
find_field(const struct ly_object *o, int32_t number, struct ly_shared *shared)
{
	const char *p = o->data, *end = p + o->size, *found = NULL;
	uint32_t n;
	if (!o->names || o->kept || ly_read_map(&p, end, &n) != 0)
		return LY_UNREAD;
	while (n-- > 0) {
		uint8_t key = (uint8_t)*p;
		if (key >= 0x80)
			return LY_UNREAD;
		p++;
		if (key == number)
			found = p;
		if (ly_skip(&p, end) != 0)
			return LY_UNREAD;
	}
	return found == NULL ? LY_ABSENT : (int32_t)ly_read_scalar(found, end, shared);
}

static int
object_tostring(lua_State *L)
{
	lua_pushlstring(L, object_name, sizeof(object_name) - 1);
	return 1;
}

static int
iterator_tostring(lua_State *L)
{
	lua_pushlstring(L, iterator_name, sizeof(iterator_name) - 1);
	return 1;
}

static struct ly_iterator *
check_more(lua_State *L, struct ly_vm *vm)
{
	struct ly_iterator *it = check_iterator(L, vm, 1);
	if (it->p >= it->end)
		luaL_error(L, "iteration ended");
	return it;
}

static int
iterator_decode(lua_State *L)
{
	struct ly_vm *vm = VM;
	struct ly_iterator *it = check_more(L, vm);
	ly_decode(L, vm, &it->p, it->end, &vm->wire, 0);
	return 1;
}

static int
iterator_array_header(lua_State *L)
{
	struct ly_iterator *it = check_more(L, VM);
	uint32_t n;
	if (ly_read_array(&it->p, it->end, &n) != 0)
		return luaL_error(L, "unexpected msgpack type");
	lua_pushnumber(L, n);
	return 1;
}

static int
iterator_map_header(lua_State *L)
{
	struct ly_iterator *it = check_more(L, VM);
	uint32_t n;
	if (ly_read_map(&it->p, it->end, &n) != 0)
		return luaL_error(L, "unexpected msgpack type");
	lua_pushnumber(L, n);
	return 1;
}

static void
iterator_step(lua_State *L, struct ly_iterator *it)
{
	if (it->p >= it->end)
		luaL_error(L, "iteration ended");
	if (ly_skip(&it->p, it->end) != 0)
		luaL_error(L, "Invalid MsgPack");
}

static int
iterator_skip(lua_State *L)
{
	iterator_step(L, check_iterator(L, VM, 1));
	return 0;
}

static int
iterator_take(lua_State *L)
{
	struct ly_vm *vm = VM;
	struct ly_iterator *it = check_iterator(L, vm, 1);
	const char *from = it->p;
	iterator_step(L, it);
	ly_push_object(L, vm, from, (size_t)(it->p - from), 0);
	return 1;
}

/* take_array(count): the next values as an object that is an array of them. */
static int
iterator_take_array(lua_State *L)
{
	struct ly_vm *vm = VM;
	struct ly_iterator *it = check_iterator(L, vm, 1);
	if (lua_gettop(L) != 2 || !lua_isnumber(L, 2))
		return luaL_error(L, "Usage: iter:take_array(count)");
	double count = lua_tonumber(L, 2);
	if (count < 0)
		return luaL_error(L, "count must be >= 0");
	if (count > (double)(it->end - it->p))
		return luaL_error(L, "iteration ended");
	const char *from = it->p, *p = it->p;
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		if (p >= it->end)
			return luaL_error(L, "iteration ended");
		if (ly_skip(&p, it->end) != 0)
			return luaL_error(L, "Invalid MsgPack");
	}
	it->p = p;
	char header[5];
	size_t h = 0;
	uint32_t n = (uint32_t)count;
	if (n < 16) {
		header[h++] = (char)(0x90 | n);
	} else if (n <= UINT16_MAX) {
		header[h++] = (char)0xdc;
		header[h++] = (char)(n >> 8);
		header[h++] = (char)n;
	} else {
		header[h++] = (char)0xdd;
		for (int i = 3; i >= 0; i--)
			header[h++] = (char)(n >> (8 * i));
	}
	struct ly_object *o = make_object(L, vm, h + (size_t)(p - from));
	memcpy(o->data, header, h);
	memcpy(o->data + h, from, (size_t)(p - from));
	return 1;
}

/* is_object(value) */
static int
is_object(lua_State *L)
{
	struct ly_vm *vm = VM;
	lua_pushboolean(L, lua_gettop(L) >= 1 && is_a(L, 1, vm->object_mt));
	return 1;
}

/* new_object(string [, names]): an object of bytes that were checked to be one whole value. */
static int
new_object(lua_State *L)
{
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	ly_push_object(L, VM, s, len, lua_toboolean(L, 2));
	return 1;
}

static void
put(lua_State *L, struct ly_vm *vm, const char *name, lua_CFunction f)
{
	lua_pushlightuserdata(L, vm);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

/* ly_open_object makes the metatables; the module table is on top. */
int
ly_open_object(lua_State *L, struct ly_vm *vm)
{
	lua_newtable(L); /* metatable of objects; its __index is in Lua, see builtin/internal/objects.lua */
	lua_newtable(L); /* methods */
	put(L, vm, "decode", object_decode);
	put(L, vm, "get", object_get);
	put(L, vm, "iterator", object_iterator);
	lua_setfield(L, -3, "object_methods");
	put(L, vm, "__tostring", object_tostring);
	vm->object_mt = lua_topointer(L, -1);
	lua_pushvalue(L, -1);
	vm->ref_object = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_setfield(L, -2, "object");
	lua_pushlightuserdata(L, (void *)find_field);
	lua_setfield(L, -2, "find_field");

	lua_newtable(L); /* metatable of iterators */
	lua_newtable(L);
	put(L, vm, "decode", iterator_decode);
	put(L, vm, "decode_array_header", iterator_array_header);
	put(L, vm, "decode_map_header", iterator_map_header);
	put(L, vm, "skip", iterator_skip);
	put(L, vm, "take", iterator_take);
	put(L, vm, "take_array", iterator_take_array);
	lua_setfield(L, -2, "__index");
	put(L, vm, "__tostring", iterator_tostring);
	vm->iterator_mt = lua_topointer(L, -1);
	vm->ref_iterator = luaL_ref(L, LUA_REGISTRYINDEX);

	put(L, vm, "is_object", is_object);
	put(L, vm, "new_object", new_object);
	return 0;
}
