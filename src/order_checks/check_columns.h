/*
 * check_columns.h
 *	  The columns of a check_book, read and written number by number.
 */
#ifndef CUSTMART_CHECK_COLUMNS_H
#define CUSTMART_CHECK_COLUMNS_H

#include "shared/byte_buffer.h"
#include "shared/packed_column.h"

/* In the order in which they are stored. */
typedef enum CheckColumn
{
	COLUMN_ORDER_HEADS,			/* how many an order has */
	COLUMN_TIME,
	COLUMN_MEMBER,
	COLUMN_CURRENCY,
	COLUMN_HEAD_LINES,			/* how many a head has */
	COLUMN_ITEM,
	COLUMN_PRICE,
	COLUMN_QUANTITY,
	COLUMN_COUNT
} CheckColumn;

#define CHECK_COLUMNS (COLUMN_COUNT + 1)

typedef struct ColumnReader
{
	const uint8 *bytes;
	uint32		left;			/* not loaded yet */
	int			n;
	int			at;
	int64		numbers[PACKED_ROWS];
} ColumnReader;

typedef struct ColumnWriter
{
	ByteBuffer	buffer;
	int			n;
	int64		numbers[PACKED_ROWS];
} ColumnWriter;

static inline void
column_open(ColumnReader *reader, const uint8 *bytes, uint32 count)
{
	reader->bytes = bytes;
	reader->left = count;
	reader->n = 0;
	reader->at = 0;
}

/* The next number, which there must be. */
static inline int64
column_next(ColumnReader *reader)
{
	if (unlikely(reader->at == reader->n))
	{
		Assert(reader->left > 0);
		reader->n = (int) Min(reader->left, PACKED_ROWS);
		reader->left -= reader->n;
		reader->at = 0;
		reader->bytes = packed_load(reader->bytes, reader->n, reader->numbers);
	}
	return reader->numbers[reader->at++];
}

static inline void
column_flush(ColumnWriter *writer)
{
	if (writer->n > 0)
		buffer_advance(&writer->buffer, packed_store(writer->numbers, writer->n,
													 buffer_reserve(&writer->buffer, PACKED_SIZE_MAX(writer->n))));
	writer->n = 0;
}

static inline void
column_put(ColumnWriter *writer, int64 number)
{
	writer->numbers[writer->n++] = number;
	if (unlikely(writer->n == PACKED_ROWS))
		column_flush(writer);
}

#endif							/* CUSTMART_CHECK_COLUMNS_H */
