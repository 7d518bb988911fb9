/*
 * book_merge.h
 *	  Merges stored books as sorted lists.
 */
#ifndef CUSTMART_BOOK_MERGE_H
#define CUSTMART_BOOK_MERGE_H

#include "book/book_format.h"

extern bytea *book_merge(const BookFormat *format, bytea *const *stored, int n);
extern bytea *book_finish(const BookFormat *format, ByteBuffer *buffer, uint32 count);

#endif							/* CUSTMART_BOOK_MERGE_H */
