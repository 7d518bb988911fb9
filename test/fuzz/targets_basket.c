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
		int64		rows;

		args[4].isnull |= expected.is_on;
		expected.rows = 0;
		rows = COUNT_ROWS(custmart_item_affinities_typed, args, columns, check_row);
		if (rows >= 0 && expected.is_on)
			host_require(expected.rows == count_pairs(), "%ld pairs, not %ld", expected.rows, count_pairs());
	}
}

/* ---------- rows ---------- */

typedef struct Row
{
	uint8		basket;			/* 255: NULL */
	uint8		item;			/* 255: NULL */
} Row;

/* Both keys are numbers or texts, or the items are texts. */
static Outcome
add_row(NullableDatum state, const void *from, int form)
{
	static const PGFunction steps[] = {custmart_basket_book_step_bigint_bigint, custmart_basket_book_step_text_text, custmart_basket_book_step_bigint_text};
	const Row  *row = from;
	int			basket = row->basket % BASKETS;
	int			item = row->item % ITEMS;
	char		letter = (char) ('a' + basket);
	char		name[] = {(char) ('A' + item), 'x'};
	NullableDatum args[] = {
		state,
		{form == 1 ? host_packed(host_varlena(&letter, 1)) : Int64GetDatum(basket), row->basket == 255},
		{form > 0 ? host_packed(host_varlena(name, 1 + item % 2)) : Int64GetDatum(item), row->item == 255}
	};

	return host_call(steps[form], args, lengthof(args), HOST_AGGREGATE);
}

static void
seed_row(void *row, int i, int pattern)
{
	*(Row *) row = (Row) {(uint8) (i % 13 == 12 ? 255 : i * 7 / 3 + pattern), (uint8) (i % 17 == 16 ? 255 : i * i + pattern * i)};
}

/* What the report must say of these rows. */
static void
expect(const void *from, int n)
{
	const Row  *rows = from;

	memset(&expected, 0, sizeof(expected));
	for (int i = 0; i < n; i++)
		if (rows[i].basket != 255 && rows[i].item != 255)
			expected.has[rows[i].basket % BASKETS][rows[i].item % ITEMS] = true;
	expected.is_on = rows != NULL;
}

static const Made made = {
	&book, custmart_basket_book_add, custmart_basket_book_combine, custmart_basket_book_rows_skipped, use, sizeof(Row), add_row, seed_row,
	.kinds = 3, .expect = expect
};

MADE_TARGETS(basket_book, &made)

void
target_basket_book_rows(Input *input)
{
	int			form = take_byte(input) % 3;

	target_made_rows(&made, form, input);
}

void
seeds_basket_book_rows(void)
{
	seeds_made_rows(&made);
}
