/*
 * large_memory.h
 *	  Memory for tables and arrays that may be large.
 *
 * Touching fresh memory costs a page fault for every 4 kB, and looking up keys
 * in many such pages costs misses of the translation cache.  On Linux the
 * kernel gives large pages, of 2 MB, to memory for which it is asked to, unless
 * its administrator forbids it.  In a parallel plan, where the memory of every
 * process is fresh, this is a fifth of the time.
 */
#ifndef CUSTMART_LARGE_MEMORY_H
#define CUSTMART_LARGE_MEMORY_H

#include "shared/core.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

/* Less would seldom hold a whole large page. */
#define LARGE_MEMORY_MIN ((Size) 4 * 1024 * 1024)

/* Asks for large pages where memory that has not been touched is large. */
static inline void
large_memory_advise(void *memory, Size size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
	if (size >= LARGE_MEMORY_MIN)
	{
		/* Whole small pages, so that an allocation does not fall into areas that are advised differently. */
		uintptr_t	page = (uintptr_t) sysconf(_SC_PAGESIZE);
		uintptr_t	begin = (uintptr_t) memory & ~(page - 1);
		uintptr_t	end = ((uintptr_t) memory + size + page - 1) & ~(page - 1);

		/* It is advice: where it is refused, nothing is lost. */
		(void) madvise((void *) begin, end - begin, MADV_HUGEPAGE);
	}
#endif
}

/* Allocates memory of any size, to be freed by pfree. */
static inline void *
large_alloc(MemoryContext context, Size size)
{
	void	   *memory = MemoryContextAllocHuge(context, size);

	large_memory_advise(memory, size);
	return memory;
}

/* Changes its size; it may move. */
static inline void *
large_realloc(void *memory, Size size)
{
	memory = repalloc_huge(memory, size);
	large_memory_advise(memory, size);
	return memory;
}

/* So much is written between two looks whether the statement is cancelled: a few milliseconds, fresh pages included. */
#define LARGE_MEMORY_PIECE ((Size) 8 * 1024 * 1024)

/* memset() to zeros of what may be hundreds of megabytes. */
static inline void
large_clear(void *memory, Size size)
{
	for (Size done = 0; done < size; done += LARGE_MEMORY_PIECE)
	{
		check_interrupts(0);
		memset((char *) memory + done, 0, Min(size - done, LARGE_MEMORY_PIECE));
	}
}

/* large_alloc() of zeros. */
static inline void *
large_alloc_zeroed(MemoryContext context, Size size)
{
	void	   *memory = large_alloc(context, size);

	large_clear(memory, size);
	return memory;
}

/* memcpy() of what may be hundreds of megabytes. */
static inline void
large_copy(void *to, const void *from, Size size)
{
	for (Size done = 0; done < size; done += LARGE_MEMORY_PIECE)
	{
		check_interrupts(0);
		memcpy((char *) to + done, (const char *) from + done, Min(size - done, LARGE_MEMORY_PIECE));
	}
}

#endif							/* CUSTMART_LARGE_MEMORY_H */
