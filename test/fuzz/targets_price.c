/*
 * targets_price.c
 *	  Fuzzing of pricebook, price_check and price_slope.
 *
 * Books come as bytes and text, are made of rows, and are made of rows and then
 * forged, number by number, so that most of them are taken.  What is taken goes
 * through all reports, whose rows must not contradict themselves, and is merged.
 */
#include "targets.h"

#include <stdio.h>

#include "book/book.h"
#include "shared/bytes.h"
#include "catalog/pg_type.h"
#include "pricebook/price_slope_core.h"
#include "pricebook/pricebook.h"
#include "utils/date.h"

#undef snprintf

FUNCTION(custmart_pricebook_summary_in);
FUNCTION(custmart_pricebook_summary_out);
FUNCTION(custmart_pricebook_summary_recv);
FUNCTION(custmart_pricebook_summary_combine);
FUNCTION(custmart_pricebook_summary_add);
FUNCTION(custmart_pricebook_summary_rows_skipped);
FUNCTION(custmart_pricebook_rows_skipped_reason);
FUNCTION(custmart_pricebook_cell_count);
FUNCTION(custmart_pricebook_step_bigint);
FUNCTION(custmart_pricebook_step_text);
FUNCTION(custmart_pricebook_step_bigint_period);
FUNCTION(custmart_pricebook_step_text_period);
FUNCTION(custmart_pricebook_step_bigint_member_bigint);
FUNCTION(custmart_pricebook_step_text_member_uuid);
FUNCTION(custmart_pricebook_step_text_member_text);
FUNCTION(custmart_pricebook_step_bigint_period_member_uuid);
FUNCTION(custmart_pricebook_step_bigint_period_member_text);
FUNCTION(custmart_pricebook_step_text_period_member_bigint);
FUNCTION(custmart_price_placebo);
FUNCTION(custmart_price_gaps);
FUNCTION(custmart_price_gap_items);
FUNCTION(custmart_price_gap_items_typed);
FUNCTION(custmart_price_gap_mix);
FUNCTION(custmart_fair_prices);
FUNCTION(custmart_fair_prices_typed);
FUNCTION(custmart_price_check);
FUNCTION(custmart_price_slope_summary_in);
FUNCTION(custmart_price_slope_summary_out);
FUNCTION(custmart_price_slope_summary_recv);
FUNCTION(custmart_price_slope_summary_combine);
FUNCTION(custmart_price_slope_summary_add);
FUNCTION(custmart_price_slope_summary_rows_skipped);
FUNCTION(custmart_price_slope_step_bigint);
FUNCTION(custmart_price_slope_step_text);
FUNCTION(custmart_price_slope_step_bigint_period);
FUNCTION(custmart_price_slope_step_text_period);
FUNCTION(custmart_price_slope_step_bigint_member_uuid);
FUNCTION(custmart_price_slope_step_text_member_bigint);
FUNCTION(custmart_price_slope_step_bigint_period_member_text);
FUNCTION(custmart_price_slope_step_text_period_member_bigint);
FUNCTION(custmart_price_slopes);

static const Type pricebook = {
	"pricebook_summary", custmart_pricebook_summary_in, custmart_pricebook_summary_out, custmart_pricebook_summary_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};
static const Type price_slope = {
	"price_slope_summary", custmart_price_slope_summary_in, custmart_price_slope_summary_out, custmart_price_slope_summary_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

/* ---------- merging, which both do alike ---------- */

/* Two values that were taken, merged in all ways that there are; the sum, or 0. */
static Datum
merge(const Type *type, PGFunction add, PGFunction combine, Datum a, Datum b)
{
	Outcome		sum = CALL(add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(add, ARG(b), ARG(host_packed(a)));
	Outcome		state;
	Outcome		other;
	Outcome		total;
	Datum		value;

	host_require(sum.raised == reverse.raised, "a + b fails and b + a does not, or the other way round: %s%s",
				 sum.message, reverse.message);
	if (sum.raised)
	{
		if (sum.sqlstate != ERRCODE_DATATYPE_MISMATCH)
			(void) is_limit(&sum);
		return (Datum) 0;
	}
	value = flat(sum.value);
	host_require(same_bytes(value, flat(reverse.value)), "a + b <> b + a");
	check_round_trips(type, value);

	/* As an aggregate does it: states flat, and states as other workers hand them over. */
	for (int expanded = 0; expanded < 2; expanded++)
	{
		state = CALL_IN_AGGREGATE(combine, NULL_ARG, ARG(a));
		other = CALL_IN_AGGREGATE(combine, ARG(b), NULL_ARG);
		total = CALL_IN_AGGREGATE(combine, ARG(must(state, "rollup")), ARG(expanded ? must(other, "rollup") : b));
		host_require(same_bytes(value, flat(must(total, "rollup"))), "+ and rollup differ");
	}
	return value;
}

/* ---------- the reports of a pricebook ---------- */

static const Oid gap_columns[] = {
	TEXTOID, TEXTOID, INT8OID, FLOAT8OID, INT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, HOST_BOUND,
	HOST_BOUND, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, NUMERICOID, NUMERICOID, INT8OID, TEXTOID
};
static const Oid item_columns[] = {
	INT8OID, TEXTOID, INT8OID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, FLOAT8OID, FLOAT8OID,
	FLOAT8OID, FLOAT8OID, NUMERICOID, BOOLOID
};
static const Oid mix_columns[] = {
	TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID
};
static const Oid placebo_columns[] = {
	TEXTOID, TEXTOID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID
};
static const Oid fair_columns[] = {INT8OID, DATEOID, NUMERICOID, INT8OID};

/* What price_gaps says of all groups, to be found again in the other reports. */
static int64 gap_items;
static int64 gap_flagged;
static int64 item_flagged;

/* Of the book that is read. */
static float8 largest_price;
static bool by_members;

static bool
is_share(Datum value)
{
	return DatumGetFloat8(value) >= 0 && DatumGetFloat8(value) <= 1;
}

/* From a on up to and including b: all NULL, or none. */
static bool
are_null(const bool *nulls, int a, int b, bool wanted)
{
	for (int i = a; i <= b; i++)
		if (nulls[i] != wanted)
			return false;
	return true;
}

static void
check_gap(const Datum *values, const bool *nulls)
{
	int64		items = DatumGetInt64(values[2]);
	int64		cells = DatumGetInt64(values[4]);

	host_require(items >= 0 && cells >= items && DatumGetInt64(values[5]) >= cells && DatumGetInt64(values[6]) >= cells,
				 "more items than cells, or cells than rows");
	host_require(is_share(values[7]) && (DatumGetFloat8(values[7]) > 0) == (cells > 0), "compared_share");
	host_require(DatumGetFloat8(values[8]) >= -100, "a naive gap below -100 %%");
	host_require(nulls[3] == (cells == 0) && are_null(nulls, 9, 10, cells == 0), "effective items, premium");
	host_require(are_null(nulls, 11, 18, nulls[13]), "an error without a test, or the other way round");
	/* Members may be all of one fold; without them nothing is needed but two items. */
	host_require(nulls[13] ? items < 2 || by_members : items > 1, "an error of %lld items", (long long) items);
	if (cells > 0)
		host_require(DatumGetFloat8(values[3]) >= 1 - 1e-9 && DatumGetFloat8(values[3]) <= items * (1 + 1e-9) &&
					 DatumGetFloat8(values[9]) >= -100 && DatumGetFloat8(values[10]) >= -100, "effective items or premium");
	if (!nulls[13])
	{
		float8		premium = DatumGetFloat8(values[10]);

		host_require(DatumGetFloat8(values[11]) <= premium + 1e-9 * fabs(premium) && DatumGetFloat8(values[12]) >= premium - 1e-9 * fabs(premium) &&
					 DatumGetFloat8(values[11]) >= -100, "an interval without what it is of");
		host_require(DatumGetFloat8(values[13]) >= 0 && DatumGetFloat8(values[14]) >= 1 && DatumGetFloat8(values[16]) >= 1 &&
					 is_share(values[15]) && is_share(values[18]), "error, df, design effect or p");
	}
	host_require(DatumGetInt64(values[21]) >= 0 && DatumGetInt64(values[21]) <= items, "items_flagged");
	host_require(!nulls[13] || VARSIZE_ANY_EXHDR(DatumGetPointer(values[22])) == strlen("not comparable"), "a verdict without an error");
	gap_items += items;
	gap_flagged += DatumGetInt64(values[21]);
}

static void
check_placebo(const Datum *values, const bool *nulls)
{
	int64		draws = DatumGetInt64(values[2]);

	host_require(draws >= 0 && draws <= 3, "%lld draws", (long long) draws);
	host_require(are_null(nulls, 5, 6, draws < 2) && nulls[7] == (nulls[4] || draws == 0) && (nulls[4] || !nulls[3]), "a placebo of nothing");
	host_require(draws < 2 || (DatumGetFloat8(values[5]) >= 0 && DatumGetFloat8(values[6]) >= 0), "a deviation below 0");
	host_require(nulls[7] || (is_share(values[7]) && DatumGetFloat8(values[7]) > 0), "p of a placebo");
}

static void
check_item(const Datum *values, const bool *nulls)
{
	for (int i = 0; i < lengthof(item_columns); i++)
		host_require(!nulls[i] || i == 9 || (by_members && nulls[10] && nulls[11] && (i == 10 || i == 11)), "column %d is null", i);
	host_require(DatumGetInt64(values[2]) > 0 && DatumGetInt64(values[3]) > 0, "an item without rows");
	host_require(DatumGetFloat8(values[8]) >= -100, "a gap below -100 %%");
	host_require(nulls[10] || (is_share(values[10]) && is_share(values[11]) &&
							   DatumGetFloat8(values[11]) >= DatumGetFloat8(values[10])), "q below p");
	host_require(!nulls[10] || !DatumGetBool(values[13]), "a flag without a test");
	item_flagged += DatumGetBool(values[13]);
}

static void
check_mix(const Datum *values, const bool *nulls)
{
	int64		items = DatumGetInt64(values[2]);
	float8		mean;

	for (int i = 5; i < 10; i++)
		host_require(nulls[i] == (items == 0), "column %d", i);
	if (items == 0)
		return;
	host_require(DatumGetInt64(values[3]) >= items && DatumGetInt64(values[4]) >= items, "more items than rows");
	/* Basket and price effect make up the difference, each summand rounded by its size. */
	mean = DatumGetFloat8(values[5]) + DatumGetFloat8(values[6]);
	host_require(mean > 0 && fabs(DatumGetFloat8(values[8]) + DatumGetFloat8(values[9]) - DatumGetFloat8(values[7])) <=
				 1e-14 * (items + 1) * largest_price, "basket and price effect do not make up the difference");
}

static void
check_fair(const Datum *values, const bool *nulls)
{
	host_require(!nulls[0] && !nulls[2] && DatumGetInt64(values[3]) > 0, "a fair price");
	/* A numeric that is not above 0 has no digits, or the sign of the short form. */
	host_require(VARSIZE_ANY_EXHDR(DatumGetPointer(values[2])) > 2, "a fair price of 0");
}

/* A report whose first argument is a type, or not; -1 if it came to a limit. */
static int64
report(PGFunction plain, PGFunction typed, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
	   int key_type, void (*check) (const Datum *values, const bool *nulls))
{
	NullableDatum typed_args[8] = {NULL_ARG};
	Oid			own[32];
	Outcome		outcome;

	memcpy(typed_args + 1, args, nargs * sizeof(NullableDatum));
	memcpy(own, columns, ncolumns * sizeof(Oid));
	host_each_row = check;
	if (typed == NULL)
		outcome = host_rows(plain, args, nargs, own, ncolumns);
	else
	{
		/* As the other type first: an error. */
		own[0] = key_type == KEY_INT64 ? TEXTOID : INT8OID;
		outcome = key_type == KEY_INT64 ? host_rows(typed, typed_args, nargs + 1, own, ncolumns) :
			host_rows(plain, args, nargs, own, ncolumns);
		host_require(outcome.raised && outcome.sqlstate == ERRCODE_DATATYPE_MISMATCH, "items as another type");
		own[0] = key_type == KEY_INT64 ? INT8OID : TEXTOID;
		outcome = key_type == KEY_INT64 ? host_rows(plain, args, nargs, own, ncolumns) :
			host_rows(typed, typed_args, nargs + 1, own, ncolumns);
	}
	host_each_row = NULL;
	return is_limit(&outcome) ? -1 : DatumGetInt64(outcome.value);
}

static void
read_pricebook(Datum value, Datum reference, int64 cells, int groups, int key_type, Input *input)
{
	static const float8 alphas[] = {0.05, 0.5, 1e-10, 0.999};
	uint8		number = take_byte(input);
	NullableDatum args[] = {
		ARG(value), ARG(reference), ARG(Float8GetDatum(alphas[number % 4])), ARG(Float8GetDatum(number / 4 % 4)),
		ARG(Int32GetDatum(1 + number / 16))
	};
	int64		rows;
	int64		items;

	gap_items = gap_flagged = item_flagged = 0;
	rows = report(custmart_price_gaps, NULL, args, 5, gap_columns, lengthof(gap_columns), key_type, check_gap);
	host_require(rows == -1 || rows == groups - 1, "price_gaps: too few or too many rows");
	items = report(custmart_price_gap_items, custmart_price_gap_items_typed, args, 5, item_columns,
				   lengthof(item_columns), key_type, check_item);
	if (rows >= 0 && items >= 0)
		host_require(items == gap_items && item_flagged == gap_flagged, "price_gaps and price_gap_items differ");
	if (by_members)
	{
		NullableDatum placebo[] = {
			ARG(value), ARG(reference), ARG(Int32GetDatum(3)), ARG(host_packed(host_varlena(number % 2 ? "both" : "reference", number % 2 ? 4 : 9))),
			ARG(Int64GetDatum(number))
		};

		rows = report(custmart_price_placebo, NULL, placebo, 5, placebo_columns, lengthof(placebo_columns), key_type, check_placebo);
		host_require(rows == -1 || rows == groups - 1, "price_placebo: too few or too many rows");
	}
	rows = report(custmart_price_gap_mix, NULL, args, 2, mix_columns, lengthof(mix_columns), key_type, check_mix);
	host_require(rows == -1 || rows == groups - 1, "price_gap_mix: too few or too many rows");
	rows = report(custmart_fair_prices, custmart_fair_prices_typed, args, 2, fair_columns, lengthof(fair_columns),
				  key_type, check_fair);
	host_require(rows > 0 && rows <= cells, "fair_prices: %lld rows of %lld cells", (long long) rows, (long long) cells);
}

static int64
skipped(Datum value, const char *reason)
{
	return DatumGetInt64(must(CALL(custmart_pricebook_rows_skipped_reason, ARG(value),
								   ARG(host_packed(host_varlena(reason, strlen(reason))))), "rows_skipped"));
}

static void
use_pricebook(Datum value, Input *input)
{
	Datum		packed = host_packed(value);
	int64		cells = DatumGetInt64(must(CALL(custmart_pricebook_cell_count, ARG(packed)), "cell_count"));
	int64		all_skipped = DatumGetInt64(must(CALL(custmart_pricebook_summary_rows_skipped, ARG(packed)), "rows_skipped"));
	NullableDatum unknown[] = {ARG(packed), ARG(host_varlena("\x01 no group", 10))};
	NullableDatum none[] = {ARG(packed), NULL_ARG};
	PriceReader prices;
	DecimalPool pool;
	const uint8 *name;
	uint32		first = take_byte(input);
	Outcome		outcome;

	check_round_trips(&pricebook, value);
	host_require(skipped(packed, "null") >= 0 && skipped(packed, "price") >= 0 && skipped(packed, "quantity") >= 0 &&
				 skipped(packed, "null") + skipped(packed, "price") + skipped(packed, "quantity") == all_skipped,
				 "rows_skipped by reason");
	outcome = CALL(custmart_pricebook_rows_skipped_reason, ARG(packed), unknown[1]);
	host_require(outcome.raised && outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "an unknown reason is taken");

	pricebook_open(&prices, packed);
	host_require(cells >= prices.reader.count && cells <= prices.row_count, "%lld cells", (long long) cells);
	outcome = host_rows(custmart_fair_prices, unknown, 2, fair_columns, lengthof(fair_columns));
	if (prices.group_count == 0)
		host_require(!outcome.raised && DatumGetInt64(outcome.value) == 0, "rows of an empty book");
	else
		host_require(outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "an unknown reference is taken");

	outcome = host_rows(custmart_fair_prices, none, 2, fair_columns, lengthof(fair_columns));
	host_require(outcome.raised && outcome.sqlstate == ERRCODE_NULL_VALUE_NOT_ALLOWED, "no reference is taken");

	by_members = pricebook_has_members(prices.reader.form);
	pool = pricebook_load_wide(&prices);
	largest_price = 0;
	for (uint32 i = 0; i < prices.row_count; i++)
	{
		float8		price = decimal_packed_to_double(pricebook_get_row(&prices, i).price, &pool);

		largest_price = Max(largest_price, price);
	}

	/* Some groups as the reference; forged books may have thousands. */
	name = prices.group_bytes;
	for (uint32 i = 0; i < prices.group_count; i++)
	{
		uint32		length = load_u32(prices.group_lengths + (Size) i * 4);

		if ((i + first) % prices.group_count < 3)
			read_pricebook(packed, host_packed(host_varlena(name, length)), cells, (int) prices.group_count,
						   prices.reader.key_type, input);
		name += length;
	}
}

static void
merge_pricebooks(Datum a, Datum b)
{
	Datum		sum = merge(&pricebook, custmart_pricebook_summary_add, custmart_pricebook_summary_combine, a, b);

	/* What is added to itself has the same cells. */
	if (sum != (Datum) 0 && a == b)
		host_require(DatumGetInt64(must(CALL(custmart_pricebook_cell_count, ARG(sum)), "cell_count")) ==
					 DatumGetInt64(must(CALL(custmart_pricebook_cell_count, ARG(a)), "cell_count")), "other cells");
}

void
target_pricebook_recv(Input *input)
{
	struct varlena *value = receive_both(&pricebook, input);

	if (value == NULL)
		return;
	use_pricebook(PointerGetDatum(value), input);
	merge_pricebooks(PointerGetDatum(value), PointerGetDatum(value));
}

void
target_pricebook_in(Input *input)
{
	struct varlena *value = from_text(&pricebook, input->at, left(input));

	if (value != NULL)
		use_pricebook(PointerGetDatum(value), input);
}

/* ---------- books made of rows ---------- */

typedef struct Signature
{
	PGFunction	step;
	KeyType		item;
	bool		has_period;
	KeyType		member;			/* 0: none */
} Signature;

static const Signature signatures[] = {
	{custmart_pricebook_step_bigint, KEY_INT64, false},
	{custmart_pricebook_step_text, KEY_BYTES, false},
	{custmart_pricebook_step_bigint_period, KEY_INT64, true},
	{custmart_pricebook_step_text_period, KEY_BYTES, true},
	{custmart_pricebook_step_bigint_member_bigint, KEY_INT64, false, KEY_INT64},
	{custmart_pricebook_step_text_member_uuid, KEY_BYTES, false, KEY_FIXED16},
	{custmart_pricebook_step_text_member_text, KEY_BYTES, false, KEY_BYTES},
	{custmart_pricebook_step_bigint_period_member_uuid, KEY_INT64, true, KEY_FIXED16},
	{custmart_pricebook_step_bigint_period_member_text, KEY_INT64, true, KEY_BYTES},
	{custmart_pricebook_step_text_period_member_bigint, KEY_BYTES, true, KEY_INT64}
};
static const Signature slope_signatures[] = {
	{custmart_price_slope_step_bigint_period, KEY_INT64, true},
	{custmart_price_slope_step_text_period, KEY_BYTES, true},
	{custmart_price_slope_step_bigint, KEY_INT64, false},
	{custmart_price_slope_step_text, KEY_BYTES, false},
	{custmart_price_slope_step_bigint_member_uuid, KEY_INT64, false, KEY_FIXED16},
	{custmart_price_slope_step_text_member_bigint, KEY_BYTES, false, KEY_INT64},
	{custmart_price_slope_step_bigint_period_member_text, KEY_INT64, true, KEY_BYTES},
	{custmart_price_slope_step_text_period_member_bigint, KEY_BYTES, true, KEY_INT64}
};

#define ROWS_MAX 200

typedef struct Row
{
	NullableDatum args[6];
	int			nargs;
	uint8		part;
} Row;

static NullableDatum
text_argument(const char *text)
{
	return (NullableDatum) ARG(host_packed(host_varlena(text, strlen(text))));
}

static NullableDatum
take_item(Input *input, KeyType type)
{
	static const char *const texts[] = {"", "a", "b", "ab", "\xC3\xA4", "a longer item than fits a word"};
	uint8		number = take_byte(input);
	char		text[100];

	if (number >= 0xFC)
		return (NullableDatum) NULL_ARG;
	if (type == KEY_INT64)
		return (NullableDatum) ARG(Int64GetDatum(number < 0xF0 ? number % 8 : (int64) take_number(input, 8)));
	snprintf(text, sizeof(text), "%s%d", texts[number % lengthof(texts)], number / 64);
	return text_argument(number == 0 ? "" : text);
}

static NullableDatum
take_period(Input *input)
{
	uint8		kind = take_byte(input);

	return kind < 0xF0 ? (NullableDatum) ARG(DateADTGetDatum(kind % 4 - 1)) :
		kind < 0xF4 ? (NullableDatum) ARG(DateADTGetDatum(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)) :
		kind < 0xF8 ? (NullableDatum) ARG(DateADTGetDatum(DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)) :
		(NullableDatum) NULL_ARG;
}

static NullableDatum
take_group(Input *input)
{
	static const char *const groups[] = {"", "b", "new", "old", "\xC3\xA4", "a group with a longer name"};
	uint8		kind = take_byte(input);

	return kind == 0xFF ? (NullableDatum) NULL_ARG : text_argument(groups[(kind & 3) + (kind > 0xF0 ? 2 : 0)]);
}

static NullableDatum
take_decimal(Input *input)
{
	static const char *const decimals[] = {
		"1", "2.50", "2.5", "19.99", "20", "3", "0.001", "100000000", "0", "0.00", "-1", "36028797018963967",
		"36028797018963968", "36028797018963968.0", "360287970189639.67", "99999999999999999999999999999999999999",
		"99999999999999999999999999999999999999.9999999999999999999999999999", "0.0000000000000000000000000001",
		"12345678901234.5678", "-0.5", "9999999999999999999999"
	};
	uint8		kind = take_byte(input);
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	const char *text;
	Decimal		d;

	if (kind == 0xFF)
		return (NullableDatum) NULL_ARG;
	/* Mostly what shops have. */
	text = decimals[kind < 0xA0 ? kind % 6 : kind % lengthof(decimals)];
	if (!decimal_from_text(text, strlen(text), &d))
		abort();
	return (NullableDatum) ARG(host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric))));
}

static NullableDatum
take_x(Input *input)
{
	static const float8 xs[] = {0, 1, 0.5, -1, 1e-9, SLOPE_X_MAX, -SLOPE_X_MAX, 1e-300, 3.25, -0.0};
	uint8		kind = take_byte(input);

	return kind == 0xFF ? (NullableDatum) NULL_ARG : (NullableDatum) ARG(Float8GetDatum(xs[kind % lengthof(xs)]));
}

static NullableDatum
take_member(Input *input, KeyType type)
{
	uint8		number = take_byte(input);
	uint8		uuid[16] = {0};

	if (number == 0xFF)
		return (NullableDatum) NULL_ARG;
	uuid[15] = number;
	return type == KEY_INT64 ? (NullableDatum) ARG(Int64GetDatum(number)) :
		type == KEY_BYTES ? (NullableDatum) ARG(host_packed(host_varlena(uuid, number % 17))) :
		(NullableDatum) ARG(PointerGetDatum(memcpy(palloc(16), uuid, 16)));
}

static int
take_rows(Input *input, const Signature *signature, bool is_slope, Row *rows)
{
	int			most = take_byte(input) * 2;
	int			n = 0;

	while (n < Min(most, ROWS_MAX) && left(input) > 0)
	{
		NullableDatum *arg = rows[n].args;

		*arg++ = take_item(input, signature->item);
		if (signature->has_period)
			*arg++ = take_period(input);
		*arg++ = is_slope ? take_x(input) : take_group(input);
		*arg++ = take_decimal(input);
		if (signature->has_period && !is_slope)
			*arg++ = take_decimal(input);
		if (signature->member != 0)
			*arg++ = take_member(input, signature->member);
		rows[n].nargs = (int) (arg - rows[n].args);
		rows[n++].part = take_byte(input);
	}
	return n;
}

/* The state of all rows of one part, or of all parts if it is -1. */
static Datum
add_rows(Datum state, const Row *rows, int n, const Signature *signature, int part, bool flatten)
{
	for (int i = 0; i < n; i++)
	{
		NullableDatum args[7] = {{state, state == (Datum) 0}};

		if (part >= 0 && rows[i].part % 2 != part)
			continue;
		memcpy(args + 1, rows[i].args, sizeof(rows[i].args));
		state = must(host_call(signature->step, args, 1 + rows[i].nargs, HOST_AGGREGATE), "a row");
		/* Between any two rows a state may be sent elsewhere. */
		if (flatten && rows[i].part % 64 == 0)
			state = flat(state);
	}
	return state;
}

/* However rows are ordered and divided, they make the same bytes, which are returned. */
static Datum
check_rows(Row *rows, int n, const Signature *signature, const Type *type, PGFunction add, PGFunction combine)
{
	Datum		whole = flat(add_rows((Datum) 0, rows, n, signature, -1, false));
	Datum		parts[2];

	host_require(same_bytes(whole, flat(add_rows((Datum) 0, rows, n, signature, -1, true))),
				 "another book if the state was flat on the way");
	for (int i = 0; i < 2; i++)
		parts[i] = add_rows((Datum) 0, rows, n, signature, i, false);
	if (parts[0] != (Datum) 0 && parts[1] != (Datum) 0)
	{
		host_require(same_bytes(whole, flat(must(CALL(add, ARG(flat(parts[0])), ARG(flat(parts[1]))), "+"))),
					 "the sum of two parts differs");
		host_require(same_bytes(whole, flat(must(CALL_IN_AGGREGATE(combine, ARG(parts[1]), ARG(parts[0])), "combine"))),
					 "two combined parts differ");
	}
	for (int i = 0; i < n / 2; i++)
	{
		Row			swap = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = swap;
	}
	host_require(same_bytes(whole, flat(add_rows((Datum) 0, rows, n, signature, -1, false))), "another book backwards");
	check_round_trips(type, whole);
	return whole;
}

void
target_pricebook_rows(Input *input)
{
	static Row	rows[ROWS_MAX];
	const Signature *signature = &signatures[take_byte(input) % lengthof(signatures)];
	int			n = take_rows(input, signature, false, rows);

	if (n > 0)
		use_pricebook(check_rows(rows, n, signature, &pricebook, custmart_pricebook_summary_add, custmart_pricebook_summary_combine),
					  input);
}

/* ---------- books that are forged ---------- */

/* A number to be put in the place of another one. */
typedef struct Change
{
	uint16		at;
	uint8		field;
	uint8		kind;
	uint64		number;
} Change;

static Change
take_change(Input *input)
{
	Change		change;

	change.at = (uint16) take_number(input, 2);
	change.field = take_byte(input);
	change.kind = take_byte(input);
	change.number = take_number(input, change.kind % 2 ? 1 : 8);
	return change;
}

/* Changes a number of some bytes, as one of that size would be. */
static void
apply_change(const Change *change, uint8 *bytes, int size)
{
	uint64		old = 0;
	uint64		new = change->number;

	for (int i = 0; i < Min(size, 8); i++)
		old = old << 8 | bytes[i];
	switch (change->kind / 2 % 5)
	{
		case 0:
			new = old + change->number;
			break;
		case 1:
			new = old - change->number;
			break;
		case 2:
			new = old ^ UINT64CONST(1) << change->number % 64;
			break;
		case 3:					/* the largest that the size can say */
			new = change->number % 2 ? PG_UINT64_MAX : (uint64) PG_INT64_MAX;
			break;
	}
	for (int i = Min(size, 8); i-- > 0; new >>= 8)
		bytes[i] = (uint8) new;
}

/* Any byte, or a byte more or less at the end. */
static Size
damage(const Change *change, uint8 *bytes, Size length)
{
	switch (change->kind % 4)
	{
		case 0:
			bytes[change->at % length] = (uint8) change->number;
			return length;
		case 1:
			bytes[change->at % length] ^= 1 << change->number % 8;
			return length;
		case 2:
			return length - Min(length - 1, change->number % 64);
		default:
			memset(bytes + length, (int) change->number, 16);
			return length + change->number % 16;
	}
}

static void
forge_pricebook(const Change *change, const PriceReader *prices, uint8 *bytes)
{
	const uint8 *start = (const uint8 *) VARDATA_ANY(prices->reader.stored);
	uint8	   *wide = bytes + (prices->wide - start);
	bool		has_period = pricebook_has_periods(prices->reader.form);
	Size		fold_size = PRICEBOOK_FOLD_SIZE(prices->reader.form);
	uint8	   *row;
	uint32		at = change->at;

	if (prices->row_count == 0)
		return;
	row = bytes + (prices->rows - start) + (Size) (at % prices->row_count) * (has_period ? 28 : 16);
	switch (change->field % 12)
	{
		case 0:					/* period, or group */
			apply_change(change, row, 4);
			break;
		case 1:					/* group */
			apply_change(change, row + (has_period ? 4 : 0), 4);
			break;
		case 2:
		case 3:					/* price */
			apply_change(change, row + (has_period ? 8 : 4), change->field % 12 == 2 ? 8 : 7);
			break;
		case 4:
		case 5:					/* count */
			apply_change(change, row + (has_period ? 16 : 12), 4);
			break;
		case 6:					/* quantity */
			if (has_period)
				apply_change(change, row + 20, 8);
			break;
		case 7:					/* a wide number: its scale, or its highest bits */
			if (prices->wide_count > 0)
				apply_change(change, wide + at / 2 % prices->wide_count * DECIMAL_STORED_SIZE + at % 2, at % 2 ? 8 : 1);
			break;
		case 8:
			if (prices->wide_count > 0)
				apply_change(change, wide + at % (prices->wide_count * DECIMAL_STORED_SIZE - 7), 8);
			break;
		case 9:					/* decimals, rows skipped */
			apply_change(change, bytes + (prices->reader.tail - start) + at % 10, 8);
			break;
		case 10:				/* a fold, its rows, or the sum of their logarithms */
			if (prices->fold_count > 0)
				apply_change(change, bytes + (prices->folds - start) + at / 3 % prices->fold_count * fold_size + fold_size - (int[]) {17, 16, 12}[at % 3],
							 (int[]) {1, 4, 8}[at % 3]);
			break;
		case 11:				/* any number of a fold */
			if (prices->fold_count > 0)
				apply_change(change, bytes + (prices->folds - start) + at % (prices->fold_count * fold_size - 3), 4);
			break;
	}
}

static struct varlena *
take_pricebook(Input *input)
{
	static Row	rows[ROWS_MAX];
	const Signature *signature = &signatures[take_byte(input) % lengthof(signatures)];
	Change		changes[8];
	int			nchanges = take_byte(input) % lengthof(changes);
	PriceReader prices;
	struct varlena *forged;
	Datum		book;
	uint8	   *bytes;
	Size		length;
	int			n;

	for (int i = 0; i < nchanges; i++)
		changes[i] = take_change(input);
	n = take_rows(input, signature, false, rows);
	if (n == 0)
		return NULL;
	book = flat(add_rows((Datum) 0, rows, n, signature, -1, false));
	pricebook_open(&prices, book);
	length = VARSIZE_ANY_EXHDR(DatumGetPointer(book));
	bytes = palloc(length + lengthof(changes) * 16);
	memcpy(bytes, VARDATA_ANY(DatumGetPointer(book)), length);
	for (int i = 0; i < nchanges; i++)
		if (changes[i].field < 0xF0)
			forge_pricebook(&changes[i], &prices, bytes);
	for (int i = 0; i < nchanges; i++)
		if (changes[i].field >= 0xF0)
			length = damage(&changes[i], bytes, length);
	forged = from_binary(&pricebook, bytes, length);
	if (forged != NULL)
		use_pricebook(PointerGetDatum(forged), input);
	return forged;
}

void
target_pricebook_forged(Input *input)
{
	struct varlena *a = take_pricebook(input);
	struct varlena *b = take_pricebook(input);

	if (a != NULL)
		merge_pricebooks(PointerGetDatum(a), PointerGetDatum(b != NULL ? b : a));
}

/* ---------- price_check ---------- */

/* Two prices and a tolerance: text, or an error. */
void
target_price_check(Input *input)
{
	NullableDatum price = take_decimal(input);
	NullableDatum fair = take_decimal(input);
	uint64		bits = take_number(input, 8);
	float8		tolerance;
	Outcome		outcome;
	const char *text;
	Size		length;

	memcpy(&tolerance, &bits, sizeof(tolerance));
	if (price.isnull || fair.isnull)
		return;
	outcome = CALL(custmart_price_check, price, fair, ARG(Float8GetDatum(tolerance)));
	if (outcome.raised)
	{
		host_require(outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "SQLSTATE %s: %s",
					 unpack_sql_state(outcome.sqlstate), outcome.message);
		return;
	}
	text = VARDATA_ANY(DatumGetPointer(must(outcome, "price_check")));
	length = VARSIZE_ANY_EXHDR(DatumGetPointer(outcome.value));
	host_require((length == 2 && memcmp(text, "ok", 2) == 0) ||
				 (length > 9 && (memcmp(text, "above by ", 9) == 0 || memcmp(text, "below by ", 9) == 0) &&
				  memcmp(text + length - 2, " %", 2) == 0), "price_check: %.*s", (int) length, text);
}

/* ---------- price_slope ---------- */

/* The slope in percent may be infinite as well: x may differ by nearly nothing. */
static const Oid slope_columns[] = {
	INT8OID, FLOAT8OID, INT8OID, INT8OID, FLOAT8OID, HOST_BOUND, HOST_BOUND, HOST_BOUND, FLOAT8OID, FLOAT8OID, FLOAT8OID
};

/* Of the sums that are read: bits of the form are those of price_slope.c. */
static bool slope_by_members;
#define SLOPE_MEMBERS 2

static void
check_slope(const Datum *values, const bool *nulls)
{
	int64		items = DatumGetInt64(values[0]);

	host_require(items >= 0 && DatumGetInt64(values[2]) >= items && DatumGetInt64(values[3]) >= DatumGetInt64(values[2]),
				 "more items than cells, or cells than rows");
	host_require(nulls[1] == (items == 0) && are_null(nulls, 4, 5, items == 0), "a slope of %lld items", (long long) items);
	host_require(are_null(nulls, 6, 10, nulls[8]), "an error without a test, or the other way round");
	host_require(slope_by_members ? nulls[8] || items > 0 : nulls[8] == (items < 2), "an error of %lld items", (long long) items);
	if (items > 0)
		host_require(DatumGetFloat8(values[1]) >= 1 - 1e-9 && DatumGetFloat8(values[1]) <= items * (1 + 1e-9), "effective items");
	if (!nulls[8])
		host_require(DatumGetFloat8(values[8]) >= 0 && DatumGetFloat8(values[6]) <= DatumGetFloat8(values[5]) && DatumGetFloat8(values[9]) >= 1 &&
					 DatumGetFloat8(values[5]) <= DatumGetFloat8(values[7]) && is_share(values[10]), "an interval");
}

static void
use_slope(Datum value, Input *input)
{
	static const float8 alphas[] = {0.05, 0.5, 1e-300, 0.999};
	NullableDatum args[] = {ARG(host_packed(value)), ARG(Float8GetDatum(alphas[take_byte(input) % lengthof(alphas)]))};
	Outcome		outcome;

	check_round_trips(&price_slope, value);
	slope_by_members = (((uint8 *) VARDATA_ANY(DatumGetPointer(value)))[3] & SLOPE_MEMBERS) != 0;
	host_require(DatumGetInt64(must(CALL(custmart_price_slope_summary_rows_skipped, args[0]), "rows_skipped")) >= 0,
				 "rows_skipped below 0");
	host_each_row = check_slope;
	outcome = host_rows(custmart_price_slopes, args, 2, slope_columns, lengthof(slope_columns));
	host_each_row = NULL;
	host_require(!outcome.raised && DatumGetInt64(outcome.value) == 1, "price_slopes: %s", outcome.message);
}

static void
merge_slopes(Datum a, Datum b)
{
	Datum		sum = merge(&price_slope, custmart_price_slope_summary_add, custmart_price_slope_summary_combine, a, b);
	Input		none = {0};

	if (sum != (Datum) 0)
		use_slope(sum, &none);
}

void
target_price_slope_recv(Input *input)
{
	struct varlena *value = receive_both(&price_slope, input);

	if (value == NULL)
		return;
	use_slope(PointerGetDatum(value), input);
	merge_slopes(PointerGetDatum(value), PointerGetDatum(value));
}

void
target_price_slope_in(Input *input)
{
	struct varlena *value = from_text(&price_slope, input->at, left(input));

	if (value != NULL)
		use_slope(PointerGetDatum(value), input);
}

/* Made of rows, then forged if there are changes. */
static struct varlena *
take_slope(Input *input)
{
	static Row	rows[ROWS_MAX];
	const Signature *signature = &slope_signatures[take_byte(input) % lengthof(slope_signatures)];
	Change		changes[8];
	int			nchanges = take_byte(input) % lengthof(changes);
	struct varlena *forged;
	Datum		book;
	uint8	   *bytes;
	Size		length;
	Size		size = 4 + (signature->member != 0 ? 1 : 0) + SLOPE_STORED_SIZE;	/* of a cell */
	Size		cells;
	int			n;

	for (int i = 0; i < nchanges; i++)
		changes[i] = take_change(input);
	n = take_rows(input, signature, true, rows);
	if (n == 0)
		return NULL;
	book = check_rows(rows, n, signature, &price_slope, custmart_price_slope_summary_add, custmart_price_slope_summary_combine);
	use_slope(book, input);
	length = VARSIZE_ANY_EXHDR(DatumGetPointer(book));
	bytes = palloc(length + lengthof(changes) * 16);
	memcpy(bytes, VARDATA_ANY(DatumGetPointer(book)), length);
	cells = (length - BOOK_HEADER_SIZE - 4) / size;
	for (int i = 0; i < nchanges; i++)
		if (changes[i].field >= 0xF0)
			length = damage(&changes[i], bytes, length);
		else if (cells > 0 && length >= cells * size)
		{
			/* A word of a cell: the period, n, or a part of a sum; or the byte before n, where members have their fold. */
			uint8	   *cell = bytes + length - (1 + changes[i].at % cells) * size;
			int			field = changes[i].field % 13;

			if (field == 0)
				apply_change(&changes[i], cell, 4);
			else if (field == 12)
				apply_change(&changes[i], cell + size - SLOPE_STORED_SIZE - 1, 1);
			else
				apply_change(&changes[i], cell + size - SLOPE_STORED_SIZE + (field - 1) * 8, 8);
		}
	forged = from_binary(&price_slope, bytes, length);
	if (forged != NULL)
		use_slope(PointerGetDatum(forged), input);
	return forged;
}

void
target_price_slope_forged(Input *input)
{
	struct varlena *a = take_slope(input);
	struct varlena *b = take_slope(input);

	if (a != NULL)
		merge_slopes(PointerGetDatum(a), PointerGetDatum(b != NULL ? b : a));
}

/* ---------- seeds ---------- */

/* Rows as take_rows reads them, of some pattern. */
static uint8 *
seed_rows(const Signature *signature, bool is_slope, int n, uint8 *p)
{
	*p++ = (uint8) ((n + 1) / 2);
	for (int i = 0; i < n; i++)
	{
		*p++ = (uint8) (i * 7 % 200);
		if (signature->has_period)
			*p++ = (uint8) (i * 3 % 200);
		*p++ = (uint8) (i * 5 % (is_slope ? 200 : 16));
		*p++ = (uint8) (i * 11 + i / 23);
		if (signature->has_period && !is_slope)
			*p++ = (uint8) (i * 13 + i / 7);
		if (signature->member != 0)
			*p++ = (uint8) (i * 37 % 200);
		*p++ = (uint8) i;
	}
	return p;
}

static void
seed_made(bool is_slope, bool is_forged)
{
	static uint8 bytes[256 + 9 * ROWS_MAX];
	int			n_signatures = is_slope ? lengthof(slope_signatures) : lengthof(signatures);

	for (int i = 0; i < n_signatures; i++)
		for (int n = 1; n <= 150; n *= 5)
			for (int changes = 0; changes < (is_forged ? 6 : 1); changes++)
			{
				const Signature *signature = is_slope ? &slope_signatures[i] : &signatures[i];
				uint8	   *p = bytes;

				*p++ = (uint8) i;
				if (is_forged)
					*p++ = (uint8) changes;
				for (int k = 0; k < changes; k++)
				{
					*p++ = 0;
					*p++ = (uint8) (k * 3 + n);
					*p++ = (uint8) (k * 5 + changes);
					*p++ = (uint8) (1 + 2 * k);
					*p++ = (uint8) (k + 1);
				}
				p = seed_rows(signature, is_slope, n, p);
				seed(bytes, p - bytes);
			}
}

/* Books made of rows, as bytes or text. */
static void
seed_stored(const Type *type, bool is_slope, bool binary)
{
	static Row	rows[ROWS_MAX];
	static uint8 bytes[9 * ROWS_MAX];
	int			n_signatures = is_slope ? lengthof(slope_signatures) : lengthof(signatures);

	for (int i = 0; i < n_signatures; i++)
		for (int n = 0; n < 60; n = 3 * n + 1)
		{
			const Signature *signature = is_slope ? &slope_signatures[i] : &signatures[i];
			Input		input = {bytes, seed_rows(signature, is_slope, Max(n, 1), bytes)};
			Datum		book;
			int			made;

			/* The smallest has nothing but a row that was skipped. */
			if (n == 0)
				bytes[1] = 0xFF;
			made = take_rows(&input, signature, is_slope, rows);
			book = flat(add_rows((Datum) 0, rows, made, signature, -1, false));
			if (binary)
				seed(VARDATA_ANY(DatumGetPointer(book)), VARSIZE_ANY_EXHDR(DatumGetPointer(book)));
			else
				seed_text(base64(type->name, VARDATA_ANY(DatumGetPointer(book)),
								 VARSIZE_ANY_EXHDR(DatumGetPointer(book))));
		}
}

void
seeds_pricebook_in(void)
{
	seed_stored(&pricebook, false, false);
}

void
seeds_pricebook_recv(void)
{
	seed_stored(&pricebook, false, true);
}

void
seeds_pricebook_rows(void)
{
	seed_made(false, false);
}

void
seeds_pricebook_forged(void)
{
	seed_made(false, true);
}

void
seeds_price_check(void)
{
	seed("\3\4\x3F\xA9\x99\x99\x99\x99\x99\x9A", 10);
	seed("\1\2\0\0\0\0\0\0\0\0", 10);
	seed("\5\x4D\x7F\xF0\0\0\0\0\0\0", 10);
}

void
seeds_price_slope_in(void)
{
	seed_stored(&price_slope, true, false);
}

void
seeds_price_slope_recv(void)
{
	seed_stored(&price_slope, true, true);
}

void
seeds_price_slope_forged(void)
{
	seed_made(true, true);
}
