/*
 * The C half of the bridge to LuaJIT. What crosses it is MessagePack, see the package comment in luajit.go.
 *
 * Two rules hold for every function here:
 *  - Go frames are never unwound. A Go callback returns a code, and the C function that called it raises the Lua error
 *    after Go has returned. Functions called from Go run Lua only inside lua_resume or lua_pcall.
 *  - Memory has one owner. Buffers of struct ly_vm belong to the VM and live until ly_close; Go reads them between two
 *    calls and keeps no pointer. Pointers that Go passes in are read before the call returns, never kept.
 */
#ifndef LYCOSA_BRIDGE_H
#define LYCOSA_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>

/* A growing byte buffer. */
struct ly_buf {
	char *p;
	size_t len, cap;
};

struct ly_object;

/* What a cdata value is, by the id of its C type. */
enum ly_kind {
	LY_OTHER = 0,
	LY_INT8, LY_INT16, LY_INT32, LY_INT64,
	LY_UINT8, LY_UINT16, LY_UINT32, LY_UINT64,
	LY_FLOAT, LY_DOUBLE, LY_BOOL,
	LY_POINTER,   /* only the null pointer can be encoded: it is nil */
	LY_TUPLE,     /* struct ly_tuple */
	LY_DECIMAL,   /* struct ly_ext, extension 1 */
	LY_UUID,      /* struct ly_uuid, extension 2 */
	LY_ERROR,     /* packed by Lua, extension 3 */
	LY_DATETIME,  /* packed by Lua, extension 4 */
	LY_INTERVAL,  /* packed by Lua, extension 6 */
	LY_VARBINARY, /* struct ly_varbinary */
	LY_KINDS
};

/* MessagePack extension types; those from LY_EXT_INTERNAL on never leave the process. */
enum {
	LY_EXT_DECIMAL = 1,
	LY_EXT_UUID = 2,
	LY_EXT_ERROR = 3,
	LY_EXT_DATETIME = 4,
	LY_EXT_INTERVAL = 6,
	LY_EXT_TUPLE = 7,
	LY_EXT_INTERNAL = 100,
	LY_EXT_FUNCTION = 100, /* a registry reference, 4 bytes of the host's order */
	LY_EXT_LIVE_TUPLE = 101, /* address (8), format id (4), then the tuple */
};

/* The C layouts behind the cdata types; builtin Lua declares the same to FFI. */
struct ly_tuple {
	uint64_t address; /* of the tuple in the database, 0 for one made in Lua */
	uint32_t format;
	uint32_t size;
	char data[];
};

struct ly_ext {
	uint8_t size;
	char data[31];
};

struct ly_uuid {
	uint32_t time_low;
	uint16_t time_mid;
	uint16_t time_hi_and_version;
	uint8_t clock_seq_hi_and_reserved;
	uint8_t clock_seq_low;
	uint8_t node[6];
};

struct ly_varbinary {
	uint32_t size;
	char data[];
};

/* Options of the encoder and decoder: the module msgpack has its own set, the wire another. */
struct ly_codec {
	int32_t sparse_convert, sparse_ratio, sparse_safe;
	int32_t max_depth;
	int32_t deep_as_nil;
	int32_t invalid_as_nil;  /* values that can't be encoded become nil */
	int32_t load_metatables; /* __serialize is honoured */
	int32_t save_metatables; /* decoded tables say what they were */
	int32_t tuple_ext;       /* tuples keep identity (1: internal form, 2: MP_TUPLE of the protocol) */
	int32_t functions;       /* functions become references, inside of tables aside */
	int32_t error_ext;       /* errors are extensions, else their message */
	int32_t key_names;       /* keys of the outermost table that name protocol keys become their numbers */
	int32_t finite;          /* NaN and the infinities can't be encoded */
};

/* What Lua sees of the cord without a call; read over FFI. */
struct ly_shared {
	uint64_t fiber_id;
	uint64_t switches;
	uint64_t session_id;
	uint64_t sync;
	uint64_t schema_version;
	uint64_t fast_session; /* the session whose packets wait in ly_vm.sent until Go takes them, 0 for none */
	double clock_offset;
	union {
		uint64_t u64;
		int64_t i64;
		double f64;
	} scratch;
	/* The results of a raw function: read by Lua before it calls Go again. */
	const char *result, *result_end;
	double number; /* what find_field has found, if it is a number; a text is the result */
};

/* What a value is that was read without the Lua API; LY_UNREAD: that can't be read so. */
enum ly_scalar { LY_UNREAD = 0, LY_ABSENT, LY_FALSE, LY_TRUE, LY_NUMBER, LY_TEXT, LY_FOUND };

/* The type of cdata values, which lua.h does not name. */
#define LUA_TCDATA_ 10

/* Room for names of keys, a power of 2; they take half of it at most. */
#define LY_NAMES_BITS 9
#define LY_NAMES (1 << LY_NAMES_BITS)

#define LY_DEPTH 200 /* of calls Lua - Go - Lua - Go ... */

struct ly_vm {
	lua_State *L;
	uintptr_t handle; /* the Go side's State */
	struct ly_shared shared;
	/* The input of the Lua code that runs now: read once by take(). Points to memory of the caller of ly_resume or
	 * ly_call, or to a result buffer. */
	const char *in, *in_end;
	int in_count; /* values in it, or -1: it is an error */
	/* The last request that an entry function takes with take_request(). */
	int request_ref;
	const char *header, *header_end, *body, *body_end;
	/* What finish() wrote. */
	struct ly_buf out;
	int out_count;
	struct ly_codec wire, call, func; /* for clients; for calls of Go by Lua; for calls of Lua by Go */
	struct ly_codec packet;           /* for packets that Lua makes */
	struct ly_buf sent; /* packets for fast_session */
	struct ly_buf bufs[LY_DEPTH];
	struct ly_buf results[LY_DEPTH];
	int depth;
	int can_yield; /* the code that called a blocking function */
	int ref_null, ref_map, ref_seq, ref_u64, ref_i64, ref_yield;
	int ref_make[LY_KINDS]; /* constructors in Lua, called with (light pointer, size) */
	int ref_pack[LY_KINDS]; /* packers in Lua, for kinds that C doesn't read: return the extension's bytes */
	int ref_object;         /* the metatable of msgpack.object */
	int ref_iterator;
	/* Objects that are lent to handlers which can't keep them: made when they are first needed, held by references. */
	struct {
		struct ly_object *object;
		int ref;
	} loans[2];
	int lent;
	const void *object_mt, *iterator_mt; /* the same, as addresses */
	int ref_names;          /* names of protocol keys, table */
	int ref_raise, ref_invalid, ref_illegal; /* make error objects of a message */
	int ref_raised;                          /* is told of the error objects that Go raises */
	int ctype_at; /* where the type's id stands before a cdata's payload, in units of 2 bytes */
	uint8_t kinds[65536];
	/* What plain.c needs, and whether LuaJIT keeps tables as it reads them. */
	int knows_layout;
	const void *map_mt, *seq_mt;
	int names_count;
	struct {
		const char *string; /* the string object; NULL: nothing here */
		int number;
	} names[LY_NAMES];
};

/* Kinds of Go functions that ly_register makes known. */
enum { LY_PLAIN = 0, LY_BLOCKING = 1, LY_SEND = 2, LY_RAW = 3 };
/* Codes that Go callbacks return. */
enum { LY_OK = 0, LY_RAISE = 1, LY_PARK = 2 };
/* Results of ly_resume and ly_call. */
enum { LY_DONE = 0, LY_YIELDED = 1, LY_FAILED = 2, LY_STRAY = 3 };

struct ly_vm *ly_open(uintptr_t handle);
void ly_close(struct ly_vm *vm);
int ly_load(struct ly_vm *vm, const char *chunk, size_t len, const char *name);
void ly_unref(struct ly_vm *vm, int ref);
lua_State *ly_thread(struct ly_vm *vm, int *ref);
int ly_resume(struct ly_vm *vm, lua_State *co, int entry, int fn, const char *in, size_t len, int count);
int ly_resume_request(struct ly_vm *vm, lua_State *co, int entry, int fn, const char *header, size_t hlen,
		      const char *body, size_t blen, int lend);
int ly_call(struct ly_vm *vm, lua_State *L, int fn, const char *in, size_t len, int count);
char *ly_result(struct ly_vm *vm, size_t size);
int ly_traceback(struct ly_vm *vm, lua_State *co);
void ly_register(struct ly_vm *vm, const char *name, int id, int kind);
size_t ly_memory(struct ly_vm *vm);
void ly_collect(struct ly_vm *vm);
void ly_flush(struct ly_vm *vm);
void ly_interrupt(struct ly_vm *vm);
void ly_uninterrupt(struct ly_vm *vm);

void ly_raise(lua_State *L, struct ly_vm *vm, const char *format, const char *text) __attribute__((noreturn));
void ly_invalid(lua_State *L, struct ly_vm *vm, const char *details) __attribute__((noreturn));
/* ly_refuse raises an IllegalParams. */
void ly_refuse(lua_State *L, struct ly_vm *vm, const char *message) __attribute__((noreturn));
void ly_buf_grow(struct ly_buf *b, size_t more);
/* ly_buf_reserve makes room for more bytes. It ends the process when memory is out, as LuaJIT and Go do. */
static inline void
ly_buf_reserve(struct ly_buf *b, size_t more)
{
	if (b->cap - b->len < more)
		ly_buf_grow(b, more);
}
void ly_encode(lua_State *L, struct ly_vm *vm, struct ly_buf *b, int idx, const struct ly_codec *c, int depth);
/* Append a table that is made of plain values; 0, with nothing written, when it isn't. See plain.c. */
int ly_encode_plain(const struct ly_vm *vm, struct ly_buf *b, const void *table, const struct ly_codec *c, int depth);
void ly_open_plain(lua_State *L, struct ly_vm *vm);
/* Push the value at *p; raises a Lua error when it is malformed. top_nil: nil is nil, not box.NULL. */
void ly_decode(lua_State *L, struct ly_vm *vm, const char **p, const char *end, const struct ly_codec *c, int top_nil);
/* Move *p over one whole value; -1 when it is malformed or cut short. */
int ly_skip(const char **p, const char *end);
/* Read a number, text or boolean into what is shared. */
enum ly_scalar ly_read_scalar(const char *p, const char *end, struct ly_shared *shared);
/* Read an unsigned length or header; see encode.c. */
int ly_read_map(const char **p, const char *end, uint32_t *n);
int ly_read_array(const char **p, const char *end, uint32_t *n);
void ly_open_get(lua_State *L);
int ly_open_object(lua_State *L, struct ly_vm *vm);
int ly_open_msgpack(lua_State *L, struct ly_vm *vm);
/* Push the vm's object number i, if it is free and has room for the bytes; 0 otherwise. It is free again after ly_end_loan. */
int ly_lend_object(lua_State *L, struct ly_vm *vm, int i, const char *p, size_t len);
void ly_end_loan(struct ly_vm *vm, int given_back);
void ly_push_object(lua_State *L, struct ly_vm *vm, const char *p, size_t len, int names);
/* The bytes of the msgpack.object at idx, or NULL. */
const char *ly_to_object(lua_State *L, struct ly_vm *vm, int idx, size_t *len);
enum ly_kind ly_kind_of(lua_State *L, struct ly_vm *vm, int idx);
struct ly_vm *ly_vm_of(lua_State *L);

#endif
