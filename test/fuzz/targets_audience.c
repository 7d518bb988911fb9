/*
 * targets_audience.c
 *	  Fuzzing of audience_book.
 *
 * Books come as bytes and text, and are made of rows that are added up in one go
 * and in parts.  What is taken goes through all reports, whose rows must not
 * contradict each other, and is merged.
 */
#include "targets.h"

#include "catalog/pg_type.h"
#include "shared/keytable.h"

FUNCTION(custmart_audience_book_in);
FUNCTION(custmart_audience_book_out);
FUNCTION(custmart_audience_book_recv);
FUNCTION(custmart_audience_book_combine);
FUNCTION(custmart_audience_book_add);
FUNCTION(custmart_audience_book_rows_skipped);
FUNCTION(custmart_audience_book_member_count);
FUNCTION(custmart_audience_book_step_bigint_listed);
FUNCTION(custmart_audience_book_step_text);
FUNCTION(custmart_audience_overlaps);
FUNCTION(custmart_audience_plan_typed);
FUNCTION(custmart_audience_changes_typed);

static const Type book = {
	"audience_book", custmart_audience_book_in, custmart_audience_book_out, custmart_audience_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define AUDIENCES 3

static const Oid overlap_columns[] = {TEXTARRAYOID, INT8OID, INT8OID, FLOAT8OID};

/* What the rows of a report add up to. */
static int64 members_of_overlaps;
static int64 places_of_plan;

static void
check_overlap(const Datum *values, const bool *nulls)
{
	host_require(DatumGetInt64(values[1]) >= 1 && DatumGetInt64(values[1]) <= DatumGetInt64(values[2]), "members and at_least");
	host_require(DatumGetFloat8(values[3]) > 0 && DatumGetFloat8(values[3]) <= 1, "a share");
	members_of_overlaps += DatumGetInt64(values[1]);
}

static void
check_planned(const Datum *values, const bool *nulls)
{
	host_require(DatumGetInt32(values[1]) >= 1 && DatumGetInt32(values[1]) <= 32 && DatumGetInt64(values[2]) >= 1, "a place");
	places_of_plan++;
}

static void
use(Datum value)
{
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(value));
	KeyType		key_type = bytes[2];
	Oid			member_type = key_type == KEY_INT64 ? INT8OID : key_type == KEY_FIXED16 ? UUIDOID : TEXTOID;
	const Oid	plan_columns[] = {member_type, INT4OID, INT8OID};
	const Oid	change_columns[] = {member_type, TEXTOID};
	const char *names[32];
	int64		members;
	int64		rows;

	check_round_trips(&book, value);
	host_require(DatumGetInt64(must(CALL(custmart_audience_book_rows_skipped, ARG(value)), "rows_skipped")) >= 0, "rows_skipped below 0");
	members = DatumGetInt64(must(CALL(custmart_audience_book_member_count, ARG(host_packed(value))), "member_count"));
	for (int n = 1; n <= 32; n++)
	{
		Outcome		outcome;

		names[n - 1] = "an audience";
		host_each_row = check_overlap;
		members_of_overlaps = 0;
		outcome = host_rows(custmart_audience_overlaps, (NullableDatum[]) {ARG(value), ARG(host_text_array(names, n))}, 2,
							overlap_columns, lengthof(overlap_columns));
		host_each_row = NULL;
		if (outcome.raised)
		{
			host_require(outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "%s", outcome.message);
			continue;
		}
		host_require(members_of_overlaps == members, "overlaps do not add up to the members");

		/* The number of audiences is known now. */
		{
			NullableDatum plan[] = {NULL_ARG, ARG(host_packed(value)), NULL_ARG};
			NullableDatum changes[] = {NULL_ARG, ARG(value), ARG(value), ARG(Int32GetDatum(n))};

			places_of_plan = 0;
			rows = COUNT_ROWS(custmart_audience_plan_typed, plan, plan_columns, check_planned);
			host_require(rows == places_of_plan && rows <= members, "more places than members");
			(void) COUNT_ROWS(custmart_audience_changes_typed, changes, change_columns, NULL);
		}
	}
}

/* ---------- rows ---------- */

/* A row; a text key is one letter. */
typedef struct Row
{
	uint8		key;
	uint8		score;			/* 255: NULL */
	uint8		audiences;		/* 2 bits each: false, true, NULL */
} Row;

static Outcome
add_row(NullableDatum state, const void *from, int is_text)
{
	const Row  *row = from;
	NullableDatum score = {Float8GetDatum((row->score - 100) / 8.0), row->score == 255};
	char		letter = (char) ('a' + row->key % 26);
	uint8		conditions[AUDIENCES];

	for (int k = 0; k < AUDIENCES; k++)
	{
		conditions[k] = row->audiences >> 2 * k & 3;
		if (conditions[k] == 3)
			conditions[k] = HOST_NULL_BOOL;
	}
	if (is_text)
		return CALL_IN_AGGREGATE(custmart_audience_book_step_text, state, ARG(host_packed(host_varlena(&letter, 1))), score,
								 ARG(host_bool_array(conditions, AUDIENCES)));
	return CALL_IN_AGGREGATE(custmart_audience_book_step_bigint_listed, state, {Int64GetDatum(row->key), row->key == 255}, score,
							 {BoolGetDatum(conditions[0] == 1), conditions[0] == 2}, {BoolGetDatum(conditions[1] == 1), conditions[1] == 2},
							 {BoolGetDatum(conditions[2] == 1), conditions[2] == 2});
}

static void
seed_row(void *row, int i, int pattern)
{
	*(Row *) row = (Row) {(uint8) (i * 7 + pattern), (uint8) (i % 9 == 8 ? 255 : i * 11), (uint8) (i * 5 + pattern)};
}

static const Made made = {
	&book, custmart_audience_book_add, custmart_audience_book_combine, custmart_audience_book_rows_skipped, use, sizeof(Row), add_row, seed_row, .kinds = 2
};

MADE_TARGETS(audience_book, &made)

void
target_audience_book_rows(Input *input)
{
	int			is_text = take_byte(input) % 2;

	target_made_rows(&made, is_text, input);
}

void
seeds_audience_book_rows(void)
{
	seeds_made_rows(&made);
}
