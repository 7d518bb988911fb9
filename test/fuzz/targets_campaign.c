/*
 * targets_campaign.c
 *	  Fuzzing of campaign_summary and campaign_book.
 *
 * Values come as bytes and text, and are made of rows that are added up in one go
 * and in parts.  What is taken goes through all reports, whose rows must not
 * contradict each other, and is merged.
 */
#include "targets.h"

#include "catalog/pg_type.h"
#include "money/decimal.h"
#include "shared/keytable.h"
#include "utils/builtins.h"

FUNCTION(custmart_campaign_summary_in);
FUNCTION(custmart_campaign_summary_out);
FUNCTION(custmart_campaign_summary_recv);
FUNCTION(custmart_campaign_summary_combine);
FUNCTION(custmart_campaign_summary_add);
FUNCTION(custmart_campaign_summary_rows_skipped);
FUNCTION(custmart_campaign_step);
FUNCTION(custmart_campaign_step_before);
FUNCTION(custmart_campaign_results);
FUNCTION(custmart_campaign_groups);
FUNCTION(custmart_campaign_sample_ratios);
FUNCTION(custmart_campaign_book_in);
FUNCTION(custmart_campaign_book_out);
FUNCTION(custmart_campaign_book_recv);
FUNCTION(custmart_campaign_book_combine);
FUNCTION(custmart_campaign_book_add);
FUNCTION(custmart_campaign_book_rows_skipped);
FUNCTION(custmart_campaign_book_step_segment);
FUNCTION(custmart_campaign_book_step_score);
FUNCTION(custmart_campaign_segments);
FUNCTION(custmart_campaign_differences);
FUNCTION(custmart_campaign_offers);
FUNCTION(custmart_uplift_curves);
FUNCTION(custmart_uplift_points);

static const Type summary = {
	"campaign_summary", custmart_campaign_summary_in, custmart_campaign_summary_out, custmart_campaign_summary_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

static const Type book = {
	"campaign_book", custmart_campaign_book_in, custmart_campaign_book_out, custmart_campaign_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define ROWS_MAX 60

static const Oid result_columns[] = {
	TEXTOID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID, TEXTOID
};
static const Oid group_columns[] = {BOOLOID, INT8OID, INT8OID, NUMERICOID, NUMERICOID};
static const Oid ratio_columns[] = {INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, BOOLOID};
static const Oid segment_columns[] = {
	TEXTOID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	FLOAT8OID, TEXTOID, TEXTOID
};
static const Oid difference_columns[] = {INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID};
static const Oid offer_columns[] = {
	TEXTOID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, BOOLOID, TEXTOID
};
static const Oid curve_columns[] = {
	TEXTOID, INT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID
};
static const Oid point_columns[] = {FLOAT8OID, INT8OID, FLOAT8OID, INT8OID, INT8OID, NUMERICOID, NUMERICOID, FLOAT8OID, FLOAT8OID};

/* Columns that are a probability, if they are not NULL. */
static bool
is_share(Datum value)
{
	return DatumGetFloat8(value) >= 0 && DatumGetFloat8(value) <= 1;
}

/* Uplift with its interval and p value, in columns from this one on. */
static void
check_interval(const Datum *values, const bool *nulls, int uplift)
{
	host_require(nulls[uplift + 1] == nulls[uplift + 2] && nulls[uplift] <= nulls[uplift + 1], "an interval without an uplift, or half of one");
	if (!nulls[uplift + 1])
		host_require(DatumGetFloat8(values[uplift + 1]) <= DatumGetFloat8(values[uplift]) &&
					 DatumGetFloat8(values[uplift]) <= DatumGetFloat8(values[uplift + 2]), "an interval beside its uplift");
}

static void
check_result(const Datum *values, const bool *nulls)
{
	bool		is_missing = DatumGetInt64(values[1]) == 0 || DatumGetInt64(values[2]) == 0;

	check_interval(values, nulls, 5);
	host_require(nulls[5] == is_missing && (!is_missing || !nulls[17]), "an uplift without both groups, or none with them");
	host_require(nulls[15] || is_share(values[15]), "p is no share");
}

static void
check_segment(const Datum *values, const bool *nulls)
{
	check_interval(values, nulls, 5);
	check_interval(values, nulls, 10);
	host_require(nulls[5] == (DatumGetInt64(values[1]) == 0 || DatumGetInt64(values[2]) == 0) && nulls[10] == nulls[5], "an uplift without both groups, or none with them");
	host_require(nulls[8] == nulls[9] && (nulls[8] || (is_share(values[8]) && is_share(values[9]))), "p and q");
}

static void
check_offer(const Datum *values, const bool *nulls)
{
	host_require(nulls[4] == nulls[7] && nulls[4] == nulls[11] && nulls[4] == !nulls[12], "an offer without an uplift");
	host_require(nulls[10] || (is_share(values[10]) && DatumGetBool(values[11]) == (DatumGetFloat8(values[10]) >= 0.8)), "the probability of a profit");
}

/* Rows of a report, which may only fail because of its size or because the book has other keys. */
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
	if (outcome.sqlstate != ERRCODE_DATATYPE_MISMATCH)
		(void) is_limit(&outcome);
	return -1;
}

#define ROWS(report, args, columns, check) rows_of(report, args, lengthof(args), columns, lengthof(columns), check)

static void
use_summary(Datum value)
{
	NullableDatum args[] = {ARG(host_packed(value))};
	NullableDatum results[] = {ARG(value), ARG(Float8GetDatum(0.05))};
	NullableDatum ratios[] = {ARG(value), ARG(Float8GetDatum(0.9))};
	int64		rows;

	check_round_trips(&summary, value);
	host_require(DatumGetInt64(must(CALL(custmart_campaign_summary_rows_skipped, args[0]), "rows_skipped")) >= 0, "rows_skipped below 0");
	rows = ROWS(custmart_campaign_results, results, result_columns, check_result);
	host_require(rows == 2 || rows == 3, "campaign_results");
	host_require(ROWS(custmart_campaign_groups, args, group_columns, NULL) == 2, "campaign_groups");
	host_require(ROWS(custmart_campaign_sample_ratios, ratios, ratio_columns, NULL) == 1, "campaign_sample_ratios");
}

static void
use_book(Datum value)
{
	NullableDatum args[] = {ARG(host_packed(value)), ARG(Float8GetDatum(0.05))};
	NullableDatum one[] = {ARG(value)};
	NullableDatum offers[] = {
		ARG(value), ARG(Float8GetDatum(8)), ARG(Float8GetDatum(0.1)), ARG(Float8GetDatum(1)), ARG(Float8GetDatum(0.8)), ARG(Float8GetDatum(0.05))
	};
	bool		has_scores = ((uint8 *) VARDATA_ANY(DatumGetPointer(value)))[2] == KEY_INT64;

	check_round_trips(&book, value);
	(void) must(CALL(custmart_campaign_book_rows_skipped, args[0]), "rows_skipped");
	host_require((ROWS(custmart_campaign_segments, args, segment_columns, check_segment) < 0) == has_scores, "campaign_segments");
	host_require((ROWS(custmart_campaign_differences, args, difference_columns, NULL) < 0) == has_scores, "campaign_differences");
	host_require((ROWS(custmart_campaign_offers, offers, offer_columns, check_offer) < 0) == has_scores, "campaign_offers");
	host_require(has_scores || ROWS(custmart_uplift_curves, one, curve_columns, NULL) < 0, "uplift_curves");
	host_require(has_scores || ROWS(custmart_uplift_points, one, point_columns, NULL) < 0, "uplift_points");
	if (has_scores)
	{
		(void) ROWS(custmart_uplift_curves, one, curve_columns, NULL);
		(void) ROWS(custmart_uplift_points, one, point_columns, NULL);
	}
}

static void
use(const Type *type, Datum value)
{
	if (type == &book)
		use_book(value);
	else
		use_summary(value);
}

/* Two values that were taken, merged in all ways that there are. */
static void
merge(const Type *type, Datum a, Datum b)
{
	PGFunction	add = type == &book ? custmart_campaign_book_add : custmart_campaign_summary_add;
	PGFunction	combine = type == &book ? custmart_campaign_book_combine : custmart_campaign_summary_combine;
	Outcome		sum = CALL(add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(add, ARG(b), ARG(host_packed(a)));
	Datum		state;

	if (sum.raised)
	{
		host_require(reverse.raised, "a + b fails and b + a does not: %s", sum.message);
		if (sum.sqlstate != ERRCODE_DATATYPE_MISMATCH)
			(void) is_limit(&sum);
		return;
	}
	host_require(same_bytes(flat(sum.value), flat(must(reverse, "b + a"))), "a + b <> b + a");
	state = must(CALL_IN_AGGREGATE(combine, NULL_ARG, ARG(a)), "rollup");
	state = must(CALL_IN_AGGREGATE(combine, ARG(state), ARG(b)), "rollup");
	host_require(same_bytes(flat(sum.value), flat(state)), "+ and rollup differ");
	use(type, flat(sum.value));
}

/* ---------- bytes and text ---------- */

static void
target_recv(const Type *type, Input *input)
{
	Size		length = left(input);
	char	   *text = base64(type->name, input->at, length);
	struct varlena *value = from_binary(type, input->at, length);
	struct varlena *same = from_text(type, text, strlen(text));

	host_require((value == NULL) == (same == NULL), "in takes what recv refuses, or the other way round");
	if (value == NULL)
		return;
	host_require(same_bytes(PointerGetDatum(value), PointerGetDatum(same)), "in and recv differ");
	use(type, PointerGetDatum(value));
	merge(type, PointerGetDatum(value), PointerGetDatum(value));
}

static void
target_in(const Type *type, Input *input)
{
	struct varlena *value = from_text(type, input->at, left(input));

	if (value != NULL)
		use(type, PointerGetDatum(value));
}

void
target_campaign_in(Input *input)
{
	target_in(&summary, input);
}

void
target_campaign_recv(Input *input)
{
	target_recv(&summary, input);
}

void
target_campaign_book_in(Input *input)
{
	target_in(&book, input);
}

void
target_campaign_book_recv(Input *input)
{
	target_recv(&book, input);
}

/* ---------- rows ---------- */

/* A row of the four aggregates; a segment is one letter. */
typedef struct Row
{
	uint8		key;
	uint8		treated;		/* 2: NULL */
	uint8		y;
	uint8		before;
} Row;

static NullableDatum
amount_of(uint8 n)
{
	static const char *const amounts[] = {
		"0", "1", "0.00", "12.50", "-3", "0.0000000000000000000000000001", "99999999999999999999999999999999999999", "1000000", "2", "1.0"
	};
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	const char *text;
	Decimal		d;

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	/* Mostly the first, which are small. */
	text = amounts[n < 200 ? n % 5 : n % lengthof(amounts)];
	host_require(decimal_from_text(text, strlen(text), &d), "%s", text);
	return (NullableDatum) ARG(host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric))));
}

/* Adds the rows whose number mod `parts` is `part`. */
static Outcome
add_rows(const Row *rows, int n, int kind, int part, int parts)
{
	Outcome		state = {.is_null = true};

	for (int i = 0; i < n; i++)
	{
		const Row  *row = &rows[i];
		NullableDatum current = {state.value, state.is_null};
		NullableDatum treated = {BoolGetDatum(row->treated == 1), row->treated == 2};
		char		letter = (char) ('a' + row->key % 5);

		if (i % parts != part)
			continue;
		if (kind == 0)
			state = CALL_IN_AGGREGATE(custmart_campaign_step, current, treated, amount_of(row->y));
		else if (kind == 1)
			state = CALL_IN_AGGREGATE(custmart_campaign_step_before, current, treated, amount_of(row->y), amount_of(row->before));
		else if (kind == 2)
			state = CALL_IN_AGGREGATE(custmart_campaign_book_step_segment, current, ARG(host_packed(host_varlena(&letter, 1))), treated, amount_of(row->y));
		else
			state = CALL_IN_AGGREGATE(custmart_campaign_book_step_score, current, ARG(Float8GetDatum((row->key - 100) / 8.0)), treated, amount_of(row->y));
		if (state.raised)
			break;
	}
	return state;
}

void
target_campaign_rows(Input *input)
{
	Row			rows[ROWS_MAX];
	int			kind = take_byte(input) % 4;
	const Type *type = kind < 2 ? &summary : &book;
	PGFunction	combine = kind < 2 ? custmart_campaign_summary_combine : custmart_campaign_book_combine;
	int			n = 0;
	Outcome		whole;
	Outcome		parts[2];
	Datum		state;

	while (n < ROWS_MAX && left(input) > 0)
	{
		rows[n].key = take_byte(input);
		rows[n].treated = take_byte(input) % 3;
		rows[n].y = take_byte(input);
		rows[n++].before = take_byte(input);
	}
	whole = add_rows(rows, n, kind, 0, 1);
	if (n < 2)
		return;
	for (int p = 0; p < 2; p++)
		parts[p] = add_rows(rows, n, kind, p, 2);
	if (whole.raised)
	{
		(void) is_limit(&whole);
		return;
	}

	/* A book may fail as late as when it is asked for. */
	for (int p = 0; p < 2; p++)
		if (parts[p].raised)
			return;
	if (type == &book)
	{
		Outcome		total = CALL(custmart_campaign_book_rows_skipped, ARG(whole.value));

		if (total.raised)
		{
			(void) is_limit(&total);
			return;
		}
	}
	state = must(CALL_IN_AGGREGATE(combine, NULL_ARG, ARG(flat(parts[1].value))), "combine");
	state = must(CALL_IN_AGGREGATE(combine, ARG(state), ARG(flat(parts[0].value))), "combine");
	host_require(same_bytes(flat(whole.value), flat(state)), "parts differ from the whole");
	use(type, flat(whole.value));
}

/* ---------- seeds ---------- */

static int
seed_rows(Row *rows, int n, int pattern)
{
	for (int i = 0; i < n; i++)
		rows[i] = (Row) {(uint8) (i * 7 + pattern), (uint8) (i % 5 == 4 ? 2 : i % 2), (uint8) (i * 3 + (pattern > 6 && i % 9 == 0 ? 200 : 0)), (uint8) (i * 5)};
	return n;
}

static void
seed_stored(const Type *type, bool binary)
{
	Row			rows[ROWS_MAX];

	for (int n = 1; n <= ROWS_MAX; n = 2 * n + 1)
		for (int k = 0; k < 2; k++)
		{
			Datum		value = flat(must(add_rows(rows, seed_rows(rows, n, n), type == &book ? 2 + k : k, 0, 1), "rows"));
			char	   *bytes = VARDATA_ANY(DatumGetPointer(value));
			Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

			if (binary)
				seed(bytes, length);
			else
				seed_text(base64(type->name, bytes, length));
		}
}

void
seeds_campaign_in(void)
{
	seed_stored(&summary, false);
}

void
seeds_campaign_recv(void)
{
	seed_stored(&summary, true);
}

void
seeds_campaign_book_in(void)
{
	seed_stored(&book, false);
}

void
seeds_campaign_book_recv(void)
{
	seed_stored(&book, true);
}

void
seeds_campaign_rows(void)
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
