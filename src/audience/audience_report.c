/*
 * audience_report.c
 *	  Reports on an audience_book: how audiences overlap, who gets what, and who came
 *	  and went between two books.
 */
#include "audience/audience.h"

#include "catalog/pg_type.h"
#include "shared/arguments.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Raises 22023 unless a list has one element for each audience of the book. */
static void
check_count(int n, int audiences, const char *list)
{
	if (n != audiences)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have one element for each audience of the book, %d, not %d", list, audiences, n),
				 errhint("Give them in the order in which the book was made.")));
}

/* ---------- overlaps ---------- */

typedef struct OverlapsReport
{
	int			audiences;
	Datum	   *names;
	int64		all;			/* members of the book */
	uint32		n;
	uint32	   *sets;			/* that occur */
	int64	   *members;		/* who are in exactly these */
	int64	   *at_least;
	uint32	   *order;			/* of the rows */
	uint32		next;
} OverlapsReport;

/* The names of a book's audiences. */
static Datum *
get_names(FunctionCallInfo fcinfo, int argument, int audiences)
{
	ArrayType  *array;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	argument_check_not_null(fcinfo, argument, "names");
	array = PG_GETARG_ARRAYTYPE_P(argument);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("names must be a list of texts without NULL"),
				 errhint("Give one name for each audience of the book, in the same order.")));
	check_count(n, audiences, "names");
	return names;
}

/* Counts the sets of audiences that members are in. */
static void
count_sets(OverlapsReport *report, AudienceReader *book)
{
	KeyTable	table;
	uint32	   *sorted;

	keytable_init(&table, KEY_INT64, sizeof(int64), CurrentMemoryContext);
	for (bool more = true; more;)
	{
		Key			keys[KEYTABLE_BATCH];
		uint32		entries[KEYTABLE_BATCH];
		int			n = 0;

		while (n < KEYTABLE_BATCH && (more = audience_book_next(book)))
			keys[n++].number = book->member.audiences;
		check_interrupts(report->all);
		keytable_locate(&table, keys, n, entries);
		for (int i = 0; i < n; i++)
			++*(int64 *) keytable_payload(&table, entries[i]);
		report->all += n;
	}
	report->n = table.count;
	report->sets = large_alloc(CurrentMemoryContext, (Size) (table.count + 1) * sizeof(uint32));
	report->members = large_alloc(CurrentMemoryContext, (Size) (table.count + 1) * sizeof(int64));
	sorted = keytable_sorted(&table);
	for (uint32 i = 0; i < table.count; i++)
	{
		report->sets[i] = (uint32) keytable_key(&table, sorted[i]).number;
		report->members[i] = *(int64 *) keytable_payload(&table, sorted[i]);
	}
	keytable_clear(&table);
}

/* The larger first, of equal ones that of the lower number. */
static int
compare_overlaps(const void *a, const void *b, void *members)
{
	uint32		i = *(const uint32 *) a;
	uint32		k = *(const uint32 *) b;
	int64		of_i = ((const int64 *) members)[i];
	int64		of_k = ((const int64 *) members)[k];

	return of_i != of_k ? (of_i > of_k ? -1 : 1) : (i > k) - (i < k);
}

static void *
open_overlaps(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	OverlapsReport *report;
	AudienceReader book;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc0(sizeof(OverlapsReport));
	audience_book_open(&book, PG_GETARG_DATUM(0));
	if (book.audiences == 0)
		return NULL;
	report->audiences = book.audiences;
	report->names = get_names(fcinfo, 1, book.audiences);
	count_sets(report, &book);
	report->at_least = large_alloc(CurrentMemoryContext, (Size) (report->n + 1) * sizeof(int64));
	if (!audience_supersets(report->sets, report->members, report->n, report->at_least))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("members are in %u different combinations of audiences, more than %d", report->n, AUDIENCE_SETS_MAX),
				 errhint("Make a book of fewer audiences: nobody reads so many rows.")));
	report->order = large_alloc(CurrentMemoryContext, (Size) (report->n + 1) * sizeof(uint32));
	for (uint32 i = 0; i < report->n; i++)
		report->order[i] = i;
	qsort_arg(report->order, report->n, sizeof(uint32), compare_overlaps, report->members);
	return report;
}

static bool
next_overlap(void *state, Datum *values, bool *nulls)
{
	OverlapsReport *report = state;
	Datum		names[AUDIENCES_MAX];
	int			n = 0;
	uint32		i;

	if (report->next == report->n)
		return false;
	i = report->order[report->next++];
	for (int audience = 0; audience < report->audiences; audience++)
		if ((report->sets[i] >> audience & 1) != 0)
			names[n++] = report->names[audience];
	values[0] = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
	values[1] = Int64GetDatum(report->members[i]);
	values[2] = Int64GetDatum(report->at_least[i]);
	values[3] = Float8GetDatum((float8) report->members[i] / (float8) report->all);
	return true;
}

static const Report overlaps = {open_overlaps, next_overlap, 4};

/* audience_overlaps(book, names): one row per combination of audiences that members are in. */
CUSTMART_REPORT(custmart_audience_overlaps, overlaps, 0)

/* ---------- the plan ---------- */

typedef struct PlanReport
{
	const BookReader *book;
	BookKeyCursor keys;
	Key			key;			/* of the row at hand */
	AudienceCandidate *members;
	uint32		next;
} PlanReport;

/* The caps of a book's audiences; NULL, and an element that is NULL, are no limit. */
static void
get_caps(FunctionCallInfo fcinfo, int argument, int audiences, int64 *caps)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	for (int i = 0; i < audiences; i++)
		caps[i] = AUDIENCE_NO_CAP;
	if (PG_ARGISNULL(argument))
		return;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	deconstruct_array(array, INT8OID, 8, true, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("caps must be a list of numbers, not an array of %d dimensions", ARR_NDIM(array)),
				 errhint("Give one cap for each audience of the book, in the same order; NULL is no limit.")));
	check_count(n, audiences, "caps");
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			continue;
		caps[i] = DatumGetInt64(elements[i]);
		if (caps[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a cap must not be negative, not " INT64_FORMAT, caps[i]),
					 errhint("A cap is the largest number of members that an audience may get; NULL is no limit.")));
	}
}

/* The variant is the argument with the book. */
static void *
open_plan(FunctionCallInfo fcinfo, TupleDesc columns, int argument)
{
	PlanReport *report;
	AudienceReader *book;
	uint64		seed;
	int64		caps[AUDIENCES_MAX];

	if (PG_ARGISNULL(argument))
		return NULL;
	report = palloc0(sizeof(PlanReport));
	book = palloc(sizeof(AudienceReader));
	audience_book_open(book, PG_GETARG_DATUM(argument));
	book_check_key_type(&book->reader, &audience_book_format, TupleDescAttr(columns, 0)->atttypid,
						"members", "audience_plan", "book");
	if (book->audiences == 0)
		return NULL;
	get_caps(fcinfo, argument + 1, book->audiences, caps);
	report->book = &book->reader;
	report->members = large_alloc(CurrentMemoryContext, ((Size) book->reader.count + 1) * sizeof(AudienceCandidate));
	seed = audience_hash_text("", 0, 0);
	for (Size i = 0; audience_book_next(book); i++)
	{
		check_interrupts(i);
		report->members[i] = (AudienceCandidate) {
			.score = book->member.score,
			.hash = audience_hash_key(book->reader.key_type, &book->key, seed),
			.audiences = book->member.audiences
		};
	}
	audience_plan(report->members, book->reader.count, book->audiences, caps);
	book_key_cursor(&report->keys, report->book);
	return report;
}

static bool
next_planned(void *state, Datum *values, bool *nulls)
{
	PlanReport *report = state;
	const AudienceCandidate *member;

	for (;;)
	{
		check_interrupts(report->next);
		if (report->next == report->book->count)
			return false;
		member = &report->members[report->next++];
		if (member->place > 0)
			break;
		book_advance(&report->keys);
	}
	report->key = book_next_key(&report->keys);
	values[0] = book_key_datum(report->book->key_type, &report->key);
	values[1] = Int32GetDatum(pg_rightmost_one_pos32(member->audiences) + 1);
	values[2] = Int64GetDatum(member->place);
	return true;
}

static const Report plan = {open_plan, next_planned, 3};

/* audience_plan(book, caps): one row per member who gets something, members bigint. */
CUSTMART_REPORT(custmart_audience_plan, plan, 0)

/* audience_plan(anyelement, book, caps): members of the given type. */
CUSTMART_REPORT(custmart_audience_plan_typed, plan, 1)

/* ---------- changes ---------- */

typedef struct ChangesReport
{
	AudienceReader earlier;
	AudienceReader later;
	bool		has_earlier;	/* a member who waits */
	bool		has_later;
	uint32		bit;
	Datum		names[3];
} ChangesReport;

typedef enum Change
{
	CHANGE_ENTERED,
	CHANGE_STAYED,
	CHANGE_LEFT
} Change;

/* Goes on to the next member of the audience; false behind the last one. */
static bool
next_of_audience(AudienceReader *book, uint32 bit)
{
	for (Size i = 0; audience_book_next(book); i++)
	{
		check_interrupts(i);
		if ((book->member.audiences & bit) != 0)
			return true;
	}
	return false;
}

/* The variant is the argument with the earlier book. */
static void *
open_changes(FunctionCallInfo fcinfo, TupleDesc columns, int argument)
{
	ChangesReport *report;
	Oid			member_type = TupleDescAttr(columns, 0)->atttypid;
	int32		audience;
	int			audiences;

	if (PG_ARGISNULL(argument) || PG_ARGISNULL(argument + 1))
		return NULL;
	report = palloc0(sizeof(ChangesReport));
	audience_book_open(&report->earlier, PG_GETARG_DATUM(argument));
	audience_book_open(&report->later, PG_GETARG_DATUM(argument + 1));
	book_check_key_type(&report->earlier.reader, &audience_book_format, member_type,
						"members", "audience_changes", "earlier, later, audience");
	book_check_key_type(&report->later.reader, &audience_book_format, member_type,
						"members", "audience_changes", "earlier, later, audience");
	argument_check_not_null(fcinfo, argument + 2, "audience");
	audience = PG_GETARG_INT32(argument + 2);
	audiences = Min(report->earlier.audiences, report->later.audiences);
	if (audiences == 0)
		audiences = Max(report->earlier.audiences, report->later.audiences);
	if (audiences > 0 && (audience < 1 || audience > audiences))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("audience must be from 1 to %d, not %d", audiences, audience),
				 errhint("It is the number of an audience in both books, 1 for the first.")));
	if (audiences == 0)
		return NULL;
	report->bit = UINT32_C(1) << (audience - 1);
	report->names[CHANGE_ENTERED] = CStringGetTextDatum("entered");
	report->names[CHANGE_STAYED] = CStringGetTextDatum("stayed");
	report->names[CHANGE_LEFT] = CStringGetTextDatum("left");
	report->has_earlier = next_of_audience(&report->earlier, report->bit);
	report->has_later = next_of_audience(&report->later, report->bit);
	return report;
}

static bool
next_change(void *state, Datum *values, bool *nulls)
{
	ChangesReport *report = state;
	KeyType		key_type = report->later.reader.key_type;
	int			order;

	if (!report->has_earlier && !report->has_later)
		return false;
	if (!report->has_earlier || !report->has_later)
		order = report->has_earlier ? -1 : 1;
	else
		order = keytable_compare_keys(key_type, &report->earlier.key, &report->later.key);

	values[0] = book_key_datum(key_type, order <= 0 ? &report->earlier.key : &report->later.key);
	values[1] = report->names[order < 0 ? CHANGE_LEFT : order == 0 ? CHANGE_STAYED : CHANGE_ENTERED];
	/* A uuid points into the key that is about to be overwritten. */
	if (key_type == KEY_FIXED16)
		values[0] = PointerGetDatum(memcpy(palloc(16), DatumGetPointer(values[0]), 16));
	if (order <= 0)
		report->has_earlier = next_of_audience(&report->earlier, report->bit);
	if (order >= 0)
		report->has_later = next_of_audience(&report->later, report->bit);
	return true;
}

static const Report changes = {open_changes, next_change, 2};

/* audience_changes(earlier, later, audience): one row per member of either book's audience, members bigint. */
CUSTMART_REPORT(custmart_audience_changes, changes, 0)

/* audience_changes(anyelement, earlier, later, audience): members of the given type. */
CUSTMART_REPORT(custmart_audience_changes_typed, changes, 1)
