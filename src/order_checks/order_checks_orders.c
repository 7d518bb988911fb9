/*
 * order_checks_orders.c
 *	  Orders without their lines: their members and times, and which numbers are a series.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/growing_array.h"

#define ST_SORT sort_numbers
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) ((*a > *b) - (*a < *b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Finds the series that an order id belongs to; keys come sorted, so it is mostly that of the last one. */
static uint32
find_series(Scan *scan, CheckText id, char *last, uint32 *last_length, uint32 last_series)
{
	uint32		prefix;
	uint32		entry;
	Key			key;
	uint8		digits;

	if (id.data == NULL || !id_number(id.data, id.length, &prefix) || prefix > 254)
		return NO_SERIES;
	digits = (uint8) (id.length - prefix);
	if (*last_length == prefix + 1 && last[0] == (char) digits && memcmp(last + 1, id.data, prefix) == 0)
		return last_series;
	last[0] = (char) digits;
	memcpy(last + 1, id.data, prefix);
	*last_length = prefix + 1;
	memset(&key, 0, sizeof(key));
	key.bytes.data = last;
	key.bytes.length = prefix + 1;
	keytable_locate(&scan->series, &key, 1, &entry);
	return entry;
}

/* Counts an order for its members, each once; true if there is more than one, NULL left out. */
static bool
count_members(Scan *scan, uint32 *members, Size n)
{
	CheckFindings *findings = scan->findings;
	bool		has_nobody = false;
	int			different = 0;

	if (n > 1)
		sort_numbers(members, n);
	for (Size i = 0; i < n; i++)
	{
		if (n > 1)
			check_interrupts(i);
		if (i == 0 || members[i] != members[i - 1])
		{
			scan->member_orders[members[i]]++;
			different += members[i] != 0;
			has_nobody |= (findings->name_flags[CHECK_MEMBERS][members[i]] & NAME_IS_NOBODY) != 0;
		}
	}
	findings->no_member_orders += has_nobody;
	return different > 1;
}

/* Keeps first and last time, of all rows and without placeholders; returns whether it is none. */
static inline bool
note_time(CheckFindings *findings, int64 time, int64 *local)
{
	bool		is_real = false;

	if (time == CHECK_NO_TIME)
		return false;
	findings->first_time = Min(findings->first_time, time);
	findings->last_time = Max(findings->last_time, time);
	if (!TIMESTAMP_NOT_FINITE(time))
	{
		*local = check_local_time(findings, time);
		is_real = !day_is_placeholder(day_of_time(*local));
	}
	if (is_real)
	{
		findings->first_real_time = Min(findings->first_real_time, time);
		findings->last_real_time = Max(findings->last_real_time, time);
	}
	return is_real;
}

/* All orders without their lines: members, times, series. */
static void
scan_heads(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	BookKeyCursor keys;
	uint32	   *members = NULL;
	Size		room = 0;
	char		last[256];
	uint32		last_length = 0;
	uint32		last_series = NO_SERIES;
	Size		at = 0;			/* heads */

	findings->first_time = findings->first_real_time = PG_INT64_MAX;
	findings->last_time = findings->last_real_time = PG_INT64_MIN;
	check_cursor_open(cursor, checks);
	book_key_cursor(&keys, &checks->reader);
	for (uint32 i = 0; i < checks->reader.count; i++)
	{
		Key			key = book_next_key(&keys);
		CheckText	id = order_text(&key);
		int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);
		int64		last_time = CHECK_NO_TIME;
		uint32		last_member = 0;
		int64		times = 0;
		int64		first = PG_INT64_MAX;
		uint8		flags = 0;

		if ((Size) nheads > room)
			members = array_grow(members, &room, nheads, sizeof(uint32), CurrentMemoryContext);
		for (int64 h = 0; h < nheads; h++)
		{
			int64		time = column_next(&columns[COLUMN_TIME]);
			int64		local;

			check_interrupts(at++);
			members[h] = (uint32) column_next(&columns[COLUMN_MEMBER]);
			if (time != CHECK_NO_TIME && time != last_time)
				times++;

			/* Without an id a member's rows of one moment are an order. */
			if (id.data == NULL && (h == 0 || time != last_time || members[h] != last_member))
			{
				findings->orders++;
				(void) count_members(scan, &members[h], 1);
			}
			last_time = time;
			last_member = members[h];
			if (note_time(findings, time, &local))
				first = Min(first, local);
		}
		scan->order_series[i] = NO_SERIES;
		if (id.data == NULL)
			continue;
		findings->orders++;
		if (count_members(scan, members, nheads))
		{
			flags |= ORDER_TWO_MEMBERS;
			findings->two_member_orders++;
		}
		if (times > 1)
		{
			flags |= ORDER_TWO_TIMES;
			findings->two_time_orders++;
			findings->times_of_these += times;
		}
		if (id_is_scientific(id.data, id.length))
		{
			flags |= ORDER_SCIENTIFIC;
			findings->rounded_ids++;
		}
		if (id_has_test_word(id.data, id.length))
			flags |= ORDER_TEST;
		scan->order_flags[i] = flags;
		scan->order_times[i] = first;
		if (first == PG_INT64_MAX)
			continue;
		last_series = find_series(scan, id, last, &last_length, last_series);
		scan->order_series[i] = last_series;
		if (last_series != NO_SERIES)
			++*(int64 *) keytable_payload(&scan->series, last_series);
		else
			last_length = 0;
	}
	if (members != NULL)
		pfree(members);
	pfree(cursor);
}

/* Finds the two members with most orders, and whether one has far more than all others. */
static void
find_dominant(Scan *scan)
{
	CheckFindings *findings = scan->findings;

	for (uint32 member = 1; member <= findings->checks.names[CHECK_MEMBERS].count; member++)
	{
		int64		orders = scan->member_orders[member];

		check_interrupts(member);
		if ((findings->name_flags[CHECK_MEMBERS][member] & NAME_IS_NOBODY) != 0)
			continue;
		if (orders > findings->top_orders)
		{
			findings->second_orders = findings->top_orders;
			findings->top_orders = orders;
			findings->top_member = member;
		}
		else if (orders > findings->second_orders)
			findings->second_orders = orders;
	}
	scan->has_dominant_member = findings->second_orders > 0 &&
		findings->top_orders >= CHECK_DOMINANT_TIMES * findings->second_orders &&
		(float8) findings->top_orders >= CHECK_DOMINANT_SHARE * (float8) findings->orders;
}

/* All orders: who has most, which have several members or times. */
void
scan_orders(Scan *scan)
{
	scan_heads(scan);
	find_dominant(scan);
}
