/*
 * clv_book.c
 *	  Opens a retention_book and reads its members until a day.
 */
#include "clv/clv_book.h"

#include "money/decimal_numeric.h"
#include "utils/builtins.h"

/* Opens a book until its last day; false if there are no members in it. */
bool
clv_book_open(ClvBook *book, Datum value)
{
	HistoryReader *days = &book->days;

	memset(book, 0, sizeof(*book));
	history_book_open(days, value, &retention_book_format);
	if (days->reader.count == 0)
		return false;
	if (days->has_start)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this retention_book was made by retention_book_since"),
				 errhint("A customer's life begins with the first order: make it by retention_book(member, ordered_at, amount, 'day', 'Europe/Berlin').")));
	if (days->reader.form != RETENTION_AMOUNTS || days->settings[0] != UNIT_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this retention_book does not have days with amounts"),
				 errhint("Make it of them: retention_book(member, ordered_at, amount, 'day', 'Europe/Berlin').")));
	book->first_day = days->at;
	book->first_key = days->keys;
	book->last_day = book->until = (int32) history_book_last_place(days);
	book->recent_from = PG_INT32_MAX;
	book->pool.context = CurrentMemoryContext;
	return true;
}

/* A day as it is written in messages. */
Datum
clv_book_day(int32 day)
{
	return DirectFunctionCall1(date_out, DateADTGetDatum(day));
}

/*
 * Takes the argument until or as_of, which may be NULL for the last day.  A fit needs
 * to know that nothing is missing before that day, so it must be within the book.
 */
void
clv_book_set_until(ClvBook *book, FunctionCallInfo fcinfo, int argument, const char *name, bool within)
{
	book->until_name = name;
	if (PG_ARGISNULL(argument))
		return;
	book->until = date_check(PG_GETARG_DATEADT(argument), name);
	if (within && book->until > book->last_day)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s \"%s\" is after the last day of the book, \"%s\"", name,
						DatumGetCString(clv_book_day(book->until)), DatumGetCString(clv_book_day(book->last_day))),
				 errhint("Leave it out for the last day.")));
}

/* Refuses a model whose days are those of another time zone. */
void
clv_book_check_zone(const ClvBook *book, const ClvFitted *fitted)
{
	const HistoryReader *days = &book->days;

	if (fitted->zone_size > 0 &&
		(fitted->zone_size != days->settings_size - 1 || memcmp(fitted->zone, days->settings + 1, fitted->zone_size) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model's time zone is \"%.*s\", the book's is \"%.*s\"",
						(int) fitted->zone_size, fitted->zone, (int) days->settings_size - 1, days->settings + 1),
				 errhint("Make both with the same timezone.")));
}

/* Goes back before the first member. */
void
clv_book_rewind(ClvBook *book)
{
	book->days.at = book->first_day;
	book->days.keys = book->first_key;
	book->days.done = 0;
	book->members = 0;
}

/* Reads the next member with an order until that day; false behind the last one. */
bool
clv_book_next(ClvBook *book)
{
	HistoryReader *days = &book->days;

	while (history_book_next(days))
		switch (clv_history_read(days->events, days->count, &days->pool, book->until, book->recent_from,
								 &book->history, &book->pool))
		{
			case CLV_HISTORY_READ:
				book->members++;
				return true;
			case CLV_HISTORY_NONE:
				break;
			case CLV_HISTORY_SUM_OUT_OF_RANGE:
				decimal_sum_error();
		}
	if (book->members == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no member has an order until \"%s\"", DatumGetCString(clv_book_day(book->until))),
				 errhint("Give a later day.")));
	return false;
}
