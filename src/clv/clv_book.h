/*
 * clv_book.h
 *	  Reads members from a retention_book of days with amounts.
 */
#ifndef CUSTMART_CLV_BOOK_H
#define CUSTMART_CLV_BOOK_H

#include "custmart.h"

#include "clv/clv_history.h"
#include "clv/clv_model.h"
#include "history/retention_book_format.h"
#include "shared/calendar.h"

typedef struct ClvBook
{
	HistoryReader days;
	const uint8 *first_day;		/* where reading begins */
	BookKeyCursor first_key;
	int32		last_day;		/* of any row */
	int32		until;
	const char *until_name;		/* of the argument */
	int32		recent_from;
	uint32		members;		/* read */
	ClvHistory	history;		/* of the member just read */
	DecimalPool pool;			/* of its sums */
} ClvBook;

extern bool clv_book_open(ClvBook *book, Datum value);
extern void clv_book_set_until(ClvBook *book, FunctionCallInfo fcinfo, int argument, const char *name, bool within);
extern void clv_book_check_zone(const ClvBook *book, const ClvFitted *fitted);
extern void clv_book_rewind(ClvBook *book);
extern bool clv_book_next(ClvBook *book);
extern Datum clv_book_day(int32 day);

/* The mean money of a repeat day; the member has repeats. */
static inline float8
clv_book_mean_spend(const ClvBook *book)
{
	return decimal_packed_to_double(book->history.money, &book->pool) / book->history.repeats;
}

#endif							/* CUSTMART_CLV_BOOK_H */
