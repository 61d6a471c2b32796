//go:build cgo

/* The VM: its creation, the module internal.bridge, and what Lua calls of Go; what Go calls is in run.c. Rules of ownership and
 * unwinding are in bridge.h. */
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

/* ly_buf_grow is ly_buf_reserve where there is no room. */
void
ly_buf_grow(struct ly_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	while (cap - b->len < more)
		cap *= 2;
	char *p = realloc(b->p, cap);
	if (p == NULL)
		abort();
	b->p = p;
	b->cap = cap;
}

static char vm_key;

/* ly_vm_of returns the VM of a Lua state. It allocates nothing and can't fail. */
struct ly_vm *
ly_vm_of(lua_State *L)
{
	lua_pushlightuserdata(L, &vm_key);
	lua_rawget(L, LUA_REGISTRYINDEX);
	struct ly_vm *vm = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return vm;
}

/* ly_kind_of tells what the cdata at idx is. The id of its C type stands in the header before its payload, at a distance
 * that find_header has found. */
enum ly_kind
ly_kind_of(lua_State *L, struct ly_vm *vm, int idx)
{
	const uint16_t *payload = lua_topointer(L, idx);
	return vm->kinds[payload[vm->ctype_at]];
}

/* raise_made raises what the Lua function of a reference makes of the message on top. */
static void __attribute__((noreturn))
raise_made(lua_State *L, int ref)
{
	if (ref > 0) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
		lua_insert(L, -2);
		lua_call(L, 1, 1);
	}
	lua_error(L);
	__builtin_unreachable();
}

/* ly_raise raises a LuajitError object, as the reference does for what its encoders refuse. format has one %s. */
void
ly_raise(lua_State *L, struct ly_vm *vm, const char *format, const char *text)
{
	luaL_checkstack(L, 4, "raise");
	lua_pushfstring(L, format, text);
	raise_made(L, vm->ref_raise);
}

/* ly_invalid raises the ClientError of input that is no MessagePack. */
void
ly_invalid(lua_State *L, struct ly_vm *vm, const char *details)
{
	luaL_checkstack(L, 4, "raise");
	lua_pushstring(L, details);
	raise_made(L, vm->ref_invalid);
}

void
ly_refuse(lua_State *L, struct ly_vm *vm, const char *message)
{
	luaL_checkstack(L, 4, "raise");
	lua_pushstring(L, message);
	raise_made(L, vm->ref_illegal);
}

/* raise_error raises the error that p holds, and tells Lua, which keeps the last error of each fiber. */
static void __attribute__((noreturn))
raise_error(lua_State *L, struct ly_vm *vm, const char *p, const char *end, const struct ly_codec *c)
{
	luaL_checkstack(L, 8, "raise");
	ly_decode(L, vm, &p, end, c, 1);
	if (vm->ref_raised > 0 && lua_type(L, -1) == LUA_TCDATA_) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_raised);
		lua_pushvalue(L, -2);
		lua_call(L, 1, 0);
	}
	lua_error(L);
	__builtin_unreachable();
}

/* set_raised(f): f is told of each error object that Go raises. */
static int
set_raised(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	vm->ref_raised = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/* encode_args encodes all arguments from the first-th on into the buffer of the next depth. May raise. */
static struct ly_buf *
encode_args(lua_State *L, struct ly_vm *vm, int first, int n)
{
	if (vm->depth >= LY_DEPTH - 1)
		luaL_error(L, "stack overflow: too many nested calls between Lua and Go");
	struct ly_buf *b = &vm->bufs[vm->depth];
	b->len = 0;
	for (int i = first; i <= n; i++)
		ly_encode(L, vm, b, i, &vm->call, 0);
	return b;
}

/* go_call runs the Go function of upvalue 2 with the arguments on the stack: closure of what go.fn() returns. The
 * arguments' buffer belongs to the VM and holds until the callback returned. Raises only after that. */
static int
go_call(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	int id = (int)lua_tointeger(L, lua_upvalueindex(2));
	int n = lua_gettop(L);
	struct ly_buf *b = encode_args(L, vm, 1, n);
	int count = 0;
	size_t len = 0;
	int depth = vm->depth++;
	int rc = lyGoCall(vm->handle, L, id, b->p, b->len, n, depth, &len, &count);
	vm->depth = depth;
	struct ly_buf *r = &vm->results[depth];
	const char *p = r->p, *end = r->p + len;
	if (rc == LY_RAISE)
		raise_error(L, vm, p, end, &vm->call);
	if (count > LUAI_MAXCSTACK / 2 || !lua_checkstack(L, count + 8))
		return luaL_error(L, "too many results");
	for (int i = 0; i < count; i++)
		ly_decode(L, vm, &p, end, &vm->call, 1);
	return count;
}

/* go_raw is go_call for functions whose results Lua reads itself, from shared.result. It returns how many there are. */
static int
go_raw(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	int id = (int)lua_tointeger(L, lua_upvalueindex(2));
	int n = lua_gettop(L);
	struct ly_buf *b = encode_args(L, vm, 1, n);
	int count = 0;
	size_t len = 0;
	int depth = vm->depth++;
	int rc = lyGoCall(vm->handle, L, id, b->p, b->len, n, depth, &len, &count);
	vm->depth = depth;
	struct ly_buf *r = &vm->results[depth];
	if (rc == LY_RAISE)
		raise_error(L, vm, r->p, r->p + len, &vm->call);
	vm->shared.result = r->p;
	vm->shared.result_end = r->p + len;
	lua_pushinteger(L, count);
	return 1;
}

/* go_block is go_call for functions that may park the fiber. Results are left for take(), which the Lua wrapper calls
 * next, whether the coroutine was suspended between or not. */
static int
go_block(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	int id = (int)lua_tointeger(L, lua_upvalueindex(2));
	int n = lua_gettop(L);
	struct ly_buf *b = encode_args(L, vm, 1, n);
	int count = 0;
	size_t len = 0;
	int depth = vm->depth++;
	vm->can_yield = lua_isyieldable(L);
	int rc = lyGoCall(vm->handle, L, id, b->p, b->len, n, depth, &len, &count);
	vm->depth = depth;
	if (rc == LY_PARK) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref_yield);
		return lua_yield(L, 1);
	}
	struct ly_buf *r = &vm->results[depth];
	vm->in = r->p;
	vm->in_end = r->p + len;
	vm->in_count = rc == LY_RAISE ? -1 : count;
	return 0;
}

/* put_part appends a header or a body: a string as it is, anything else encoded. */
static void
put_part(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c)
{
	if (lua_type(L, idx) != LUA_TSTRING) {
		ly_encode(L, vm, b, idx, c, 0);
		return;
	}
	size_t len;
	const char *s = lua_tolstring(L, idx, &len);
	ly_buf_reserve(b, len);
	memcpy(b->p + b->len, s, len);
	b->len += len;
}

/* go_send(session id, header [, body]) makes one packet with its length, of upvalue 3's codec. That of the fast session
 * waits in vm->sent, any other is given to Go at once. Arguments were checked in
 * Lua; the session id is a number or an integer cdata. */
static int
go_send(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	int id = (int)lua_tointeger(L, lua_upvalueindex(2));
	const struct ly_codec *c = lua_touserdata(L, lua_upvalueindex(3));
	uint64_t session;
	if (lua_type(L, 1) == LUA_TCDATA_) {
		session = *(const uint64_t *)lua_topointer(L, 1);
	} else {
		lua_Number v = lua_tonumber(L, 1);
		session = v < 0 ? (uint64_t)(int64_t)v : (uint64_t)v;
	}
	struct ly_buf *b = &vm->bufs[vm->depth];
	b->len = 0;
	ly_buf_reserve(b, 64);
	b->len = 14; /* the session id and the packet's length, filled in below */
	put_part(L, vm, b, 2, c);
	if (lua_gettop(L) >= 3)
		put_part(L, vm, b, 3, c);
	size_t size = b->len - 14;
	if (size > INT32_MAX)
		return luaL_error(L, "the packet is too large");
	if (session == vm->shared.fast_session && session != 0) {
		struct ly_buf *out = &vm->sent;
		ly_buf_reserve(out, size + 5);
		char *p = out->p + out->len;
		*p++ = (char)0xce;
		for (int i = 0; i < 4; i++)
			*p++ = (char)(size >> (24 - 8 * i));
		memcpy(p, b->p + 14, size);
		out->len += size + 5;
		return 0;
	}
	b->p[0] = (char)0xcf;
	for (int i = 0; i < 8; i++)
		b->p[1 + i] = (char)(session >> (56 - 8 * i));
	b->p[9] = (char)0xce;
	for (int i = 0; i < 4; i++)
		b->p[10 + i] = (char)(size >> (24 - 8 * i));
	int count = 0;
	size_t len = 0;
	int depth = vm->depth++;
	int rc = lyGoCall(vm->handle, L, id, b->p, b->len, 1, depth, &len, &count);
	vm->depth = depth;
	if (rc == LY_RAISE)
		raise_error(L, vm, vm->results[depth].p, vm->results[depth].p + len, &vm->call);
	return 0;
}

/* packet(header [, body]) -> string: what go_send would send. */
static int
packet(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const struct ly_codec *c = lua_touserdata(L, lua_upvalueindex(2));
	struct ly_buf *b = &vm->bufs[vm->depth];
	b->len = 0;
	ly_buf_reserve(b, 64);
	b->len = 5;
	put_part(L, vm, b, 1, c);
	if (lua_gettop(L) >= 2)
		put_part(L, vm, b, 2, c);
	size_t size = b->len - 5;
	if (size > INT32_MAX)
		return luaL_error(L, "the packet is too large");
	b->p[0] = (char)0xce;
	for (int i = 0; i < 4; i++)
		b->p[1 + i] = (char)(size >> (24 - 8 * i));
	lua_pushlstring(L, b->p, b->len);
	return 1;
}

/* encode_body(value) -> string: a body as send would send it. */
static int
encode_body(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const struct ly_codec *c = lua_touserdata(L, lua_upvalueindex(2));
	struct ly_buf *b = &vm->bufs[vm->depth];
	lua_settop(L, 1);
	b->len = 0;
	put_part(L, vm, b, 1, c);
	lua_pushlstring(L, b->p, b->len);
	return 1;
}

/* new_ref(value) -> a number that Go keeps the value by; ref_value(number) -> the value. */
static int
new_ref(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_settop(L, 1);
	lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
	return 1;
}

static int
ref_value(lua_State *L)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, luaL_checkint(L, 1));
	return 1;
}

/* take pushes the input of the code that runs now, or raises the error that it is. */
static int
take(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const struct ly_codec *c = lua_touserdata(L, lua_upvalueindex(2));
	int top_nil = lua_toboolean(L, lua_upvalueindex(3));
	const char *p = vm->in, *end = vm->in_end;
	int count = vm->in_count;
	vm->in = vm->in_end = NULL;
	vm->in_count = 0;
	if (count < 0)
		raise_error(L, vm, p, end, &vm->call);
	if (count > LUAI_MAXCSTACK - 100 || !lua_checkstack(L, count + 8))
		return luaL_error(L, "too many arguments: %d", count);
	for (int i = 0; i < count; i++)
		ly_decode(L, vm, &p, end, c, top_nil);
	return count;
}

/* take_raw is take for input that Lua reads itself, from shared.result. It returns how many values there are. */
static int
take_raw(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const struct ly_codec *c = lua_touserdata(L, lua_upvalueindex(2));
	const char *p = vm->in, *end = vm->in_end;
	int count = vm->in_count;
	vm->in = vm->in_end = NULL;
	vm->in_count = 0;
	if (count < 0)
		raise_error(L, vm, p, end, c);
	vm->shared.result = p;
	vm->shared.result_end = end;
	lua_pushinteger(L, count);
	return 1;
}

/* take_function pushes the function that ly_resume was given for the entry to run. */
static int
take_function(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->request_ref);
	return 1;
}

/* take_request pushes the function, the header and the body of the request that ly_resume_request was given. */
static int
take_request(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->request_ref);
	ly_push_object(L, vm, vm->header, vm->header_end - vm->header, 1);
	ly_push_object(L, vm, vm->body, vm->body_end - vm->body, 1);
	return 3;
}

/* finish encodes its arguments as the output of the coroutine. May raise what the encoder raises. */
static int
finish(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const struct ly_codec *c = lua_touserdata(L, lua_upvalueindex(2));
	int n = lua_gettop(L);
	vm->out.len = 0;
	for (int i = 1; i <= n; i++)
		ly_encode(L, vm, &vm->out, i, c, 0);
	vm->out_count = n;
	return 0;
}

/* set_kind(kind, ctype id, make, pack): how values of a C type cross. */
static int
set_kind(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	int kind = luaL_checkint(L, 1);
	int id = luaL_checkint(L, 2);
	if (kind <= LY_OTHER || kind >= LY_KINDS || id < 0 || id > 65535)
		return luaL_error(L, "set_kind: bad kind %d or type %d", kind, id);
	vm->kinds[id] = (uint8_t)kind;
	if (!lua_isnoneornil(L, 3)) {
		lua_pushvalue(L, 3);
		vm->ref_make[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	if (!lua_isnoneornil(L, 4)) {
		lua_pushvalue(L, 4);
		vm->ref_pack[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	return 0;
}

/* find_header(cdata, ctype id): the header's layout depends on how LuaJIT was built, so its place is looked up once. */
static int
find_header(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	const uint16_t *payload = lua_topointer(L, 1);
	int id = luaL_checkint(L, 2);
	for (vm->ctype_at = -1; vm->ctype_at >= -4; vm->ctype_at--)
		if (payload[vm->ctype_at] == id)
			return 0;
	return luaL_error(L, "the header of cdata has an unknown layout");
}

/* set_values(null, map metatable, seq metatable, u64 maker, i64 maker, yield mark, key names, makers of the
 * errors of ly_raise, ly_invalid and ly_refuse). */
static int
set_values(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, lua_upvalueindex(1));
	int *refs[] = {&vm->ref_null, &vm->ref_map, &vm->ref_seq, &vm->ref_u64, &vm->ref_i64, &vm->ref_yield, &vm->ref_names,
		       &vm->ref_raise, &vm->ref_invalid, &vm->ref_illegal};
	for (int i = 0; i < (int)(sizeof(refs) / sizeof(*refs)); i++) {
		lua_pushvalue(L, i + 1);
		*refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	return 0;
}

static void
push_closure(lua_State *L, struct ly_vm *vm, const char *name, lua_CFunction f, struct ly_codec *c, int flag)
{
	lua_pushlightuserdata(L, vm);
	lua_pushlightuserdata(L, c);
	lua_pushboolean(L, flag);
	lua_pushcclosure(L, f, 3);
	lua_setfield(L, -2, name);
}

static int
open_vm(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, 1);
	luaL_openlibs(L);
	/* The built-in modules are most of what lives; marking them anew for every few megabytes of garbage that requests make
	 * costs more than the memory that a longer pause takes. */
	lua_gc(L, LUA_GCSETPAUSE, 400);
	lua_pushlightuserdata(L, &vm_key);
	lua_pushlightuserdata(L, vm);
	lua_rawset(L, LUA_REGISTRYINDEX);
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "loaded");
	lua_newtable(L); /* the module internal.bridge */
	push_closure(L, vm, "take", take, &vm->call, 1);
	push_closure(L, vm, "take_raw", take_raw, &vm->call, 0);
	push_closure(L, vm, "take_wire", take, &vm->wire, 0);
	push_closure(L, vm, "take_function", take_function, NULL, 0);
	push_closure(L, vm, "take_request", take_request, &vm->wire, 0);
	push_closure(L, vm, "finish", finish, &vm->func, 0);
	push_closure(L, vm, "finish_wire", finish, &vm->wire, 0);
	push_closure(L, vm, "find_header", find_header, NULL, 0);
	push_closure(L, vm, "set_kind", set_kind, NULL, 0);
	push_closure(L, vm, "packet", packet, &vm->packet, 0);
	push_closure(L, vm, "encode_body", encode_body, &vm->packet, 0);
	push_closure(L, vm, "new_ref", new_ref, NULL, 0);
	push_closure(L, vm, "ref_value", ref_value, NULL, 0);
	push_closure(L, vm, "set_raised", set_raised, NULL, 0);
	push_closure(L, vm, "set_values", set_values, NULL, 0);
	lua_pushlightuserdata(L, vm);
	lua_setfield(L, -2, "vm");
	lua_pushlightuserdata(L, &vm->shared);
	lua_setfield(L, -2, "shared");
	lua_pushlightuserdata(L, &vm->wire);
	lua_setfield(L, -2, "wire_codec");
	lua_pushlightuserdata(L, &vm->call);
	lua_setfield(L, -2, "call_codec");
	lua_newtable(L);
	lua_setfield(L, -2, "functions");
	lua_newtable(L);
	lua_setfield(L, -2, "blocking");
	ly_open_object(L, vm);
	ly_open_msgpack(L, vm);
	ly_open_plain(L, vm);
	ly_open_get(L);
	lua_setfield(L, -2, "internal.bridge");
	return 0;
}

/* ly_open makes a VM that Go owns and gives back with ly_close. NULL when LuaJIT can't start. */
struct ly_vm *
ly_open(uintptr_t handle)
{
	struct ly_vm *vm = calloc(1, sizeof(*vm));
	if (vm == NULL)
		return NULL;
	vm->handle = handle;
	vm->L = luaL_newstate();
	if (vm->L == NULL) {
		free(vm);
		return NULL;
	}
	for (int i = 0; i < LY_KINDS; i++)
		vm->ref_make[i] = vm->ref_pack[i] = LUA_NOREF;
	struct ly_codec c = {
		.sparse_convert = 1, .sparse_ratio = 2, .sparse_safe = 10, .max_depth = 128, .deep_as_nil = 0,
		.load_metatables = 1, .save_metatables = 1, .error_ext = 1,
	};
	vm->wire = c;
	vm->call = c;
	vm->call.functions = 1;
	vm->packet = c;
	vm->packet.key_names = 1;
	vm->func = vm->call;
	vm->func.tuple_ext = 2;
	if (lua_cpcall(vm->L, open_vm, vm) != 0) {
		lua_close(vm->L);
		free(vm);
		return NULL;
	}
	return vm;
}

/* ly_close frees the VM and everything in it. Finalizers of Lua values run inside. */
void
ly_close(struct ly_vm *vm)
{
	lua_close(vm->L);
	for (int i = 0; i < LY_DEPTH; i++) {
		free(vm->bufs[i].p);
		free(vm->results[i].p);
	}
	free(vm->out.p);
	free(vm->sent.p);
	free(vm);
}

/* ly_result returns the buffer for the results of the Go callback that runs now, of at least size bytes. */
char *
ly_result(struct ly_vm *vm, size_t size)
{
	struct ly_buf *b = &vm->results[vm->depth > 0 ? vm->depth - 1 : 0];
	b->len = 0;
	ly_buf_reserve(b, size);
	return b->p;
}

/* ly_register makes a Go function known to Lua: functions[name] or blocking[name] of internal.bridge. */
void
ly_register(struct ly_vm *vm, const char *name, int id, int kind)
{
	lua_State *L = vm->L;
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "loaded");
	lua_getfield(L, -1, "internal.bridge");
	lua_getfield(L, -1, kind == LY_BLOCKING ? "blocking" : "functions");
	lua_pushlightuserdata(L, vm);
	lua_pushinteger(L, id);
	lua_pushlightuserdata(L, &vm->packet);
	static const lua_CFunction callers[] = {
		[LY_PLAIN] = go_call, [LY_BLOCKING] = go_block, [LY_SEND] = go_send, [LY_RAW] = go_raw,
	};
	lua_pushcclosure(L, callers[kind], 3);
	lua_setfield(L, -2, name);
	lua_pop(L, 4);
}

/* ly_memory is the number of bytes that Lua uses. */
size_t
ly_memory(struct ly_vm *vm)
{
	return (size_t)lua_gc(vm->L, LUA_GCCOUNT, 0) * 1024 + (size_t)lua_gc(vm->L, LUA_GCCOUNTB, 0);
}

/* ly_collect runs a full collection of Lua's garbage. */
void
ly_collect(struct ly_vm *vm)
{
	lua_gc(vm->L, LUA_GCCOLLECT, 0);
}

/* interrupted is a hook that runs once, in whatever Lua code runs when ly_interrupt was called: it gives Go the stack. */
static void
interrupted(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	lua_sethook(L, NULL, 0, 0);
	struct ly_vm *vm = ly_vm_of(L);
	luaL_traceback(L, L, NULL, 0);
	size_t len;
	const char *s = lua_tolstring(L, -1, &len);
	lyReport(vm->handle, (char *)s, len);
	lua_pop(L, 1);
}

/* ly_interrupt asks for the stack of the Lua code that runs, from any thread: setting a hook is what LuaJIT allows at any
 * moment. ly_uninterrupt takes a request back that nothing has heard. */
void
ly_interrupt(struct ly_vm *vm)
{
	lua_sethook(vm->L, interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

void
ly_uninterrupt(struct ly_vm *vm)
{
	lua_sethook(vm->L, NULL, 0, 0);
}

/* ly_flush writes what the C library holds back of the standard streams. */
void
ly_flush(struct ly_vm *vm)
{
	(void)vm;
	fflush(NULL);
}
