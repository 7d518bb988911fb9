/*
 * pricebook.c
 *	  The type pricebook: what every group paid for every item, in one scan.
 *
 * A book keeps each distinct price that a group paid for an item in a period,
 * with the number of rows and the quantity sold at it.  Prices are discrete, so
 * this is small; and it is everything there is to know, so that every statistic
 * can be made of it later, exactly, whatever parts it was merged from.
 *
 * Stored, items, periods, groups and prices are in ascending order: books that
 * say the same have the same bytes, and reports read them from front to end.
 * Here a book is built and stored; pricebook_reader.c reads and checks it.
 */
#include "pricebook/pricebook.h"

#include "shared/bytes.h"
#include "shared/time_arguments.h"
#include "utils/date.h"
#include "utils/memutils.h"

#define PRICEBOOK_VERSION 1

/* A row not yet applied; wide prices and quantities in row_pool. */
typedef struct PendingPrice
{
	int64		price;
	int64		quantity;
	uint32		group;
	int32		period;
} PendingPrice;

/* What rows are told apart by. */
typedef struct PriceKey
{
	int64		price;			/* of equal prices the same bits */
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
	KeyTable	wide;			/* wide prices, entry i standing at price_pool[i] */
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
static void pricebook_merge(Book *book, const BookReader *source, const uint32 *entries);
static Size pricebook_tail_size(Book *book, bool exact);
static void pricebook_store_tail(Book *book, uint8 *bytes);

const BookKind pricebook_kind = {
	.type = {"pricebook", pricebook_check},
	.stored_kind = STORED_PRICEBOOK,
	.stored_version = PRICEBOOK_VERSION,
	.payload_size = 0,
	.row_size = sizeof(PendingPrice),
	.sorted = true,
	.form_hint = "Make all parts with the same arguments: all of prices, or all of prices with period and quantity.",
	.size_hint = "Round prices, take longer periods, or make one book per slice of the items, for example WHERE hashint8(item) & 3 = 0 for the first of four (hashtext for text).",
	.init = pricebook_init,
	.apply = pricebook_apply,
	.merge = pricebook_merge,
	.tail_size = pricebook_tail_size,
	.store_tail = pricebook_store_tail,
	.check_foreign = pricebook_check_foreign
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

/* Finds or makes a group by its name. */
static uint32
locate_group(PriceExtra *extra, const char *name, uint32 length)
{
	Key			key;
	uint32		group;

	key.bytes.data = name;
	key.bytes.length = length;
	keytable_locate(&extra->groups, &key, 1, &group);
	return group;
}

/* The same by way of the groups of the last rows: there are few of them, mostly. */
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
		memo->group = locate_group(extra, data, length);
		memo->data = keytable_key(&extra->groups, memo->group).bytes.data;
		memo->length = length;
	}
	if ((Pointer) t != DatumGetPointer(value))
		pfree(t);
	return memo->group;
}

static void
raise_count(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("pricebook cannot hold more than %u rows of one price, or " INT64_FORMAT " in all",
					PG_UINT32_MAX, PRICE_ROWS_MAX),
			 errhint("Make one book per part of the rows, or give shorter periods.")));
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

/* Count and quantity of an entry; the latter not in form 0. */
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

/*
 * Adds points to the entries of their keys.  pool is that of the quantities;
 * the prices in the keys are interned already.
 */
static void
add_points(Book *book, const Key *keys, const uint32 *counts, const int64 *quantities,
		   const DecimalPool *pool, int n)
{
	PriceExtra *extra = extra_of(book);
	uint32		found[KEYTABLE_BATCH];

	keytable_locate(&extra->prices, keys, n, found);
	for (int i = 0; i < n; i++)
	{
		uint32	   *count = count_of(&extra->prices, found[i]);
		int64		price;

		memcpy(&price, keys[i].fixed, sizeof(price));
		if (unlikely(decimal_is_pooled(price)) && *count == 0)
			extra->wide_rows++;
		if (book->form == PRICEBOOK_PERIODS)
		{
			int64	   *quantity = quantity_of(&extra->prices, found[i]);

			if (*count == 0 && !decimal_is_pooled(quantities[i]))
				*quantity = quantities[i];
			else if (unlikely(!decimal_add_packed(quantity, &extra->quantity_pool,
												  quantities[i], pool)))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("a sum of quantities is out of range")));
		}
		extra->rows += counts[i];
		if (unlikely(pg_add_u32_overflow(*count, counts[i], count) || extra->rows > PRICE_ROWS_MAX))
			raise_count();
	}
}

static void
pricebook_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	PriceExtra *extra = extra_of(book);
	const PendingPrice *row = rows;
	Key			keys[KEYTABLE_BATCH];
	uint32		counts[KEYTABLE_BATCH];
	int64		quantities[KEYTABLE_BATCH];

	for (int i = 0; i < n; i++)
	{
		PriceKey	key = {row[i].price, entries[i], row[i].group, row[i].period};

		if (unlikely(decimal_is_pooled(key.price)))
			key.price = intern_wide(extra, &extra->row_pool.item[key.price >> 8]);
		memcpy(keys[i].fixed, &key, PRICE_KEY_SIZE);
		counts[i] = 1;
		quantities[i] = row[i].quantity;
	}
	add_points(book, keys, counts, quantities, &extra->row_pool, n);
	extra->row_pool.count = 0;
}

/*
 * One row into the state: argument 1 the item, then, with form 1, the period,
 * then group and price, then, with form 1, the quantity.
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
	{
		book->rows_skipped++;
		PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
	}

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
		book->rows_skipped++;
		extra->price_skipped++;
		extra->row_pool.count = wide;
		PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
	}
	if (form == PRICEBOOK_PERIODS && !decimal_packed_is_positive(row->quantity, &extra->row_pool))
	{
		book->rows_skipped++;
		extra->quantity_skipped++;
		extra->row_pool.count = wide;
		PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
	}
	if (decimal_packed_scale(price, &extra->row_pool) > extra->decimals)
		extra->decimals = decimal_packed_scale(price, &extra->row_pool);
	row->price = decimal_normalize(price, &extra->row_pool);
	row->group = find_group(extra, PG_GETARG_DATUM(group_argument));
	if (item_type == KEY_INT64)
		key->number = PG_GETARG_INT64(1);
	else
		book_set_text_key(book, key, PG_GETARG_DATUM(1));
	book_push(book);
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/*
 * pricebook_step_<item>(pricebook, item, grp, price) and
 * pricebook_step_<item>_period(pricebook, item, period, grp, price, quantity)
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

static void
add_skipped(int64 *sum, int64 n)
{
	if (pg_add_s64_overflow(*sum, n, sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of rows skipped is out of range")));
}

static void
pricebook_merge(Book *book, const BookReader *source, const uint32 *entries)
{
	PriceExtra *extra = extra_of(book);
	PriceReader prices = {.reader = *source};
	DecimalPool pool;
	uint32	   *groups;
	const uint8 *name;
	uint32		item = 0;
	uint32		left;
	Key			keys[KEYTABLE_BATCH];
	uint32		counts[KEYTABLE_BATCH];
	int64		quantities[KEYTABLE_BATCH];

	(void) pricebook_split(&prices);
	add_skipped(&extra->price_skipped, prices.price_skipped);
	add_skipped(&extra->quantity_skipped, prices.quantity_skipped);
	extra->decimals = Max(extra->decimals, prices.decimals);
	if (source->count == 0)
		return;

	pool = pricebook_load_wide(&prices);
	groups = MemoryContextAllocHuge(CurrentMemoryContext, prices.group_count * sizeof(uint32));
	name = prices.group_bytes;
	for (uint32 i = 0; i < prices.group_count; i++)
	{
		uint32		length = load_u32(prices.group_lengths + (Size) i * 4);

		groups[i] = locate_group(extra, (const char *) name, length);
		name += length;
	}

	left = load_u32(prices.item_rows);
	for (uint32 done = 0; done < prices.row_count;)
	{
		int			n = Min(KEYTABLE_BATCH, prices.row_count - done);

		for (int i = 0; i < n; i++)
		{
			PricePoint	point = pricebook_get_row(&prices, done + i);
			PriceKey	key;

			if (left-- == 0)
				left = load_u32(prices.item_rows + (Size) ++item * 4) - 1;
			key.price = point.price;
			if (unlikely(decimal_is_pooled(key.price)))
				key.price = intern_wide(extra, &pool.item[key.price >> 8]);
			key.item = entries[item];
			key.group = groups[point.group];
			key.period = point.period;
			memcpy(keys[i].fixed, &key, PRICE_KEY_SIZE);
			counts[i] = point.count;
			quantities[i] = point.quantity;
		}
		add_points(book, keys, counts, quantities, &pool, n);
		done += n;
	}
	pfree(groups);
	if (pool.item != NULL)
		pfree(pool.item);
}

/* ---------- storing ---------- */

/*
 * A number as it is stored, without zeros at the end of its decimals: equal sums
 * have equal bytes, however they came about.  True, and in *wide, if it is wide.
 */
static bool
is_stored_wide(int64 number, const DecimalPool *pool, int64 *packed, Decimal *wide)
{
	if (likely(!decimal_is_pooled(number)))
	{
		*packed = decimal_normalize(number, NULL);
		return false;
	}
	*wide = pool->item[number >> 8];
	(void) decimal_set_scale(wide, 0);
	return !decimal_fits_packed(wide, packed);
}

static Size
pricebook_tail_size(Book *book, bool exact)
{
	PriceExtra *extra = extra_of(book);
	uint32		count = extra->prices.count;
	Size		size = PRICEBOOK_HEAD_SIZE + keytable_stored_size(&extra->groups) + 4 +
		(Size) book->table.count * 4 + (Size) count * PRICEBOOK_ROW_SIZE(book->form);

	size += (Size) extra->wide_rows * DECIMAL_STORED_SIZE;
	if (exact && extra->quantity_pool.count > 0)
		for (uint32 i = 0; i < count; i++)
		{
			int64		packed;
			Decimal		wide;

			check_interrupts(i);
			if (is_stored_wide(*quantity_of(&extra->prices, i), &extra->quantity_pool, &packed, &wide))
				size += DECIMAL_STORED_SIZE;
		}
	return size;
}

static PriceKey
price_key(const KeyTable *prices, uint32 entry)
{
	PriceKey	key;

	memcpy(&key, keytable_entry(prices, entry), PRICE_KEY_SIZE);
	return key;
}

/*
 * All entries by item, items by their numbers in the table: first[i] is where
 * those of item i begin, first[items] the number of all.
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

	/* first[i] runs to the end of item i, which is where item i + 1 begins. */
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

static int64
store_number(int64 number, const DecimalPool *pool, uint8 *wide, uint32 *count)
{
	int64		packed;
	Decimal		d;

	if (likely(!is_stored_wide(number, pool, &packed, &d)))
		return packed;
	decimal_store(&d, wide + (Size) *count * DECIMAL_STORED_SIZE);
	return (int64) (*count)++ << 8 | DECIMAL_IN_POOL;
}

static void
pricebook_store_tail(Book *book, uint8 *bytes)
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
	uint32		wide_count = 0;
	uint8	   *wide;
	uint8	   *item_rows;
	uint8	   *end;

	for (uint32 i = 0; i < ngroups; i++)
		group_place[group_order[i]] = i;
	entries = group_by_item(prices, items, first);
	for (uint32 item = 0; item < items; item++)
		longest = Max(longest, first[item + 1] - first[item]);
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, longest * sizeof(SortedPrice));

	*bytes++ = (uint8) extra->decimals;
	bytes = store_u64(bytes, (uint64) extra->price_skipped);
	bytes = store_u64(bytes, (uint64) extra->quantity_skipped);
	bytes = store_u32(bytes, ngroups);
	bytes = keytable_store_keys(&extra->groups, group_order, bytes);

	/*
	 * Wide decimals stand before the rows; how many there are is known from the
	 * size, which tail_size has told exactly.
	 */
	end = bytes - (PRICEBOOK_HEAD_SIZE + keytable_stored_size(&extra->groups)) + pricebook_tail_size(book, true);
	wide = bytes + 4;
	item_rows = end - (Size) prices->count * PRICEBOOK_ROW_SIZE(book->form) - (Size) items * 4;
	store_u32(bytes, (uint32) ((item_rows - wide) / DECIMAL_STORED_SIZE));
	bytes = item_rows + (Size) items * 4;

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
		item_rows = store_u32(item_rows, n);
		for (uint32 j = 0; j < n; j++)
		{
			int64		price = store_number(sorted[j].price, &extra->price_pool, wide, &wide_count);

			check_interrupts(j);
			if (book->form == PRICEBOOK_PERIODS)
				bytes = store_u32(bytes, (uint32) sorted[j].period);
			bytes = store_u32(bytes, sorted[j].group);
			bytes = store_u64(bytes, (uint64) price);
			bytes = store_u32(bytes, *count_of(prices, sorted[j].entry));
			if (book->form == PRICEBOOK_PERIODS)
				bytes = store_u64(bytes, (uint64) store_number(*quantity_of(prices, sorted[j].entry),
															 &extra->quantity_pool, wide, &wide_count));
		}
	}
	Assert(bytes == end);
	pfree(group_order);
	pfree(group_place);
	pfree(first);
	pfree(entries);
	pfree(sorted);
}

/* ---------- text, binary, merging ---------- */

BOOK_FUNCTIONS(pricebook, &pricebook_kind)
