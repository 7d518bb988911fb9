/*
 * quickselect.h
 *	  The k-th smallest of an array, without sorting it: a template.
 *
 * Define SELECT_NAME (the function), SELECT_TYPE and SELECT_LESS(a, b) before
 * including this file, and SELECT_CONTEXT, a type, if SELECT_LESS needs to look
 * at something of that type, which it then finds as *context.  It defines
 *
 *		static void SELECT_NAME(SELECT_TYPE *a, Size n, Size k)
 *
 * or, with SELECT_CONTEXT, the same with a pointer to it as fourth parameter,
 *
 * after which a[k] is what it would be if a were sorted, nothing before it is
 * greater and nothing after it is less.  So to find several positions of one
 * array, go through them in ascending order, each time with the part of the
 * array from the last position on.
 *
 * Quickselect with the median of three (Hoare 1961, "Algorithm 65: find"), and
 * heap selection where pivots keep turning out badly, so that no input makes it
 * quadratic.
 */
#include "shared/core.h"

#define SELECT_CAT_(a, b) a##b
#define SELECT_CAT(a, b) SELECT_CAT_(a, b)
#define SELECT_SWAP(x, y) do { SELECT_TYPE swap_ = (x); (x) = (y); (y) = swap_; } while (0)

#ifdef SELECT_CONTEXT
#define SELECT_PARAMETER , const SELECT_CONTEXT *context
#define SELECT_ARGUMENT , context
#else
#define SELECT_PARAMETER
#define SELECT_ARGUMENT
#endif

/* Restores the max-heap below position i. */
static void
SELECT_CAT(SELECT_NAME, _sift) (SELECT_TYPE *heap, Size n, Size i SELECT_PARAMETER)
{
	SELECT_TYPE v = heap[i];

	for (;;)
	{
		Size		child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && SELECT_LESS(heap[child], heap[child + 1]))
			child++;
		if (!SELECT_LESS(v, heap[child]))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = v;
}

/* The slow, sure way: a heap of the k + 1 smallest. */
static void
SELECT_CAT(SELECT_NAME, _heap) (SELECT_TYPE *a, Size n, Size k SELECT_PARAMETER)
{
	for (Size i = (k + 1) / 2 + 1; i-- > 0;)
	{
		SELECT_CAT(SELECT_NAME, _sift) (a, k + 1, i SELECT_ARGUMENT);
		check_interrupts(i);
	}
	for (Size i = k + 1; i < n; i++)
	{
		if (SELECT_LESS(a[i], a[0]))
		{
			SELECT_SWAP(a[i], a[0]);
			SELECT_CAT(SELECT_NAME, _sift) (a, k + 1, 0 SELECT_ARGUMENT);
		}
		check_interrupts(i);
	}
	SELECT_SWAP(a[0], a[k]);
}

static void
SELECT_NAME(SELECT_TYPE *a, Size n, Size k SELECT_PARAMETER)
{
	int			bad = 0;

	Assert(k < n);
	while (n > 1)
	{
		SELECT_TYPE first = a[0];
		SELECT_TYPE pivot = a[n / 2];
		SELECT_TYPE last = a[n - 1];
		int64		i = 0;
		int64		j = (int64) n - 1;
		Size		left;

		CHECK_FOR_INTERRUPTS();
		if (SELECT_LESS(last, first))
			SELECT_SWAP(first, last);
		if (SELECT_LESS(pivot, first))
			pivot = first;
		else if (SELECT_LESS(last, pivot))
			pivot = last;

		/* Equal values stop both sides, so that many ties split evenly. */
		while (i <= j)
		{
			while (SELECT_LESS(a[i], pivot))
				check_interrupts(++i);
			while (SELECT_LESS(pivot, a[j]))
				check_interrupts(--j);
			if (i <= j)
			{
				SELECT_SWAP(a[i], a[j]);
				i++;
				j--;
			}
		}

		/* a[0 .. j] <= pivot, a[i ..] >= pivot, what lies between equals it. */
		if ((int64) k <= j)
			left = (Size) j + 1;
		else if ((int64) k >= i)
		{
			a += i;
			k -= i;
			left = n - i;
		}
		else
			return;

		if (left > n - n / 8 && ++bad > 8)
		{
			SELECT_CAT(SELECT_NAME, _heap) (a, left, k SELECT_ARGUMENT);
			return;
		}
		n = left;
	}
}

#undef SELECT_NAME
#undef SELECT_TYPE
#undef SELECT_LESS
#undef SELECT_SWAP
#undef SELECT_CONTEXT
#undef SELECT_PARAMETER
#undef SELECT_ARGUMENT
