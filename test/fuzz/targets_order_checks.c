/*
 * targets_order_checks.c
 *	  Fuzzing of check_book.
 *
 * Books come as bytes and text, and are made of rows that are added up in one go
 * and in parts.  What is taken goes through the report, whose rows must not
 * contradict each other, and is merged.
 */
#include "targets.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

FUNCTION(custmart_check_book_in);
FUNCTION(custmart_check_book_out);
FUNCTION(custmart_check_book_recv);
FUNCTION(custmart_check_book_combine);
FUNCTION(custmart_check_book_add);
FUNCTION(custmart_check_book_step);
FUNCTION(custmart_check_book_step_timestamp);
FUNCTION(custmart_order_checks);

static const Type book = {
	"check_book", custmart_check_book_in, custmart_check_book_out, custmart_check_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define CHECKS 21

static const Oid columns[] = {TEXTOID, TEXTOID, INT8OID, FLOAT8OID, NUMERICOID, FLOAT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID};

static bool
is_text(Datum value, const char *text)
{
	return VARSIZE_ANY_EXHDR(DatumGetPointer(value)) == strlen(text) &&
		memcmp(VARDATA_ANY(DatumGetPointer(value)), text, strlen(text)) == 0;
}

static void
check_row(const Datum *values, const bool *nulls)
{
	int64		rows = DatumGetInt64(values[2]);
	float8		share = DatumGetFloat8(values[3]);

	host_require(rows >= 0 && share >= 0 && share <= 1 && (share > 0) == (rows > 0), "rows and their share");
	host_require((rows == 0) <= (is_text(values[1], "ok") || is_text(values[1], "info")), "a finding without rows");
	host_require(nulls[9] || rows > 0, "a filter of no rows");
	host_require(nulls[6] || (DatumGetInt64(values[6]) >= 0 && DatumGetInt64(values[6]) <= Max(rows, 0)), "more members than rows");
	host_require(rows == 0 || !nulls[8], "a finding without an effect");
}

static void
use(Datum value)
{
	NullableDatum args[] = {
		ARG(host_packed(value)), NULL_ARG, ARG(PointerGetDatum(host_varlena("UTC", 3))), NULL_ARG
	};

	check_round_trips(&book, value);
	for (int i = 0; i < 2; i++)
	{
		int64		rows = COUNT_ROWS(custmart_order_checks, args, columns, check_row);

		host_require(rows < 0 || rows == CHECKS, "not one row a check");
		args[1] = (NullableDatum) ARG(TimestampTzGetDatum(INT64CONST(820540800000000)));
	}
}

/* ---------- rows ---------- */

/* A row: which of the values below each argument has. */
typedef struct Row
{
	uint8		member;
	uint8		order;
	uint8		item;
	uint8		time;
	uint8		quantity;
	uint8		price;
	uint8		currency;
} Row;

static NullableDatum
name_of(uint8 n, const char *prefix)
{
	static const char *const names[] = {
		"", " ", "0", "guest", "A", "a", "a ", "1e+5", "test", "\001", "\001\001", "999999999999999999", "W-7", "W-8"
	};
	char		text[32];

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	if (n < 200)
		snprintf(text, sizeof(text), "%s%d", prefix, n % 40);
	else
		strcpy(text, names[n % lengthof(names)]);
	return (NullableDatum) ARG(host_packed(host_varlena(text, strlen(text))));
}

static NullableDatum
number_of(uint8 n)
{
	static const char *const numbers[] = {
		"1", "2", "10", "1.50", "0", "0.00", "-1", "100", "1000", "0.0000000000000000000000000001", "99999999999999999999999999999999999999",
		"-99999999999999999999999999999999999999", "36028797018963968", "-36028797018963968", "36028797018963967.5"
	};

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	/* Mostly the first. */
	return number_argument(numbers[n < 200 ? n % 9 : n % lengthof(numbers)]);
}

static NullableDatum
time_of(uint8 n)
{
	static const int64 times[] = {PG_INT64_MIN, PG_INT64_MAX, INT64CONST(-946684800000000), INT64CONST(-211813488000000000), INT64CONST(9223371331199999999), 0, -1};

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	return (NullableDatum) ARG(TimestampTzGetDatum(n >= 240 ? times[n % lengthof(times)] : INT64CONST(820540800000000) + n * INT64CONST(43200000000)));
}

static Outcome
add_row(NullableDatum state, const void *from, int clock)
{
	const Row  *row = from;

	return CALL_IN_AGGREGATE(clock ? custmart_check_book_step_timestamp : custmart_check_book_step, state, name_of(row->member, "m"),
							 name_of(row->order, "10"), name_of(row->item, "i"), time_of(row->time), number_of(row->quantity),
							 number_of(row->price), name_of(row->currency, "C"));
}

static void
seed_row(void *row, int i, int pattern)
{
	bool		is_odd = pattern > 6 && i % 5 == 0;

	*(Row *) row = (Row) {
		(uint8) (i * 7 + pattern + (is_odd ? 190 : 0)), (uint8) (is_odd ? 200 + i : i / 2), (uint8) (i % 3 + (is_odd ? 203 : 0)), (uint8) (is_odd ? 230 + i : i),
		(uint8) (is_odd ? 195 + i : i % 3), (uint8) (is_odd ? 197 + i : i % 2), (uint8) (pattern % 3 == 0 ? 0xFF : i % 9 == 0)
	};
}

static const Made made = {
	&book, custmart_check_book_add, custmart_check_book_combine, NULL, use, sizeof(Row), add_row, seed_row, .kinds = 2
};

MADE_TARGETS(check_book, &made)

void
target_check_book_rows(Input *input)
{
	int			clock = take_byte(input) % 2;

	target_made_rows(&made, clock, input);
}

void
seeds_check_book_rows(void)
{
	seeds_made_rows(&made);
}
