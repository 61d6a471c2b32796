/*
 * Writers of single MessagePack values into a buffer. None of them touches Lua.
 */
#ifndef LYCOSA_PUT_H
#define LYCOSA_PUT_H

#include <math.h>
#include <string.h>

#include "bridge.h"

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

static inline void
put_bytes(struct ly_buf *b, const void *p, size_t len)
{
	ly_buf_reserve(b, len);
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

static inline void
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

static inline void
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

static inline void
put_double(struct ly_buf *b, double v)
{
	uint64_t u;
	memcpy(&u, &v, 8);
	put_be(b, 0xcb, u, 8);
}

static inline void
put_float(struct ly_buf *b, float v)
{
	uint32_t u;
	memcpy(&u, &v, 4);
	put_be(b, 0xca, u, 4);
}

/* put_number: a Lua number without a fraction is an integer on the wire. */
static inline void
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

/* put_length writes the head of a string, binary or extension: the length in as many bytes as it takes, behind the first of
 * the three codes that follow one another for that. */
static inline void
put_length(struct ly_buf *b, uint8_t code, size_t len)
{
	if (len <= UINT8_MAX)
		put_be(b, code, len, 1);
	else if (len <= UINT16_MAX)
		put_be(b, code + 1, len, 2);
	else
		put_be(b, code + 2, len, 4);
}

/* put_count writes the head of an array or map: the count in the code itself if it is small, else behind one of two. */
static inline void
put_count(struct ly_buf *b, uint8_t small, uint8_t code, uint32_t n)
{
	if (n < 16)
		put1(b, (uint8_t)(small | n));
	else if (n <= UINT16_MAX)
		put_be(b, code, n, 2);
	else
		put_be(b, code + 1, n, 4);
}

static inline void
put_array(struct ly_buf *b, uint32_t n)
{
	put_count(b, 0x90, 0xdc, n);
}

static inline void
put_map(struct ly_buf *b, uint32_t n)
{
	put_count(b, 0x80, 0xde, n);
}

static inline void
put_str(struct ly_buf *b, const char *s, size_t len)
{
	if (len < 32)
		put1(b, (uint8_t)(0xa0 | len));
	else
		put_length(b, 0xd9, len);
	put_bytes(b, s, len);
}

static inline void
put_bin(struct ly_buf *b, const char *s, size_t len)
{
	put_length(b, 0xc4, len);
	put_bytes(b, s, len);
}

static inline void
put_ext(struct ly_buf *b, int8_t type, const void *p, size_t len)
{
	switch (len) {
	case 1: put1(b, 0xd4); break;
	case 2: put1(b, 0xd5); break;
	case 4: put1(b, 0xd6); break;
	case 8: put1(b, 0xd7); break;
	case 16: put1(b, 0xd8); break;
	default: put_length(b, 0xc7, len);
	}
	put1(b, (uint8_t)type);
	put_bytes(b, p, len);
}

static inline void
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
static inline void
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
		put_length(b, 0xc7, id + t->size);
		put1(b, LY_EXT_TUPLE);
		put_uint(b, t->format);
		put_bytes(b, t->data, t->size);
	}
}

/* put_cdata writes a cdata of a kind whose bytes say all; 0 when it is none. */
static inline int
put_cdata(struct ly_buf *b, enum ly_kind kind, const void *p, const struct ly_codec *c)
{
	switch (kind) {
	case LY_INT8: put_int(b, *(const int8_t *)p); return 1;
	case LY_INT16: put_int(b, *(const int16_t *)p); return 1;
	case LY_INT32: put_int(b, *(const int32_t *)p); return 1;
	case LY_INT64: put_int(b, *(const int64_t *)p); return 1;
	case LY_UINT8: put_uint(b, *(const uint8_t *)p); return 1;
	case LY_UINT16: put_uint(b, *(const uint16_t *)p); return 1;
	case LY_UINT32: put_uint(b, *(const uint32_t *)p); return 1;
	case LY_UINT64: put_uint(b, *(const uint64_t *)p); return 1;
	case LY_FLOAT: put_float(b, *(const float *)p); return 1;
	case LY_DOUBLE: put_double(b, *(const double *)p); return 1;
	case LY_BOOL: put1(b, *(const uint8_t *)p ? 0xc3 : 0xc2); return 1;
	case LY_POINTER:
		if (*(void *const *)p != NULL)
			return 0;
		put1(b, 0xc0);
		return 1;
	case LY_TUPLE: put_tuple(b, p, c); return 1;
	case LY_DECIMAL: {
		const struct ly_ext *e = p;
		put_ext(b, LY_EXT_DECIMAL, e->data, e->size);
		return 1;
	}
	case LY_UUID: put_uuid(b, p); return 1;
	case LY_VARBINARY: {
		const struct ly_varbinary *v = p;
		put_bin(b, v->data, v->size);
		return 1;
	}
	default: return 0;
	}
}

/* The most pairs of a packet's outermost map that are put in order: as many as one byte of a header can count. */
#define LY_ORDERED 15

/* Where the pairs of a packet's outermost map begin, and their keys. */
struct ly_pairs {
	int numbered, sorted; /* all keys are small numbers; the largest comes first */
	uint32_t n;
	size_t at[LY_ORDERED + 1];
	uint8_t number[LY_ORDERED];
};

static inline void
pairs_begin(struct ly_pairs *o, int wanted)
{
	o->numbered = wanted;
	o->sorted = 1;
	o->n = 0;
}

/* pairs_add is told of a pair whose key begins at at and whose value is not written yet. */
static inline void
pairs_add(struct ly_pairs *o, const struct ly_buf *b, size_t at)
{
	if (!o->numbered)
		return;
	uint8_t number = (uint8_t)b->p[at];
	if (o->n == LY_ORDERED || number >= 0x80) {
		o->numbered = 0;
		return;
	}
	o->sorted = o->sorted && (o->n == 0 || o->number[o->n - 1] > number);
	o->number[o->n] = number;
	o->at[o->n++] = at;
}

/* pairs_end puts the pairs in the order of their numbers, the largest first: the order of a Lua table changes from one run
 * of the program to the next, and packets should not. */
static inline void
pairs_end(struct ly_pairs *o, struct ly_buf *b)
{
	if (!o->numbered || o->sorted)
		return;
	uint32_t order[LY_ORDERED];
	o->at[o->n] = b->len;
	for (uint32_t i = 0; i < o->n; i++) {
		uint32_t k = i;
		for (; k > 0 && o->number[order[k - 1]] < o->number[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	size_t size = b->len - o->at[0];
	ly_buf_reserve(b, size);
	char *from = b->p + o->at[0], *room = b->p + b->len;
	for (uint32_t i = 0; i < o->n; i++) {
		size_t len = o->at[order[i] + 1] - o->at[order[i]];
		memcpy(room, b->p + o->at[order[i]], len);
		room += len;
	}
	memcpy(from, b->p + b->len, size);
}

#endif
