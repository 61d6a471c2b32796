//go:build cgo

/* Tables of plain values, encoded without the Lua API, whose calls would cost several times as much as the work: values are
 * read where LuaJIT keeps them. lua.h does not describe that, so learn_layout compares what is seen so with what the API
 * says before it is relied on; a LuaJIT that keeps them in another way is served by encode.c alone. Nothing here raises, calls
 * Lua or allocates Lua memory. */
#include "put.h"

/* How LuaJIT 2.1 lays values out where pointers have 64 bits (LJ_GC64). */
struct table {
	uint64_t next;
	uint8_t marked, type, no_metamethods;
	int8_t colocated;
	const uint64_t *array; /* element i at array[i], from 0 on */
	uint64_t gray;
	const void *metatable;
	const struct node *nodes;
	uint32_t array_size;
	uint32_t node_mask;
	const struct node *free_top;
};

struct node {
	uint64_t value, key;
	const struct node *chain;
};

/* A string's text and a cdata's payload stand behind heads of these sizes. */
enum { TEXT_AT = 24, LENGTH_AT = 20, PAYLOAD_AT = 16 };

/* The tags of values, in the upper 17 bits; below those of numbers are the doubles. */
enum tag { TAG_NIL = 0x1ffff, TAG_FALSE = 0x1fffe, TAG_TRUE = 0x1fffd, TAG_STRING = 0x1fffb, TAG_CDATA = 0x1fff5,
	TAG_TABLE = 0x1fff4, TAG_INT = 0x1fff2 };

static inline uint32_t
tag_of(uint64_t v)
{
	return (uint32_t)(v >> 47);
}

static inline const char *
pointer_of(uint64_t v)
{
	return (const char *)(uintptr_t)(v & (((uint64_t)1 << 47) - 1));
}

static inline double
double_of(uint64_t v)
{
	double d;
	memcpy(&d, &v, 8);
	return d;
}

static inline uint32_t
length_of(const char *string)
{
	uint32_t n;
	memcpy(&n, string + LENGTH_AT, 4);
	return n;
}

/* slot_of returns where a string object is among vm->names, or the empty slot where it would be. Strings are the same object
 * when they are equal, and those of vm->names live as long as the VM. */
static inline uint32_t
slot_of(const struct ly_vm *vm, const char *string)
{
	uint32_t i = (uint32_t)((uintptr_t)string >> 4) * 2654435761u >> (32 - LY_NAMES_BITS);
	while (vm->names[i].string != NULL && vm->names[i].string != string)
		i = (i + 1) & (LY_NAMES - 1);
	return i;
}

/* find_name returns the number of the key that a string object names, -1 for none. */
static inline int
find_name(const struct ly_vm *vm, const char *string)
{
	uint32_t i = slot_of(vm, string);
	return vm->names[i].string != NULL ? vm->names[i].number : -1;
}

/* add_name makes the string on top of the stack, which stays there, a name of a key. 0 when there is no more room. */
static int
add_name(lua_State *L, struct ly_vm *vm, int number)
{
	const char *string = lua_tostring(L, -1) - TEXT_AT;
	if (vm->names_count >= LY_NAMES / 2)
		return 0;
	uint32_t i = slot_of(vm, string);
	vm->names_count += vm->names[i].string == NULL;
	vm->names[i].string = string;
	vm->names[i].number = number;
	return 1;
}

static int put_table(const struct ly_vm *vm, struct ly_buf *b, const struct table *t, const struct ly_codec *c, int depth);

/* put_value appends a value; 0 when it is not plain, with part of it written. */
static inline int
put_value(const struct ly_vm *vm, struct ly_buf *b, uint64_t v, const struct ly_codec *c, int depth)
{
	switch (tag_of(v)) {
	case TAG_NIL: put1(b, 0xc0); return 1;
	case TAG_FALSE: put1(b, 0xc2); return 1;
	case TAG_TRUE: put1(b, 0xc3); return 1;
	case TAG_STRING: put_str(b, pointer_of(v) + TEXT_AT, length_of(pointer_of(v))); return 1;
	case TAG_TABLE: return put_table(vm, b, (const struct table *)pointer_of(v), c, depth);
	case TAG_INT: put_int(b, (int32_t)v); return 1;
	case TAG_CDATA: {
		const uint16_t *payload = (const uint16_t *)(pointer_of(v) + PAYLOAD_AT);
		return put_cdata(b, vm->kinds[payload[vm->ctype_at]], payload, c);
	}
	}
	if (tag_of(v) > TAG_INT || (c->finite && !isfinite(double_of(v))))
		return 0;
	put_number(b, double_of(v));
	return 1;
}

static inline int
put_key(const struct ly_vm *vm, struct ly_buf *b, uint64_t v, const struct ly_codec *c, int depth)
{
	if (c->key_names && depth == 0 && tag_of(v) == TAG_STRING) {
		int number = find_name(vm, pointer_of(v));
		if (number >= 0) {
			put_uint(b, (uint64_t)number);
			return 1;
		}
	}
	return put_value(vm, b, v, c, depth + 1);
}

/* put_table appends a table that is either an array without gaps, all in its array part, or a map whose keys are all in
 * its hash part. */
static int
put_table(const struct ly_vm *vm, struct ly_buf *b, const struct table *t, const struct ly_codec *c, int depth)
{
	const void *metatable = c->load_metatables ? t->metatable : NULL;
	if (depth >= c->max_depth || (metatable != NULL && metatable != vm->map_mt && metatable != vm->seq_mt))
		return 0;
	uint32_t length = 0, pairs = 0;
	if (t->array_size > 0 && tag_of(t->array[0]) != TAG_NIL)
		return 0; /* a key 0 */
	for (uint32_t i = 1; i < t->array_size; i++) {
		if (tag_of(t->array[i]) == TAG_NIL)
			continue;
		if (length + 1 != i)
			return 0;
		length = i;
	}
	int texts = 1;
	for (uint32_t i = 0; i <= t->node_mask; i++) {
		if (tag_of(t->nodes[i].value) != TAG_NIL) {
			pairs++;
			texts = texts && tag_of(t->nodes[i].key) == TAG_STRING;
		}
	}
	if (pairs == 0 && metatable != vm->map_mt) {
		put_array(b, length);
		for (uint32_t i = 1; i <= length; i++)
			if (!put_value(vm, b, t->array[i], c, depth + 1))
				return 0;
		return 1;
	}
	if (length > 0 || !texts || metatable == vm->seq_mt)
		return 0;
	struct ly_pairs order;
	put_map(b, pairs);
	pairs_begin(&order, c->key_names && depth == 0);
	for (uint32_t i = 0; i <= t->node_mask; i++) {
		const struct node *n = &t->nodes[i];
		if (tag_of(n->value) == TAG_NIL)
			continue;
		size_t at = b->len;
		if (!put_key(vm, b, n->key, c, depth))
			return 0;
		pairs_add(&order, b, at);
		if (!put_value(vm, b, n->value, c, depth + 1))
			return 0;
	}
	pairs_end(&order, b);
	return 1;
}

int
ly_encode_plain(const struct ly_vm *vm, struct ly_buf *b, const void *table, const struct ly_codec *c, int depth)
{
	size_t start = b->len;
	if (vm->knows_layout && put_table(vm, b, table, c, depth))
		return 1;
	b->len = start;
	return 0;
}

/* same_value compares a value as it is kept with the one on top of the stack. */
static int
same_value(lua_State *L, uint64_t v)
{
	switch (lua_type(L, -1)) {
	case LUA_TNIL: return tag_of(v) == TAG_NIL;
	case LUA_TBOOLEAN: return tag_of(v) == (lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE);
	case LUA_TNUMBER:
		if (tag_of(v) == TAG_INT)
			return (int32_t)v == lua_tonumber(L, -1);
		return tag_of(v) < TAG_INT && double_of(v) == lua_tonumber(L, -1);
	case LUA_TSTRING: {
		size_t n;
		const char *s = lua_tolstring(L, -1, &n);
		return tag_of(v) == TAG_STRING && pointer_of(v) + TEXT_AT == s && length_of(pointer_of(v)) == n;
	}
	case LUA_TTABLE: return tag_of(v) == TAG_TABLE && pointer_of(v) == lua_topointer(L, -1);
	case LUA_TCDATA_: return tag_of(v) == TAG_CDATA && pointer_of(v) + PAYLOAD_AT == lua_topointer(L, -1);
	default: return 0;
	}
}

/* learn_layout(array, map, names) tells whether tables are kept as they are read here. array holds a value of each kind in its
 * array part, map has four keys, all texts, and a metatable. names, keys of the protocol by their names, are remembered. What a
 * pointer leads to is looked at only when the pointer itself is beyond doubt. */
static int
learn_layout(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const struct table *a = lua_topointer(L, 1), *m = lua_topointer(L, 2);
	uint32_t n = (uint32_t)lua_objlen(L, 1);
	if (sizeof(void *) != 8 || a->array_size <= n || a->array_size > 4 * n || a->node_mask != 0 || m->array_size != 0 ||
	    m->node_mask != 3 || m->free_top < m->nodes || m->free_top > m->nodes + 4)
		return 0;
	for (uint32_t i = 0; i <= n; i++) {
		lua_rawgeti(L, 1, (int)i);
		if (!same_value(L, a->array[i]))
			return 0;
		lua_pop(L, 1);
	}
	for (int i = 0; i < 4; i++) {
		if (tag_of(m->nodes[i].key) != TAG_STRING)
			return 0;
		lua_getfield(L, 2, pointer_of(m->nodes[i].key) + TEXT_AT);
		if (!same_value(L, m->nodes[i].value) || lua_isnil(L, -1))
			return 0;
		lua_pop(L, 1);
	}
	if (a->metatable != NULL || !lua_getmetatable(L, 2) || m->metatable != lua_topointer(L, -1))
		return 0;
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_map);
	vm->map_mt = lua_topointer(L, -1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_seq);
	vm->seq_mt = lua_topointer(L, -1);
	lua_pop(L, 2);
	lua_pushnil(L);
	while (lua_next(L, 3)) {
		int number = (int)lua_tointeger(L, -1);
		lua_pop(L, 1);
		if (!add_name(L, vm, number))
			return luaL_error(L, "too many names of keys");
	}
	vm->knows_layout = 1;
	lua_pushboolean(L, 1);
	return 1;
}

/* ly_open_plain adds learn_layout to the module table on top. */
void
ly_open_plain(lua_State *L, struct ly_vm *vm)
{
	lua_pushlightuserdata(L, vm);
	lua_pushcclosure(L, learn_layout, 1);
	lua_setfield(L, -2, "learn_layout");
}
