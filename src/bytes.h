/*
 * bytes.h
 *	  Numbers in stored bytes: network order, any alignment.
 *
 * Every stored format is made of these loads and stores alone, so the bytes in
 * a table, on the wire and in a text literal are the same on every platform.
 * Compilers turn each function into one load or store and a byte swap.
 */
#ifndef CUSTMART_BYTES_H
#define CUSTMART_BYTES_H

#include "core.h"

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

/* Of checked bytes. */
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

/* Of bytes from outside: false if they are cut off, too large or longer than need be. */
static inline bool
check_varint(const uint8 **p, const uint8 *end, uint64 *v)
{
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
