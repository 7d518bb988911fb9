/*
 * hashfn.h
 *	  What keytable.c takes of the server, made of the C library, for unit tests.
 *
 * Allocations are those of core.h; what is lost is found by the sanitizer.
 */
#ifndef UNIT_HASHFN_H
#define UNIT_HASHFN_H

#include "shared/core.h"

#define MAXALIGN(size) (((size) + 7) & ~(Size) 7)
#define pfree(pointer) free(pointer)
#define repalloc(pointer, size) realloc(pointer, size)
#define MemoryContextAlloc(context, size) malloc(size)
#define MemoryContextAllocZero(context, size) calloc(1, size)
#define ereport(level, ...) abort()

/* FNV-1a, with a seed; its bits are mixed at the end, for keys that are much alike. */
static inline uint64
hash_bytes_extended(const unsigned char *bytes, int length, uint64 seed)
{
	uint64		hash = UINT64CONST(0xCBF29CE484222325) ^ seed;

	for (int i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64CONST(0x100000001B3);
	hash = (hash ^ hash >> 32) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32;
}

#endif							/* UNIT_HASHFN_H */
