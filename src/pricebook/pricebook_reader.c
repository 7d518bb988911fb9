/*
 * pricebook_reader.c
 *	  Reading stored pricebooks: their parts and rows, the checker that all bytes
 *	  from outside go through, and what is counted in them.
 */
#include "pricebook/pricebook.h"

#include "shared/bytes.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"

/* ---------- parts and rows ---------- */

/* ---------- reading ---------- */

/* Finds the parts of the tail; returns what is wrong with their sizes, or NULL. */
const char *
pricebook_split(PriceReader *prices)
{
	const uint8 *bytes = prices->reader.tail;
	Size		left = prices->reader.tail_size;
	Size		rows = 0;

	if (left < PRICEBOOK_HEAD_SIZE)
		return "it is cut off";
	prices->decimals = bytes[0];
	prices->price_skipped = (int64) load_u64(bytes + 1);
	prices->quantity_skipped = (int64) load_u64(bytes + 9);
	prices->group_count = load_u32(bytes + 17);
	bytes += PRICEBOOK_HEAD_SIZE;
	left -= PRICEBOOK_HEAD_SIZE;

	prices->group_lengths = bytes;
	if (left / 4 < prices->group_count)
		return "its groups are cut off";
	bytes += (Size) prices->group_count * 4;
	left -= (Size) prices->group_count * 4;
	prices->group_bytes = bytes;
	for (uint32 i = 0; i < prices->group_count; i++)
	{
		uint32		length = load_u32(prices->group_lengths + (Size) i * 4);

		check_interrupts(i);
		if (left < length)
			return "its groups are cut off";
		bytes += length;
		left -= length;
	}

	if (left < 4)
		return "its wide numbers are cut off";
	prices->wide_count = load_u32(bytes);
	prices->wide = bytes + 4;
	left -= 4;
	if (left / DECIMAL_STORED_SIZE < prices->wide_count)
		return "its wide numbers are cut off";
	left -= (Size) prices->wide_count * DECIMAL_STORED_SIZE;
	prices->item_rows = prices->wide + (Size) prices->wide_count * DECIMAL_STORED_SIZE;
	if (left / 4 < prices->reader.count)
		return "its items are cut off";
	left -= (Size) prices->reader.count * 4;
	prices->rows = prices->item_rows + (Size) prices->reader.count * 4;
	for (uint32 i = 0; i < prices->reader.count; i++)
	{
		check_interrupts(i);
		rows += load_u32(prices->item_rows + (Size) i * 4);
	}
	if (prices->reader.form > PRICEBOOK_PERIODS)
		return "its form is unknown";
	if (rows > PG_UINT32_MAX || left != rows * PRICEBOOK_ROW_SIZE(prices->reader.form))
		return "its length is wrong";
	prices->row_count = (uint32) rows;
	return NULL;
}

/* A row; its count is its quantity where there are no quantities. */
PricePoint
pricebook_get_row(const PriceReader *prices, uint32 row)
{
	const uint8 *bytes = prices->rows + (Size) row * PRICEBOOK_ROW_SIZE(prices->reader.form);
	PricePoint	point = {0};

	if (prices->reader.form == PRICEBOOK_PERIODS)
	{
		point.period = (int32) load_u32(bytes);
		point.quantity = (int64) load_u64(bytes + 20);
		bytes += 4;
	}
	point.group = load_u32(bytes);
	point.price = (int64) load_u64(bytes + 4);
	point.count = load_u32(bytes + 12);
	if (prices->reader.form == PRICEBOOK_PRICES)
		point.quantity = decimal_pack_small(point.count, 0);
	return point;
}

/* The wide prices and quantities of a checked book. */
DecimalPool
pricebook_load_wide(const PriceReader *prices)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	for (uint32 i = 0; i < prices->wide_count; i++)
	{
		Decimal		d;

		check_interrupts(i);
		(void) decimal_load(prices->wide + (Size) i * DECIMAL_STORED_SIZE, &d);
		(void) decimal_pool_put(&pool, &d);
	}
	return pool;
}

/* Opens a book for reading; checked. */
void
pricebook_open(PriceReader *prices, Datum value)
{
	book_open(&prices->reader, value, &pricebook_kind);
	(void) pricebook_split(prices);
}

/* ---------- checking ---------- */

/* A packed number of a row; wide ones are told in the order of the rows. */
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
				return "a price has decimals too many";
			if (decimal_is_pooled(point.price) &&
				decimal_compare(&pool->item[point.price >> 8], &limit) >= 0)
				return "a price has too many digits";
			if (point.count == 0)
				return "a price has no rows";
			total += point.count;
			if (prices->reader.form == PRICEBOOK_PERIODS &&
				(wrong = check_number(point.quantity, pool, &wide_seen)) != NULL)
				return wrong;
			if (!is_normal(point.quantity, pool))
				return "a quantity has decimals too many";
			if (i > 0 && compare_sorted_prices(&last, &this, pool) >= 0)
				return "its prices do not ascend";
			last = this;
		}
	}
	if (wide_seen != pool->count)
		return "a wide number is nobody's";
	if (total > PRICE_ROWS_MAX)
		return "it has too many rows";
	for (uint32 i = 0; i < prices->group_count; i++)
		if (!used[i])
			return "a group has no price";
	pfree(used);
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
const char *
pricebook_check(const uint8 *bytes, Size length)
{
	PriceReader prices;
	DecimalPool pool;
	const char *wrong = book_read_header(&prices.reader, &pricebook_kind, bytes, length);
	int64		skipped;

	if (wrong != NULL)
		return wrong;
	if (prices.reader.key_type == KEY_FIXED16)
		return "its items are neither bigint nor text";
	if ((wrong = pricebook_split(&prices)) != NULL)
		return wrong;
	if (prices.decimals > DECIMAL_MAX_SCALE)
		return "its prices have decimals too many";
	if (prices.price_skipped < 0 || prices.quantity_skipped < 0 ||
		pg_add_s64_overflow(prices.price_skipped, prices.quantity_skipped, &skipped) ||
		skipped > prices.reader.rows_skipped)
		return "its numbers of rows skipped do not add up";
	if (prices.reader.form == PRICEBOOK_PRICES && prices.quantity_skipped > 0)
		return "it has no quantities to skip rows for";
	if (prices.row_count == 0 && prices.decimals > 0)
		return "it has decimals, but no price";
	if ((wrong = book_check_order(&prices.reader)) != NULL ||
		(wrong = check_groups(&prices)) != NULL)
		return wrong;

	for (uint32 i = 0; i < prices.wide_count; i++)
	{
		Decimal		d;

		check_interrupts(i);
		if ((wrong = decimal_load(prices.wide + (Size) i * DECIMAL_STORED_SIZE, &d)) != NULL)
			return wrong;
	}
	pool = pricebook_load_wide(&prices);
	wrong = check_rows(&prices, &pool);
	if (pool.item != NULL)
		pfree(pool.item);
	return wrong;
}

/* Names of groups are to be text here. */
const char *
pricebook_check_foreign(const BookReader *reader)
{
	PriceReader prices = {.reader = *reader};
	const uint8 *name;

	(void) pricebook_split(&prices);
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

/* ---------- counts ---------- */

/* rows_skipped(pricebook, reason): rows left out for one reason. */
CUSTMART_FUNCTION(custmart_pricebook_rows_skipped_reason);
Datum
custmart_pricebook_rows_skipped_reason(PG_FUNCTION_ARGS)
{
	PriceReader prices;
	char	   *reason = text_to_cstring(PG_GETARG_TEXT_PP(1));

	pricebook_open(&prices, PG_GETARG_DATUM(0));
	if (strcmp(reason, "null") == 0)
		PG_RETURN_INT64(prices.reader.rows_skipped - prices.price_skipped - prices.quantity_skipped);
	if (strcmp(reason, "price") == 0)
		PG_RETURN_INT64(prices.price_skipped);
	if (strcmp(reason, "quantity") == 0)
		PG_RETURN_INT64(prices.quantity_skipped);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("reason \"%.*s\" is not known",
					pg_mbcliplen(reason, (int) strlen(reason), 60), reason),
			 errhint("Rows are skipped for one of: null (an argument is NULL), price (not above 0), quantity (not above 0).")));
}

/* cell_count(pricebook): items, times the periods in which each was sold. */
CUSTMART_FUNCTION(custmart_pricebook_cell_count);
Datum
custmart_pricebook_cell_count(PG_FUNCTION_ARGS)
{
	PriceReader prices;
	int64		cells;
	uint32		row = 0;

	pricebook_open(&prices, PG_GETARG_DATUM(0));
	cells = prices.reader.count;
	for (uint32 item = 0; item < prices.reader.count; item++)
	{
		uint32		end = row + load_u32(prices.item_rows + (Size) item * 4);

		for (uint32 i = row; i + 1 < end; i++)
		{
			check_interrupts(i);
			cells += pricebook_get_row(&prices, i).period != pricebook_get_row(&prices, i + 1).period;
		}
		row = end;
	}
	PG_RETURN_INT64(cells);
}
