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

#define ROWS_MAX 60
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

static int64
rows_of(PGFunction report, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
		void (*check) (const Datum *values, const bool *nulls))
{
	Outcome		outcome;

	host_each_row = check;
	outcome = host_rows(report, args, nargs, columns, ncolumns);
	host_each_row = NULL;
	if (!outcome.raised)
		return DatumGetInt64(outcome.value);
	(void) is_limit(&outcome);
	return -1;
}

#define ROWS(report, args, columns, check) rows_of(report, args, lengthof(args), columns, lengthof(columns), check)

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
			rows = ROWS(custmart_audience_plan_typed, plan, plan_columns, check_planned);
			host_require(rows == places_of_plan && rows <= members, "more places than members");
			(void) ROWS(custmart_audience_changes_typed, changes, change_columns, NULL);
		}
	}
}

/* Two books that were taken, merged in all ways that there are. */
static void
merge(Datum a, Datum b)
{
	Outcome		sum = CALL(custmart_audience_book_add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(custmart_audience_book_add, ARG(b), ARG(host_packed(a)));
	Datum		state;

	if (sum.raised)
	{
		host_require(reverse.raised, "a + b fails and b + a does not: %s", sum.message);
		(void) is_limit(&sum);
		return;
	}
	host_require(same_bytes(flat(sum.value), flat(must(reverse, "b + a"))), "a + b <> b + a");
	state = must(CALL_IN_AGGREGATE(custmart_audience_book_combine, NULL_ARG, ARG(a)), "rollup");
	state = must(CALL_IN_AGGREGATE(custmart_audience_book_combine, ARG(state), ARG(b)), "rollup");
	host_require(same_bytes(flat(sum.value), flat(state)), "+ and rollup differ");
	use(flat(sum.value));
}

/* ---------- bytes and text ---------- */

void
target_audience_book_recv(Input *input)
{
	Size		length = left(input);
	char	   *text = base64(book.name, input->at, length);
	struct varlena *value = from_binary(&book, input->at, length);
	struct varlena *same = from_text(&book, text, strlen(text));

	host_require((value == NULL) == (same == NULL), "in takes what recv refuses, or the other way round");
	if (value == NULL)
		return;
	host_require(same_bytes(PointerGetDatum(value), PointerGetDatum(same)), "in and recv differ");
	use(PointerGetDatum(value));
	merge(PointerGetDatum(value), PointerGetDatum(value));
}

void
target_audience_book_in(Input *input)
{
	struct varlena *value = from_text(&book, input->at, left(input));

	if (value != NULL)
		use(PointerGetDatum(value));
}

/* ---------- rows ---------- */

/* A row; a text key is one letter. */
typedef struct Row
{
	uint8		key;
	uint8		score;			/* 255: NULL */
	uint8		audiences;		/* 2 bits each: false, true, NULL */
} Row;

/* Adds the rows whose number mod `parts` is `part`. */
static Outcome
add_rows(const Row *rows, int n, bool is_text, int part, int parts)
{
	Outcome		state = {.is_null = true};

	for (int i = 0; i < n; i++)
	{
		const Row  *row = &rows[i];
		NullableDatum current = {state.value, state.is_null};
		NullableDatum score = {Float8GetDatum((row->score - 100) / 8.0), row->score == 255};
		char		letter = (char) ('a' + row->key % 26);
		uint8		conditions[AUDIENCES];

		if (i % parts != part)
			continue;
		for (int k = 0; k < AUDIENCES; k++)
		{
			conditions[k] = row->audiences >> 2 * k & 3;
			if (conditions[k] == 3)
				conditions[k] = HOST_NULL_BOOL;
		}
		if (is_text)
			state = CALL_IN_AGGREGATE(custmart_audience_book_step_text, current, ARG(host_packed(host_varlena(&letter, 1))), score,
									  ARG(host_bool_array(conditions, AUDIENCES)));
		else
			state = CALL_IN_AGGREGATE(custmart_audience_book_step_bigint_listed, current, {Int64GetDatum(row->key), row->key == 255}, score,
									  {BoolGetDatum(conditions[0] == 1), conditions[0] == 2}, {BoolGetDatum(conditions[1] == 1), conditions[1] == 2},
									  {BoolGetDatum(conditions[2] == 1), conditions[2] == 2});
		if (state.raised)
			break;
	}
	return state;
}

void
target_audience_book_rows(Input *input)
{
	Row			rows[ROWS_MAX];
	bool		is_text = take_byte(input) % 2 == 1;
	int			n = 0;
	Outcome		whole;
	Outcome		parts[2];
	Datum		state;

	while (n < ROWS_MAX && left(input) > 0)
	{
		rows[n].key = take_byte(input);
		rows[n].score = take_byte(input);
		rows[n++].audiences = take_byte(input);
	}
	if (n < 2)
		return;
	whole = add_rows(rows, n, is_text, 0, 1);
	for (int p = 0; p < 2; p++)
		parts[p] = add_rows(rows, n, is_text, p, 2);
	state = must(CALL_IN_AGGREGATE(custmart_audience_book_combine, NULL_ARG, ARG(flat(must(parts[1], "rows")))), "combine");
	state = must(CALL_IN_AGGREGATE(custmart_audience_book_combine, ARG(state), ARG(flat(must(parts[0], "rows")))), "combine");
	host_require(same_bytes(flat(must(whole, "rows")), flat(state)), "parts differ from the whole");
	use(flat(whole.value));
}

/* ---------- seeds ---------- */

static int
seed_rows(Row *rows, int n, int pattern)
{
	for (int i = 0; i < n; i++)
		rows[i] = (Row) {(uint8) (i * 7 + pattern), (uint8) (i % 9 == 8 ? 255 : i * 11), (uint8) (i * 5 + pattern)};
	return n;
}

static void
seed_stored(bool binary)
{
	Row			rows[ROWS_MAX];

	for (int n = 1; n <= ROWS_MAX; n = 2 * n + 1)
		for (int k = 0; k < 2; k++)
		{
			Datum		value = flat(must(add_rows(rows, seed_rows(rows, n, n), k == 1, 0, 1), "rows"));
			char	   *bytes = VARDATA_ANY(DatumGetPointer(value));
			Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

			if (binary)
				seed(bytes, length);
			else
				seed_text(base64(book.name, bytes, length));
		}
}

void
seeds_audience_book_in(void)
{
	seed_stored(false);
}

void
seeds_audience_book_recv(void)
{
	seed_stored(true);
}

void
seeds_audience_book_rows(void)
{
	uint8		bytes[1 + ROWS_MAX * sizeof(Row)];

	for (int pattern = 0; pattern < 16; pattern++)
	{
		Row			rows[ROWS_MAX];
		int			n = seed_rows(rows, 4 + pattern * 3, pattern);

		bytes[0] = (uint8) pattern;
		memcpy(bytes + 1, rows, n * sizeof(Row));
		seed(bytes, 1 + n * sizeof(Row));
	}
}
