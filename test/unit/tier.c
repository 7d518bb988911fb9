/* needs: money/decimal.c tier/tier_core.c */
#include "tier/tier_core.h"

#include <math.h>

#include "tap.h"
#include "plain_decimal.h"

#define MEMBERS 60
#define GRADES 8

/*
 * Grades by definition: of the members, how many have more?  Shares are whole
 * parts of `whole` here, so nothing is rounded.
 */
static int
grade_by_definition(int greater, int n, const int *parts, int grades, int whole)
{
	int64		sum = 0;

	for (int k = 0; k < grades; k++)
	{
		sum += parts[k];
		/* greater / n < sum / whole */
		if ((int64) greater * whole < sum * n)
			return k;
	}
	return grades;
}

/* Sizes of grades: some of them empty, their sum the whole or less. */
static int
random_parts(int *parts, int whole)
{
	int			grades = (int) random_below(GRADES + 1);
	int			left = whole;

	for (int k = 0; k < grades; k++)
	{
		parts[k] = random_below(5) == 0 ? 0 : (int) random_below(left + 1);
		if (random_below(6) == 0)
			parts[k] = left;
		left -= parts[k];
	}
	return grades;
}

static void
test_numbers(void)
{
	property("float8: everyone has the grade that counting the greater ones gives");
	for (int run = 0; run < 20000; run++)
	{
		static const int wholes[] = {1, 2, 3, 7, 10, 100, 1000};
		int			whole = wholes[random_below(LENGTH_OF(wholes))];
		int			n = 1 + (int) random_below(MEMBERS);
		int			kinds = 1 + (int) random_below(2 * n);
		int			parts[GRADES];
		int			grades = random_parts(parts, whole);
		float8		shares[GRADES];
		float8		sums[GRADES];
		float8		cuts[GRADES];
		float8		values[MEMBERS];
		float8	   *reordered;
		const char *wrong;

		for (int k = 0; k < grades; k++)
			shares[k] = (float8) parts[k] / whole;
		wrong = tier_accumulate(shares, grades, sums);
		if (!holds(wrong == NULL, "%s", wrong))
			continue;
		for (int i = 0; i < n; i++)
			values[i] = (float8) random_below(kinds) - kinds / 2;
		reordered = exact_copy(values, n * sizeof(float8));
		tier_cuts_of_numbers(reordered, n, sums, grades, cuts);
		for (int i = 0; i < n; i++)
		{
			int			greater = 0;
			int			grade = 0;
			int			expected;

			for (int j = 0; j < n; j++)
				greater += values[j] > values[i];
			expected = grade_by_definition(greater, n, parts, grades, whole);
			while (grade < grades && values[i] < cuts[grade])
				grade++;
			holds(grade == expected, "run %d: %d of %d have more than %g: grade %d, not %d", run, greater, n,
				  values[i], grade, expected);
		}
		for (int k = 1; k < grades; k++)
			holds(cuts[k] <= cuts[k - 1], "run %d: cuts ascend", run);
		free(reordered);
	}
	property_end();
}

static void
test_decimals(void)
{
	property("decimals, packed and wide, equal at different scales: the same");
	for (int run = 0; run < 4000; run++)
	{
		int			whole = run % 2 ? 10 : 100;
		int			n = 1 + (int) random_below(MEMBERS);
		int			parts[GRADES];
		int			grades = random_parts(parts, whole);
		float8		shares[GRADES];
		float8		sums[GRADES];
		int64		values[MEMBERS];
		Plain		plain[MEMBERS];
		int64	   *reordered;
		int64		cuts[GRADES];
		bool		has_cut[GRADES];
		DecimalPool pool = {0};

		for (int k = 0; k < grades; k++)
			shares[k] = (float8) parts[k] / whole;
		(void) tier_accumulate(shares, grades, sums);
		for (int i = 0; i < n; i++)
		{
			char		text[PLAIN_TEXT_SIZE];
			Decimal		d;

			random_amount(text, run % 3 ? 2 : DECIMAL_MAX_DIGITS, run % 3 ? 1 : DECIMAL_MAX_SCALE);
			if (random_below(4) == 0)
				strcpy(text, (const char *const[]) {"1", "1.0", "1.00", "-2", "-2.000"}[random_below(5)]);
			plain[i] = plain_from_text(text);
			if (!decimal_from_text(text, strlen(text), &d))
				diag("%s is refused", text);
			if (!decimal_fits_packed(&d, &values[i]))
				values[i] = decimal_pool_put(&pool, &d);
		}
		reordered = exact_copy(values, n * sizeof(int64));
		tier_cuts_of_decimals(reordered, &pool, n, sums, grades, cuts, has_cut);
		for (int i = 0; i < n; i++)
		{
			int			greater = 0;
			int			grade = 0;
			int			expected;

			for (int j = 0; j < n; j++)
				greater += plain_compare(&plain[j], &plain[i]) > 0;
			expected = grade_by_definition(greater, n, parts, grades, whole);
			while (grade < grades && (!has_cut[grade] || decimal_packed_compare(values[i], cuts[grade], &pool) < 0))
				grade++;
			holds(grade == expected, "run %d: %d of %d have more: grade %d, not %d", run, greater, n, grade, expected);
		}
		free(reordered);
		free(pool.item);
	}
	property_end();
}

static void
test_shares(void)
{
	static const struct
	{
		float8		shares[4];
		int			n;
		const char *wrong;
	}			cases[] = {
		{{0}, 0, NULL},
		{{0}, 1, NULL},
		{{1}, 1, NULL},
		{{0.1, 0.3}, 2, NULL},
		{{0.5, 0.5}, 2, NULL},
		{{0.1, 0.2, 0.7}, 3, NULL},
		{{0.7, 0.1, 0.1, 0.1}, 4, NULL},
		{{1.0 / 3, 1.0 / 3, 1.0 / 3}, 3, NULL},
		{{1e-300}, 1, NULL},
		{{-0.1}, 1, "each share must be from 0 to 1"},
		{{1.1}, 1, "each share must be from 0 to 1"},
		{{0.1, NAN}, 2, "each share must be from 0 to 1"},
		{{INFINITY}, 1, "each share must be from 0 to 1"},
		{{-INFINITY}, 1, "each share must be from 0 to 1"},
		{{0.5, 0.6}, 2, "their sum must not be above 1"},
		{{1, 1, 1, 1}, 4, "their sum must not be above 1"},
		{{1, 0.000001}, 2, "their sum must not be above 1"}
	};
	float8		sums[4];
	float8		values[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	float8		cuts[4];

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
		is_text(tier_accumulate(cases[i].shares, cases[i].n, sums), cases[i].wrong, "sizes of grades");

	/* 0.1 + 0.2 is a little more than 0.3 in float8. */
	(void) tier_accumulate((const float8[]) {0.1, 0.2}, 2, sums);
	tier_cuts_of_numbers(values, 10, sums, 2, cuts);
	ok(cuts[0] == 10 && cuts[1] == 8, "the first 10 %% and the next 20 %% of ten are one and two");
	(void) tier_accumulate((const float8[]) {0, 1}, 2, sums);
	tier_cuts_of_numbers(values, 10, sums, 2, cuts);
	ok(cuts[0] == INFINITY && cuts[1] == 1, "a grade of nobody, a grade of all");
}

int
main(void)
{
	test_shares();
	test_numbers();
	test_decimals();
	return done_testing();
}
