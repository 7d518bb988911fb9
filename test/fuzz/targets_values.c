/*
 * targets_values.c
 *	  What the targets of stored values have in common: bytes that in and recv must
 *	  take alike, values that are merged in all ways, made of rows in one go and in
 *	  parts, and forged.
 */
#include "targets.h"

#include "money/decimal.h"

#define ROWS_MAX 80
#define ROW_MAX 8				/* bytes */

/* A number as an argument. */
NullableDatum
number_argument(const char *text)
{
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	Decimal		d;

	host_require(decimal_from_text(text, strlen(text), &d), "%s", text);
	return (NullableDatum) ARG(host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric))));
}

/* How many rows a report returns, each of which is checked; -1 if it fails because of its size or because the value is of another kind. */
int64
count_rows(PGFunction report, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
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

/* Two values that were taken, merged both ways and by rollup; 0 if they do not fit together. */
Datum
merge_values(PGFunction add, PGFunction combine, Datum a, Datum b)
{
	Outcome		sum = CALL(add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(add, ARG(b), ARG(host_packed(a)));
	Outcome		state;
	Outcome		other;
	Datum		value;

	host_require(sum.raised == reverse.raised, "a + b fails and b + a does not, or the other way round");
	if (sum.raised)
	{
		if (sum.sqlstate != ERRCODE_DATATYPE_MISMATCH)
			(void) is_limit(&sum);
		return 0;
	}
	value = flat(sum.value);
	host_require(same_bytes(value, flat(reverse.value)), "a + b <> b + a");
	state = CALL_IN_AGGREGATE(combine, NULL_ARG, ARG(a));
	state = CALL_IN_AGGREGATE(combine, ARG(must(state, "rollup")), ARG(b));
	host_require(same_bytes(value, flat(must(state, "rollup"))), "+ and rollup differ");
	state = CALL_IN_AGGREGATE(combine, NULL_ARG, ARG(a));
	other = CALL_IN_AGGREGATE(combine, ARG(b), NULL_ARG);
	state = CALL_IN_AGGREGATE(combine, ARG(must(state, "rollup")), ARG(must(other, "rollup")));
	host_require(same_bytes(value, flat(must(state, "rollup"))), "+ and rollup of two states differ");
	return value;
}

/* What recv and in make of the same bytes; NULL if they refuse them. */
struct varlena *
receive_both(const Type *type, Input *input)
{
	Size		length = left(input);
	char	   *text = base64(type->name, input->at, length);
	struct varlena *value = from_binary(type, input->at, length);
	struct varlena *same = from_text(type, text, strlen(text));

	host_require((value == NULL) == (same == NULL), "in takes what recv refuses, or the other way round");
	host_require(value == NULL || same_bytes(PointerGetDatum(value), PointerGetDatum(same)), "in and recv differ");
	return value;
}

/* A value some of whose bytes are changed, or cut off, as numbers say; NULL if it is refused. */
struct varlena *
forge(const Type *type, Datum value, const uint32 *change, int changes)
{
	Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));
	uint8	   *bytes = palloc(length);

	memcpy(bytes, VARDATA_ANY(DatumGetPointer(value)), length);
	for (int i = 0; i < changes; i++)
		if (change[i] >> 30 == 3)
			length -= Min(length - 1, change[i] & 7);
		else
			bytes[(change[i] >> 8 & 0xFFFF) % length] ^= (uint8) change[i];
	return from_binary(type, bytes, length);
}

/* A value as a seed of in or of recv. */
void
seed_value(const Type *type, Datum value, bool binary)
{
	char	   *bytes = VARDATA_ANY(DatumGetPointer(value));
	Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

	if (binary)
		seed(bytes, length);
	else
		seed_text(base64(type->name, bytes, length));
}

/* ---------- values made of rows ---------- */

static void
use_merged(const Made *made, Datum a, Datum b)
{
	Datum		value = merge_values(made->add, made->combine, a, b);

	if (value != (Datum) 0)
		made->use(value);
}

void
target_made_recv(const Made *made, Input *input)
{
	struct varlena *value = receive_both(made->type, input);

	if (value == NULL)
		return;
	made->use(PointerGetDatum(value));
	use_merged(made, PointerGetDatum(value), PointerGetDatum(value));
}

void
target_made_in(const Made *made, Input *input)
{
	struct varlena *value = from_text(made->type, input->at, left(input));

	if (value != NULL)
		made->use(PointerGetDatum(value));
}

/* Adds the rows whose number mod `parts` is `part`. */
static Outcome
add_rows(const Made *made, const uint8 *rows, int n, int kind, int part, int parts)
{
	Outcome		state = {.is_null = true};

	for (int i = part; i < n && !state.raised; i += parts)
		state = made->add_row((NullableDatum) {state.value, state.is_null}, rows + i * made->row_size, kind);
	return state;
}

/* Rows in one go and in two parts. */
void
target_made_rows(const Made *made, int kind, Input *input)
{
	uint8		rows[ROWS_MAX * ROW_MAX];
	int			n = 0;
	Outcome		whole;
	Outcome		parts[2];
	Datum		state;

	for (; n < ROWS_MAX && left(input) > 0; n++)
		for (int i = 0; i < made->row_size; i++)
			rows[n * made->row_size + i] = take_byte(input);
	if (n < 2)
		return;
	whole = add_rows(made, rows, n, kind, 0, 1);
	for (int p = 0; p < 2; p++)
		parts[p] = add_rows(made, rows, n, kind, p, 2);
	if (made->may_fail)
	{
		if (whole.raised)
			(void) is_limit(&whole);
		if (whole.raised || parts[0].raised || parts[1].raised)
			return;
	}

	/* A book may fail as late as when it is asked for. */
	if (made->rows_skipped != NULL)
	{
		Outcome		total = CALL(made->rows_skipped, ARG(must(whole, "rows")));

		if (made->may_fail && total.raised)
		{
			(void) is_limit(&total);
			return;
		}
		host_require(DatumGetInt64(must(total, "rows_skipped")) >= 0, "rows_skipped below 0");
	}
	state = must(CALL_IN_AGGREGATE(made->combine, NULL_ARG, ARG(flat(must(parts[1], "rows")))), "combine");
	state = must(CALL_IN_AGGREGATE(made->combine, ARG(state), ARG(flat(must(parts[0], "rows")))), "combine");
	host_require(same_bytes(flat(must(whole, "rows")), flat(state)), "parts differ from the whole");
	if (made->expect != NULL)
		made->expect(rows, n);
	made->use(flat(whole.value));
	if (made->expect != NULL)
		made->expect(NULL, 0);
}

/* ---------- seeds ---------- */

static int
seed_rows(const Made *made, uint8 *rows, int n, int pattern)
{
	host_require(made->row_size <= ROW_MAX, "rows are too long");
	for (int i = 0; i < n; i++)
		made->seed_row(rows + i * made->row_size, i, pattern);
	return n;
}

/* Values of all kinds, and of more and more rows. */
void
seeds_made(const Made *made, bool binary)
{
	uint8		rows[ROWS_MAX * ROW_MAX];

	for (int n = 1; n <= ROWS_MAX; n = 2 * n + 1)
		for (int k = 0; k < made->kinds; k++)
			seed_value(made->type, flat(must(add_rows(made, rows, seed_rows(made, rows, n, n + k), made->first_kind + k, 0, 1), "rows")), binary);
}

/* Rows behind a byte that says of which kind they are. */
void
seeds_made_rows(const Made *made)
{
	uint8		bytes[1 + ROWS_MAX * ROW_MAX];

	for (int pattern = 0; pattern < 16; pattern++)
	{
		int			n = seed_rows(made, bytes + 1, 4 + pattern * 3, pattern);

		bytes[0] = (uint8) pattern;
		seed(bytes, 1 + (Size) n * made->row_size);
	}
}
