/*
 * check_book_write.c
 *	  Writes the stored form of a check_book, order by order.
 */
#include "order_checks/check_book.h"

#include "shared/bytes.h"
#include "shared/growing_array.h"

/* ---------- one order ---------- */

#define ST_SORT sort_heads
#define ST_ELEMENT_TYPE CheckHead
#define ST_COMPARE(a, b) compare_check_heads(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_lines
#define ST_ELEMENT_TYPE CheckLine
#define ST_COMPARE_ARG_TYPE const DecimalPool
#define ST_COMPARE(a, b, pool) compare_check_lines(a, b, pool)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Adds a head without lines to an order. */
CheckHead *
check_order_head(CheckOrder *order)
{
	CheckHead  *head;

	if (unlikely(order->nheads == order->heads_room))
		order->heads = array_grow(order->heads, &order->heads_room, order->nheads + 1, sizeof(CheckHead),
								  order->pool.context);
	head = &order->heads[order->nheads++];
	head->first_line = order->nlines;
	head->lines = 0;
	return head;
}

/* Adds lines to an order, which the caller fills in. */
CheckLine *
check_order_lines(CheckOrder *order, Size n)
{
	if (unlikely(order->lines_room - order->nlines < n))
		order->lines = array_grow(order->lines, &order->lines_room, order->nlines + n, sizeof(CheckLine),
								  order->pool.context);
	order->nlines += n;
	return order->lines + order->nlines - n;
}

/* A number of a line, from another pool. */
int64
check_order_number(CheckOrder *order, int64 number, const DecimalPool *pool)
{
	return decimal_is_pooled(number) ? decimal_pool_put(&order->pool, &pool->item[number >> 8]) : number;
}

/* Sorts the lines from the given one on and adds up equal ones. */
static void
arrange_lines(CheckOrder *order, Size first)
{
	CheckLine  *lines = order->lines + first;
	Size		n = order->nlines - first;
	Size		kept = 0;

	sort_lines(lines, n, &order->pool);
	for (Size i = 1; i < n; i++)
	{
		check_interrupts(i);
		if (compare_check_lines(&lines[kept], &lines[i], &order->pool) != 0)
			lines[++kept] = lines[i];
		else if (pg_add_u32_overflow(lines[kept].count, lines[i].count, &lines[kept].count))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("check_book cannot count more than %u equal rows", PG_UINT32_MAX)));
	}
	order->nlines = first + kept + 1;
}

/* Sorts heads and lines of an order and joins what is equal. */
void
check_order_arrange(CheckOrder *order)
{
	Size		nlines = order->nlines;
	Size		kept = 0;
	CheckLine  *swap;
	Size		room;

	if (order->nheads == 1)
	{
		if (nlines > 1)
			arrange_lines(order, 0);
		order->heads[0].lines = (uint32) order->nlines;
		return;
	}
	sort_heads(order->heads, order->nheads);
	if (order->spare_room < nlines)
		order->spare = array_grow(order->spare, &order->spare_room, nlines, sizeof(CheckLine), order->pool.context);
	swap = order->spare;
	order->spare = order->lines;
	order->lines = swap;
	room = order->spare_room;
	order->spare_room = order->lines_room;
	order->lines_room = room;
	order->nlines = 0;
	for (Size i = 0; i < order->nheads;)
	{
		CheckHead	head = order->heads[i];
		Size		first = order->nlines;

		do
		{
			memcpy(order->lines + order->nlines, order->spare + order->heads[i].first_line,
				   order->heads[i].lines * sizeof(CheckLine));
			order->nlines += order->heads[i].lines;
			check_interrupts(i);
		} while (++i < order->nheads && compare_check_heads(&head, &order->heads[i]) == 0);
		arrange_lines(order, first);
		head.first_line = first;
		head.lines = (uint32) (order->nlines - first);
		order->heads[kept++] = head;
	}
	order->nheads = kept;
}

void
check_order_free(CheckOrder *order)
{
	if (order->heads != NULL)
		pfree(order->heads);
	if (order->lines != NULL)
		pfree(order->lines);
	if (order->spare != NULL)
		pfree(order->spare);
	if (order->pool.item != NULL)
		pfree(order->pool.item);
}

/* ---------- all orders, and the names ---------- */

/* The place of each entry in the sorted order, from 1. */
uint32 *
check_ranks(const uint32 *sorted, uint32 count)
{
	uint32	   *ranks = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(uint32));

	for (uint32 i = 0; i < count; i++)
	{
		check_interrupts(i);
		ranks[sorted[i]] = i + 1;
	}
	return ranks;
}

void
check_tail_begin(CheckTailWriter *writer)
{
	memset(writer, 0, sizeof(*writer));
	for (int i = 0; i < CHECK_COLUMNS; i++)
		buffer_init(&writer->columns[i].buffer, 256, CurrentMemoryContext);
	writer->wide.context = CurrentMemoryContext;
}

static inline int64
stored_number(CheckTailWriter *writer, int64 number, const DecimalPool *pool)
{
	return unlikely(decimal_is_pooled(number)) ? decimal_pool_put(&writer->wide, &pool->item[number >> 8]) : number;
}

/* Writes an order whose heads and lines are arranged. */
void
check_tail_order(CheckTailWriter *writer, const CheckOrder *order)
{
	if (order->nlines > PG_UINT32_MAX - writer->nlines)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("check_book cannot have more than %u different rows", PG_UINT32_MAX),
				 errhint("%s", check_book_format.size_hint)));
	column_put(&writer->columns[COLUMN_ORDER_HEADS], order->nheads);
	writer->nheads += order->nheads;
	writer->nlines += order->nlines;
	for (Size i = 0; i < order->nheads; i++)
	{
		const CheckHead *head = &order->heads[i];

		check_interrupts(i);
		column_put(&writer->columns[COLUMN_TIME], head->time);
		column_put(&writer->columns[COLUMN_MEMBER], head->member);
		column_put(&writer->columns[COLUMN_CURRENCY], head->currency);
		column_put(&writer->columns[COLUMN_HEAD_LINES], head->lines);
	}
	for (Size i = 0; i < order->nlines; i++)
	{
		const CheckLine *line = &order->lines[i];

		check_interrupts(i);
		column_put(&writer->columns[COLUMN_ITEM], line->item);
		column_put(&writer->columns[COLUMN_PRICE], stored_number(writer, line->price, &order->pool));
		column_put(&writer->columns[COLUMN_QUANTITY], stored_number(writer, line->quantity, &order->pool));
		column_put(&writer->columns[COLUMN_COUNT], line->count);
	}
}

/* Writes the tail; the names are in the tables, to be stored in the order given. */
void
check_tail_end(CheckTailWriter *writer, int price_scale, int quantity_scale,
			   const KeyTable *names, uint32 *const *sorted, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, 2);

	*bytes++ = (uint8) price_scale;
	*bytes++ = (uint8) quantity_scale;
	buffer_advance(buffer, bytes);
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		bytes = buffer_reserve(buffer, 4 + keytable_stored_size(&names[i]));
		bytes = store_u32(bytes, names[i].count);
		buffer_advance(buffer, keytable_store_keys(&names[i], sorted[i], bytes));
	}
	bytes = buffer_reserve(buffer, 8);
	buffer_advance(buffer, store_u32(store_u32(bytes, writer->nheads), writer->nlines));
	for (int i = 0; i < CHECK_COLUMNS; i++)
	{
		column_flush(&writer->columns[i]);
		buffer_append(buffer, writer->columns[i].buffer.data, writer->columns[i].buffer.size);
		pfree(writer->columns[i].buffer.data);
	}
	bytes = buffer_reserve(buffer, 4 + (Size) writer->wide.count * DECIMAL_STORED_SIZE);
	buffer_advance(buffer, decimal_pool_store(&writer->wide, bytes));
	if (writer->wide.item != NULL)
		pfree(writer->wide.item);
}
