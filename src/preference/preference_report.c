/*
 * preference_report.c
 *	  The report on a preference_book: what each member likes.
 */
#include "preference/preference.h"

#include <math.h>

#include "money/decimal_numeric.h"
#include "shared/arguments.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "utils/builtins.h"
#include "utils/float.h"

typedef struct MembersReport
{
	PreferenceReader book;
	int64	   *purchases;		/* of each category */
	int64		all;			/* purchases */
	Datum	   *names;
	int64		min_rows;
	float8		prior_weight;
} MembersReport;

static int64
min_rows_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		min_rows;

	argument_check_not_null(fcinfo, argument, "min_rows");
	min_rows = PG_GETARG_INT32(argument);
	if (min_rows < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_rows must be at least 1, not %d", min_rows),
				 errhint("It is how many purchases of a category it takes to call it distinctive.")));
	return min_rows;
}

static float8
prior_weight_argument(FunctionCallInfo fcinfo, int argument)
{
	float8		weight;

	argument_check_not_null(fcinfo, argument, "prior_weight");
	weight = PG_GETARG_FLOAT8(argument);
	if (!(weight >= 0) || isinf(weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("prior_weight must be 0 or more, and finite, not %s", float8out_internal(weight)),
				 errhint("It is how many purchases like everybody's each member is credited with.")));
	return weight;
}

/* The names of all categories, and how often each was bought. */
static void
read_categories(MembersReport *report)
{
	PreferenceReader *book = &report->book;
	Size		n = Max((Size) book->ncategories, 1);
	const uint8 *name = book->names;

	report->names = large_alloc(CurrentMemoryContext, n * sizeof(Datum));
	report->purchases = large_alloc(CurrentMemoryContext, n * sizeof(int64));
	memset(report->purchases, 0, n * sizeof(int64));
	report->all = 0;
	while (preference_book_next(book))
		for (Size i = 0; i < book->count; i++)
		{
			check_interrupts(i);
			report->purchases[book->list[i].category] += book->list[i].n;
			report->all += book->list[i].n;
		}
	for (uint32 i = 0; i < book->ncategories; i++)
	{
		uint32		length = load_u32(book->lengths + (Size) i * 4);

		check_interrupts(i);
		report->names[i] = PointerGetDatum(cstring_to_text_with_len((const char *) name, (int) length));
		name += length;
	}
	preference_reader_init(book);
}

/* The variant is the argument with the book. */
static void *
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int argument)
{
	MembersReport *report;

	if (PG_ARGISNULL(argument))
		return NULL;
	report = palloc(sizeof(MembersReport));
	preference_book_open(&report->book, PG_GETARG_DATUM(argument));
	book_check_key_type(&report->book.reader, &preference_book_format, TupleDescAttr(columns, 0)->atttypid,
						"members", "member_preferences", "book");
	report->min_rows = min_rows_argument(fcinfo, argument + 1);
	report->prior_weight = prior_weight_argument(fcinfo, argument + 2);
	read_categories(report);
	return report;
}

/* The net total of the member at hand. */
static Datum
total_of(PreferenceReader *book)
{
	DecimalPool pool = {.context = CurrentMemoryContext};
	int64		total = 0;

	for (Size i = 0; i < book->count; i++)
	{
		check_interrupts(i);
		if (!decimal_add_packed(&total, &pool, book->list[i].money, &book->pool))
			decimal_sum_error();
	}
	return numeric_from_packed(total, &pool);
}

static bool
next_member(void *state, Datum *values, bool *nulls)
{
	MembersReport *report = state;
	PreferenceReader *book = &report->book;
	PreferenceMeasures measures;

	if (!preference_book_next(book))
		return false;
	preference_measure(book->list, book->count, report->purchases, report->all, report->min_rows, report->prior_weight, &measures);
	values[0] = book_key_datum(book->reader.key_type, &book->key);
	values[1] = Int64GetDatum(measures.n);
	values[2] = total_of(book);
	values[3] = Int64GetDatum(measures.categories);
	nulls[4] = measures.top == PREFERENCE_NONE;
	if (!nulls[4])
		values[4] = report->names[measures.top];
	nulls[5] = nulls[6] = nulls[7] = nulls[8] = measures.n == 0;
	values[5] = Float8GetDatum(measures.top_share);
	values[6] = Float8GetDatum(measures.entropy);
	values[7] = Float8GetDatum(measures.hhi);
	values[8] = Float8GetDatum(measures.effective);
	nulls[9] = nulls[10] = measures.distinctive == PREFERENCE_NONE;
	if (!nulls[9])
		values[9] = report->names[measures.distinctive];
	values[10] = Float8GetDatum(measures.index);
	return true;
}

static const Report members = {open_members, next_member, 11};

/* member_preferences(book, min_rows, prior_weight): one row per member, members bigint. */
CUSTMART_REPORT(custmart_member_preferences, members, 0)

/* member_preferences(anyelement, book, min_rows, prior_weight): members of the given type. */
CUSTMART_REPORT(custmart_member_preferences_typed, members, 1)
