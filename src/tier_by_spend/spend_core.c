/*
 * spend_core.c
 *	  Ordering, storing and reading the money of one member.
 */
#include "tier_by_spend/spend_core.h"

#include "history/history_amount.h"
#include "shared/stored_kind.h"
#include "shared/time_range.h"

#define MOMENT_SIZE_MIN 3		/* distance, scale, mantissa */

/* ---------- in order ---------- */

static inline int
compare_times(const SpendMoment *a, const SpendMoment *b)
{
	return (a->time > b->time) - (a->time < b->time);
}

#ifndef CUSTMART_STANDALONE
#define ST_SORT sort_moments
#define ST_ELEMENT_TYPE SpendMoment
#define ST_COMPARE(a, b) compare_times(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"
#else
static int
compare_void(const void *a, const void *b)
{
	return compare_times(a, b);
}

static void
sort_moments(SpendMoment *moments, size_t n)
{
	qsort(moments, n, sizeof(SpendMoment), compare_void);
}
#endif

/* Leaves in the pool only what the moments still use. */
static void
tidy_pool(SpendMoment *moments, Size n, DecimalPool *pool)
{
	DecimalPool tidy = {.context = pool->context};

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (decimal_is_pooled(moments[i].amount))
			moments[i].amount = decimal_pool_put(&tidy, &pool->item[moments[i].amount >> 8]);
	}
	if (pool->item != NULL)
		pfree(pool->item);
	*pool = tidy;
}

/*
 * Puts rows in order of time and makes one moment of those of one time; *n
 * becomes the number of moments.  False: a sum of amounts is out of range.
 */
bool
spend_arrange(SpendMoment *moments, Size *n, DecimalPool *pool)
{
	Size		kept = 0;

	if (*n > 1)
		sort_moments(moments, *n);
	for (Size i = 0; i < *n; i++)
	{
		check_interrupts(i);
		if (kept == 0 || moments[kept - 1].time != moments[i].time)
			moments[kept++] = moments[i];
		else if (!decimal_add_packed(&moments[kept - 1].amount, pool, moments[i].amount, pool))
			return false;
	}
	*n = kept;
	if (unlikely(pool->count > 0))
	{
		for (Size i = 0; i < kept; i++)
			moments[i].amount = decimal_repack(moments[i].amount, pool);
		tidy_pool(moments, kept, pool);
	}
	return true;
}

/* ---------- stored ---------- */

/* Bytes that spend_store will write for arranged moments. */
Size
spend_size(const SpendMoment *moments, Size n, const DecimalPool *pool)
{
	Size		size = SPEND_HEADER_SIZE;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		size += i == 0 ? varint_size(zigzag(moments[i].time)) :
			varint_size((uint64) moments[i].time - (uint64) moments[i - 1].time);
		size += amount_size(moments[i].amount);
	}
	return size;
}

/* Writes arranged moments. */
void
spend_store(const SpendMoment *moments, Size n, const DecimalPool *pool, uint8 *bytes)
{
	Assert(n <= PG_UINT32_MAX);
	bytes[0] = STORED_SPEND;
	bytes[1] = SPEND_VERSION;
	bytes[2] = 0;
	bytes[3] = 0;
	bytes = store_u32(bytes + 4, (uint32) n);
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		bytes = store_varint(bytes, i == 0 ? zigzag(moments[i].time) :
							 (uint64) moments[i].time - (uint64) moments[i - 1].time);
		bytes = amount_store(moments[i].amount, false, pool, bytes);
	}
}

/* Checks bytes from outside; returns what is wrong with them, or NULL. */
const char *
spend_check(const uint8 *bytes, Size length)
{
	const uint8 *end = bytes + length;
	Size		n;
	int64		time = 0;

	if (length < SPEND_HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != STORED_SPEND)
		return "it is of another type";
	if (bytes[1] != SPEND_VERSION)
		return "its version is unknown";
	if (bytes[2] != 0 || bytes[3] != 0)
		return "its reserved bytes are not zero";
	n = load_u32(bytes + 4);
	if (n == 0)
		return "it has no moment";
	if ((length - SPEND_HEADER_SIZE) / MOMENT_SIZE_MIN < n)
		return "it is cut off";

	bytes += SPEND_HEADER_SIZE;
	for (Size i = 0; i < n; i++)
	{
		uint64		distance;
		const char *wrong;
		bool		flag;
		int			sign;

		check_interrupts(i);
		if (!check_varint(&bytes, end, &distance))
			return "a time is not valid";
		if (i == 0)
			time = unzigzag(distance);
		else if (distance == 0)
			return "a moment stands twice";
		else if (distance >= (uint64) TIME_END - (uint64) time)
			return "a time is out of range";
		else
			time = (int64) ((uint64) time + distance);
		if (!time_is_in_range(time))
			return "a time is out of range";
		if ((wrong = amount_check(&bytes, end, &flag, &sign)) != NULL)
			return wrong;
		if (flag)
			return "its reserved bits are not zero";
	}
	return bytes == end ? NULL : "its length is wrong";
}

/* How many moments checked bytes hold. */
Size
spend_count(const uint8 *bytes)
{
	return load_u32(bytes + 4);
}

/* Reads checked bytes; wide amounts go to the pool. */
void
spend_load(const uint8 *bytes, DecimalPool *pool, SpendMoment *moments)
{
	Size		n = spend_count(bytes);
	int64		time = 0;

	bytes += SPEND_HEADER_SIZE;
	for (Size i = 0; i < n; i++)
	{
		uint64		number;
		bool		flag;

		check_interrupts(i);
		bytes = load_varint(bytes, &number);
		time = i == 0 ? unzigzag(number) : (int64) ((uint64) time + number);
		moments[i].time = time;
		bytes = amount_load(bytes, bytes, pool, &moments[i].amount, &flag);
	}
}
