/*
 * basket.h
 *	  What the SQL faces of basket share.
 */
#ifndef CUSTMART_BASKET_H
#define CUSTMART_BASKET_H

#include "custmart.h"

#include "basket/basket_core.h"
#include "book/book.h"

extern const BookFormat basket_book_format;

/* A stored book, and the items of one basket after the other. */
typedef struct BasketReader
{
	BookReader	reader;
	BookReader	items;			/* their keys, which are stored as those of a book are */
	const uint8 *sizes;			/* the next block of sizes of baskets */
	const uint8 *entries;		/* the next block of numbers of items */
	uint32		baskets_left;	/* behind the block at hand */
	uint64		entries_left;
	int			basket;			/* the next of the block at hand */
	int			baskets;
	int			entry;
	int			entries_at_hand;
	int64		size[PACKED_ROWS];
	int64		number[PACKED_ROWS];
} BasketReader;

/* Writes the tail of a book, basket by basket. */
typedef struct BasketWriter
{
	ByteBuffer	sizes;			/* packed */
	ByteBuffer	entries;		/* packed */
	uint64		nentries;
	int			baskets;		/* that wait */
	int			waiting;		/* entries */
	int64		size[PACKED_ROWS];
	int64		number[PACKED_ROWS];
} BasketWriter;

extern void basket_writer_init(BasketWriter *writer, Size entries);
extern void basket_write(BasketWriter *writer, const uint32 *items, Size n);
extern void basket_write_tail(BasketWriter *writer, const KeyTable *items, const uint32 *order, ByteBuffer *buffer);
extern void basket_reader_init(BasketReader *book);
extern void basket_book_open(BasketReader *book, Datum value);
extern bool basket_next(BasketReader *book, uint32 *size);
extern void basket_read_items(BasketReader *book, uint32 *items, uint32 n);
extern void basket_skip_items(BasketReader *book, uint32 n);

#endif							/* CUSTMART_BASKET_H */
