/*
 * rfm_book.h
 *	  What the building of an rfm_book and the reports made of it share.
 */
#ifndef CUSTMART_RFM_BOOK_H
#define CUSTMART_RFM_BOOK_H

#include "rfm/rfm.h"

#include "book/book.h"

/* The tail of a stored book, taken apart. */
typedef struct RfmTail
{
	const uint8 *members;		/* RFM_MEMBER_STORED_SIZE each */
	uint32		wide_count;
	const uint8 *wide;			/* DECIMAL_STORED_SIZE each */
	uint32		order_count;
	const uint8 *orders;		/* member, bits, id */
} RfmTail;

extern const BookKind rfm_book_kind;

extern const char *rfm_book_split_tail(const BookReader *reader, RfmTail *tail);
extern DecimalPool rfm_book_load_wide(const RfmTail *tail);

#endif							/* CUSTMART_RFM_BOOK_H */
