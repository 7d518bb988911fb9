/*
 * bytes.h
 *	  Numbers in stored bytes: network order, any alignment.
 *
 * Every stored format consists of these loads and stores alone, so the bytes in
 * a table, on the wire and in a text literal are the same on every platform.
 * Compilers turn each function into one load or store and a byte swap.
 */
#ifndef CUSTMART_BYTES_H
#define CUSTMART_BYTES_H

#include "shared/core.h"

static inline uint32
load_u32(const uint8 *p)
{
	return (uint32) p[0] << 24 | (uint32) p[1] << 16 | (uint32) p[2] << 8 | p[3];
}

static inline uint64
load_u64(const uint8 *p)
{
	return (uint64) p[0] << 56 | (uint64) p[1] << 48 | (uint64) p[2] << 40 |
		(uint64) p[3] << 32 | (uint64) p[4] << 24 | (uint64) p[5] << 16 |
		(uint64) p[6] << 8 | p[7];
}

static inline float8
load_f64(const uint8 *p)
{
	uint64		bits = load_u64(p);
	float8		v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static inline uint8 *
store_u32(uint8 *p, uint32 v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
	return p + 4;
}

static inline uint8 *
store_u64(uint8 *p, uint64 v)
{
	p[0] = v >> 56;
	p[1] = v >> 48;
	p[2] = v >> 40;
	p[3] = v >> 32;
	p[4] = v >> 24;
	p[5] = v >> 16;
	p[6] = v >> 8;
	p[7] = v;
	return p + 8;
}

static inline uint8 *
store_f64(uint8 *p, float8 v)
{
	uint64		bits;

	memcpy(&bits, &v, sizeof(bits));
	return store_u64(p, bits);
}

/*
 * Numbers of variable length: 7 bits a byte, lowest first, the eighth bit set in
 * all but the last byte (LEB128).
 */
#define VARINT_MAX 10

static inline Size
varint_size(uint64 v)
{
	Size		size = 1;

	while (v >= 0x80)
	{
		v >>= 7;
		size++;
	}
	return size;
}

static inline uint8 *
store_varint(uint8 *p, uint64 v)
{
	while (v >= 0x80)
	{
		*p++ = (uint8) v | 0x80;
		v >>= 7;
	}
	*p++ = (uint8) v;
	return p;
}

/* Reads a varint from checked bytes. */
static inline const uint8 *
load_varint(const uint8 *p, uint64 *v)
{
	int			shift = 7;

	*v = *p & 0x7F;
	while (*p++ & 0x80)
	{
		*v |= (uint64) (*p & 0x7F) << shift;
		shift += 7;
	}
	return p;
}

/* The first 8 bytes as a number, the first byte lowest. */
static inline uint64
load_lowest_first(const uint8 *p)
{
	return p[0] | (uint64) p[1] << 8 | (uint64) p[2] << 16 | (uint64) p[3] << 24 |
		(uint64) p[4] << 32 | (uint64) p[5] << 40 | (uint64) p[6] << 48 | (uint64) p[7] << 56;
}

/* The eighth bit of each of 8 bytes. */
#define VARINT_STOPS UINT64CONST(0x8080808080808080)

/*
 * Reads a varint of up to 8 bytes, where 8 bytes are readable, without
 * branches: pairs of 7 bits become 14, pairs of these 28, then 56.  Returns its
 * length, or 0 if it is longer.
 */
static inline int
load_short_varint(const uint8 *p, uint64 *v)
{
	uint64		word = load_lowest_first(p);
	uint64		stops = ~word & VARINT_STOPS;

	if (unlikely(stops == 0))
		return 0;
	word &= (stops ^ (stops - 1)) & ~VARINT_STOPS;
	word = (word & UINT64CONST(0x007F007F007F007F)) | (word & UINT64CONST(0x7F007F007F007F00)) >> 1;
	word = (word & UINT64CONST(0x00003FFF00003FFF)) | (word & UINT64CONST(0x3FFF00003FFF0000)) >> 2;
	*v = (word & UINT64CONST(0x000000000FFFFFFF)) | (word & UINT64CONST(0x0FFFFFFF00000000)) >> 4;
	return (__builtin_ctzll(stops) + 1) / 8;
}

/* The same, quicker, from checked bytes that extend at least to `end`. */
static inline const uint8 *
load_varint_before(const uint8 *p, const uint8 *end, uint64 *v)
{
	if (*p < 0x80)
	{
		*v = *p;
		return p + 1;
	}
	if (likely(end - p >= 8))
	{
		int			length = load_short_varint(p, v);

		if (likely(length > 0))
			return p + length;
	}
	return load_varint(p, v);
}

/* Skips n varints of checked bytes that extend at least to `end`. */
static inline const uint8 *
skip_varints(const uint8 *p, const uint8 *end, Size n)
{
	/* The last of the n cannot end before the last of 8 bytes. */
	while (n >= 8 && end - p >= 8)
	{
		n -= pg_popcount64(~load_lowest_first(p) & VARINT_STOPS);
		p += 8;
	}
	while (n > 0)
		n -= *p++ < 0x80;
	return p;
}

static inline const uint8 *
skip_varint(const uint8 *p)
{
	while (*p++ & 0x80)
		;
	return p;
}

/* Reads a varint from unchecked bytes: false if it is truncated, too large or longer than necessary. */
static pg_attribute_always_inline bool
check_varint(const uint8 **p, const uint8 *end, uint64 *v)
{
	if (likely(end - *p >= 8))
	{
		int			length;

		if (**p < 0x80)
		{
			*v = *(*p)++;
			return true;
		}
		length = load_short_varint(*p, v);
		if (likely(length > 0))
		{
			*p += length;
			return (*p)[-1] != 0;
		}
	}
	*v = 0;
	for (int shift = 0; *p < end && shift < 64; shift += 7)
	{
		uint8		byte = *(*p)++;

		if (shift == 63 && byte > 1)
			return false;
		*v |= (uint64) (byte & 0x7F) << shift;
		if ((byte & 0x80) == 0)
			return byte != 0 || shift == 0;
	}
	return false;
}

/* Signed numbers with small ones first: 0, -1, 1, -2 ... */
static inline uint64
zigzag(int64 v)
{
	return (uint64) v << 1 ^ (uint64) (v >> 63);
}

static inline int64
unzigzag(uint64 v)
{
	return (int64) (v >> 1 ^ -(v & 1));
}

/* Orders two strings of bytes, a prefix first: below, at or above 0. */
static inline int
compare_bytes(const void *a, Size a_length, const void *b, Size b_length)
{
	int			order = memcmp(a, b, Min(a_length, b_length));

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

#endif							/* CUSTMART_BYTES_H */
