/*
 * bit_sort.h
 *	  Sorts numbers by those of their bits that differ.
 *
 * Numbers of 64 bits that belong together, such as ids or amounts of one table, seldom
 * differ in more than 32 bits.  So many are taken out of each, with what the number
 * belongs to, and these 8 bytes are sorted by a radix sort.  Where more bits differ, the
 * highest 32 decide, and the caller orders those in which they are the same.
 */
#ifndef CUSTMART_BIT_SORT_H
#define CUSTMART_BIT_SORT_H

#include "shared/large_memory.h"

#define BIT_SORT_BITS 32		/* that are sorted by */
#define BIT_SORT_DIGIT 11		/* bits of a pass: its counters stay in the cache */

typedef struct SortedBits
{
	uint32		bits;
	uint32		entry;			/* whose they are */
} SortedBits;

/* A run of adjacent bits of a number, and where it goes. */
typedef struct BitRun
{
	uint64		mask;
	int			shift;
} BitRun;

/* The bits that numbers are sorted by. */
typedef struct BitRuns
{
	int			n;
	int			total;			/* bits in all runs */
	bool		is_all;			/* no other bits differ */
	BitRun		runs[BIT_SORT_BITS];
} BitRuns;

/* Finds the highest of the bits that differ between numbers. */
static inline BitRuns
bit_runs(uint64 differing)
{
	BitRuns		found = {.total = Min(pg_popcount64(differing), BIT_SORT_BITS)};
	int			left = found.total;

	found.is_all = pg_popcount64(differing) <= BIT_SORT_BITS;
	for (int bit = 63; bit >= 0 && left > 0; bit--)
	{
		if ((differing >> bit & 1) == 0)
			continue;
		left--;
		if (found.n == 0 || (found.runs[found.n - 1].mask >> (bit + 1) & 1) == 0)
			found.n++;
		found.runs[found.n - 1].mask |= UINT64CONST(1) << bit;
		found.runs[found.n - 1].shift = bit - left;
	}
	return found;
}

/* These bits of a number. */
static inline uint32
bits_of(const BitRuns *runs, uint64 number)
{
	uint32		bits = 0;

	for (int i = 0; i < runs->n; i++)
		bits |= (uint32) ((number & runs->runs[i].mask) >> runs->runs[i].shift);
	return bits;
}

/* Sorts by one digit, keeping the order of equal ones. */
static inline void
bit_sort_pass(const SortedBits *from, SortedBits *to, uint32 n, int shift, int width)
{
	uint32		begins[1 << BIT_SORT_DIGIT] = {0};
	uint32		mask = (1u << width) - 1;
	uint32		sum = 0;

	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		begins[from[i].bits >> shift & mask]++;
	}
	for (uint32 digit = 0; digit <= mask; digit++)
	{
		uint32		count = begins[digit];

		begins[digit] = sum;
		sum += count;
	}
	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		to[begins[from[i].bits >> shift & mask]++] = from[i];
	}
}

/* Sorts n entries of an array by their bits, keeping the order of equal ones; frees it and returns another, or returns the same. */
static inline SortedBits *
bit_sort(SortedBits *sorted, uint32 n, const BitRuns *runs)
{
	SortedBits *spare = large_alloc(CurrentMemoryContext, Max((Size) n, 1) * sizeof(SortedBits));
	int			passes = (runs->total + BIT_SORT_DIGIT - 1) / BIT_SORT_DIGIT;

	for (int pass = 0, shift = 0; pass < passes; pass++)
	{
		int			width = (runs->total - shift + passes - pass - 1) / (passes - pass);
		SortedBits *swap = sorted;

		bit_sort_pass(sorted, spare, n, shift, width);
		sorted = spare;
		spare = swap;
		shift += width;
	}
	pfree(spare);
	return sorted;
}

#endif							/* CUSTMART_BIT_SORT_H */
