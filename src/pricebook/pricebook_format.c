/*
 * pricebook_format.c
 *	  The stored form of a pricebook: its sections and rows, the checker for all
 *	  bytes from outside, writing and merging.
 */
#include "pricebook/pricebook.h"

#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/memutils.h"

#define PRICEBOOK_VERSION 1

static const char *pricebook_check(const uint8 *bytes, Size length);
static const char *pricebook_check_encoding(const BookReader *reader);
static void pricebook_merge_tails(const BookFormat *format, const BookReader *parts, int n,
								  const BookMergeOrder *order, ByteBuffer *buffer);

const BookFormat pricebook_format = {
	.type = {"pricebook_summary", pricebook_check},
	.stored_kind = STORED_PRICEBOOK,
	.stored_version = PRICEBOOK_VERSION,
	.form_hint = "Make all parts with the same arguments: all with period and quantity or none, all with members or none.",
	.size_hint = "Round prices, take longer periods, or make one book per slice of the items, for example WHERE hashint8(item) & 3 = 0 for the first of four (hashtext for text).",
	.check_encoding = pricebook_check_encoding,
	.merge_tails = pricebook_merge_tails
};

/* ---------- reading ---------- */

/* Finds the sections of the tail; returns what is wrong with their sizes, or NULL. */
static const char *
split(PriceReader *prices)
{
	const uint8 *bytes = prices->reader.tail;
	Size		left = prices->reader.tail_size;
	Size		rows = 0;

	if (left < PRICEBOOK_HEAD_SIZE)
		return "it is truncated";
	prices->decimals = bytes[0];
	prices->price_skipped = (int64) load_u64(bytes + 1);
	prices->quantity_skipped = (int64) load_u64(bytes + 9);
	prices->group_count = load_u32(bytes + 17);
	bytes += PRICEBOOK_HEAD_SIZE;
	left -= PRICEBOOK_HEAD_SIZE;

	prices->group_lengths = bytes;
	if (left / 4 < prices->group_count)
		return "its groups are truncated";
	bytes += (Size) prices->group_count * 4;
	left -= (Size) prices->group_count * 4;
	prices->group_bytes = bytes;
	for (uint32 i = 0; i < prices->group_count; i++)
	{
		uint32		length = load_u32(prices->group_lengths + (Size) i * 4);

		check_interrupts(i);
		if (left < length)
			return "its groups are truncated";
		bytes += length;
		left -= length;
	}

	prices->item_rows = bytes;
	if (left / 4 < prices->reader.count)
		return "its items are truncated";
	left -= (Size) prices->reader.count * 4;
	prices->rows = bytes + (Size) prices->reader.count * 4;
	for (uint32 i = 0; i < prices->reader.count; i++)
	{
		check_interrupts(i);
		rows += load_u32(prices->item_rows + (Size) i * 4);
	}
	if (prices->reader.form > PRICEBOOK_FORMS)
		return "its form is unknown";
	if (rows > PG_UINT32_MAX || left / PRICEBOOK_ROW_SIZE(prices->reader.form) < rows)
		return "its rows are truncated";
	left -= rows * PRICEBOOK_ROW_SIZE(prices->reader.form);
	if (left < 4)
		return "its wide numbers are truncated";
	prices->wide = prices->rows + rows * PRICEBOOK_ROW_SIZE(prices->reader.form);
	prices->wide_count = load_u32(prices->wide);
	prices->wide += 4;
	left -= 4;
	if (left / DECIMAL_STORED_SIZE < prices->wide_count)
		return "its wide numbers are truncated";
	left -= (Size) prices->wide_count * DECIMAL_STORED_SIZE;
	prices->row_count = (uint32) rows;
	prices->fold_count = 0;
	if (pricebook_has_members(prices->reader.form))
	{
		Size		folds = 0;

		prices->item_folds = prices->wide + (Size) prices->wide_count * DECIMAL_STORED_SIZE;
		if (left / 4 < prices->reader.count)
			return "its members are truncated";
		left -= (Size) prices->reader.count * 4;
		prices->folds = prices->item_folds + (Size) prices->reader.count * 4;
		for (uint32 i = 0; i < prices->reader.count; i++)
		{
			check_interrupts(i);
			folds += load_u32(prices->item_folds + (Size) i * 4);
		}
		if (folds > PG_UINT32_MAX || left / PRICEBOOK_FOLD_SIZE(prices->reader.form) < folds)
			return "its members are truncated";
		left -= folds * PRICEBOOK_FOLD_SIZE(prices->reader.form);
		prices->fold_count = (uint32) folds;
	}
	return left > 0 ? "its length is wrong" : NULL;
}

/* A row; in a book without quantities its quantity is its count. */
PricePoint
pricebook_get_row(const PriceReader *prices, uint32 row)
{
	const uint8 *bytes = prices->rows + (Size) row * PRICEBOOK_ROW_SIZE(prices->reader.form);
	PricePoint	point = {0};

	if (pricebook_has_periods(prices->reader.form))
	{
		point.period = (int32) load_u32(bytes);
		point.quantity = (int64) load_u64(bytes + 20);
		bytes += 4;
	}
	point.group = load_u32(bytes);
	point.price = (int64) load_u64(bytes + 4);
	point.count = load_u32(bytes + 12);
	if (!pricebook_has_periods(prices->reader.form))
		point.quantity = decimal_pack_small(point.count, 0);
	return point;
}

/* What a fold of the members paid; the sum has 96 bits. */
PriceFold
pricebook_get_fold(const PriceReader *prices, uint32 i)
{
	const uint8 *bytes = prices->folds + (Size) i * PRICEBOOK_FOLD_SIZE(prices->reader.form);
	PriceFold	fold = {0};

	if (pricebook_has_periods(prices->reader.form))
	{
		fold.period = (int32) load_u32(bytes);
		bytes += 4;
	}
	fold.group = load_u32(bytes);
	fold.fold = bytes[4];
	fold.rows = load_u32(bytes + 5);
	fold.log_sum = (int128) ((uint128) (int32) load_u32(bytes + 9) << 64 | load_u64(bytes + 13));
	return fold;
}

/* The wide prices and quantities of a checked book. */
DecimalPool
pricebook_load_wide(const PriceReader *prices)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	decimal_pool_load(&pool, prices->wide, prices->wide_count);
	return pool;
}

/* Opens a book for reading; checked. */
void
pricebook_open(PriceReader *prices, Datum value)
{
	book_open(&prices->reader, value, &pricebook_format);
	(void) split(prices);
}

/* ---------- checking ---------- */

/* Checks a packed number of a row; wide ones are numbered in the order of the rows. */
static const char *
check_number(int64 packed, const DecimalPool *pool, uint32 *wide_seen)
{
	if (decimal_is_pooled(packed))
	{
		if (packed >> 8 != *wide_seen || *wide_seen >= pool->count)
			return "a wide number is missing or out of order";
		(*wide_seen)++;
	}
	else if ((packed & 0xFF) > DECIMAL_MAX_SCALE)
		return "a number has too large a scale";
	if (!decimal_packed_is_positive(packed, pool))
		return "a price or quantity is not above 0";
	return NULL;
}

static bool
is_normal(int64 number, const DecimalPool *pool)
{
	Decimal		d;

	if (likely(!decimal_is_pooled(number)))
		return (number & 0xFF) == 0 || (number >> 8) % 10 != 0;
	d = pool->item[number >> 8];
	(void) decimal_set_scale(&d, 0);
	return d.scale == pool->item[number >> 8].scale;
}

static const char *
check_rows(const PriceReader *prices, const DecimalPool *pool)
{
	bool	   *used = palloc0(Max(prices->group_count, 1));
	uint32		wide_seen = 0;
	uint32		row = 0;
	int64		total = 0;
	Decimal		limit;			/* that an amount stays below */
	const char *wrong;

	(void) decimal_from_text("100000000000000000000000000000000000000",
							 DECIMAL_MAX_DIGITS + 1, &limit);
	for (uint32 item = 0; item < prices->reader.count; item++)
	{
		uint32		n = load_u32(prices->item_rows + (Size) item * 4);
		SortedPrice last = {0};

		check_interrupts(item);
		if (n == 0)
			return "an item has no price";
		for (uint32 i = 0; i < n; i++)
		{
			PricePoint	point = pricebook_get_row(prices, row++);
			SortedPrice this = {point.price, 0, point.period, point.group, 0};

			check_interrupts(i);
			if (point.group >= prices->group_count)
				return "a price has no group";
			used[point.group] = true;
			if (!IS_VALID_DATE(point.period))
				return "a period is out of range";
			if ((wrong = check_number(point.price, pool, &wide_seen)) != NULL)
				return wrong;
			if (!is_normal(point.price, pool) || decimal_packed_scale(point.price, pool) > prices->decimals)
				return "a price has too many decimals";
			if (decimal_is_pooled(point.price) &&
				decimal_compare(&pool->item[point.price >> 8], &limit) >= 0)
				return "a price has too many digits";
			if (point.count == 0)
				return "a price has no rows";
			total += point.count;
			if (pricebook_has_periods(prices->reader.form) &&
				(wrong = check_number(point.quantity, pool, &wide_seen)) != NULL)
				return wrong;
			if (!is_normal(point.quantity, pool))
				return "a quantity has too many decimals";
			if (i > 0 && compare_sorted_prices(&last, &this, pool) >= 0)
				return "its prices do not ascend";
			last = this;
		}
	}
	if (wide_seen != pool->count)
		return "a wide number belongs to no row";
	if (total > PRICE_ROWS_MAX)
		return "it has too many rows";
	for (uint32 i = 0; i < prices->group_count; i++)
		if (!used[i])
			return "a group has no price";
	pfree(used);
	return NULL;
}

/*
 * Checks the rows of the folds: in each cell a group has as many there as it has
 * prices.
 */
static const char *
check_folds(const PriceReader *prices)
{
	uint32		row = 0;
	uint32		at = 0;

	for (uint32 item = 0; item < prices->reader.count; item++)
	{
		uint32		end = at + load_u32(prices->item_folds + (Size) item * 4);
		uint32		row_end = row + load_u32(prices->item_rows + (Size) item * 4);
		PriceFold	last = {0};
		int64		open = 0;	/* rows of the group in the cell that no fold has had yet */

		check_interrupts(item);
		for (uint32 i = at; i < end; i++)
		{
			PriceFold	fold = pricebook_get_fold(prices, i);
			int128		limit = (int128) fold.rows * PRICE_LOG_MAX << PRICE_LOG_BITS;

			check_interrupts(i);
			if (fold.fold >= MEMBER_FOLDS)
				return "a fold is out of range";
			if (i > at && compare_price_folds(&last, &fold) >= 0)
				return "its folds do not ascend";
			if (fold.rows == 0)
				return "a fold has no rows";
			if (fold.log_sum > limit || fold.log_sum < -limit)
				return "a sum of logarithms is out of range";
			if (i == at || fold.period != last.period || fold.group != last.group)
			{
				PricePoint	point;

				if (open != 0 || row == row_end)
					return "its folds do not have the rows of its prices";
				point = pricebook_get_row(prices, row);
				if (point.period != fold.period || point.group != fold.group)
					return "its folds do not have the rows of its prices";
				for (; row < row_end; row++)
				{
					point = pricebook_get_row(prices, row);
					check_interrupts(row);
					if (point.period != fold.period || point.group != fold.group)
						break;
					open += point.count;
				}
			}
			open -= fold.rows;
			last = fold;
		}
		if (open != 0 || row != row_end)
			return "its folds do not have the rows of its prices";
		at = end;
	}
	return NULL;
}

static const char *
check_groups(const PriceReader *prices)
{
	const uint8 *name = prices->group_bytes;

	for (uint32 i = 1; i < prices->group_count; i++)
	{
		uint32		length = load_u32(prices->group_lengths + (Size) (i - 1) * 4);
		uint32		next_length = load_u32(prices->group_lengths + (Size) i * 4);

		check_interrupts(i);
		if (compare_bytes(name, length, name + length, next_length) >= 0)
			return "its groups do not ascend";
		name += length;
	}
	return NULL;
}

/* Returns what is wrong with stored bytes, or NULL. */
static const char *
pricebook_check(const uint8 *bytes, Size length)
{
	PriceReader prices;
	DecimalPool pool;
	const char *wrong = book_read_header(&prices.reader, &pricebook_format, bytes, length);
	int64		skipped;

	if (wrong != NULL)
		return wrong;
	if (prices.reader.key_type == KEY_FIXED16)
		return "its items are neither bigint nor text";
	if ((wrong = split(&prices)) != NULL)
		return wrong;
	if (prices.decimals > DECIMAL_MAX_SCALE)
		return "its prices have too many decimals";
	if (prices.price_skipped < 0 || prices.quantity_skipped < 0 ||
		pg_add_s64_overflow(prices.price_skipped, prices.quantity_skipped, &skipped) ||
		skipped > prices.reader.rows_skipped)
		return "its numbers of rows skipped do not add up";
	if (!pricebook_has_periods(prices.reader.form) && prices.quantity_skipped > 0)
		return "it has no quantities, but skipped rows for them";
	if (prices.row_count == 0 && prices.decimals > 0)
		return "it has decimals, but no price";
	if ((wrong = book_check_order(&prices.reader)) != NULL ||
		(wrong = check_groups(&prices)) != NULL)
		return wrong;

	for (uint32 i = 0; i < prices.wide_count; i++)
	{
		Decimal		d;

		check_interrupts(i);
		if ((wrong = decimal_check_and_load(prices.wide + (Size) i * DECIMAL_STORED_SIZE, &d)) != NULL)
			return wrong;
	}
	pool = pricebook_load_wide(&prices);
	wrong = check_rows(&prices, &pool);
	decimal_pool_clear(&pool);
	if (wrong == NULL && pricebook_has_members(prices.reader.form))
		wrong = check_folds(&prices);
	return wrong;
}

/* Checks that names of groups are text in this database's encoding. */
static const char *
pricebook_check_encoding(const BookReader *reader)
{
	PriceReader prices = {.reader = *reader};
	const uint8 *name;

	(void) split(&prices);
	name = prices.group_bytes;
	for (uint32 i = 0; i < prices.group_count; i++)
	{
		uint32		length = load_u32(prices.group_lengths + (Size) i * 4);

		check_interrupts(i);
		if (!pg_verifymbstr((const char *) name, (int) length, true))
			return "a group is not text in the encoding of this database";
		name += length;
	}
	return NULL;
}

/* ---------- writing ---------- */

void
price_raise_count(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("pricebook_summary cannot hold more than %u rows of one price, or " INT64_FORMAT " in all",
					PG_UINT32_MAX, PRICE_ROWS_MAX),
			 errhint("Make one book per part of the rows, or use shorter periods.")));
}

void
price_raise_quantities(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a sum of quantities is out of range")));
}

/* Finds or adds a group by its name. */
uint32
price_locate_group(KeyTable *groups, const char *name, uint32 length)
{
	Key			key;
	uint32		group;

	key.bytes.data = name;
	key.bytes.length = length;
	keytable_locate(groups, &key, 1, &group);
	return group;
}

/* Writes what precedes the rows, with groups in order, and makes room for the numbers of rows. */
void
price_tail_begin(PriceTailWriter *writer, uint8 form, int decimals,
				 int64 price_skipped, int64 quantity_skipped,
				 const KeyTable *groups, uint32 items, ByteBuffer *buffer)
{
	uint32	   *order = keytable_sorted(groups);
	uint8	   *bytes = buffer_reserve(buffer, PRICEBOOK_HEAD_SIZE + keytable_stored_size(groups) + (Size) items * 4);

	*bytes++ = (uint8) decimals;
	bytes = store_u64(bytes, (uint64) price_skipped);
	bytes = store_u64(bytes, (uint64) quantity_skipped);
	bytes = store_u32(bytes, groups->count);
	bytes = keytable_store_keys(groups, order, bytes);
	pfree(order);
	writer->form = form;
	writer->rows = 0;
	writer->fold_rows = 0;
	writer->wide = (DecimalPool) {.context = CurrentMemoryContext};
	if (pricebook_has_members(form))
	{
		buffer_init(&writer->item_folds, (Size) items * 4 + 1, CurrentMemoryContext);
		buffer_init(&writer->folds, 1024, CurrentMemoryContext);
	}
	writer->next_item = bytes - buffer->data;
	buffer_advance(buffer, bytes + (Size) items * 4);
}

/*
 * A number as it is stored, without trailing zeros after the point: equal sums
 * have equal bytes, whatever their terms.
 */
static int64
store_number(PriceTailWriter *writer, int64 number, const DecimalPool *pool)
{
	int64		packed;
	Decimal		d;

	if (likely(!decimal_is_pooled(number)))
		return decimal_normalize(number, NULL);
	d = pool->item[number >> 8];
	(void) decimal_set_scale(&d, 0);
	return decimal_fits_packed(&d, &packed) ? packed : decimal_pool_put(&writer->wide, &d);
}

/* Writes a row of the current item; rows come in order. */
void
price_tail_row(PriceTailWriter *writer, int32 period, uint32 group,
			   int64 price, const DecimalPool *price_pool, uint32 count,
			   int64 quantity, const DecimalPool *quantity_pool, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, PRICEBOOK_ROW_SIZE(PRICEBOOK_PERIODS));

	if (pricebook_has_periods(writer->form))
		bytes = store_u32(bytes, (uint32) period);
	bytes = store_u32(bytes, group);
	bytes = store_u64(bytes, (uint64) store_number(writer, price, price_pool));
	bytes = store_u32(bytes, count);
	if (pricebook_has_periods(writer->form))
		bytes = store_u64(bytes, (uint64) store_number(writer, quantity, quantity_pool));
	buffer_advance(buffer, bytes);
	writer->rows++;
}

/* Writes what a fold of the members paid for the current item; folds come in order. */
void
price_tail_fold(PriceTailWriter *writer, const PriceFold *fold)
{
	uint8	   *bytes = buffer_reserve(&writer->folds, PRICEBOOK_FOLD_SIZE_MAX);

	if (pricebook_has_periods(writer->form))
		bytes = store_u32(bytes, (uint32) fold->period);
	bytes = store_u32(bytes, fold->group);
	*bytes++ = (uint8) fold->fold;
	bytes = store_u32(bytes, fold->rows);
	bytes = store_u32(bytes, (uint32) (fold->log_sum >> 64));
	bytes = store_u64(bytes, (uint64) fold->log_sum);
	buffer_advance(&writer->folds, bytes);
	writer->fold_rows++;
}

/* Called after the last row and fold of an item. */
void
price_tail_end_item(PriceTailWriter *writer, ByteBuffer *buffer)
{
	store_u32(buffer->data + writer->next_item, writer->rows);
	writer->next_item += 4;
	writer->rows = 0;
	if (pricebook_has_members(writer->form))
		buffer_advance(&writer->item_folds,
					   store_u32(buffer_reserve(&writer->item_folds, 4), writer->fold_rows));
	writer->fold_rows = 0;
}

static void
append_part(ByteBuffer *buffer, ByteBuffer *part)
{
	buffer_append(buffer, part->data, part->size);
	pfree(part->data);
}

/* Writes what follows the rows. */
void
price_tail_end(PriceTailWriter *writer, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, 4 + (Size) writer->wide.count * DECIMAL_STORED_SIZE);

	buffer_advance(buffer, decimal_pool_store(&writer->wide, bytes));
	decimal_pool_clear(&writer->wide);
	if (pricebook_has_members(writer->form))
	{
		append_part(buffer, &writer->item_folds);
		append_part(buffer, &writer->folds);
	}
}

/* ---------- merging ---------- */

/* A book that is being merged. */
typedef struct PricePart
{
	PriceReader prices;
	uint32	   *groups;			/* position of each group among those of all books */
	int64		wide;			/* where its wide numbers begin among those of all books */
	uint32		next_item;
	uint32		next_row;
	uint32		next_fold;
} PricePart;

/* Adds two rows of the same period, group and price. */
static void
add_row(PricePoint *row, const PricePoint *other, DecimalPool *pool)
{
	if (!decimal_add_packed(&row->quantity, pool, other->quantity, pool))
		price_raise_quantities();
	if (pg_add_u32_overflow(row->count, other->count, &row->count))
		price_raise_count();
}

/* The order of compare_sorted_prices, of prices that are not scaled. */
static inline int
compare_rows(const PricePoint *a, const PricePoint *b, const DecimalPool *pool)
{
	if (a->period != b->period)
		return a->period < b->period ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->price == b->price && !decimal_is_pooled(a->price) ? 0 :
		decimal_packed_compare(a->price, b->price, pool);
}

#define RUNS_NAME PriceRuns
#define RUNS_ELEMENT PricePoint
#define RUNS_CONTEXT DecimalPool
#define RUNS_COMPARE(a, b, pool) compare_rows(a, b, pool)
#define RUNS_ADD(a, b, pool) add_row(a, b, pool)
#include "shared/merge_runs.h"

/* Adds two fold rows of the same period, group and fold. */
static void
add_fold(PriceFold *fold, const PriceFold *other)
{
	if (pg_add_u32_overflow(fold->rows, other->rows, &fold->rows))
		price_raise_count();
	fold->log_sum += other->log_sum;
}

#define RUNS_NAME FoldRuns
#define RUNS_ELEMENT PriceFold
#define RUNS_CONTEXT void
#define RUNS_COMPARE(a, b, context) compare_price_folds(a, b)
#define RUNS_ADD(a, b, context) add_fold(a, b)
#include "shared/merge_runs.h"

/* Reads the fold rows of a part's next item, with groups as in the merged book. */
static void
add_folds(FoldRuns *folds, PricePart *part, uint32 item)
{
	uint32		n = load_u32(part->prices.item_folds + (Size) item * 4);
	PriceFold  *run = FoldRuns_append(folds, n);

	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		run[i] = pricebook_get_fold(&part->prices, part->next_fold++);
		run[i].group = part->groups[run[i].group];
	}
}

/* Reads the rows of a part's next item, with groups and wide numbers as in the merged book. */
static void
add_rows(PriceRuns *rows, PricePart *part)
{
	uint32		n = load_u32(part->prices.item_rows + (Size) part->next_item++ * 4);
	PricePoint *run = PriceRuns_append(rows, n);

	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		run[i] = pricebook_get_row(&part->prices, part->next_row++);
		run[i].group = part->groups[run[i].group];
		if (unlikely(decimal_is_pooled(run[i].price)))
			run[i].price += part->wide << 8;
		if (unlikely(decimal_is_pooled(run[i].quantity)))
			run[i].quantity += part->wide << 8;
	}
}

/* Merges the groups of all parts into one list, and records in each part the positions of its own. */
static void
join_groups(PricePart *parts, int n, KeyTable *groups)
{
	uint32	   *order;
	uint32	   *place;

	for (int i = 0; i < n; i++)
	{
		const PriceReader *prices = &parts[i].prices;
		const uint8 *name = prices->group_bytes;

		parts[i].groups = large_alloc(CurrentMemoryContext, Max((Size) prices->group_count, 1) * sizeof(uint32));
		for (uint32 group = 0; group < prices->group_count; group++)
		{
			uint32		length = load_u32(prices->group_lengths + (Size) group * 4);

			check_interrupts(group);
			parts[i].groups[group] = price_locate_group(groups, (const char *) name, length);
			name += length;
		}
	}
	order = keytable_sorted(groups);
	place = large_alloc(CurrentMemoryContext, Max((Size) groups->count, 1) * sizeof(uint32));
	for (uint32 i = 0; i < groups->count; i++)
		place[order[i]] = i;
	for (int i = 0; i < n; i++)
		for (uint32 group = 0; group < parts[i].prices.group_count; group++)
			parts[i].groups[group] = place[parts[i].groups[group]];
	pfree(order);
	pfree(place);
}

static void
pricebook_merge_tails(const BookFormat *format, const BookReader *readers, int n,
					  const BookMergeOrder *order, ByteBuffer *buffer)
{
	PricePart	parts[BOOK_PARTS_MAX];
	KeyTable	groups;
	DecimalPool pool = {.context = CurrentMemoryContext};
	uint32		pool_count;
	PriceTailWriter writer;
	PriceRuns	rows;
	FoldRuns	folds;
	bool		has_members = pricebook_has_members(readers[0].form);
	int			decimals = 0;
	int64		price_skipped = 0;
	int64		quantity_skipped = 0;
	int64		total = 0;

	for (int i = 0; i < n; i++)
	{
		PriceReader *prices = &parts[i].prices;

		prices->reader = readers[i];
		(void) split(prices);
		parts[i].next_item = 0;
		parts[i].next_row = 0;
		parts[i].next_fold = 0;
		parts[i].wide = pool.count;
		decimal_pool_load(&pool, prices->wide, prices->wide_count);
		decimals = Max(decimals, prices->decimals);
		/* Neither exceeds the sum of all rows skipped, which did not overflow. */
		price_skipped += prices->price_skipped;
		quantity_skipped += prices->quantity_skipped;
	}
	pool_count = pool.count;
	keytable_init(&groups, KEY_BYTES, 0, CurrentMemoryContext);
	join_groups(parts, n, &groups);

	price_tail_begin(&writer, readers[0].form, decimals, price_skipped, quantity_skipped,
					 &groups, order->count, buffer);
	PriceRuns_init(&rows);
	FoldRuns_init(&folds);
	for (Size i = 0; i < order->n; i++)
	{
		PricePart  *part = &parts[order->source[i] & BOOK_ORDER_PART];

		check_interrupts(i);
		if (has_members)
			add_folds(&folds, part, part->next_item);
		add_rows(&rows, part);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		PriceRuns_merge(&rows, &pool);
		for (Size row = 0; row < rows.count; row++)
		{
			const PricePoint *point = &rows.element[row];

			check_interrupts(row);
			total += point->count;
			price_tail_row(&writer, point->period, point->group, point->price, &pool,
						   point->count, point->quantity, &pool, buffer);
		}
		if (unlikely(total > PRICE_ROWS_MAX))
			price_raise_count();
		if (has_members)
		{
			FoldRuns_merge(&folds, NULL);
			for (Size fold = 0; fold < folds.count; fold++)
			{
				check_interrupts(fold);
				price_tail_fold(&writer, &folds.element[fold]);
			}
			FoldRuns_clear(&folds);
		}
		price_tail_end_item(&writer, buffer);
		PriceRuns_clear(&rows);
		pool.count = pool_count;
	}
	price_tail_end(&writer, buffer);

	PriceRuns_free(&rows);
	FoldRuns_free(&folds);
	for (int i = 0; i < n; i++)
		pfree(parts[i].groups);
	keytable_clear(&groups);
	decimal_pool_clear(&pool);
}
