/*
 * targets_basket.c
 *	  Fuzzing of basket_book.
 *
 * Books come as bytes and text, and are made of rows that are added up in one go and
 * in parts.  What is taken goes through the report, whose columns must not contradict
 * each other, and is merged.  Pairs of the rows are counted by looking at each one.
 */
#include "targets.h"

#include "catalog/pg_type.h"
#include "shared/keytable.h"

FUNCTION(custmart_basket_book_in);
FUNCTION(custmart_basket_book_out);
FUNCTION(custmart_basket_book_recv);
FUNCTION(custmart_basket_book_combine);
FUNCTION(custmart_basket_book_add);
FUNCTION(custmart_basket_book_rows_skipped);
FUNCTION(custmart_basket_book_basket_count);
FUNCTION(custmart_basket_book_item_count);
FUNCTION(custmart_baskets_over);
FUNCTION(custmart_basket_book_step_bigint_bigint);
FUNCTION(custmart_basket_book_step_text_text);
FUNCTION(custmart_basket_book_step_bigint_text);
FUNCTION(custmart_item_affinities_typed);

static const Type book = {
	"basket_book", custmart_basket_book_in, custmart_basket_book_out, custmart_basket_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define ROWS_MAX 80
#define BASKETS 20
#define ITEMS 16
#define LARGEST 5				/* basket that is counted */
#define LEAST 2					/* baskets of a pair */

/* Rows by which the columns of the report are checked, if there are any. */
static struct
{
	bool		is_on;
	bool		has[BASKETS][ITEMS];
	long		rows;
} expected;

/* What an item of the rows stands for; texts are letters. */
static int
item_of(Datum value, Oid type)
{
	return type == INT8OID ? (int) DatumGetInt64(value) : VARDATA_ANY(DatumGetPointer(value))[0] - 'A';
}

static Oid	item_type;

static void
check_row(const Datum *values, const bool *nulls)
{
	int64		together = DatumGetInt64(values[3]);
	int64		having = DatumGetInt64(values[4]);
	int64		other_having = DatumGetInt64(values[5]);
	float8		p = DatumGetFloat8(values[11]);
	float8		q = DatumGetFloat8(values[12]);

	host_require(DatumGetInt64(values[2]) >= 1 && together >= 1 && having >= together && other_having >= together, "counts");
	host_require(DatumGetFloat8(values[6]) > 0 && DatumGetFloat8(values[6]) <= 1, "support");
	host_require(DatumGetFloat8(values[7]) == (float8) together / (float8) having, "confidence");
	host_require(DatumGetFloat8(values[9]) > 0 && DatumGetFloat8(values[9]) <= DatumGetFloat8(values[10]) * (1 + 1e-12) && DatumGetFloat8(values[10]) <= 1 + 1e-12, "jaccard and cosine");
	host_require(p >= 0 && q >= p && q <= 1, "p %g and q %g", p, q);
	expected.rows++;
	if (expected.is_on)
	{
		int			a = item_of(values[0], item_type);
		int			b = item_of(values[1], item_type);
		int64		counts[3] = {0};

		for (int i = 0; i < BASKETS; i++)
		{
			int			size = 0;

			for (int k = 0; k < ITEMS; k++)
				size += expected.has[i][k];
			if (size > LARGEST)
				continue;
			counts[0] += expected.has[i][a] && expected.has[i][b];
			counts[1] += expected.has[i][a];
			counts[2] += expected.has[i][b];
		}
		host_require(a != b && counts[0] == together && counts[1] == having && counts[2] == other_having, "%d and %d: %d together of %d and %d",
					 a, b, (int) counts[0], (int) counts[1], (int) counts[2]);
	}
}

/* Pairs that are often enough together, by looking at each one. */
static long
count_pairs(void)
{
	long		pairs = 0;

	for (int a = 0; a < ITEMS; a++)
		for (int b = 0; b < ITEMS; b++)
		{
			int			together = 0;

			for (int i = 0; i < BASKETS && a != b; i++)
			{
				int			size = 0;

				for (int k = 0; k < ITEMS; k++)
					size += expected.has[i][k];
				together += size <= LARGEST && expected.has[i][a] && expected.has[i][b];
			}
			pairs += together >= LEAST;
		}
	return pairs;
}

static void
use(Datum value)
{
	static const char *const ranks[] = {"together", "lift", "jaccard", "cosine"};
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(value));
	int64		baskets;
	int64		before = -1;

	item_type = bytes[3] == KEY_INT64 ? INT8OID : TEXTOID;
	check_round_trips(&book, value);
	host_require(DatumGetInt64(must(CALL(custmart_basket_book_rows_skipped, ARG(value)), "rows_skipped")) >= 0, "rows_skipped below 0");
	baskets = DatumGetInt64(must(CALL(custmart_basket_book_basket_count, ARG(value)), "basket_count"));
	host_require((baskets > 0) == (DatumGetInt64(must(CALL(custmart_basket_book_item_count, ARG(value)), "item_count")) > 0), "baskets without items");
	for (int n = 1; n < 4; n++)
	{
		int64		over = DatumGetInt64(must(CALL(custmart_baskets_over, ARG(value), ARG(Int32GetDatum(n))), "baskets_over"));

		host_require(over >= 0 && over <= baskets && (before < 0 || over <= before), "baskets_over");
		before = over;
	}
	for (Size i = 0; i < lengthof(ranks); i++)
	{
		const Oid	columns[] = {item_type, item_type, INT8OID, INT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
		NullableDatum args[] = {
			NULL_ARG, ARG(host_packed(value)), ARG(Int32GetDatum(LEAST)), ARG(Int32GetDatum(LARGEST)), {Int32GetDatum(2), !expected.is_on && i % 2 == 1},
			ARG(host_packed(host_varlena(ranks[i], strlen(ranks[i]))))
		};
		Outcome		outcome;

		args[4].isnull |= expected.is_on;
		host_each_row = check_row;
		expected.rows = 0;
		outcome = host_rows(custmart_item_affinities_typed, args, lengthof(args), columns, lengthof(columns));
		host_each_row = NULL;
		if (outcome.raised)
			(void) is_limit(&outcome);
		else if (expected.is_on)
			host_require(expected.rows == count_pairs(), "%ld pairs, not %ld", expected.rows, count_pairs());
	}
}

/* Two books that were taken, merged in all ways that there are. */
static void
merge(Datum a, Datum b)
{
	Outcome		sum = CALL(custmart_basket_book_add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(custmart_basket_book_add, ARG(b), ARG(host_packed(a)));
	Datum		state;

	if (sum.raised)
	{
		host_require(reverse.raised, "a + b fails and b + a does not: %s", sum.message);
		(void) is_limit(&sum);
		return;
	}
	host_require(same_bytes(flat(sum.value), flat(must(reverse, "b + a"))), "a + b <> b + a");
	state = must(CALL_IN_AGGREGATE(custmart_basket_book_combine, NULL_ARG, ARG(a)), "rollup");
	state = must(CALL_IN_AGGREGATE(custmart_basket_book_combine, ARG(state), ARG(b)), "rollup");
	host_require(same_bytes(flat(sum.value), flat(state)), "+ and rollup differ");
	use(flat(sum.value));
}

/* ---------- bytes and text ---------- */

void
target_basket_book_recv(Input *input)
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
target_basket_book_in(Input *input)
{
	struct varlena *value = from_text(&book, input->at, left(input));

	if (value != NULL)
		use(PointerGetDatum(value));
}

/* ---------- rows ---------- */

typedef struct Row
{
	uint8		basket;			/* 255: NULL */
	uint8		item;			/* 255: NULL */
} Row;

/* Adds the rows whose number mod `parts` is `part`; both keys are numbers or texts, or the items are texts. */
static Outcome
add_rows(const Row *rows, int n, int form, int part, int parts)
{
	static const PGFunction steps[] = {custmart_basket_book_step_bigint_bigint, custmart_basket_book_step_text_text, custmart_basket_book_step_bigint_text};
	Outcome		state = {.is_null = true};

	for (int i = 0; i < n; i++)
	{
		NullableDatum current = {state.value, state.is_null};
		int			basket = rows[i].basket % BASKETS;
		int			item = rows[i].item % ITEMS;
		char		letter = (char) ('a' + basket);
		char		name[] = {(char) ('A' + item), 'x'};
		NullableDatum args[] = {
			current,
			{form == 1 ? host_packed(host_varlena(&letter, 1)) : Int64GetDatum(basket), rows[i].basket == 255},
			{form > 0 ? host_packed(host_varlena(name, 1 + item % 2)) : Int64GetDatum(item), rows[i].item == 255}
		};

		if (i % parts != part)
			continue;
		state = host_call(steps[form], args, lengthof(args), HOST_AGGREGATE);
		if (state.raised)
			break;
	}
	return state;
}

void
target_basket_book_rows(Input *input)
{
	Row			rows[ROWS_MAX];
	int			form = take_byte(input) % 3;
	int			n = 0;
	Outcome		whole;
	Outcome		parts[2];
	Datum		state;

	while (n < ROWS_MAX && left(input) > 0)
	{
		rows[n].basket = take_byte(input);
		rows[n++].item = take_byte(input);
	}
	if (n < 2)
		return;
	whole = add_rows(rows, n, form, 0, 1);
	for (int p = 0; p < 2; p++)
		parts[p] = add_rows(rows, n, form, p, 2);
	state = must(CALL_IN_AGGREGATE(custmart_basket_book_combine, NULL_ARG, ARG(flat(must(parts[1], "rows")))), "combine");
	state = must(CALL_IN_AGGREGATE(custmart_basket_book_combine, ARG(state), ARG(flat(must(parts[0], "rows")))), "combine");
	host_require(same_bytes(flat(must(whole, "rows")), flat(state)), "parts differ from the whole");
	memset(&expected, 0, sizeof(expected));
	for (int i = 0; i < n; i++)
		if (rows[i].basket != 255 && rows[i].item != 255)
			expected.has[rows[i].basket % BASKETS][rows[i].item % ITEMS] = true;
	expected.is_on = true;
	use(flat(whole.value));
	expected.is_on = false;
}

/* ---------- seeds ---------- */

static int
seed_rows(Row *rows, int n, int pattern)
{
	for (int i = 0; i < n; i++)
		rows[i] = (Row) {(uint8) (i % 13 == 12 ? 255 : i * 7 / 3 + pattern), (uint8) (i % 17 == 16 ? 255 : i * i + pattern * i)};
	return n;
}

static void
seed_stored(bool binary)
{
	Row			rows[ROWS_MAX];

	for (int n = 1; n <= ROWS_MAX; n = 2 * n + 1)
		for (int form = 0; form < 3; form++)
		{
			Datum		value = flat(must(add_rows(rows, seed_rows(rows, n, n), form, 0, 1), "rows"));
			char	   *bytes = VARDATA_ANY(DatumGetPointer(value));
			Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

			if (binary)
				seed(bytes, length);
			else
				seed_text(base64(book.name, bytes, length));
		}
}

void
seeds_basket_book_in(void)
{
	seed_stored(false);
}

void
seeds_basket_book_recv(void)
{
	seed_stored(true);
}

void
seeds_basket_book_rows(void)
{
	uint8		bytes[1 + ROWS_MAX * sizeof(Row)];

	for (int pattern = 0; pattern < 16; pattern++)
	{
		Row			rows[ROWS_MAX];
		int			n = seed_rows(rows, 4 + pattern * 5 % (ROWS_MAX - 4), pattern);

		bytes[0] = (uint8) pattern;
		memcpy(bytes + 1, rows, n * sizeof(Row));
		seed(bytes, 1 + n * sizeof(Row));
	}
}
