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

static void
use_summary(Datum value)
{
	NullableDatum args[] = {ARG(host_packed(value))};
	NullableDatum results[] = {ARG(value), ARG(Float8GetDatum(0.05))};
	NullableDatum ratios[] = {ARG(value), ARG(Float8GetDatum(0.9))};
	int64		rows;

	check_round_trips(&summary, value);
	host_require(DatumGetInt64(must(CALL(custmart_campaign_summary_rows_skipped, args[0]), "rows_skipped")) >= 0, "rows_skipped below 0");
	rows = COUNT_ROWS(custmart_campaign_results, results, result_columns, check_result);
	host_require(rows == 2 || rows == 3, "campaign_results");
	host_require(COUNT_ROWS(custmart_campaign_groups, args, group_columns, NULL) == 2, "campaign_groups");
	host_require(COUNT_ROWS(custmart_campaign_sample_ratios, ratios, ratio_columns, NULL) == 1, "campaign_sample_ratios");
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
	host_require((COUNT_ROWS(custmart_campaign_segments, args, segment_columns, check_segment) < 0) == has_scores, "campaign_segments");
	host_require((COUNT_ROWS(custmart_campaign_differences, args, difference_columns, NULL) < 0) == has_scores, "campaign_differences");
	host_require((COUNT_ROWS(custmart_campaign_offers, offers, offer_columns, check_offer) < 0) == has_scores, "campaign_offers");
	host_require(has_scores || COUNT_ROWS(custmart_uplift_curves, one, curve_columns, NULL) < 0, "uplift_curves");
	host_require(has_scores || COUNT_ROWS(custmart_uplift_points, one, point_columns, NULL) < 0, "uplift_points");
	if (has_scores)
	{
		(void) COUNT_ROWS(custmart_uplift_curves, one, curve_columns, NULL);
		(void) COUNT_ROWS(custmart_uplift_points, one, point_columns, NULL);
	}
}

/* ---------- rows ---------- */

/* A row of the four aggregates; a segment is one letter. */
typedef struct Row
{
	uint8		key;
	uint8		treated;		/* mod 3; 2: NULL */
	uint8		y;
	uint8		before;
} Row;

static NullableDatum
amount_of(uint8 n)
{
	static const char *const amounts[] = {
		"0", "1", "0.00", "12.50", "-3", "0.0000000000000000000000000001", "99999999999999999999999999999999999999", "1000000", "2", "1.0"
	};

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	/* Mostly the first, which are small. */
	return number_argument(amounts[n < 200 ? n % 5 : n % lengthof(amounts)]);
}

static Outcome
add_row(NullableDatum state, const void *from, int kind)
{
	const Row  *row = from;
	NullableDatum treated = {BoolGetDatum(row->treated % 3 == 1), row->treated % 3 == 2};
	char		letter = (char) ('a' + row->key % 5);

	if (kind == 0)
		return CALL_IN_AGGREGATE(custmart_campaign_step, state, treated, amount_of(row->y));
	if (kind == 1)
		return CALL_IN_AGGREGATE(custmart_campaign_step_before, state, treated, amount_of(row->y), amount_of(row->before));
	if (kind == 2)
		return CALL_IN_AGGREGATE(custmart_campaign_book_step_segment, state, ARG(host_packed(host_varlena(&letter, 1))), treated, amount_of(row->y));
	return CALL_IN_AGGREGATE(custmart_campaign_book_step_score, state, ARG(Float8GetDatum((row->key - 100) / 8.0)), treated, amount_of(row->y));
}

static void
seed_row(void *row, int i, int pattern)
{
	*(Row *) row = (Row) {(uint8) (i * 7 + pattern), (uint8) (i % 5 == 4 ? 2 : i % 2), (uint8) (i * 3 + (pattern > 6 && i % 9 == 0 ? 200 : 0)), (uint8) (i * 5)};
}

static const Made made_summary = {
	&summary, custmart_campaign_summary_add, custmart_campaign_summary_combine, NULL, use_summary, sizeof(Row), add_row, seed_row, .kinds = 2, .may_fail = true
};

static const Made made_book = {
	&book, custmart_campaign_book_add, custmart_campaign_book_combine, custmart_campaign_book_rows_skipped, use_book, sizeof(Row), add_row, seed_row, .first_kind = 2, .kinds = 2, .may_fail = true
};

MADE_TARGETS(campaign, &made_summary)
MADE_TARGETS(campaign_book, &made_book)

void
target_campaign_rows(Input *input)
{
	int			kind = take_byte(input) % 4;

	target_made_rows(kind < 2 ? &made_summary : &made_book, kind, input);
}

void
seeds_campaign_rows(void)
{
	seeds_made_rows(&made_summary);
}
