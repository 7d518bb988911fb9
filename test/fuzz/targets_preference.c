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
#include "money/decimal.h"
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

#define ROWS_MAX 60

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
	Outcome		outcome;

	check_round_trips(&book, value);
	host_require(DatumGetInt64(must(CALL(custmart_preference_book_rows_skipped, ARG(value)), "rows_skipped")) >= 0, "rows_skipped below 0");
	host_each_row = check_row;
	outcome = host_rows(custmart_member_preferences_typed, args, lengthof(args), columns, lengthof(columns));
	host_each_row = NULL;
	if (outcome.raised)
		(void) is_limit(&outcome);
	else
		host_require(DatumGetInt64(outcome.value) == DatumGetInt64(must(CALL(custmart_preference_book_member_count, ARG(value)), "member_count")), "a row a member");
}

/* Two books that were taken, merged in all ways that there are. */
static void
merge(Datum a, Datum b)
{
	Outcome		sum = CALL(custmart_preference_book_add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(custmart_preference_book_add, ARG(b), ARG(host_packed(a)));
	Datum		state;

	if (sum.raised)
	{
		host_require(reverse.raised, "a + b fails and b + a does not: %s", sum.message);
		(void) is_limit(&sum);
		return;
	}
	host_require(same_bytes(flat(sum.value), flat(must(reverse, "b + a"))), "a + b <> b + a");
	state = must(CALL_IN_AGGREGATE(custmart_preference_book_combine, NULL_ARG, ARG(a)), "rollup");
	state = must(CALL_IN_AGGREGATE(custmart_preference_book_combine, ARG(state), ARG(b)), "rollup");
	host_require(same_bytes(flat(sum.value), flat(state)), "+ and rollup differ");
	use(flat(sum.value));
}

/* ---------- bytes and text ---------- */

void
target_preference_book_recv(Input *input)
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
target_preference_book_in(Input *input)
{
	struct varlena *value = from_text(&book, input->at, left(input));

	if (value != NULL)
		use(PointerGetDatum(value));
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
add_rows(const Row *rows, int n, bool is_text, int part, int parts)
{
	Outcome		state = {.is_null = true};

	for (int i = 0; i < n; i++)
	{
		const Row  *row = &rows[i];
		NullableDatum current = {state.value, state.is_null};
		char		letter = (char) ('a' + row->key % 26);
		char		name = (char) ('A' + row->category % 26);
		NullableDatum category = {host_packed(host_varlena(&name, row->category % 7 > 0)), row->category == 255};

		if (i % parts != part)
			continue;
		if (is_text)
			state = CALL_IN_AGGREGATE(custmart_preference_book_step_text, current, ARG(host_packed(host_varlena(&letter, 1))), category, amount_of(row->amount));
		else
			state = CALL_IN_AGGREGATE(custmart_preference_book_step_bigint, current, {Int64GetDatum(row->key), row->key == 255}, category, amount_of(row->amount));
		if (state.raised)
			break;
	}
	return state;
}

void
target_preference_book_rows(Input *input)
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
		rows[n].category = take_byte(input);
		rows[n++].amount = take_byte(input);
	}
	if (n < 2)
		return;
	whole = add_rows(rows, n, is_text, 0, 1);
	for (int p = 0; p < 2; p++)
		parts[p] = add_rows(rows, n, is_text, p, 2);
	state = must(CALL_IN_AGGREGATE(custmart_preference_book_combine, NULL_ARG, ARG(flat(must(parts[1], "rows")))), "combine");
	state = must(CALL_IN_AGGREGATE(custmart_preference_book_combine, ARG(state), ARG(flat(must(parts[0], "rows")))), "combine");
	host_require(same_bytes(flat(must(whole, "rows")), flat(state)), "parts differ from the whole");
	use(flat(whole.value));
}

/* ---------- seeds ---------- */

static int
seed_rows(Row *rows, int n, int pattern)
{
	for (int i = 0; i < n; i++)
		rows[i] = (Row) {(uint8) (i * 7 + pattern), (uint8) (i % 9 == 8 ? 255 : i * 3), (uint8) (i * 5 + (pattern > 6 && i % 5 == 0 ? 200 : 0))};
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
seeds_preference_book_in(void)
{
	seed_stored(false);
}

void
seeds_preference_book_recv(void)
{
	seed_stored(true);
}

void
seeds_preference_book_rows(void)
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
