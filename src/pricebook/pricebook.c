/*
 * pricebook.c
 *	  The type pricebook_summary: what every group paid for every item, in one scan.
 *
 * A book keeps each distinct price that a group paid for an item in a period,
 * with the number of rows and the quantity sold at it.  Prices are discrete, so
 * this is small.  Nothing is lost, so every statistic can be computed from it
 * later, exactly, whatever parts it was merged from.  With members it keeps, too,
 * what the members of each of 32 folds paid, by which reports know how much
 * members differ.
 *
 * In a stored book items, periods, groups and prices are in ascending order:
 * equal books have equal bytes, and reports read them from beginning to end.
 * This file builds a book; pricebook_format.c reads, checks, writes
 * and merges stored ones.
 */
#include "pricebook/pricebook.h"

#include "shared/arguments.h"
#include "shared/large_memory.h"
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
	uint32		fold;
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

/* The same of what a fold of the members paid. */
typedef struct FoldKey
{
	uint32		item;
	uint32		group;
	int32		period;
	uint32		fold;
} FoldKey;

#define FOLD_KEY_SIZE 16

/* What it paid, without holes: rows and sum of logarithms. */
#define FOLD_PAYLOAD_SIZE (4 + 16)

StaticAssertDecl(sizeof(FoldKey) == FOLD_KEY_SIZE, "a fold's key has no holes");
StaticAssertDecl(offsetof(PriceKey, period) + 4 == PRICE_KEY_SIZE, "a price key has no holes");

/* The groups of the last rows are remembered. */
#define GROUP_MEMOS 32

typedef struct PriceExtra
{
	KeyTable	groups;			/* names, without payload */
	uint32		memo[GROUP_MEMOS];	/* a group + 1; 0: none */
	KeyTable	prices;			/* PriceKey -> count, and with periods quantity, with members logarithm */
	KeyTable	folds;			/* with members: FoldKey -> rows, sum of logarithms */
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

#define ST_SORT sort_folds
#define ST_ELEMENT_TYPE PriceFold
#define ST_COMPARE(a, b) compare_price_folds(a, b)
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
	keytable_init(&extra->prices, KEY_FIXED20,
				  4 + (pricebook_has_periods(book->form) ? 8 : 0) + (pricebook_has_members(book->form) ? 8 : 0), context);
	if (pricebook_has_members(book->form))
		keytable_init(&extra->folds, KEY_FIXED16, FOLD_PAYLOAD_SIZE, context);
	keytable_init(&extra->wide, KEY_BYTES, 0, context);
	extra->price_pool.context = context;
	extra->quantity_pool.context = context;
	extra->row_pool.context = context;
	book->extra = extra;
}

static inline bool
is_group(const KeyTable *groups, uint32 group, const char *data, uint32 length)
{
	Key			key = keytable_entry_key(KEY_BYTES, keytable_entry(groups, group));

	return key.bytes.length == length && memcmp(key.bytes.data, data, length) == 0;
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
	uint32	   *memo = &extra->memo[spread % GROUP_MEMOS];

	if (*memo == 0 || !is_group(&extra->groups, *memo - 1, data, length))
		*memo = price_locate_group(&extra->groups, data, length) + 1;
	if ((Pointer) t != DatumGetPointer(value))
		pfree(t);
	return *memo - 1;
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

/* Count, and quantity and logarithm if the form has them, of an entry. */
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

static inline int64 *
log_of(const KeyTable *prices, uint32 entry, uint8 form)
{
	return (int64 *) (keytable_entry(prices, entry) + PRICE_KEY_SIZE + (pricebook_has_periods(form) ? 12 : 4));
}

/* Adds the rows to what the folds of their members paid; entries are those of their prices. */
static void
apply_to_folds(Book *book, const uint32 *items, const PendingPrice *row, const uint32 *prices, int n)
{
	PriceExtra *extra = extra_of(book);
	Key			keys[KEYTABLE_BATCH] = {{0}};
	uint32		found[KEYTABLE_BATCH];

	for (int i = 0; i < n; i++)
	{
		FoldKey		key = {items[i], row[i].group, row[i].period, row[i].fold};

		memcpy(keys[i].fixed, &key, FOLD_KEY_SIZE);
	}
	keytable_locate(&extra->folds, keys, n, found);
	for (int i = 0; i < n; i++)
	{
		char	   *payload = keytable_payload(&extra->folds, found[i]);
		uint32		rows;
		int128		log_sum;

		memcpy(&rows, payload, sizeof(rows));
		memcpy(&log_sum, payload + 4, sizeof(log_sum));
		if (unlikely(pg_add_u32_overflow(rows, 1, &rows)))
			price_raise_count();
		log_sum += *log_of(&extra->prices, prices[i], book->form);
		memcpy(payload, &rows, sizeof(rows));
		memcpy(payload + 4, &log_sum, sizeof(log_sum));
	}
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
		if (pricebook_has_members(book->form) && *count == 0)
			*log_of(&extra->prices, found[i], book->form) =
				price_log(decimal_packed_to_double(row[i].price, &extra->row_pool));
		if (pricebook_has_periods(book->form))
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
	if (pricebook_has_members(book->form))
		apply_to_folds(book, entries, row, found, n);
	extra->row_pool.count = 0;
}

/*
 * Adds one row to the state: argument 1 is the item, then, with periods, the period,
 * then group and price, then, with periods, the quantity, then, with members, the
 * member.
 */
static inline Datum
pricebook_step(FunctionCallInfo fcinfo, KeyType item_type, uint8 form, KeyType member_type)
{
	const bool	has_periods = pricebook_has_periods(form);
	const bool	has_members = pricebook_has_members(form);
	Book	   *book = book_of_state(fcinfo, &pricebook_kind, item_type, form);
	PriceExtra *extra = extra_of(book);
	int			group_argument = has_periods ? 3 : 2;
	int			member_argument = has_periods ? 6 : 4;
	Key		   *key;
	PendingPrice *row;
	int64		price;
	uint32		wide = extra->row_pool.count;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		(has_periods && (PG_ARGISNULL(4) || PG_ARGISNULL(5))) ||
		(has_members && PG_ARGISNULL(member_argument)))
		return book_skip_row(book);

	row = book_next_row(book, &key);
	row->period = 0;
	row->quantity = 0;
	if (has_periods)
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
	if (has_periods && !decimal_packed_is_positive(row->quantity, &extra->row_pool))
	{
		extra->quantity_skipped++;
		extra->row_pool.count = wide;
		return book_skip_row(book);
	}
	if (decimal_packed_scale(price, &extra->row_pool) > extra->decimals)
		extra->decimals = decimal_packed_scale(price, &extra->row_pool);
	row->price = decimal_normalize(price, &extra->row_pool);
	row->group = find_group(extra, PG_GETARG_DATUM(group_argument));
	row->fold = has_members ? argument_member_fold(fcinfo, member_argument, member_type) : 0;
	if (item_type == KEY_INT64)
		key->number = PG_GETARG_INT64(1);
	else
		book_set_text_key(book, key, PG_GETARG_DATUM(1));
	return book_push(book);
}

/*
 * pricebook_step_<item>(pricebook_summary, item, member_group, price),
 * pricebook_step_<item>_period(pricebook_summary, item, period, member_group, price, quantity),
 * and the same with _<type of member> and a member behind
 */
#define PRICEBOOK_STEP(name, item_type, form, member_type) \
CUSTMART_FUNCTION(custmart_pricebook_step_##name); \
Datum \
custmart_pricebook_step_##name(PG_FUNCTION_ARGS) \
{ \
	return pricebook_step(fcinfo, item_type, form, member_type); \
}

#define PRICEBOOK_STEPS(name, item_type, form) \
PRICEBOOK_STEP(name, item_type, form, 0) \
PRICEBOOK_STEP(name##_member_bigint, item_type, (form) | PRICEBOOK_MEMBERS, KEY_INT64) \
PRICEBOOK_STEP(name##_member_uuid, item_type, (form) | PRICEBOOK_MEMBERS, KEY_FIXED16) \
PRICEBOOK_STEP(name##_member_text, item_type, (form) | PRICEBOOK_MEMBERS, KEY_BYTES)

PRICEBOOK_STEPS(bigint, KEY_INT64, 0)
PRICEBOOK_STEPS(text, KEY_BYTES, 0)
PRICEBOOK_STEPS(bigint_period, KEY_INT64, PRICEBOOK_PERIODS)
PRICEBOOK_STEPS(text_period, KEY_BYTES, PRICEBOOK_PERIODS)

/* ---------- storing ---------- */

static Size
pricebook_tail_size(const Book *book)
{
	const PriceExtra *extra = extra_of(book);

	return PRICEBOOK_HEAD_SIZE + keytable_stored_size(&extra->groups) + (Size) book->table.count * 4 +
		(Size) extra->prices.count * PRICEBOOK_ROW_SIZE(book->form) +
		4 + (Size) extra->wide_rows * DECIMAL_STORED_SIZE +
		(pricebook_has_members(book->form) ? (Size) book->table.count * 4 : 0) +
		(Size) extra->folds.count * PRICEBOOK_FOLD_SIZE(book->form);
}

static PriceKey
price_key(const KeyTable *prices, uint32 entry)
{
	PriceKey	key;

	memcpy(&key, keytable_entry(prices, entry), PRICE_KEY_SIZE);
	return key;
}

static FoldKey
fold_key(const KeyTable *folds, uint32 entry)
{
	FoldKey		key;

	memcpy(&key, keytable_entry(folds, entry), FOLD_KEY_SIZE);
	return key;
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
	if (extra->folds.count > 0)
		keytable_clear(&extra->folds);
	keytable_clear(&extra->wide);
	decimal_pool_clear(&extra->price_pool);
	decimal_pool_clear(&extra->quantity_pool);
	memset(extra->memo, 0, sizeof(extra->memo));
	extra->price_skipped = extra->quantity_skipped = extra->rows = 0;
	extra->wide_rows = 0;
	extra->decimals = 0;
}

/* Brings the folds of one item after the other into their stored order. */
typedef struct FoldSorter
{
	const KeyTable *table;
	const uint32 *group_place;
	uint32	   *first;
	uint32	   *entries;
	PriceFold  *sorted;			/* of one item */
} FoldSorter;

static void
fold_sorter_open(FoldSorter *folds, const KeyTable *table, uint32 items, const uint32 *group_place)
{
	uint32		longest = 1;

	folds->table = table;
	folds->group_place = group_place;
	folds->first = large_alloc(CurrentMemoryContext, ((Size) items + 1) * sizeof(uint32));
	folds->entries = keytable_grouped(table, offsetof(FoldKey, item), items, folds->first);
	for (uint32 item = 0; item < items; item++)
		longest = Max(longest, folds->first[item + 1] - folds->first[item]);
	folds->sorted = large_alloc(CurrentMemoryContext, longest * sizeof(PriceFold));
}

static void
fold_sorter_close(FoldSorter *folds)
{
	pfree(folds->first);
	pfree(folds->entries);
	pfree(folds->sorted);
}

static void
store_folds(FoldSorter *folds, uint32 item, PriceTailWriter *writer)
{
	const uint32 *mine = folds->entries + folds->first[item];
	uint32		n = folds->first[item + 1] - folds->first[item];

	for (uint32 i = 0; i < n; i++)
	{
		FoldKey		key = fold_key(folds->table, mine[i]);
		const char *payload = keytable_payload(folds->table, mine[i]);
		PriceFold  *fold = &folds->sorted[i];

		check_interrupts(i);
		if (i + 8 < n)
			keytable_prefetch(folds->table, mine[i + 8]);
		fold->period = key.period;
		fold->group = folds->group_place[key.group];
		fold->fold = key.fold;
		memcpy(&fold->rows, payload, sizeof(fold->rows));
		memcpy(&fold->log_sum, payload + 4, sizeof(fold->log_sum));
	}
	sort_folds(folds->sorted, n);
	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		price_tail_fold(writer, &folds->sorted[i]);
	}
}

static void
pricebook_append_tail(Book *book, ByteBuffer *buffer)
{
	PriceExtra *extra = extra_of(book);
	KeyTable   *prices = &extra->prices;
	uint32		items = book->table.count;
	uint32		ngroups = extra->groups.count;
	uint32	   *group_order = keytable_sorted(&extra->groups);
	uint32	   *group_place = large_alloc(CurrentMemoryContext,
													 Max((Size) ngroups, 1) * sizeof(uint32));
	uint32	   *first = large_alloc(CurrentMemoryContext,
											   ((Size) items + 1) * sizeof(uint32));
	uint32	   *entries;
	FoldSorter	folds = {0};
	SortedPrice *sorted;
	uint32		longest = 1;
	PriceTailWriter writer;

	for (uint32 i = 0; i < ngroups; i++)
		group_place[group_order[i]] = i;
	entries = keytable_grouped(prices, offsetof(PriceKey, item), items, first);
	if (pricebook_has_members(book->form))
		fold_sorter_open(&folds, &extra->folds, items, group_place);
	for (uint32 item = 0; item < items; item++)
		longest = Max(longest, first[item + 1] - first[item]);
	sorted = large_alloc(CurrentMemoryContext, longest * sizeof(SortedPrice));

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
						   pricebook_has_periods(book->form) ? *quantity_of(prices, entry) : 0,
						   &extra->quantity_pool, buffer);
		}
		if (pricebook_has_members(book->form))
			store_folds(&folds, item, &writer);
		price_tail_end_item(&writer, buffer);
	}
	price_tail_end(&writer, buffer);
	if (pricebook_has_members(book->form))
		fold_sorter_close(&folds);
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
