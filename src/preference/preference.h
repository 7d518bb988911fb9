/*
 * preference.h
 *	  What the SQL faces of preference share.
 */
#ifndef CUSTMART_PREFERENCE_H
#define CUSTMART_PREFERENCE_H

#include "custmart.h"

#include "book/book.h"
#include "preference/preference_core.h"

extern const BookFormat preference_book_format;

/* A stored book, and the cells of one member after the other. */
typedef struct PreferenceReader
{
	BookReader	reader;
	uint32		ncategories;
	const uint8 *lengths;		/* of the names of categories, 4 bytes each */
	const uint8 *names;
	const uint8 *end_of_names;
	DecimalPool pool;			/* wide sums */
	BookKeyCursor keys;
	const uint8 *counts;		/* the next block of numbers of cells */
	const uint8 *cells;			/* the next block of cells */
	uint32		members_left;	/* behind the block at hand */
	uint64		cells_left;
	int			member;			/* the next of the block at hand */
	int			members;
	int			cell;
	int			cells_at_hand;
	int64		cell_counts[PACKED_ROWS];
	int64		category[PACKED_ROWS];
	int64		n[PACKED_ROWS];
	int64		mantissa[PACKED_ROWS];
	int64		scale[PACKED_ROWS];
	MemoryContext context;		/* of the list, which outlives a row of a report */
	PreferenceCell *list;		/* the cells of the member just read */
	Size		count;
	Size		room;
	Key			key;
} PreferenceReader;

/* Writes the tail of a book, cell by cell. */
typedef struct PreferenceWriter
{
	ByteBuffer	counts;			/* packed numbers of cells */
	ByteBuffer	cells;			/* packed columns */
	DecimalPool wide;
	uint64		ncells;
	int64		purchases;		/* of all members */
	int			members;		/* that wait */
	int			waiting;		/* cells */
	int64		cell_counts[PACKED_ROWS];
	int64		category[PACKED_ROWS];
	int64		n[PACKED_ROWS];
	int64		mantissa[PACKED_ROWS];
	int64		scale[PACKED_ROWS];
} PreferenceWriter;

extern void preference_writer_init(PreferenceWriter *writer);
extern void preference_write_member(PreferenceWriter *writer, const PreferenceCell *cells, Size n, const DecimalPool *pool);
extern void preference_write_tail(PreferenceWriter *writer, const KeyTable *names, const uint32 *order, ByteBuffer *buffer);
extern void preference_reader_init(PreferenceReader *book);
extern void preference_book_open(PreferenceReader *book, Datum value);
extern bool preference_book_next(PreferenceReader *book);

#endif							/* CUSTMART_PREFERENCE_H */
