/*
 * clv_rows.c
 *	  Sorts rows and merges equal ones.
 */
#include "clv/clv_rows.h"

#include "clv/clv_math.h"
#include "shared/large_memory.h"

#define VALUES_OFFSET 8			/* of a row */

StaticAssertDecl(offsetof(ClvRow, last_age) == VALUES_OFFSET && sizeof(ClvRow) == VALUES_OFFSET + 16, "layout of rows");
StaticAssertDecl(offsetof(ClvSpendRow, mean) == VALUES_OFFSET && sizeof(ClvSpendRow) == VALUES_OFFSET + 8, "layout of rows");

/* What is wrong with the figures of a member, if anything. */
ClvRowStatus
clv_row_check(int64 repeats, float8 last_age, float8 age)
{
	if (!isfinite(last_age) || !isfinite(age))
		return CLV_ROW_NOT_FINITE;
	if (repeats < 0 || last_age < 0 || age < 0)
		return CLV_ROW_NEGATIVE;
	if (repeats > PG_UINT32_MAX)
		return CLV_ROW_TOO_MANY_REPEATS;
	if (last_age > age)
		return CLV_ROW_LAST_AGE_ABOVE_AGE;
	if (repeats == 0 && last_age > 0)
		return CLV_ROW_LAST_AGE_WITHOUT_REPEATS;
	if (repeats > 0 && last_age == 0)
		return CLV_ROW_REPEATS_WITHOUT_LAST_AGE;
	if (age > CLV_AGE_MAX || (age > 0 && age < CLV_AGE_MIN) || (last_age > 0 && last_age < CLV_AGE_MIN))
		return CLV_ROW_OUT_OF_RANGE;
	return CLV_ROW_GOOD;
}

/* The bits of a value, which sort as it does, as it is not negative. */
static inline uint64
value_bits(const char *row, int value)
{
	uint64		bits;

	memcpy(&bits, row + VALUES_OFFSET + 8 * value, 8);
	return bits;
}

static inline uint32
row_repeats(const char *row)
{
	uint32		repeats;

	memcpy(&repeats, row, 4);
	return repeats;
}

/* A byte of the key, the last of the last value first and the first of the repeats last. */
static inline unsigned
key_byte(const char *row, int values, int byte)
{
	int			value = values - 1 - byte / 8;

	return (value < 0 ? row_repeats(row) >> 8 * (byte % 8) : value_bits(row, value) >> 8 * (byte % 8)) & 0xFF;
}

/*
 * Sorts by repeats, then values, byte by byte: most bytes are the same in all
 * rows, and are passed over.
 */
static pg_attribute_always_inline void
sort_rows(char *rows, Size n, int values)
{
	const Size	width = VALUES_OFFSET + 8 * values;
	char	   *spare = large_alloc(CurrentMemoryContext, Max(n, 1) * width);
	char	   *from = rows;
	char	   *to = spare;

	for (int byte = 0; byte < 8 * values + 4; byte++)
	{
		Size		place[256] = {0};
		Size		sum = 0;
		char	   *swap = from;

		for (Size i = 0; i < n; i++)
		{
			check_interrupts(i);
			place[key_byte(from + i * width, values, byte)]++;
		}
		if (n == 0 || place[key_byte(from, values, byte)] == n)
			continue;
		for (int b = 0; b < 256; b++)
		{
			Size		count = place[b];

			place[b] = sum;
			sum += count;
		}
		for (Size i = 0; i < n; i++)
		{
			check_interrupts(i);
			memcpy(to + place[key_byte(from + i * width, values, byte)]++ * width, from + i * width, width);
		}
		from = to;
		to = swap;
	}
	if (from != rows)
		large_copy(rows, from, n * width);
	pfree(spare);
}

/* Sorts the array, merges equal rows in it, and takes their sums; it stays where it is. */
void
clv_rows_init(ClvRows *rows, ClvRow *row, Size n)
{
	ClvSum		age = {0};
	ClvSum		last_age = {0};

	memset(rows, 0, sizeof(*rows));
	rows->row = row;
	rows->whole_days = true;
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		Assert(clv_row_check(row[i].repeats, row[i].last_age, row[i].age) == CLV_ROW_GOOD);
		/* There is a negative zero, whose bits are not those of zero. */
		row[i].last_age += 0.0;
		row[i].age += 0.0;
	}
	sort_rows((char *) row, n, 2);
	for (Size i = 0; i < n; i++)
	{
		ClvRow	   *last = row + rows->n - 1;

		check_interrupts(i);
		if (rows->n > 0 && last->repeats == row[i].repeats && last->last_age == row[i].last_age && last->age == row[i].age)
			last->members += row[i].members;
		else
			row[rows->n++] = row[i];
	}
	for (Size i = 0; i < rows->n; i++)
	{
		check_interrupts(i);
		rows->members += row[i].members;
		rows->repeaters += row[i].repeats > 0 ? row[i].members : 0;
		rows->repeats += (float8) row[i].repeats * row[i].members;
		rows->most_repeats = Max(rows->most_repeats, row[i].repeats);
		rows->max_age = Max(rows->max_age, row[i].age);
		clv_sum_add(&age, row[i].age * row[i].members);
		clv_sum_add(&last_age, row[i].last_age * row[i].members);
		if (row[i].age >= CLV_TABLE_DAYS || row[i].age != floor(row[i].age) || row[i].last_age != floor(row[i].last_age))
			rows->whole_days = false;
	}
	if (rows->n > 0)
	{
		rows->mean_age = clv_sum_value(&age) / rows->members;
		rows->mean_last_age = clv_sum_value(&last_age) / rows->members;
	}
}

/* The same for rows of spend. */
void
clv_spend_rows_init(ClvSpendRows *rows, ClvSpendRow *row, Size n)
{
	ClvSum		sum = {0};

	memset(rows, 0, sizeof(*rows));
	rows->row = row;
	sort_rows((char *) row, n, 1);
	for (Size i = 0; i < n; i++)
	{
		ClvSpendRow *last = row + rows->n - 1;

		check_interrupts(i);
		Assert(row[i].repeats > 0 && row[i].mean > 0 && isfinite(row[i].mean));
		if (rows->n > 0 && last->repeats == row[i].repeats && last->mean == row[i].mean)
			last->members += row[i].members;
		else
			row[rows->n++] = row[i];
	}
	for (Size i = 0; i < rows->n; i++)
	{
		check_interrupts(i);
		rows->members += row[i].members;
		clv_sum_add(&sum, row[i].mean * row[i].members);
	}
	if (rows->n > 0)
		rows->mean = clv_sum_value(&sum) / rows->members;
}
