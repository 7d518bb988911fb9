/*
 * core.h
 *	  What a core may use of its host, and nothing more.
 *
 * A core is the algorithm of a capability in plain C.  Inside the server the
 * names below are PostgreSQL's; with CUSTMART_STANDALONE defined they are made
 * of the C library, so that unit tests and fuzzers run the very same source.
 */
#ifndef CUSTMART_CORE_H
#define CUSTMART_CORE_H

#ifndef CUSTMART_STANDALONE

#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

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
typedef double float8;
typedef size_t Size;
typedef void *MemoryContext;

#define INT64CONST(x) INT64_C(x)
#define UINT64CONST(x) UINT64_C(x)
#define Assert(c) assert(c)
#define Min(a, b) ((a) < (b) ? (a) : (b))
#define Max(a, b) ((a) > (b) ? (a) : (b))
#define likely(x) __builtin_expect((x) != 0, 1)
#define unlikely(x) __builtin_expect((x) != 0, 0)
#define CHECK_FOR_INTERRUPTS() ((void) 0)
#define MemoryContextAlloc(context, size) malloc(size)
#define repalloc(pointer, size) realloc(pointer, size)

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

#ifndef CUSTMART_STANDALONE
#include "common/int.h"

#define core_alloc_huge(size) MemoryContextAllocHuge(CurrentMemoryContext, size)
#define core_free(pointer) pfree(pointer)
#else
#define core_alloc_huge(size) malloc(size)
#define core_free(pointer) free(pointer)
#endif

#endif							/* CUSTMART_CORE_H */
