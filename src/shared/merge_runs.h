/*
 * merge_runs.h
 *	  Merges consecutive ascending runs of elements into one run, in which equal
 *	  elements are added up.  A template: define
 *
 *		RUNS_NAME				the name of the list, to which functions add a suffix
 *		RUNS_ELEMENT			what it holds
 *		RUNS_CONTEXT			a type that the two below may need a pointer to
 *		RUNS_COMPARE(a, b, c)	below, at or above 0; of pointers to elements
 *		RUNS_ADD(a, b, c)		adds *b to *a, which is equal to it
 *
 * and include this file.  Runs are merged in pairs, round by round, so an element
 * moves at most log2(number of runs) times, rounded up.
 */
#include "shared/core.h"
#include "shared/growing_array.h"

#define RUNS_MAX 64

#define RUNS_PASTE_(a, b) a##b
#define RUNS_PASTE(a, b) RUNS_PASTE_(a, b)
#define RUNS_FUNCTION(suffix) RUNS_PASTE(RUNS_NAME, suffix)

typedef struct RUNS_NAME
{
	RUNS_ELEMENT *element;
	RUNS_ELEMENT *spare;
	Size		count;
	Size		room;			/* of both */
	Size		begin[RUNS_MAX + 1];
	int			runs;
} RUNS_NAME;

/* Initializes a list without runs. */
static inline void
RUNS_FUNCTION(_init) (RUNS_NAME *list)
{
	memset(list, 0, sizeof(*list));
}

/* Begins a run of n elements, which the caller fills in. */
static inline RUNS_ELEMENT *
RUNS_FUNCTION(_append) (RUNS_NAME *list, Size n)
{
	RUNS_ELEMENT *run;

	Assert(list->runs < RUNS_MAX);
	if (unlikely(list->room - list->count < n))
	{
		Size		room = list->room;

		list->element = array_grow(list->element, &room, list->count + n, sizeof(RUNS_ELEMENT), CurrentMemoryContext);
		list->spare = array_grow(list->spare, &list->room, list->count + n, sizeof(RUNS_ELEMENT), CurrentMemoryContext);
	}
	run = list->element + list->count;
	list->begin[list->runs++] = list->count;
	list->count += n;
	return run;
}

/* Merges all runs; count is then the number of elements left. */
static inline void
RUNS_FUNCTION(_merge) (RUNS_NAME *list, RUNS_CONTEXT *context)
{
	while (list->runs > 1)
	{
		RUNS_ELEMENT *to = list->spare;
		int			runs = 0;

		list->begin[list->runs] = list->count;
		for (int run = 0; run < list->runs; run += 2)
		{
			const RUNS_ELEMENT *a = list->element + list->begin[run];
			const RUNS_ELEMENT *a_end = list->element + list->begin[run + 1];
			const RUNS_ELEMENT *b = a_end;
			const RUNS_ELEMENT *b_end = list->element + list->begin[Min(run + 2, list->runs)];

			list->begin[runs++] = to - list->spare;
			while (a < a_end && b < b_end)
			{
				int			order = RUNS_COMPARE(a, b, context);

				check_interrupts(to - list->spare);
				*to = order <= 0 ? *a++ : *b++;
				if (order == 0)
				{
					RUNS_ADD(to, b, context);
					b++;
				}
				to++;
			}
			memcpy(to, a, (a_end - a) * sizeof(RUNS_ELEMENT));
			to += a_end - a;
			memcpy(to, b, (b_end - b) * sizeof(RUNS_ELEMENT));
			to += b_end - b;
		}
		list->runs = runs;
		list->count = to - list->spare;
		to = list->spare;
		list->spare = list->element;
		list->element = to;
	}
}

/* Empties the list, which keeps its memory. */
static inline void
RUNS_FUNCTION(_clear) (RUNS_NAME *list)
{
	list->count = 0;
	list->runs = 0;
}

/* Frees the list's memory. */
static inline void
RUNS_FUNCTION(_free) (RUNS_NAME *list)
{
	if (list->room > 0)
	{
		pfree(list->element);
		pfree(list->spare);
	}
}

#undef RUNS_FUNCTION
#undef RUNS_PASTE
#undef RUNS_PASTE_
#undef RUNS_NAME
#undef RUNS_ELEMENT
#undef RUNS_CONTEXT
#undef RUNS_COMPARE
#undef RUNS_ADD
