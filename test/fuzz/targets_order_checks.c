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
#include "money/decimal.h"
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

#define ROWS_MAX 60
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
	Outcome		outcome;

	check_round_trips(&book, value);
	for (int i = 0; i < 2; i++)
	{
		host_each_row = check_row;
		outcome = host_rows(custmart_order_checks, args, lengthof(args), columns, lengthof(columns));
		host_each_row = NULL;
		if (outcome.raised)
			(void) is_limit(&outcome);
		else
			host_require(DatumGetInt64(outcome.value) == CHECKS, "not one row a check");
		args[1] = (NullableDatum) ARG(TimestampTzGetDatum(INT64CONST(820540800000000)));
	}
}

static void
merge(Datum a, Datum b)
{
	Outcome		sum = CALL(custmart_check_book_add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(custmart_check_book_add, ARG(b), ARG(host_packed(a)));
	Datum		state;

	if (sum.raised)
	{
		host_require(reverse.raised, "a + b fails and b + a does not: %s", sum.message);
		if (sum.sqlstate != ERRCODE_DATATYPE_MISMATCH)
			(void) is_limit(&sum);
		return;
	}
	host_require(same_bytes(flat(sum.value), flat(must(reverse, "b + a"))), "a + b <> b + a");
	state = must(CALL_IN_AGGREGATE(custmart_check_book_combine, NULL_ARG, ARG(a)), "rollup");
	state = must(CALL_IN_AGGREGATE(custmart_check_book_combine, ARG(state), ARG(b)), "rollup");
	host_require(same_bytes(flat(sum.value), flat(state)), "+ and rollup differ");
	use(flat(sum.value));
}

/* ---------- bytes and text ---------- */

void
target_check_book_recv(Input *input)
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
target_check_book_in(Input *input)
{
	struct varlena *value = from_text(&book, input->at, left(input));

	if (value != NULL)
		use(PointerGetDatum(value));
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
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	const char *text;
	Decimal		d;

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	/* Mostly the first. */
	text = numbers[n < 200 ? n % 9 : n % lengthof(numbers)];
	host_require(decimal_from_text(text, strlen(text), &d), "%s", text);
	return (NullableDatum) ARG(host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric))));
}

static NullableDatum
time_of(uint8 n)
{
	static const int64 times[] = {PG_INT64_MIN, PG_INT64_MAX, INT64CONST(-946684800000000), INT64CONST(-211813488000000000), INT64CONST(9223371331199999999), 0, -1};

	if (n == 0xFF)
		return (NullableDatum) NULL_ARG;
	return (NullableDatum) ARG(TimestampTzGetDatum(n >= 240 ? times[n % lengthof(times)] : INT64CONST(820540800000000) + n * INT64CONST(43200000000)));
}

/* Adds the rows whose number mod `parts` is `part`. */
static Outcome
add_rows(const Row *rows, int n, bool clock, int part, int parts)
{
	Outcome		state = {.is_null = true};

	for (int i = 0; i < n && !state.raised; i++)
	{
		const Row  *row = &rows[i];
		NullableDatum current = {state.value, state.is_null};

		if (i % parts == part)
			state = CALL_IN_AGGREGATE(clock ? custmart_check_book_step_timestamp : custmart_check_book_step, current, name_of(row->member, "m"),
									  name_of(row->order, "10"), name_of(row->item, "i"), time_of(row->time), number_of(row->quantity),
									  number_of(row->price), name_of(row->currency, "C"));
	}
	return state;
}

void
target_check_book_rows(Input *input)
{
	Row			rows[ROWS_MAX];
	bool		clock = take_byte(input) % 2;
	int			n = 0;
	Outcome		whole;
	Datum		state;

	while (n < ROWS_MAX && left(input) > 0)
	{
		uint8	   *bytes = (uint8 *) &rows[n++];

		for (Size i = 0; i < sizeof(Row); i++)
			bytes[i] = take_byte(input);
	}
	if (n < 2)
		return;
	whole = add_rows(rows, n, clock, 0, 1);
	state = must(CALL_IN_AGGREGATE(custmart_check_book_combine, NULL_ARG, ARG(flat(must(add_rows(rows, n, clock, 1, 2), "rows")))), "combine");
	state = must(CALL_IN_AGGREGATE(custmart_check_book_combine, ARG(state), ARG(flat(must(add_rows(rows, n, clock, 0, 2), "rows")))), "combine");
	host_require(same_bytes(flat(must(whole, "rows")), flat(state)), "parts differ from the whole");
	use(flat(whole.value));
}

/* ---------- seeds ---------- */

static int
seed_rows(Row *rows, int n, int pattern)
{
	for (int i = 0; i < n; i++)
	{
		bool		is_odd = pattern > 6 && i % 5 == 0;

		rows[i] = (Row) {(uint8) (i * 7 + pattern + (is_odd ? 190 : 0)), (uint8) (is_odd ? 200 + i : i / 2), (uint8) (i % 3 + (is_odd ? 203 : 0)), (uint8) (is_odd ? 230 + i : i),
			(uint8) (is_odd ? 195 + i : i % 3), (uint8) (is_odd ? 197 + i : i % 2), (uint8) (pattern % 3 == 0 ? 0xFF : i % 9 == 0)};
	}
	return n;
}

static void
seed_stored(bool binary)
{
	Row			rows[ROWS_MAX];

	for (int n = 1; n <= ROWS_MAX; n = 2 * n + 1)
		for (int k = 0; k < 2; k++)
		{
			Datum		value = flat(must(add_rows(rows, seed_rows(rows, n, n + k), k, 0, 1), "rows"));
			char	   *bytes = VARDATA_ANY(DatumGetPointer(value));
			Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

			if (binary)
				seed(bytes, length);
			else
				seed_text(base64(book.name, bytes, length));
		}
}

void
seeds_check_book_in(void)
{
	seed_stored(false);
}

void
seeds_check_book_recv(void)
{
	seed_stored(true);
}

void
seeds_check_book_rows(void)
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
