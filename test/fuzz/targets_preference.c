/*
 * targets_preference.c
 *	  Fuzzing of preference_book.
 *
 * Books come as bytes and text, and are made of rows that are added up in one go
 * and in parts.  What is taken goes through the report, whose columns must not
 * contradict each other, and is merged.
 */
#include "targets.h"

#include "catalog/pg_type.h"
#include "shared/keytable.h"

FUNCTION(custmart_preference_book_in);
FUNCTION(custmart_preference_book_out);
FUNCTION(custmart_preference_book_recv);
FUNCTION(custmart_preference_book_combine);
FUNCTION(custmart_preference_book_add);
FUNCTION(custmart_preference_book_rows_skipped);
FUNCTION(custmart_preference_book_member_count);
FUNCTION(custmart_preference_book_step_bigint);
FUNCTION(custmart_preference_book_step_text);
FUNCTION(custmart_member_preferences_typed);

static const Type book = {
	"preference_book", custmart_preference_book_in, custmart_preference_book_out, custmart_preference_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

static void
check_row(const Datum *values, const bool *nulls)
{
	int64		n = DatumGetInt64(values[1]);
	int64		categories = DatumGetInt64(values[3]);

	host_require(n >= categories && categories >= 0 && (n == 0) == (categories == 0), "purchases and categories");
	host_require(nulls[5] == (n == 0) && nulls[6] == nulls[5] && nulls[7] == nulls[5] && nulls[8] == nulls[5], "measures of nothing");
	host_require(nulls[9] == nulls[10], "an index without a category");
	if (n == 0)
		return;
	host_require(DatumGetFloat8(values[5]) > 0 && DatumGetFloat8(values[5]) <= 1, "a share");
	host_require(DatumGetFloat8(values[6]) >= 0 && DatumGetFloat8(values[7]) > 0 && DatumGetFloat8(values[7]) <= 1 + 1e-12, "entropy and hhi");
	host_require(DatumGetFloat8(values[8]) >= 1 && DatumGetFloat8(values[8]) <= categories * (1 + 1e-9), "effective categories");
}

static void
use(Datum value)
{
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(value));
	KeyType		key_type = bytes[2];
	Oid			member_type = key_type == KEY_INT64 ? INT8OID : key_type == KEY_FIXED16 ? UUIDOID : TEXTOID;
	const Oid	columns[] = {member_type, INT8OID, NUMERICOID, INT8OID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID, FLOAT8OID};
	NullableDatum args[] = {NULL_ARG, ARG(host_packed(value)), ARG(Int32GetDatum(1)), ARG(Float8GetDatum(5))};
	int64		rows;

	check_round_trips(&book, value);
	host_require(DatumGetInt64(must(CALL(custmart_preference_book_rows_skipped, ARG(value)), "rows_skipped")) >= 0, "rows_skipped below 0");
	rows = COUNT_ROWS(custmart_member_preferences_typed, args, columns, check_row);
	host_require(rows < 0 || rows == DatumGetInt64(must(CALL(custmart_preference_book_member_count, ARG(value)), "member_count")), "a row a member");
}

/* ---------- rows ---------- */

/* A row; a text key, and a category, is one letter. */
typedef struct Row
{
	uint8		key;
	uint8		category;		/* 255: NULL */
	uint8		amount;			/* 255: NULL */
} Row;

static NullableDatum
amount_of(uint8 n)
{
	static const char *const amounts[] = {
		"0", "1", "0.00", "12.50", "-3", "0.0000000000000000000000000001", "99999999999999999999999999999999999999", "-99999999999999999999.5", "2", "1.0"
	};

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	/* Mostly the first, which are small. */
	return number_argument(amounts[n < 200 ? n % 5 : n % lengthof(amounts)]);
}

static Outcome
add_row(NullableDatum state, const void *from, int is_text)
{
	const Row  *row = from;
	char		letter = (char) ('a' + row->key % 26);
	char		name = (char) ('A' + row->category % 26);
	NullableDatum category = {host_packed(host_varlena(&name, row->category % 7 > 0)), row->category == 255};

	if (is_text)
		return CALL_IN_AGGREGATE(custmart_preference_book_step_text, state, ARG(host_packed(host_varlena(&letter, 1))), category, amount_of(row->amount));
	return CALL_IN_AGGREGATE(custmart_preference_book_step_bigint, state, {Int64GetDatum(row->key), row->key == 255}, category, amount_of(row->amount));
}

static void
seed_row(void *row, int i, int pattern)
{
	*(Row *) row = (Row) {(uint8) (i * 7 + pattern), (uint8) (i % 9 == 8 ? 255 : i * 3), (uint8) (i * 5 + (pattern > 6 && i % 5 == 0 ? 200 : 0))};
}

static const Made made = {
	&book, custmart_preference_book_add, custmart_preference_book_combine, custmart_preference_book_rows_skipped, use, sizeof(Row), add_row, seed_row, .kinds = 2
};

MADE_TARGETS(preference_book, &made)

void
target_preference_book_rows(Input *input)
{
	int			is_text = take_byte(input) % 2;

	target_made_rows(&made, is_text, input);
}

void
seeds_preference_book_rows(void)
{
	seeds_made_rows(&made);
}
