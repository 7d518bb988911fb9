/*
 * core.h
 *	  What a core may use of its host, and nothing more.
 *
 * A core is the algorithm of a capability in plain C.  Inside the server the
 * names below are PostgreSQL's; with CUSTMART_STANDALONE they are defined by
 * means of the C library, so unit tests and fuzzers run the very same source.
 */
#ifndef CUSTMART_CORE_H
#define CUSTMART_CORE_H

#ifndef CUSTMART_STANDALONE

#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* Sizes of stored values are computed from counts of 32 bits. */
StaticAssertDecl(sizeof(Size) >= 8, "custmart needs a 64-bit platform");

/* Exact counts and money need 128-bit integers, which all compilers for 64-bit platforms have. */
#ifndef HAVE_INT128
#error "custmart needs a compiler with 128-bit integers"
#endif

#else

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;
__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;
typedef double float8;
typedef size_t Size;
typedef void *MemoryContext;

#define FLEXIBLE_ARRAY_MEMBER
#define PG_UINT32_MAX UINT32_MAX
#define PG_UINT64_MAX UINT64_MAX
#define PG_INT64_MAX INT64_MAX
#define PG_INT64_MIN INT64_MIN
#define INT64CONST(x) INT64_C(x)
#define UINT64CONST(x) UINT64_C(x)
#define Assert(c) assert(c)
#define StaticAssertDecl(condition, message) _Static_assert(condition, message)
#define Min(a, b) ((a) < (b) ? (a) : (b))
#define Max(a, b) ((a) > (b) ? (a) : (b))
#define likely(x) __builtin_expect((x) != 0, 1)
#define unlikely(x) __builtin_expect((x) != 0, 0)
#define pg_attribute_always_inline __attribute__((always_inline)) inline
#define pg_unreachable() abort()
#define CHECK_FOR_INTERRUPTS() ((void) 0)
#define CurrentMemoryContext ((MemoryContext) NULL)
#define MemoryContextAllocHuge(context, size) malloc(size)
#define pg_popcount32(word) __builtin_popcount(word)
#define pg_rightmost_one_pos32(word) __builtin_ctz(word)
#define pg_leftmost_one_pos64(word) (63 - __builtin_clzll(word))
#define pg_popcount64(word) __builtin_popcountll(word)
#define repalloc_huge(pointer, size) realloc(pointer, size)
#define pfree(pointer) free(pointer)
#define qsort_interruptible(base, n, size, compare, argument) qsort_r(base, n, size, compare, argument)

extern void qsort_r(void *base, size_t n, size_t size,
					int (*compare) (const void *, const void *, void *), void *argument);

static inline bool
pg_add_s64_overflow(int64 a, int64 b, int64 *result)
{
	return __builtin_add_overflow(a, b, result);
}

static inline bool
pg_mul_s64_overflow(int64 a, int64 b, int64 *result)
{
	return __builtin_mul_overflow(a, b, result);
}

static inline bool
pg_add_u32_overflow(uint32 a, uint32 b, uint32 *result)
{
	return __builtin_add_overflow(a, b, result);
}

#endif							/* CUSTMART_STANDALONE */

/* For long loops: checks for interrupts at one step in 65536. */
static inline void
check_interrupts(Size step)
{
	if (step % 65536 == 0)
		CHECK_FOR_INTERRUPTS();
}

#endif							/* CUSTMART_CORE_H */
