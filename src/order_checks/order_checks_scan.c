/*
 * order_checks_scan.c
 *	  Goes through a check_book and finds what the checks look for.
 *
 * First the ids, each once; then the orders without their lines, for times and
 * members; then the lines, for what is usual for an item; at last everything
 * again, now that each row can be judged.  The columns that a pass does not need
 * are not read.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/bytes.h"
#include "shared/growing_array.h"

/* Flags of an order. */
#define ORDER_TWO_MEMBERS 1
#define ORDER_TWO_TIMES 2
#define ORDER_SWAPPED 4
#define ORDER_SCIENTIFIC 8
#define ORDER_TEST 16

/* What the passes tell each other, besides the findings. */
typedef struct Scan
{
	CheckFindings *findings;
	uint32	   *member_orders;
	uint8	   *order_flags;
	int64	   *order_times;	/* local, or CHECK_NO_TIME */
	uint32	   *order_series;	/* or NO_SERIES */
	KeyTable	series;			/* prefix and length of a number; how many orders */
	UsualPrice *usual;			/* of each item */
	float8	   *huge;			/* half of the quantities from which on a sale is huge, doubled; 0: none is */
	bool		has_huge;		/* some is above 0 */
	uint32	   *reversed;		/* lines that are huge and were taken back, ascending */
	Size		nreversed;
} Scan;

#define NO_SERIES PG_UINT32_MAX

static void *
alloc_zeroed(Size n, Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, Max(n, 1) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* What the clocks of the shop showed. */
int64
check_local_time(const CheckFindings *findings, int64 time)
{
	return findings->checks.reader.form == CHECK_BOOK_CLOCK ? time : zone_local(findings->zone, time);
}

static inline int32
day_of_time(int64 local)
{
	return (int32) (local / USECS_PER_DAY) - (local % USECS_PER_DAY < 0);
}

CheckText
check_name_text(const CheckFindings *findings, CheckNames names, uint32 name)
{
	CheckText	text = {NULL, 0};

	if (name > 0)
	{
		const uint32 *offsets = findings->name_offsets[names] + name - 1;

		text.data = (const char *) findings->checks.names[names].bytes + offsets[0];
		text.length = offsets[1] - offsets[0];
	}
	return text;
}

/* An order id; its data is NULL if it has none. */
static inline CheckText
order_text(const Key *key)
{
	CheckText	text = {key->bytes.data, key->bytes.length};

	if (text.length == 0)
		text.data = NULL;
	else if (text.data[0] == CHECK_KEY_ESCAPE)
	{
		text.data++;
		text.length--;
	}
	return text;
}

/* ---------- ids ---------- */

static bool
is_folded(CheckText name)
{
	const char *data = name.data;
	uint32		length = name.length;

	id_trim(&data, &length);
	if (length != name.length)
		return false;
	for (uint32 i = 0; i < length; i++)
		if (data[i] >= 'A' && data[i] <= 'Z')
			return false;
	return true;
}

/* Finds names that are equal but for blanks and case. */
static void
find_variants(CheckFindings *findings, CheckNames names)
{
	uint32		count = findings->checks.names[names].count;
	bool		all_folded = true;
	KeyTable	folded;
	uint32	   *entries;
	char	   *buffer = NULL;
	Size		room = 0;

	for (uint32 name = 1; name <= count && all_folded; name++)
	{
		check_interrupts(name);
		all_folded = is_folded(check_name_text(findings, names, name));
	}
	if (all_folded)
		return;
	keytable_init(&folded, KEY_BYTES, sizeof(uint32), CurrentMemoryContext);
	entries = large_alloc(CurrentMemoryContext, (Size) count * sizeof(uint32));
	for (uint32 name = 1; name <= count; name++)
	{
		CheckText	text = check_name_text(findings, names, name);
		Key			key;

		check_interrupts(name);
		if (text.length > room)
			buffer = array_grow(buffer, &room, text.length, 1, CurrentMemoryContext);
		memset(&key, 0, sizeof(key));
		key.bytes.length = text.length == 0 ? 0 : id_fold(text.data, text.length, buffer);
		key.bytes.data = buffer != NULL ? buffer : "";
		keytable_locate(&folded, &key, 1, &entries[name - 1]);
		++*(uint32 *) keytable_payload(&folded, entries[name - 1]);
	}
	for (uint32 i = 0; i < folded.count; i++)
	{
		uint32		forms = *(uint32 *) keytable_payload(&folded, i);

		check_interrupts(i);
		if (forms > 1)
		{
			findings->variants[names]++;
			findings->variant_forms[names] += forms;
		}
	}
	for (uint32 name = 1; name <= count; name++)
	{
		check_interrupts(name);
		if (*(uint32 *) keytable_payload(&folded, entries[name - 1]) > 1)
			findings->name_flags[names][name] |= NAME_IS_VARIANT;
	}
	pfree(entries);
	keytable_clear(&folded);
}

static void
scan_names(CheckFindings *findings)
{
	for (int names = 0; names < CHECK_NAMES; names++)
	{
		const NameList *list = &findings->checks.names[names];
		uint32	   *offsets = large_alloc(CurrentMemoryContext, ((Size) list->count + 1) * sizeof(uint32));
		uint8	   *flags = alloc_zeroed((Size) list->count + 1, 1);

		findings->name_offsets[names] = offsets;
		findings->name_flags[names] = flags;
		offsets[0] = 0;
		if (names == CHECK_MEMBERS)
			flags[0] = NAME_IS_NOBODY;
		for (uint32 name = 1; name <= list->count; name++)
		{
			CheckText	text;

			check_interrupts(name);
			offsets[name] = offsets[name - 1] + load_u32(list->lengths + (Size) (name - 1) * 4);
			text = check_name_text(findings, names, name);
			if (names == CHECK_CURRENCIES)
				continue;
			if (names == CHECK_MEMBERS && id_is_no_member(text.data, text.length))
				flags[name] |= NAME_IS_NOBODY;
			if (id_is_scientific(text.data, text.length))
				flags[name] |= NAME_IS_SCIENTIFIC;
			if (id_has_test_word(text.data, text.length))
				flags[name] |= NAME_IS_TEST;
			findings->rounded_ids += (flags[name] & NAME_IS_SCIENTIFIC) != 0;
		}
		if (names != CHECK_CURRENCIES)
			find_variants(findings, names);
	}
}

/* Finds items whose shape is rare among the rows. */
static void
scan_shapes(CheckFindings *findings, const int64 *item_rows)
{
	uint32		count = findings->checks.names[CHECK_ITEMS].count;
	KeyTable	shapes;
	uint32	   *entries = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(uint32));
	uint32	   *sorted;
	char	   *buffer = NULL;
	Size		room = 0;

	keytable_init(&shapes, KEY_BYTES, sizeof(int64), CurrentMemoryContext);
	for (uint32 item = 1; item <= count; item++)
	{
		CheckText	text = check_name_text(findings, CHECK_ITEMS, item);
		Key			key;

		check_interrupts(item);
		if (text.length > room)
			buffer = array_grow(buffer, &room, text.length, 1, CurrentMemoryContext);
		memset(&key, 0, sizeof(key));
		if (text.length > 0)
			id_shape(text.data, text.length, buffer);
		key.bytes.data = buffer != NULL ? buffer : "";
		key.bytes.length = text.length;
		keytable_locate(&shapes, &key, 1, &entries[item - 1]);
		*(int64 *) keytable_payload(&shapes, entries[item - 1]) += item_rows[item];
	}
	for (uint32 item = 1; item <= count; item++)
	{
		int64		rows = *(int64 *) keytable_payload(&shapes, entries[item - 1]);

		check_interrupts(item);
		if ((float8) rows < CHECK_RARE_SHARE * (float8) findings->rows)
		{
			findings->name_flags[CHECK_ITEMS][item] |= NAME_IS_RARE;
			findings->rare_items++;
		}
	}

	/* Of which there are at most a hundred. */
	sorted = keytable_sorted(&shapes);
	findings->common_shapes = palloc(sizeof(CheckText) * (Size) (1 / CHECK_RARE_SHARE + 1));
	for (uint32 i = 0; i < shapes.count; i++)
	{
		Key			key = keytable_key(&shapes, sorted[i]);

		check_interrupts(i);
		if ((float8) *(int64 *) keytable_payload(&shapes, sorted[i]) >= CHECK_RARE_SHARE * (float8) findings->rows)
			findings->common_shapes[findings->common_shape_count++] = (CheckText) {key.bytes.data, key.bytes.length};
	}
	pfree(sorted);
	pfree(entries);
}

/* ---------- orders ---------- */

#define ST_SORT sort_numbers
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) ((*a > *b) - (*a < *b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_days
#define ST_ELEMENT_TYPE int32
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

static void
note_swap(void *context, uint32 order)
{
	Scan	   *scan = context;

	scan->order_flags[order] |= ORDER_SWAPPED;
}

/* Finds orders whose day and month were exchanged, among those with a number in a series. */
static void
find_swaps(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	OrderSeries **series = alloc_zeroed(scan->series.count, sizeof(OrderSeries *));
	int64		numbered = 0;

	for (uint32 i = 0; i < scan->series.count; i++)
	{
		int64		orders = *(int64 *) keytable_payload(&scan->series, i);

		check_interrupts(i);
		if (orders >= CHECK_SERIES_MIN && (float8) orders >= CHECK_RARE_SHARE * (float8) findings->orders)
		{
			series[i] = palloc0(sizeof(OrderSeries));
			numbered += orders;
		}
	}
	findings->has_series = numbered > 0 && numbered * 2 >= findings->orders;
	for (uint32 i = 0; i < findings->checks.reader.count && findings->has_series; i++)
	{
		check_interrupts(i);
		if (scan->order_series[i] != NO_SERIES && series[scan->order_series[i]] != NULL)
			series_add(series[scan->order_series[i]], (SeriesOrder) {scan->order_times[i], i},
					   &findings->swaps, note_swap, scan);
	}
	for (uint32 i = 0; i < scan->series.count; i++)
		if (series[i] != NULL)
		{
			if (findings->has_series)
				series_end(series[i], &findings->swaps, note_swap, scan);
			pfree(series[i]);
		}
	if ((float8) findings->swaps.far > CHECK_SWAP_SHARE * (float8) findings->swaps.orders)
		findings->has_series = false;
	pfree(series);
}

/* Days that a map is made of; where there are more, a list is sorted. */
#define MAP_DAYS (1024 * 1024)

/* Lists the days on which there are rows, each once and ascending. */
static int32 *
list_days(CheckFindings *findings, int32 first, int32 last, Size *n)
{
	bool		has_map = (int64) last - first < MAP_DAYS;
	uint8	   *map = has_map ? alloc_zeroed((Size) (last - first) + 1, 1) : NULL;
	ColumnReader *times = palloc(sizeof(ColumnReader));
	int32	   *days = NULL;
	Size		room = 0;

	*n = 0;
	column_open(times, findings->checks.columns[COLUMN_TIME], findings->checks.nheads);
	for (uint32 i = 0; i < findings->checks.nheads; i++)
	{
		int64		time = column_next(times);
		int32		day;

		check_interrupts(i);
		if (!check_time_is_finite(time))
			continue;
		day = day_of_time(check_local_time(findings, time));
		if (day_is_placeholder(day))
			continue;
		if (has_map)
			map[day - first] = 1;
		else if (*n == 0 || days[*n - 1] != day)
		{
			if (*n == room)
				days = array_grow(days, &room, *n + 1, sizeof(int32), CurrentMemoryContext);
			days[(*n)++] = day;
		}
	}
	if (has_map)
	{
		days = palloc(((Size) (last - first) + 1) * sizeof(int32));
		for (int32 day = first; day <= last; day++)
			if (map[day - first])
				days[(*n)++] = day;
	}
	else
	{
		Size		kept = 0;

		sort_days(days, *n);
		for (Size i = 1; i < *n; i++)
			if (days[i] != days[kept])
				days[++kept] = days[i];
		*n = kept + 1;
	}
	pfree(times);
	return days;
}

/* Looks for days without any row. */
static void
find_gaps(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	int32	   *days;
	Size		n;

	if (findings->first_real_time > findings->last_real_time)
		return;

	/* Clocks that are set back may show an earlier day at a later moment. */
	days = list_days(findings, day_of_time(check_local_time(findings, findings->first_real_time)) - 1,
					 day_of_time(check_local_time(findings, findings->last_real_time)) + 1, &n);
	findings->gaps = count_gaps(days, n);
	pfree(days);
}

/* Finds the two members with most orders. */
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
}

static bool
has_dominant(const CheckFindings *findings)
{
	return findings->second_orders > 0 &&
		findings->top_orders >= CHECK_DOMINANT_TIMES * findings->second_orders &&
		(float8) findings->top_orders >= CHECK_DOMINANT_SHARE * (float8) findings->orders;
}

/* ---------- items ---------- */

/* Sales of an item: price and quantity above 0. */
typedef struct ItemSales
{
	int64		sales;
	uint32		lines;			/* that they are counted in */
	float8		lowest_price;
	float8		highest_price;
	float8		lowest_quantity;
	float8		highest_quantity;
	Size		prices;			/* where its prices begin, if they are needed; then where they end */
	Size		quantities;
	bool		needs_prices;
	bool		needs_quantities;
} ItemSales;

static inline bool
is_positive(const CheckFindings *findings, int64 number)
{
	return number != CHECK_NO_NUMBER && decimal_packed_is_positive(number, &findings->pool);
}

static inline bool
is_negative(const CheckFindings *findings, int64 number)
{
	if (unlikely(decimal_is_pooled(number)))
		return decimal_sign(&findings->pool.item[number >> 8]) < 0;
	return number < 0;
}

static inline bool
is_zero(int64 number)
{
	return number >> 8 == 0 && number != CHECK_NO_NUMBER && !decimal_is_pooled(number);
}

static inline float8
to_double(const CheckFindings *findings, int64 number)
{
	if (likely((number & 0xFF) == 0))
		return (float8) (number >> 8);
	return decimal_packed_to_double(number, &findings->pool);
}

/* Counts rows and sales of each item, and the money of all rows. */
static ItemSales *
count_items(Scan *scan, int64 *item_rows)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	ItemSales  *items = alloc_zeroed((Size) checks->names[CHECK_ITEMS].count + 1, sizeof(ItemSales));
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;

	check_cursor_open(cursor, checks);
	for (uint32 i = 0; i < checks->nlines; i++)
	{
		uint32		item = (uint32) column_next(&columns[COLUMN_ITEM]);
		int64		price = column_next(&columns[COLUMN_PRICE]);
		int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
		int64		count = column_next(&columns[COLUMN_COUNT]);
		ItemSales  *sales = &items[item];

		check_interrupts(i);
		findings->rows += count;
		item_rows[item] += count;
		if (is_positive(findings, price) && is_positive(findings, quantity))
		{
			float8		p = to_double(findings, price);
			float8		q = to_double(findings, quantity);

			if (sales->sales == 0)
			{
				sales->lowest_price = sales->highest_price = p;
				sales->lowest_quantity = sales->highest_quantity = q;
			}
			sales->lowest_price = Min(sales->lowest_price, p);
			sales->highest_price = Max(sales->highest_price, p);
			sales->lowest_quantity = Min(sales->lowest_quantity, q);
			sales->highest_quantity = Max(sales->highest_quantity, q);
			sales->sales += count;
			sales->lines++;
		}
	}
	pfree(cursor);
	return items;
}

/* The median quantity of all sales, which are counted in so many lines, doubled. */
static float8
doubled_median_of_all(Scan *scan, Size lines)
{
	CheckFindings *findings = scan->findings;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	CountedNumber *quantities = large_alloc(CurrentMemoryContext, lines * sizeof(CountedNumber));
	Size		n = 0;
	float8		lower;
	float8		upper;

	check_cursor_open(cursor, &findings->checks);
	for (uint32 i = 0; i < findings->checks.nlines; i++)
	{
		int64		price = column_next(&columns[COLUMN_PRICE]);
		int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
		int64		count = column_next(&columns[COLUMN_COUNT]);

		check_interrupts(i);
		if (is_positive(findings, price) && is_positive(findings, quantity))
			quantities[n++] = (CountedNumber) {to_double(findings, quantity), (uint32) count};
	}
	lower = lower_median(quantities, n, &upper);
	pfree(quantities);
	pfree(cursor);
	return lower + upper;
}

/* Finds what is usual for each item: its price, and the quantity from which on a sale is huge. */
static void
find_usual(Scan *scan, ItemSales *items)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	uint32		nitems = checks->names[CHECK_ITEMS].count + 1;
	CheckCursor *cursor;
	ColumnReader *columns;
	CountedNumber *numbers;
	Size		room = 0;
	Size		lines = 0;
	float8		lowest_quantity = 0;
	float8		of_all = 0;
	bool		needs_all = false;

	scan->usual = alloc_zeroed(nitems, sizeof(UsualPrice));
	scan->huge = alloc_zeroed(nitems, sizeof(float8));

	/* Medians lie in between, so most items need not be looked at. */
	for (uint32 item = 0; item < nitems; item++)
	{
		check_interrupts(item);
		if (items[item].sales > 0)
			lowest_quantity = lines == 0 ? items[item].lowest_quantity :
				Min(lowest_quantity, items[item].lowest_quantity);
		lines += items[item].lines;
	}
	for (uint32 item = 1; item < nitems; item++)
	{
		ItemSales  *own = &items[item];

		check_interrupts(item);
		if (own->sales >= CHECK_ITEM_SALES)
		{
			own->needs_prices = own->highest_price >= own->lowest_price * CHECK_LOOK_TIMES;
			own->needs_quantities = own->highest_quantity >= own->lowest_quantity * CHECK_HUGE_TIMES;
		}
		else if (own->sales > 0 && own->highest_quantity >= lowest_quantity * CHECK_HUGE_TIMES)
			needs_all = true;
		own->prices = room;
		room += own->needs_prices ? own->lines : 0;
		own->quantities = room;
		room += own->needs_quantities ? own->lines : 0;
	}
	if (needs_all)
		of_all = doubled_median_of_all(scan, lines);
	for (uint32 item = 1; item < nitems; item++)
		if (items[item].sales > 0 && items[item].sales < CHECK_ITEM_SALES)
			scan->huge[item] = of_all * CHECK_HUGE_TIMES;
	scan->has_huge = needs_all;
	if (room == 0)
		return;

	numbers = large_alloc(CurrentMemoryContext, room * sizeof(CountedNumber));
	cursor = palloc(sizeof(CheckCursor));
	columns = cursor->columns;
	check_cursor_open(cursor, checks);
	for (uint32 i = 0; i < checks->nlines; i++)
	{
		ItemSales  *own = &items[column_next(&columns[COLUMN_ITEM])];
		int64		price = column_next(&columns[COLUMN_PRICE]);
		int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
		int64		count = column_next(&columns[COLUMN_COUNT]);

		check_interrupts(i);
		if ((!own->needs_prices && !own->needs_quantities) ||
			!is_positive(findings, price) || !is_positive(findings, quantity))
			continue;
		if (own->needs_prices)
			numbers[own->prices++] = (CountedNumber) {to_double(findings, price), (uint32) count};
		if (own->needs_quantities)
			numbers[own->quantities++] = (CountedNumber) {to_double(findings, quantity), (uint32) count};
	}
	for (uint32 item = 1; item < nitems; item++)
	{
		const ItemSales *own = &items[item];

		check_interrupts(item);
		if (own->needs_prices)
			scan->usual[item] = usual_price(numbers + own->prices - own->lines, own->lines);
		if (own->needs_quantities)
		{
			float8		upper;
			float8		lower = lower_median(numbers + own->quantities - own->lines, own->lines, &upper);

			scan->huge[item] = (lower + upper) * CHECK_HUGE_TIMES;
			scan->has_huge = true;
		}
	}
	pfree(numbers);
	pfree(cursor);
}

/* ---------- reversals ---------- */

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

static inline float8
absolute(float8 number)
{
	return number < 0 ? -number : number;
}

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
		sort_numbers(scan->reversed, scan->nreversed);
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

/* ---------- rows ---------- */

static CheckListed *
list_next(CheckList *list)
{
	if (list->count == list->room)
		list->items = array_grow(list->items, &list->room, list->count + 1, sizeof(CheckListed), CurrentMemoryContext);
	return &list->items[list->count++];
}

#define FLAG(check) (UINT32_C(1) << (check))

/* A line as the last pass sees it. */
typedef struct JudgedLine
{
	CheckText	order;
	uint32		member;
	int64		price;
	int64		quantity;
	int64		count;
} JudgedLine;

/* Adds rows to a sum: price times quantity times count. */
static void
add_money(CheckFindings *findings, DecimalTotal *total, const JudgedLine *line, int64 count)
{
	int64		quantity = line->quantity;
	DecimalPool scratch = {.context = CurrentMemoryContext};
	bool		fits;

	if (line->price == CHECK_NO_NUMBER || quantity == CHECK_NO_NUMBER)
		return;
	if (likely(count == 1))
	{
		if (!decimal_total_add(total, 1, line->price, &findings->pool, quantity, &findings->pool))
			decimal_sum_error();
		return;
	}
	{
		Decimal		all = decimal_unpack(quantity, &findings->pool);
		Decimal		factor = decimal_unpack(decimal_from_int64(count, &scratch), &scratch);

		fits = decimal_multiply(&all, &factor);
		quantity = fits ? decimal_pack(&all, &scratch) : 0;
	}
	if (!fits || !decimal_total_add(total, 1, line->price, &findings->pool, quantity, &scratch))
		decimal_sum_error();
	decimal_pool_clear(&scratch);
}

/* Adds rows to a finding. */
static void
add_rows(CheckFindings *findings, OrderCheck check, const JudgedLine *line, int64 count)
{
	CheckFinding *finding = &findings->of[check];
	float8		money = 0;

	finding->rows += count;
	add_money(findings, &finding->amount, line, count);
	if (line->member > 0)
	{
		if (finding->members == NULL)
			finding->members = alloc_zeroed((Size) findings->checks.names[CHECK_MEMBERS].count / 8 + 1, 1);
		finding->members[line->member / 8] |= 1 << line->member % 8;
	}
	if (line->order.data == NULL)
		return;
	if (line->price != CHECK_NO_NUMBER && line->quantity != CHECK_NO_NUMBER)
		money = absolute(to_double(findings, line->price) * to_double(findings, line->quantity));
	if (finding->example.data == NULL || money > finding->example_money)
	{
		finding->example = line->order;
		finding->example_money = money;
	}
}

/* The checks that an order, and its part with one time and one member, fails. */
static uint32
judge_head(const CheckFindings *findings, uint8 order_flags, int64 time, uint32 member, bool has_dominant_member)
{
	uint8		member_flags = findings->name_flags[CHECK_MEMBERS][member];
	uint32		failed = 0;

	if (order_flags != 0)
	{
		failed |= (order_flags & ORDER_TWO_MEMBERS) != 0 ? FLAG(CHECK_ORDER_TWO_MEMBERS) : 0;
		failed |= (order_flags & ORDER_TWO_TIMES) != 0 ? FLAG(CHECK_ORDER_TWO_TIMES) : 0;
		failed |= (order_flags & ORDER_SWAPPED) != 0 && findings->has_series ? FLAG(CHECK_DAY_MONTH_SWAP) : 0;
		failed |= (order_flags & ORDER_SCIENTIFIC) != 0 ? FLAG(CHECK_SCIENTIFIC_ID) : 0;
		failed |= (order_flags & ORDER_TEST) != 0 ? FLAG(CHECK_TEST_ROW) : 0;
	}
	if (member_flags != 0)
	{
		failed |= (member_flags & NAME_IS_NOBODY) != 0 ? FLAG(CHECK_NO_MEMBER) : 0;
		failed |= (member_flags & NAME_IS_VARIANT) != 0 ? FLAG(CHECK_MEMBER_VARIANT) : 0;
		failed |= (member_flags & NAME_IS_SCIENTIFIC) != 0 ? FLAG(CHECK_SCIENTIFIC_ID) : 0;
		failed |= (member_flags & NAME_IS_TEST) != 0 ? FLAG(CHECK_TEST_ROW) : 0;
	}
	if (has_dominant_member && member == findings->top_member)
		failed |= FLAG(CHECK_DOMINANT_MEMBER);
	if (time != CHECK_NO_TIME)
	{
		if (TIMESTAMP_NOT_FINITE(time) || day_is_placeholder(day_of_time(check_local_time(findings, time))))
			failed |= FLAG(CHECK_PLACEHOLDER_DATE);
		else if (findings->has_as_of && time > findings->as_of)
			failed |= FLAG(CHECK_AFTER_AS_OF);
	}
	return failed;
}

/* The checks that a line fails. */
static uint32
judge_line(Scan *scan, uint32 item, int64 price, int64 quantity)
{
	CheckFindings *findings = scan->findings;
	uint8		item_flags = findings->name_flags[CHECK_ITEMS][item];
	uint32		failed = 0;

	if (item_flags != 0)
	{
		failed |= (item_flags & NAME_IS_VARIANT) != 0 ? FLAG(CHECK_ITEM_VARIANT) : 0;
		failed |= (item_flags & NAME_IS_RARE) != 0 ? FLAG(CHECK_RARE_ITEM_SHAPE) : 0;
		failed |= (item_flags & NAME_IS_SCIENTIFIC) != 0 ? FLAG(CHECK_SCIENTIFIC_ID) : 0;
		failed |= (item_flags & NAME_IS_TEST) != 0 ? FLAG(CHECK_TEST_ROW) : 0;
	}
	if (unlikely(is_zero(price)))
		failed |= FLAG(CHECK_ZERO_PRICE);
	else if (unlikely(is_negative(findings, price)))
		failed |= FLAG(CHECK_NEGATIVE_PRICE);
	if (unlikely(is_negative(findings, quantity)))
		failed |= FLAG(CHECK_REFUND);
	if (unlikely(scan->usual[item].median > 0) &&
		is_positive(findings, price) && is_positive(findings, quantity))
	{
		const UsualPrice *usual = &scan->usual[item];
		float8		p = to_double(findings, price);
		int			verdict = price_judge(usual, p);

		if ((verdict & PRICE_OUTLIER) != 0)
		{
			failed |= FLAG(CHECK_PRICE_OUTLIER);
			findings->farthest = Max(findings->farthest, p > usual->median ? p / usual->median : usual->median / p);
		}
		if ((verdict & PRICE_SLIP) != 0)
			failed |= FLAG(CHECK_DECIMAL_SLIP);
	}
	return failed;
}

/* All rows, judged. */
static void
scan_rows(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	BookKeyCursor keys;
	bool		has_dominant_member = has_dominant(findings);
	uint32		at = 0;
	Size		reversed = 0;

	findings->currency_rows = alloc_zeroed((Size) checks->names[CHECK_CURRENCIES].count + 1, sizeof(int64));
	check_cursor_open(cursor, checks);
	book_key_cursor(&keys, &checks->reader);
	for (uint32 i = 0; i < checks->reader.count; i++)
	{
		Key			key = book_next_key(&keys);
		JudgedLine	line = {.order = order_text(&key)};
		int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);
		bool		is_all_zero = true;

		if ((scan->order_flags[i] & ORDER_SWAPPED) != 0 && findings->has_series)
			list_next(&findings->swapped)->order = line.order;
		for (int64 h = 0; h < nheads; h++)
		{
			int64		time = column_next(&columns[COLUMN_TIME]);
			uint32		currency = (uint32) column_next(&columns[COLUMN_CURRENCY]);
			int64		lines = column_next(&columns[COLUMN_HEAD_LINES]);
			uint32		head_failed;

			line.member = (uint32) column_next(&columns[COLUMN_MEMBER]);
			head_failed = judge_head(findings, scan->order_flags[i], time, line.member, has_dominant_member);
			for (int64 k = 0; k < lines; k++, at++)
			{
				uint32		item = (uint32) column_next(&columns[COLUMN_ITEM]);
				uint32		failed;

				check_interrupts(at);
				line.price = column_next(&columns[COLUMN_PRICE]);
				line.quantity = column_next(&columns[COLUMN_QUANTITY]);
				line.count = column_next(&columns[COLUMN_COUNT]);
				add_money(findings, &findings->amount, &line, line.count);
				findings->currency_rows[currency] += line.count;
				failed = head_failed | judge_line(scan, item, line.price, line.quantity);
				is_all_zero &= (failed & FLAG(CHECK_ZERO_PRICE)) != 0;
				if (reversed < scan->nreversed && scan->reversed[reversed] == at)
				{
					reversed++;
					failed |= FLAG(CHECK_HUGE_REVERSAL);
					*list_next(&findings->reversals) =
						(CheckListed) {line.order, time, item, line.quantity, line.price};
				}
				if (unlikely(line.count > 1))
				{
					findings->duplicate_groups++;
					add_rows(findings, CHECK_DUPLICATE_ROW, &line, line.count - 1);
				}
				if ((failed & FLAG(CHECK_PRICE_OUTLIER)) != 0)
					*list_next(&findings->outliers) = (CheckListed) {.item = item, .price = line.price};
				if ((failed & FLAG(CHECK_DECIMAL_SLIP)) != 0)
					*list_next(&findings->slips) = (CheckListed) {.item = item, .price = line.price};
				for (; failed != 0; failed &= failed - 1)
					add_rows(findings, __builtin_ctz(failed), &line, line.count);
			}
		}
		findings->zero_orders += is_all_zero && line.order.data != NULL;
	}
	pfree(cursor);
}

/* Rows that are not in the currency of most rows: a pass of its own, where there are several. */
static void
scan_currencies(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor;
	ColumnReader *columns;
	BookKeyCursor keys;

	findings->currencies = checks->names[CHECK_CURRENCIES].count;
	for (uint32 currency = 1; currency <= findings->currencies; currency++)
		if (findings->main_currency == 0 ||
			findings->currency_rows[currency] > findings->currency_rows[findings->main_currency])
			findings->main_currency = currency;
	if (findings->currencies < 2)
		return;
	cursor = palloc(sizeof(CheckCursor));
	columns = cursor->columns;
	check_cursor_open(cursor, checks);
	book_key_cursor(&keys, &checks->reader);
	for (uint32 i = 0; i < checks->reader.count; i++)
	{
		Key			key = book_next_key(&keys);
		JudgedLine	line = {.order = order_text(&key)};
		int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);

		for (int64 h = 0; h < nheads; h++)
		{
			uint32		currency = (uint32) column_next(&columns[COLUMN_CURRENCY]);
			int64		lines = column_next(&columns[COLUMN_HEAD_LINES]);

			line.member = (uint32) column_next(&columns[COLUMN_MEMBER]);
			for (int64 k = 0; k < lines; k++)
			{
				check_interrupts(k);
				line.price = column_next(&columns[COLUMN_PRICE]);
				line.quantity = column_next(&columns[COLUMN_QUANTITY]);
				line.count = column_next(&columns[COLUMN_COUNT]);
				if (currency != 0 && currency != findings->main_currency)
					add_rows(findings, CHECK_MIXED_CURRENCY, &line, line.count);
			}
		}
	}
	pfree(cursor);
}

/* Fills in the findings; the book, zone and as_of are there. */
void
order_checks_scan(CheckFindings *findings)
{
	const CheckReader *checks = &findings->checks;
	Scan		scan = {.findings = findings};
	int64	   *item_rows = alloc_zeroed((Size) checks->names[CHECK_ITEMS].count + 1, sizeof(int64));
	ItemSales  *items;

	findings->pool = check_book_load_wide(checks);
	scan.member_orders = alloc_zeroed((Size) checks->names[CHECK_MEMBERS].count + 1, sizeof(uint32));
	scan.order_flags = alloc_zeroed(checks->reader.count, 1);
	scan.order_times = large_alloc(CurrentMemoryContext, Max((Size) checks->reader.count, 1) * sizeof(int64));
	scan.order_series = large_alloc(CurrentMemoryContext, Max((Size) checks->reader.count, 1) * sizeof(uint32));
	keytable_init(&scan.series, KEY_BYTES, sizeof(int64), CurrentMemoryContext);

	scan_names(findings);
	scan_heads(&scan);
	find_swaps(&scan);
	find_gaps(&scan);
	find_dominant(&scan);
	items = count_items(&scan, item_rows);
	scan_shapes(findings, item_rows);
	find_usual(&scan, items);
	find_reversals(&scan);
	if (scan.nreversed > 0)
		find_alike_reversals(&scan);
	scan_rows(&scan);
	scan_currencies(&scan);
}
