/*
 * check_book_merge.c
 *	  Merges stored check_books: orders that several have become one.
 */
#include "order_checks/check_book.h"

#include "shared/bytes.h"
#include "shared/large_memory.h"

/* One of several books that are merged. */
typedef struct CheckPart
{
	CheckReader checks;
	CheckCursor cursor;
	DecimalPool pool;
	uint32	   *names[CHECK_NAMES];	/* the number of each name, and of NULL, in the merged book */
} CheckPart;

/* Finds or adds the names of a part in the table of all. */
static uint32 *
locate_names(const NameList *names, KeyTable *table)
{
	uint32	   *entries = large_alloc(CurrentMemoryContext, ((Size) names->count + 1) * sizeof(uint32));
	const uint8 *name = names->bytes;
	Key			keys[KEYTABLE_BATCH];

	entries[0] = 0;
	for (uint32 i = 0; i < names->count;)
	{
		int			n = 0;

		check_interrupts(i);
		for (; n < KEYTABLE_BATCH && i + n < names->count; n++)
		{
			memset(&keys[n], 0, sizeof(Key));
			keys[n].bytes.data = (const char *) name;
			keys[n].bytes.length = load_u32(names->lengths + (Size) (i + n) * 4);
			name += keys[n].bytes.length;
		}
		keytable_locate(table, keys, n, entries + 1 + i);
		i += n;
	}
	return entries;
}

/* Reads the next order of a part and adds it to one that is being merged. */
static void
join_order(CheckOrder *order, CheckPart *part)
{
	ColumnReader *columns = part->cursor.columns;
	int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);

	for (int64 i = 0; i < nheads; i++)
	{
		CheckHead  *head = check_order_head(order);
		Size		first = order->nlines;
		CheckLine  *lines;

		head->time = column_next(&columns[COLUMN_TIME]);
		head->member = part->names[CHECK_MEMBERS][column_next(&columns[COLUMN_MEMBER])];
		head->currency = part->names[CHECK_CURRENCIES][column_next(&columns[COLUMN_CURRENCY])];
		head->lines = (uint32) column_next(&columns[COLUMN_HEAD_LINES]);
		lines = check_order_lines(order, head->lines);
		for (uint32 k = 0; k < head->lines; k++)
		{
			check_interrupts(first + k);
			lines[k].item = part->names[CHECK_ITEMS][column_next(&columns[COLUMN_ITEM])];
			lines[k].price = check_order_number(order, column_next(&columns[COLUMN_PRICE]), &part->pool);
			lines[k].quantity = check_order_number(order, column_next(&columns[COLUMN_QUANTITY]), &part->pool);
			lines[k].count = (uint32) column_next(&columns[COLUMN_COUNT]);
		}
	}
}

/* The tails of several books as one, each order put together with all of its rows. */
void
check_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
					   const BookMergeOrder *order, ByteBuffer *buffer)
{
	CheckPart  *part = large_alloc(CurrentMemoryContext, n * sizeof(CheckPart));
	CheckTailWriter *writer = palloc(sizeof(CheckTailWriter));
	CheckOrder	joined = {.pool.context = CurrentMemoryContext};
	KeyTable	names[CHECK_NAMES];
	uint32	   *sorted[CHECK_NAMES];
	int			price_scale = 0;
	int			quantity_scale = 0;
	bool		is_joined = false;

	for (int i = 0; i < n; i++)
	{
		part[i].checks.reader = parts[i];
		(void) check_book_split(&part[i].checks);
		check_cursor_open(&part[i].cursor, &part[i].checks);
		part[i].pool = check_book_load_wide(&part[i].checks);
		price_scale = Max(price_scale, part[i].checks.price_scale);
		quantity_scale = Max(quantity_scale, part[i].checks.quantity_scale);
	}
	for (int k = 0; k < CHECK_NAMES; k++)
	{
		uint32	   *ranks;

		keytable_init(&names[k], KEY_BYTES, 0, CurrentMemoryContext);
		for (int i = 0; i < n; i++)
			part[i].names[k] = locate_names(&part[i].checks.names[k], &names[k]);
		sorted[k] = keytable_sorted(&names[k]);
		ranks = check_ranks(sorted[k], names[k].count);
		for (int i = 0; i < n; i++)
			for (uint32 name = 1; name <= part[i].checks.names[k].count; name++)
			{
				check_interrupts(name);
				part[i].names[k][name] = ranks[part[i].names[k][name]];
			}
		pfree(ranks);
	}
	check_tail_begin(writer);
	for (Size i = 0; i < order->n; i++)
	{
		check_interrupts(i);
		join_order(&joined, &part[order->source[i] & BOOK_ORDER_PART]);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
		{
			is_joined = true;
			continue;
		}

		/* The names of a part keep their order, so what comes from one part is arranged. */
		if (is_joined)
			check_order_arrange(&joined);
		check_tail_order(writer, &joined);
		joined.nheads = 0;
		joined.nlines = 0;
		joined.pool.count = 0;
		is_joined = false;
	}
	check_tail_end(writer, price_scale, quantity_scale, names, sorted, buffer);
	check_order_free(&joined);
	pfree(writer);
	for (int k = 0; k < CHECK_NAMES; k++)
	{
		keytable_clear(&names[k]);
		pfree(sorted[k]);
		for (int i = 0; i < n; i++)
			pfree(part[i].names[k]);
	}
	for (int i = 0; i < n; i++)
		if (part[i].pool.item != NULL)
			pfree(part[i].pool.item);
	pfree(part);
}
