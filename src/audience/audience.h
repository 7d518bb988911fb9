/*
 * audience.h
 *	  What the SQL faces of audience share.
 */
#ifndef CUSTMART_AUDIENCE_H
#define CUSTMART_AUDIENCE_H

#include "custmart.h"

#include "audience/audience_core.h"
#include "book/book.h"

extern const BookFormat audience_book_format;

/* Reads the members of a stored audience_book in the order of their keys. */
typedef struct AudienceReader
{
	BookReader	reader;
	int			audiences;
	bool		is_said_by_skipped;	/* a row that was skipped had so many, too */
	BookKeyCursor keys;
	const uint8 *bytes;			/* of the next block */
	uint32		left;			/* members behind the block at hand */
	int			next;
	int			count;			/* in the block at hand */
	int64		sets[PACKED_ROWS];
	int64		scores[PACKED_ROWS];
	Key			key;			/* of the member just read */
	AudienceMember member;
} AudienceReader;

extern void audience_reader_init(AudienceReader *book);
extern void audience_book_open(AudienceReader *book, Datum value);
extern bool audience_book_next(AudienceReader *book);
extern uint64 audience_hash_key(KeyType key_type, const Key *key, uint64 seed);
extern uint64 audience_hash_text(const char *bytes, int length, uint64 seed);

#endif							/* CUSTMART_AUDIENCE_H */
