/*
 * pricebook.c
 *	  The type pricebook_summary: what every group paid for every item, in one scan.
 *
 * A book keeps each distinct price that a group paid for an item in a period,
 * with the number of rows and the quantity sold at it.  Prices are discrete, so
 * this is small.  Nothing is lost, so every statistic can be computed from it
 * later, exactly, whatever parts it was merged from.
 *
 * In a stored book items, periods, groups and prices are in ascending order:
 * equal books have equal bytes, and reports read them from beginning to end.
 * This file builds a book; pricebook_format.c reads, checks, writes
 * and merges stored ones.
 */
#include "pricebook/pricebook.h"

#include "shared/time_arguments.h"
#include "utils/date.h"
#include "utils/memutils.h"

/* A row not yet applied; wide prices and quantities in row_pool. */
typedef struct PendingPrice
{
	int64		price;
	int64		quantity;
	uint32		group;
	int32		period;
} PendingPrice;

/* What identifies an entry. */
typedef struct PriceKey
{
	int64		price;			/* the same bits for equal prices */
	uint32		item;
	uint32		group;
	int32		period;
} PriceKey;

#define PRICE_KEY_SIZE 20

StaticAssertDecl(offsetof(PriceKey, period) + 4 == PRICE_KEY_SIZE, "a price key has no holes");

/* The group of one of the last rows. */
typedef struct GroupMemo
{
	const char *data;			/* in the table of groups; NULL: none */
	uint32		length;
	uint32		group;
} GroupMemo;

#define GROUP_MEMOS 32

typedef struct PriceExtra
{
	KeyTable	groups;			/* names, without payload */
	GroupMemo	memo[GROUP_MEMOS];
	KeyTable	prices;			/* PriceKey -> count, and in form 1 quantity */
	KeyTable	wide;			/* wide prices; that of entry i is price_pool[i] */
	DecimalPool price_pool;
	DecimalPool quantity_pool;
	DecimalPool row_pool;
	int64		price_skipped;
	int64		quantity_skipped;
	int64		rows;
	uint32		wide_rows;		/* entries whose price is wide */
	int			decimals;
} PriceExtra;

static void pricebook_init(Book *book);
static void pricebook_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size pricebook_tail_size(const Book *book);
static void pricebook_append_tail(Book *book, ByteBuffer *buffer);

static const BookKind pricebook_kind = {
	.format = &pricebook_format,
	.payload_size = 0,
	.row_size = sizeof(PendingPrice),
	.init = pricebook_init,
	.apply = pricebook_apply,
	.tail_size = pricebook_tail_size,
	.append_tail = pricebook_append_tail
};

#define ST_SORT sort_prices
#define ST_ELEMENT_TYPE SortedPrice
#define ST_COMPARE_ARG_TYPE const DecimalPool
#define ST_COMPARE(a, b, pool) compare_sorted_prices(a, b, pool)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static PriceExtra *
extra_of(const Book *book)
{
	return book->extra;
}

/* ---------- building ---------- */

static void
pricebook_init(Book *book)
{
	PriceExtra *extra = palloc0(sizeof(PriceExtra));
	MemoryContext context = book->hdr.eoh_context;

	keytable_init(&extra->groups, KEY_BYTES, 0, context);
	keytable_init(&extra->prices, KEY_FIXED20, book->form == PRICEBOOK_PERIODS ? 12 : 4, context);
	keytable_init(&extra->wide, KEY_BYTES, 0, context);
	extra->price_pool.context = context;
	extra->quantity_pool.context = context;
	extra->row_pool.context = context;
	book->extra = extra;
}

/* Finds or adds a group, looking first at those of the last rows: mostly there are few groups. */
static inline uint32
find_group(PriceExtra *extra, Datum value)
{
	text	   *t = DatumGetTextPP(value);
	const char *data = VARDATA_ANY(t);
	uint32		length = (uint32) VARSIZE_ANY_EXHDR(t);
	uint32		spread = length == 0 ? 0 :
		length + (uint8) data[0] + 7 * (uint8) data[length / 2] + 13 * (uint8) data[length - 1];
	GroupMemo  *memo = &extra->memo[spread % GROUP_MEMOS];

	if (memo->data == NULL || memo->length != length || memcmp(memo->data, data, length) != 0)
	{
		memo->group = price_locate_group(&extra->groups, data, length);
		memo->data = keytable_key(&extra->groups, memo->group).bytes.data;
		memo->length = length;
	}
	if ((Pointer) t != DatumGetPointer(value))
		pfree(t);
	return memo->group;
}

/* A wide price as bits that equal prices share. */
static int64
intern_wide(PriceExtra *extra, const Decimal *price)
{
	uint8		bytes[DECIMAL_STORED_SIZE];
	Key			key;
	uint32		entry;

	decimal_store(price, bytes);
	key.bytes.data = (const char *) bytes;
	key.bytes.length = sizeof(bytes);
	keytable_locate(&extra->wide, &key, 1, &entry);
	if (entry == extra->price_pool.count)
		(void) decimal_pool_put(&extra->price_pool, price);
	return (int64) entry << 8 | DECIMAL_IN_POOL;
}

/* Count and quantity of an entry; form 0 has no quantity. */
static inline uint32 *
count_of(const KeyTable *prices, uint32 entry)
{
	return (uint32 *) (keytable_entry(prices, entry) + PRICE_KEY_SIZE);
}

static inline int64 *
quantity_of(const KeyTable *prices, uint32 entry)
{
	return (int64 *) (keytable_entry(prices, entry) + PRICE_KEY_SIZE + 4);
}

static void
pricebook_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	PriceExtra *extra = extra_of(book);
	const PendingPrice *row = rows;
	Key			keys[KEYTABLE_BATCH] = {{0}};
	uint32		found[KEYTABLE_BATCH];

	for (int i = 0; i < n; i++)
	{
		PriceKey	key = {row[i].price, entries[i], row[i].group, row[i].period};

		if (unlikely(decimal_is_pooled(key.price)))
			key.price = intern_wide(extra, &extra->row_pool.item[key.price >> 8]);
		memcpy(keys[i].fixed, &key, PRICE_KEY_SIZE);
	}
	keytable_locate(&extra->prices, keys, n, found);
	for (int i = 0; i < n; i++)
	{
		uint32	   *count = count_of(&extra->prices, found[i]);

		if (unlikely(decimal_is_pooled(row[i].price)) && *count == 0)
			extra->wide_rows++;
		if (book->form == PRICEBOOK_PERIODS)
		{
			int64	   *quantity = quantity_of(&extra->prices, found[i]);

			if (*count == 0 && !decimal_is_pooled(row[i].quantity))
				*quantity = row[i].quantity;
			else if (unlikely(!decimal_add_packed(quantity, &extra->quantity_pool,
												  row[i].quantity, &extra->row_pool)))
				price_raise_quantities();
		}
		if (unlikely(pg_add_u32_overflow(*count, 1, count) || ++extra->rows > PRICE_ROWS_MAX))
			price_raise_count();
	}
	extra->row_pool.count = 0;
}

/*
 * Adds one row to the state: argument 1 is the item, then, in form 1, the period,
 * then group and price, then, in form 1, the quantity.
 */
static inline Datum
pricebook_step(FunctionCallInfo fcinfo, KeyType item_type, uint8 form)
{
	Book	   *book = book_of_state(fcinfo, &pricebook_kind, item_type, form);
	PriceExtra *extra = extra_of(book);
	int			group_argument = form == PRICEBOOK_PERIODS ? 3 : 2;
	Key		   *key;
	PendingPrice *row;
	int64		price;
	uint32		wide = extra->row_pool.count;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		(form == PRICEBOOK_PERIODS && (PG_ARGISNULL(4) || PG_ARGISNULL(5))))
		return book_skip_row(book);

	row = book_next_row(book, &key);
	row->period = 0;
	row->quantity = 0;
	if (form == PRICEBOOK_PERIODS)
	{
		row->period = date_check(PG_GETARG_DATEADT(2), "period");
		row->quantity = decimal_normalize(numeric_read(PG_GETARG_DATUM(5), "quantity",
													   &extra->row_pool), &extra->row_pool);
	}
	price = numeric_read(PG_GETARG_DATUM(group_argument + 1), "price", &extra->row_pool);
	if (!decimal_packed_is_positive(price, &extra->row_pool))
	{
		extra->price_skipped++;
		extra->row_pool.count = wide;
		return book_skip_row(book);
	}
	if (form == PRICEBOOK_PERIODS && !decimal_packed_is_positive(row->quantity, &extra->row_pool))
	{
		extra->quantity_skipped++;
		extra->row_pool.count = wide;
		return book_skip_row(book);
	}
	if (decimal_packed_scale(price, &extra->row_pool) > extra->decimals)
		extra->decimals = decimal_packed_scale(price, &extra->row_pool);
	row->price = decimal_normalize(price, &extra->row_pool);
	row->group = find_group(extra, PG_GETARG_DATUM(group_argument));
	if (item_type == KEY_INT64)
		key->number = PG_GETARG_INT64(1);
	else
		book_set_text_key(book, key, PG_GETARG_DATUM(1));
	return book_push(book);
}

/*
 * pricebook_step_<item>(pricebook_summary, item, member_group, price) and
 * pricebook_step_<item>_period(pricebook_summary, item, period, member_group, price, quantity)
 */
#define PRICEBOOK_STEP(name, item_type, form) \
CUSTMART_FUNCTION(custmart_pricebook_step_##name); \
Datum \
custmart_pricebook_step_##name(PG_FUNCTION_ARGS) \
{ \
	return pricebook_step(fcinfo, item_type, form); \
}

PRICEBOOK_STEP(bigint, KEY_INT64, PRICEBOOK_PRICES)
PRICEBOOK_STEP(text, KEY_BYTES, PRICEBOOK_PRICES)
PRICEBOOK_STEP(bigint_period, KEY_INT64, PRICEBOOK_PERIODS)
PRICEBOOK_STEP(text_period, KEY_BYTES, PRICEBOOK_PERIODS)

/* ---------- storing ---------- */

static Size
pricebook_tail_size(const Book *book)
{
	const PriceExtra *extra = extra_of(book);

	return PRICEBOOK_HEAD_SIZE + keytable_stored_size(&extra->groups) + (Size) book->table.count * 4 +
		(Size) extra->prices.count * PRICEBOOK_ROW_SIZE(book->form) +
		4 + (Size) extra->wide_rows * DECIMAL_STORED_SIZE;
}

static PriceKey
price_key(const KeyTable *prices, uint32 entry)
{
	PriceKey	key;

	memcpy(&key, keytable_entry(prices, entry), PRICE_KEY_SIZE);
	return key;
}

/*
 * All entries, grouped by item, items in the order of their numbers in the table:
 * those of item i begin at first[i], and first[items] is the number of all.
 */
static uint32 *
group_by_item(const KeyTable *prices, uint32 items, uint32 *first)
{
	uint32	   *entries = MemoryContextAllocHuge(CurrentMemoryContext,
												 Max((Size) prices->count, 1) * sizeof(uint32));

	memset(first, 0, ((Size) items + 1) * sizeof(uint32));
	for (uint32 i = 0; i < prices->count; i++)
	{
		check_interrupts(i);
		first[price_key(prices, i).item + 1]++;
	}
	for (uint32 item = 0; item < items; item++)
		first[item + 1] += first[item];

	/* first[i] advances to the end of item i, which is where item i + 1 begins. */
	for (uint32 i = 0; i < prices->count; i++)
	{
		check_interrupts(i);
		entries[first[price_key(prices, i).item]++] = i;
	}
	memmove(first + 1, first, (Size) items * sizeof(uint32));
	first[0] = 0;
	return entries;
}

/* Brings all prices of an item to one scale, so that they compare as integers. */
static void
scale_prices(SortedPrice *sorted, uint32 n)
{
	static const int64 power10[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
	int			largest = 0;

	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		largest = Max(largest, (int) (sorted[i].price & 0xFF));
	}
	for (uint32 i = 0; i < n; i++)
	{
		int			shift = largest - (int) (sorted[i].price & 0xFF);

		check_interrupts(i);
		if (largest == DECIMAL_IN_POOL || shift >= (int) lengthof(power10) ||
			pg_mul_s64_overflow(sorted[i].price >> 8, power10[shift], &sorted[i].scaled))
		{
			for (uint32 j = 0; j < n; j++)
				sorted[j].scaled = 0;
			return;
		}
	}
}

/* Makes the extra empty again. */
static void
empty_extra(PriceExtra *extra)
{
	keytable_clear(&extra->groups);
	keytable_clear(&extra->prices);
	keytable_clear(&extra->wide);
	decimal_pool_clear(&extra->price_pool);
	decimal_pool_clear(&extra->quantity_pool);
	memset(extra->memo, 0, sizeof(extra->memo));
	extra->price_skipped = extra->quantity_skipped = extra->rows = 0;
	extra->wide_rows = 0;
	extra->decimals = 0;
}

static void
pricebook_append_tail(Book *book, ByteBuffer *buffer)
{
	PriceExtra *extra = extra_of(book);
	KeyTable   *prices = &extra->prices;
	uint32		items = book->table.count;
	uint32		ngroups = extra->groups.count;
	uint32	   *group_order = keytable_sorted(&extra->groups);
	uint32	   *group_place = MemoryContextAllocHuge(CurrentMemoryContext,
													 Max((Size) ngroups, 1) * sizeof(uint32));
	uint32	   *first = MemoryContextAllocHuge(CurrentMemoryContext,
											   ((Size) items + 1) * sizeof(uint32));
	uint32	   *entries;
	SortedPrice *sorted;
	uint32		longest = 1;
	PriceTailWriter writer;

	for (uint32 i = 0; i < ngroups; i++)
		group_place[group_order[i]] = i;
	entries = group_by_item(prices, items, first);
	for (uint32 item = 0; item < items; item++)
		longest = Max(longest, first[item + 1] - first[item]);
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, longest * sizeof(SortedPrice));

	price_tail_begin(&writer, book->form, extra->decimals, extra->price_skipped, extra->quantity_skipped,
					 &extra->groups, items, buffer);
	for (uint32 i = 0; i < items; i++)
	{
		uint32		item = book->order[i];
		const uint32 *mine = entries + first[item];
		uint32		n = first[item + 1] - first[item];

		for (uint32 j = 0; j < n; j++)
		{
			PriceKey	key = price_key(prices, mine[j]);

			check_interrupts(j);
			if (j + 8 < n)
				__builtin_prefetch(keytable_entry(prices, mine[j + 8]));
			sorted[j].price = key.price;
			sorted[j].period = key.period;
			sorted[j].group = group_place[key.group];
			sorted[j].entry = mine[j];
		}
		scale_prices(sorted, n);
		sort_prices(sorted, n, &extra->price_pool);
		for (uint32 j = 0; j < n; j++)
		{
			uint32		entry = sorted[j].entry;

			check_interrupts(j);
			price_tail_row(&writer, sorted[j].period, sorted[j].group,
						   sorted[j].price, &extra->price_pool, *count_of(prices, entry),
						   book->form == PRICEBOOK_PERIODS ? *quantity_of(prices, entry) : 0,
						   &extra->quantity_pool, buffer);
		}
		price_tail_end_item(&writer, buffer);
	}
	price_tail_end(&writer, buffer);
	empty_extra(extra);
	pfree(group_order);
	pfree(group_place);
	pfree(first);
	pfree(entries);
	pfree(sorted);
}

/* ---------- text, binary, merging ---------- */

/* custmart_pricebook_in, _out, _recv, _combine, _add and _rows_skipped */
BOOK_FUNCTIONS(pricebook_summary, &pricebook_kind)
