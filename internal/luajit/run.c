//go:build cgo

/* What Go calls to run Lua: chunks, coroutines, functions. Lua runs inside of lua_resume or lua_pcall only, and what it
 * leaves, be it results or an error, is in vm->out. Rules of ownership and unwinding are in bridge.h. */
#include "bridge.h"

#include <string.h>

/* fail writes the error on top of L as the output and pops it. Runs the packer of errors in a protected call. */
static int
fail_protected(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, 2);
	vm->out.len = 0;
	vm->out_count = 1;
	if (lua_type(L, 1) == LUA_TCDATA_ && ly_kind_of(L, vm, 1) == LY_ERROR) {
		ly_encode(L, vm, &vm->out, 1, &vm->call, 0);
		return 0;
	}
	if (lua_type(L, 1) != LUA_TSTRING && lua_type(L, 1) != LUA_TNUMBER) {
		lua_getglobal(L, "tostring");
		lua_pushvalue(L, 1);
		lua_call(L, 1, 1);
		lua_replace(L, 1);
	} else {
		lua_tostring(L, 1);
	}
	vm->out.len = 0;
	ly_encode(L, vm, &vm->out, 1, &vm->call, 0);
	return 0;
}

/* fail moves the error on top of L to W, which may be L itself, and makes it the output. */
static void
fail(struct ly_vm *vm, lua_State *L, lua_State *W)
{
	lua_checkstack(W, 8);
	if (L != W)
		lua_xmove(L, W, 1);
	lua_pushcfunction(W, fail_protected);
	lua_insert(W, -2);
	lua_pushlightuserdata(W, vm);
	if (lua_pcall(W, 2, 0, 0) != 0) {
		lua_pop(W, 1);
		static const char text[] = "\xb9" "error in error processing";
		vm->out.len = 0;
		ly_buf_reserve(&vm->out, sizeof(text));
		memcpy(vm->out.p, text, sizeof(text) - 1);
		vm->out.len = sizeof(text) - 1;
		vm->out_count = 1;
	}
}

/* ly_load compiles a chunk and runs nothing. Returns a registry reference, or -1 with the message as the output. */
int
ly_load(struct ly_vm *vm, const char *chunk, size_t len, const char *name)
{
	lua_State *L = vm->L;
	if (luaL_loadbuffer(L, chunk, len, name) != 0) {
		fail(vm, L, L);
		return -1;
	}
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* ly_unref lets go of a reference; Go calls it under the cord's lock only. */
void
ly_unref(struct ly_vm *vm, int ref)
{
	luaL_unref(vm->L, LUA_REGISTRYINDEX, ref);
}

/* ly_thread makes a coroutine held by a registry reference, which the caller owns. */
lua_State *
ly_thread(struct ly_vm *vm, int *ref)
{
	lua_State *co = lua_newthread(vm->L);
	*ref = luaL_ref(vm->L, LUA_REGISTRYINDEX);
	return co;
}

static int
resumed(struct ly_vm *vm, lua_State *co, int rc)
{
	if (rc == 0) {
		/* An entry function has left its results in vm->out and returns none; a handler that ran without one has. */
		if (lua_gettop(co) > 0) {
			ly_buf_reserve(&vm->out, 1);
			vm->out.p[0] = (char)(lua_type(co, 1) != LUA_TBOOLEAN ? 0xc0 : lua_toboolean(co, 1) ? 0xc3 : 0xc2);
			vm->out.len = 1;
			vm->out_count = 1;
			lua_settop(co, 0);
		}
		return LY_DONE;
	}
	if (rc == LUA_YIELD) {
		lua_rawgeti(co, LUA_REGISTRYINDEX, vm->ref_yield);
		int ours = lua_gettop(co) >= 2 && lua_rawequal(co, -1, -2);
		lua_settop(co, 0);
		return ours ? LY_YIELDED : LY_STRAY;
	}
	fail(vm, co, vm->L); /* a coroutine that failed runs nothing any more */
	return LY_FAILED;
}

/* ly_resume starts entry (>= 0), whose take_function() gets fn, or continues (entry < 0) a coroutine. in is the caller's
 * and read by take() before anything else runs. A count below zero makes it an error to raise. Results are left in vm->out. */
int
ly_resume(struct ly_vm *vm, lua_State *co, int entry, int fn, const char *in, size_t len, int count)
{
	if (entry >= 0)
		lua_rawgeti(co, LUA_REGISTRYINDEX, entry);
	vm->request_ref = fn;
	vm->in = in;
	vm->in_end = in + len;
	vm->in_count = count;
	vm->out.len = 0;
	vm->out_count = 0;
	return resumed(vm, co, lua_resume(co, 0));
}

/* ly_resume_request starts entry, which takes fn and the request as msgpack objects. With entry < 0 fn is called with the
 * two by itself, and the first of its results is the output if it is a boolean, nil otherwise. header and body are the
 * caller's and copied before anything else runs. With lend the objects are the vm's own, which the next request gets again, unless
 * others have them: fn must not be able to keep them. Without memory for the objects the process ends. */
int
ly_resume_request(struct ly_vm *vm, lua_State *co, int entry, int fn, const char *header, size_t hlen, const char *body,
		  size_t blen, int lend)
{
	vm->out.len = 0;
	vm->out_count = 0;
	if (entry < 0) {
		lua_rawgeti(co, LUA_REGISTRYINDEX, fn);
		lend = lend && !vm->lent;
		if (!lend || !ly_lend_object(co, vm, 0, header, hlen))
			ly_push_object(co, vm, header, hlen, 1);
		if (!lend || !ly_lend_object(co, vm, 1, body, blen))
			ly_push_object(co, vm, body, blen, 1);
		vm->lent = vm->lent || lend;
		int status = resumed(vm, co, lua_resume(co, 2));
		if (lend)
			ly_end_loan(vm, status == LY_DONE);
		return status;
	}
	lua_rawgeti(co, LUA_REGISTRYINDEX, entry);
	vm->request_ref = fn;
	vm->header = header;
	vm->header_end = header + hlen;
	vm->body = body;
	vm->body_end = body + blen;
	return resumed(vm, co, lua_resume(co, 0));
}

/* call_protected(fn, vm): run fn with the input and encode its results. */
static int
call_protected(lua_State *L)
{
	struct ly_vm *vm = lua_touserdata(L, 2);
	const char *p = vm->in, *end = vm->in_end;
	int count = vm->in_count;
	lua_settop(L, 1);
	if (count > LUAI_MAXCSTACK - 100 || !lua_checkstack(L, count + 8))
		return luaL_error(L, "too many arguments: %d", count);
	for (int i = 0; i < count; i++)
		ly_decode(L, vm, &p, end, &vm->func, 1);
	lua_call(L, count, LUA_MULTRET);
	int n = lua_gettop(L);
	vm->out.len = 0;
	for (int i = 1; i <= n; i++)
		ly_encode(L, vm, &vm->out, i, &vm->func, 0);
	vm->out_count = n;
	return 0;
}

/* ly_call runs fn to its end on L (the state of the Lua code that called Go, or NULL); a yield inside is an error.
 * Results or the error are left in vm->out. */
int
ly_call(struct ly_vm *vm, lua_State *L, int fn, const char *in, size_t len, int count)
{
	if (L == NULL)
		L = vm->L;
	if (!lua_checkstack(L, 16))
		return LY_FAILED;
	lua_pushcfunction(L, call_protected);
	lua_rawgeti(L, LUA_REGISTRYINDEX, fn);
	lua_pushlightuserdata(L, vm);
	const char *old_in = vm->in, *old_end = vm->in_end;
	int old_count = vm->in_count;
	vm->in = in;
	vm->in_end = in + len;
	vm->in_count = count;
	int rc = lua_pcall(L, 2, 0, 0);
	vm->in = old_in;
	vm->in_end = old_end;
	vm->in_count = old_count;
	if (rc == 0)
		return LY_DONE;
	fail(vm, L, L);
	return LY_FAILED;
}

/* ly_traceback leaves the stack of a coroutine as text in vm->out. */
int
ly_traceback(struct ly_vm *vm, lua_State *co)
{
	lua_State *L = vm->L;
	luaL_traceback(L, co, NULL, 0);
	fail(vm, L, L);
	return LY_DONE;
}
