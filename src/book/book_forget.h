/*
 * book_forget.h
 *	  Books without some of their keys.
 */
#ifndef CUSTMART_BOOK_FORGET_H
#define CUSTMART_BOOK_FORGET_H

#include "book/book_format.h"

extern uint32 *book_renumber_used(uint32 *number, uint32 n, BookFilter *names);
extern void book_filter_keys(const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer);
extern Datum book_forget(FunctionCallInfo fcinfo, const BookFormat *format, KeyType key_type, const char *noun);
extern Datum book_forget_list(FunctionCallInfo fcinfo, const BookFormat *format, KeyType key_type, const char *noun);

#define BOOK_FORGET_OF(type, format, noun, name, key_type) \
CUSTMART_FUNCTION(custmart_##type##_forget_##name); \
Datum custmart_##type##_forget_##name(PG_FUNCTION_ARGS) { return book_forget(fcinfo, format, key_type, noun); } \
CUSTMART_FUNCTION(custmart_##type##_forget_##name##_list); \
Datum custmart_##type##_forget_##name##_list(PG_FUNCTION_ARGS) { return book_forget_list(fcinfo, format, key_type, noun); }

/*
 * Defines forget(book, key) and forget(book, keys) of a type that is a book, for all
 * types of keys; the noun is what its keys are, in the plural.
 */
#define BOOK_FORGET(type, format, noun) \
BOOK_FORGET_OF(type, format, noun, bigint, KEY_INT64) \
BOOK_FORGET_OF(type, format, noun, uuid, KEY_FIXED16) \
BOOK_FORGET_OF(type, format, noun, text, KEY_BYTES)

#endif							/* CUSTMART_BOOK_FORGET_H */
