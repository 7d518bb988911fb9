/*
 * order_checks_reversals.c
 *	  Huge sales that were taken back whole.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/growing_array.h"

#define ST_SORT sort_lines
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) ((*a > *b) - (*a < *b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* A huge sale, or a huge return. */
typedef struct HugeLine
{
	int64		time;
	int64		price;
	int64		quantity;		/* above 0 */
	uint32		member;
	uint32		item;
	uint32		line;
	bool		is_return;
} HugeLine;

static inline int
compare_huge(const HugeLine *a, const HugeLine *b, const DecimalPool *pool)
{
	int			order;

	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->member != b->member)
		return a->member < b->member ? -1 : 1;
	order = compare_check_numbers(a->price, b->price, pool);
	return order != 0 ? order : compare_check_numbers(a->quantity, b->quantity, pool);
}

#define ST_SORT sort_huge
#define ST_ELEMENT_TYPE HugeLine
#define ST_COMPARE_ARG_TYPE const DecimalPool
#define ST_COMPARE(a, b, pool) compare_huge(a, b, pool)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The opposite of a quantity. */
static int64
negated(CheckFindings *findings, int64 number)
{
	Decimal		zero = {.scale = 0};

	if (likely(!decimal_is_pooled(number) && number >> 8 > DECIMAL_PACKED_MIN))
		return decimal_pack_small(-(number >> 8), (int) (number & 0xFF));
	if (decimal_is_pooled(number))
	{
		(void) decimal_subtract(&zero, &findings->pool.item[number >> 8]);
		return decimal_normalize(decimal_pack(&zero, &findings->pool), &findings->pool);
	}
	{
		Decimal		d = decimal_unpack(number, &findings->pool);

		(void) decimal_subtract(&zero, &d);
		return decimal_normalize(decimal_pack(&zero, &findings->pool), &findings->pool);
	}
}

/* Finds huge sales that the same member later gave back whole, at the same price. */
static void
find_reversals(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	HugeLine   *huge = NULL;
	Size		n = 0;
	Size		room = 0;
	uint32		at = 0;

	check_cursor_open(cursor, checks);
	for (uint32 i = 0; i < checks->nheads && scan->has_huge; i++)
	{
		int64		time = column_next(&columns[COLUMN_TIME]);
		uint32		member = (uint32) column_next(&columns[COLUMN_MEMBER]);
		int64		lines = column_next(&columns[COLUMN_HEAD_LINES]);
		bool		counts = time != CHECK_NO_TIME &&
			(findings->name_flags[CHECK_MEMBERS][member] & NAME_IS_NOBODY) == 0;

		for (int64 k = 0; k < lines; k++, at++)
		{
			uint32		item = (uint32) column_next(&columns[COLUMN_ITEM]);
			int64		price = column_next(&columns[COLUMN_PRICE]);
			int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
			bool		is_return;

			check_interrupts(at);
			if (scan->huge[item] == 0 || !counts || item == 0 || quantity == CHECK_NO_NUMBER ||
				!is_positive(findings, price) ||
				absolute(to_double(findings, quantity)) * 2 < scan->huge[item])
				continue;
			is_return = is_negative(findings, quantity);
			if (n == room)
				huge = array_grow(huge, &room, n + 1, sizeof(HugeLine), CurrentMemoryContext);
			huge[n++] = (HugeLine) {time, price, is_return ? negated(findings, quantity) : quantity,
				member, item, at, is_return};
		}
	}
	if (n > 0)
		sort_huge(huge, n, &findings->pool);
	scan->reversed = palloc(Max(n, 1) * sizeof(uint32));
	for (Size begin = 0, end; begin < n; begin = end)
	{
		int64		last_return = PG_INT64_MIN;

		check_interrupts(begin);
		for (end = begin; end < n && compare_huge(&huge[begin], &huge[end], &findings->pool) == 0; end++)
			if (huge[end].is_return)
				last_return = Max(last_return, huge[end].time);
		for (Size i = begin; i < end; i++)
			if (!huge[i].is_return && huge[i].time < last_return)
				scan->reversed[scan->nreversed++] = huge[i].line;
	}
	if (scan->nreversed > 1)
		sort_lines(scan->reversed, scan->nreversed);
	if (huge != NULL)
		pfree(huge);
	pfree(cursor);
}

/* Whether one of several huge sales of an order, at the same time, was taken back and another like it was not. */
static bool
has_alike(HugeLine *huge, Size n, const DecimalPool *pool)
{
	sort_huge(huge, n, pool);
	for (Size i = 1; i < n; i++)
	{
		check_interrupts(i);
		if (huge[i].is_return != huge[i - 1].is_return && compare_huge(&huge[i - 1], &huge[i], pool) == 0)
			return true;
	}
	return false;
}

/*
 * Finds out whether what a filter says of the sales that were taken back is true
 * of other rows, which then are of other members.
 */
static void
find_alike_reversals(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	HugeLine   *huge = NULL;	/* of one order and time; is_return: was taken back */
	Size		room = 0;
	Size		reversed = 0;
	uint32		at = 0;

	check_cursor_open(cursor, checks);
	for (uint32 i = 0; i < checks->reader.count && !findings->has_alike_reversals; i++)
	{
		int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);
		int64		last_time = CHECK_NO_TIME;
		Size		n = 0;

		for (int64 h = 0; h < nheads; h++)
		{
			int64		time = column_next(&columns[COLUMN_TIME]);
			int64		lines = column_next(&columns[COLUMN_HEAD_LINES]);

			if (time != last_time)
			{
				findings->has_alike_reversals |= n > 1 && has_alike(huge, n, &findings->pool);
				n = 0;
			}
			last_time = time;
			for (int64 k = 0; k < lines; k++, at++)
			{
				uint32		item = (uint32) column_next(&columns[COLUMN_ITEM]);
				int64		price = column_next(&columns[COLUMN_PRICE]);
				int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
				bool		is_reversed = reversed < scan->nreversed && scan->reversed[reversed] == at;

				check_interrupts(at);
				reversed += is_reversed;
				if (scan->huge[item] == 0 || time == CHECK_NO_TIME || !is_positive(findings, quantity) ||
					!is_positive(findings, price) || to_double(findings, quantity) * 2 < scan->huge[item])
					continue;
				if (n == room)
					huge = array_grow(huge, &room, n + 1, sizeof(HugeLine), CurrentMemoryContext);
				huge[n++] = (HugeLine) {.price = price, .quantity = quantity, .item = item, .is_return = is_reversed};
			}
		}
		findings->has_alike_reversals |= n > 1 && has_alike(huge, n, &findings->pool);
	}
	if (huge != NULL)
		pfree(huge);
	pfree(cursor);
}

/* Huge sales that were taken back, and whether a filter can tell them from others. */
void
scan_reversals(Scan *scan)
{
	find_reversals(scan);
	if (scan->nreversed > 0)
		find_alike_reversals(scan);
}
