/* The k-th smallest: quickselect.h against qsort, and against inputs made to be slow. */
#include "shared/core.h"

#include "tap.h"

static uint64_t comparisons;

static inline bool
counted_less(int64 a, int64 b)
{
	comparisons++;
	return a < b;
}

#define SELECT_NAME select_number
#define SELECT_TYPE int64
#define SELECT_LESS(a, b) counted_less(a, b)
#include "shared/quickselect.h"

/* Elements that are more than a machine word, ordered by a part of them. */
typedef struct Pair
{
	int32		key;
	int32		other;
} Pair;

#define SELECT_NAME select_pair
#define SELECT_TYPE Pair
#define SELECT_LESS(a, b) ((a).key > (b).key)
#include "shared/quickselect.h"

/*
 * The adversary of McIlroy ("A killer adversary for quicksort", 1999): values
 * are settled only when they are compared, and always so that the pivot turns
 * out to be as bad as it can be.
 */
static int64 *settled;
static int64 gas;
static int64 next_solid;
static int64 candidate;

static bool
adversary_less(int64 a, int64 b)
{
	comparisons++;
	if (settled[a] == gas && settled[b] == gas)
		settled[a == candidate ? a : b] = next_solid++;
	if (settled[a] == gas)
		candidate = a;
	else if (settled[b] == gas)
		candidate = b;
	return settled[a] < settled[b];
}

#define SELECT_NAME select_against_adversary
#define SELECT_TYPE int64
#define SELECT_LESS(a, b) adversary_less(a, b)
#include "shared/quickselect.h"

static int
compare_numbers(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static int64 *
sorted_copy(const int64 *values, Size n)
{
	int64	   *copy = exact_copy(values, n * sizeof(int64));

	qsort(copy, n, sizeof(int64), compare_numbers);
	return copy;
}

/* Whether the array is as the template promises, and still the same values. */
static bool
is_selected(const int64 *values, const int64 *sorted, Size n, Size k)
{
	int64	   *again;
	bool		right = values[k] == sorted[k];

	for (Size i = 0; i < k && right; i++)
		right = values[i] <= values[k];
	for (Size i = k + 1; i < n && right; i++)
		right = values[i] >= values[k];
	again = sorted_copy(values, n);
	right = right && memcmp(again, sorted, n * sizeof(int64)) == 0;
	free(again);
	return right;
}

enum Pattern
{
	ASCENDING, DESCENDING, EQUAL, ORGAN_PIPE, PIPE_UPSIDE_DOWN, SAWTOOTH, TWO_VALUES,
	ONE_DIFFERS, ROTATED, RANDOM, FEW_VALUES, EXTREMES, EVENS_THEN_ODDS, PATTERNS
};

static const char *const pattern_names[] = {
	"ascending", "descending", "all equal", "organ pipe", "organ pipe upside down", "sawtooth",
	"two values", "one differs", "rotated", "random", "few values", "extremes", "evens then odds"
};

static void
fill(int64 *values, Size n, enum Pattern pattern)
{
	Size		special = n > 0 ? random_below(n) : 0;

	for (Size i = 0; i < n; i++)
	{
		switch (pattern)
		{
			case ASCENDING:
				values[i] = i;
				break;
			case DESCENDING:
				values[i] = n - i;
				break;
			case EQUAL:
				values[i] = 7;
				break;
			case ORGAN_PIPE:
				values[i] = Min(i, n - i);
				break;
			case PIPE_UPSIDE_DOWN:
				values[i] = Max(i, n - i);
				break;
			case SAWTOOTH:
				values[i] = i % 17;
				break;
			case TWO_VALUES:
				values[i] = random_below(2);
				break;
			case ONE_DIFFERS:
				values[i] = i == special ? -1 : 1;
				break;
			case ROTATED:
				values[i] = (i + special) % n;
				break;
			case RANDOM:
				values[i] = random_u64();
				break;
			case FEW_VALUES:
				values[i] = random_below(5);
				break;
			case EXTREMES:
				values[i] = random_below(2) ? INT64_MAX : INT64_MIN;
				break;
			case EVENS_THEN_ODDS:
				values[i] = i < n / 2 ? 2 * i : 2 * (i - n / 2) + 1;
				break;
			case PATTERNS:
				break;
		}
	}
}

/* A bound that only a quadratic run can break. */
static uint64_t
bound(Size n)
{
	uint64_t	log2 = 1;

	while (n >> log2 > 0)
		log2++;
	return 64 + 40 * n + 6 * n * log2;
}

static void
test_small(void)
{
	property("every position of every pattern of up to 40 values");
	for (int pattern = 0; pattern < PATTERNS; pattern++)
		for (Size n = 1; n <= 40; n++)
		{
			int64		values[40];
			int64	   *sorted;

			fill(values, n, pattern);
			sorted = sorted_copy(values, n);
			for (Size k = 0; k < n; k++)
			{
				int64	   *a = exact_copy(values, n * sizeof(int64));

				select_number(a, n, k);
				holds(is_selected(a, sorted, n, k), "%s, n = %zu, k = %zu", pattern_names[pattern], n, k);
				free(a);
			}
			free(sorted);
		}
	property_end();

	property("every order of up to 7 values with every way to be equal");
	for (Size n = 1; n <= 7; n++)
	{
		int			kinds = 1;

		for (Size i = 0; i < n; i++)
			kinds *= (int) n;
		for (int kind = 0; kind < kinds; kind++)
		{
			int64		values[7];
			int64		sorted[7];
			int			rest = kind;

			for (Size i = 0; i < n; i++)
			{
				values[i] = rest % (int) n;
				rest /= (int) n;
			}
			memcpy(sorted, values, sizeof(sorted));
			for (Size i = 1; i < n; i++)
				for (Size j = i; j > 0 && sorted[j] < sorted[j - 1]; j--)
				{
					int64		swap = sorted[j];

					sorted[j] = sorted[j - 1];
					sorted[j - 1] = swap;
				}
			for (Size k = 0; k < n; k++)
			{
				int64		a[7];
				bool		right;

				memcpy(a, values, sizeof(a));
				select_number(a, n, k);
				right = a[k] == sorted[k];
				for (Size i = 0; i < n; i++)
					right = right && (i < k ? a[i] <= a[k] : a[i] >= a[k]);
				holds(right, "n = %zu, number %d, k = %zu", n, kind, k);
			}
		}
	}
	property_end();
}

static void
test_large(Size n)
{
	int64	   *values = malloc(n * sizeof(int64));

	for (int pattern = 0; pattern < PATTERNS; pattern++)
	{
		Size		positions[] = {0, 1, n / 5, n / 2, n - n / 5, n - 2, n - 1};
		int64	   *sorted;
		uint64_t	most = 0;
		bool		right = true;

		fill(values, n, pattern);
		sorted = sorted_copy(values, n);
		for (Size i = 0; i < LENGTH_OF(positions); i++)
		{
			int64	   *a = exact_copy(values, n * sizeof(int64));

			comparisons = 0;
			select_number(a, n, positions[i]);
			most = Max(most, comparisons);
			right = right && is_selected(a, sorted, n, positions[i]);
			free(a);
		}
		free(sorted);
		if (!ok(right && most <= bound(n), "%zu values, %s: right and not quadratic", n, pattern_names[pattern]))
			diag("%s, %" PRIu64 " comparisons", right ? "right" : "wrong", most);
	}
	free(values);
}

/* Makes the worst order, once settled, a plain array; selects from both. */
static void
test_adversary(Size n, Size k, const char *where)
{
	int64	   *a = malloc(n * sizeof(int64));
	int64	   *sorted;
	uint64_t	first;

	settled = malloc(n * sizeof(int64));
	gas = n;
	next_solid = 0;
	candidate = 0;
	for (Size i = 0; i < n; i++)
	{
		a[i] = i;
		settled[i] = gas;
	}
	comparisons = 0;
	select_against_adversary(a, n, k);
	first = comparisons;

	sorted = sorted_copy(settled, n);
	comparisons = 0;
	select_number(settled, n, k);
	if (!ok(first <= bound(n) && comparisons <= bound(n) && is_selected(settled, sorted, n, k),
			"an adversary, %zu values, %s", n, where))
		diag("%" PRIu64 " and %" PRIu64 " comparisons", first, comparisons);
	free(a);
	free(sorted);
	free(settled);
}

/*
 * The permutation of Musser ("Introspective sorting and selection algorithms",
 * 1997) against the median of first, middle and last.
 */
static void
test_median_killer(Size n)
{
	int64	   *values = malloc(n * sizeof(int64));
	int64	   *sorted;
	Size		half = n / 2;

	for (Size i = 0; i < half; i++)
	{
		values[i] = i % 2 == 0 ? (int64) i + 1 : (int64) (half + i + (half % 2 == 0 ? 0 : 1));
		values[half + i] = 2 * ((int64) i + 1);
	}
	sorted = sorted_copy(values, n);
	comparisons = 0;
	select_number(values, n, n / 2);
	if (!ok(comparisons <= bound(n) && is_selected(values, sorted, n, n / 2),
			"the median-of-3 killer, %zu values", n))
		diag("%" PRIu64 " comparisons", comparisons);
	free(values);
	free(sorted);
}

/* As the limits of scores are found: one array, ascending positions. */
static void
test_sequence(void)
{
	property("several positions one after the other, each in what is left");
	for (int run = 0; run < 300; run++)
	{
		Size		n = 1 + random_below(500);
		int			parts = 2 + (int) random_below(98);
		int64	   *values = malloc(n * sizeof(int64));
		int64	   *sorted;
		Size		done = 0;

		fill(values, n, random_below(PATTERNS));
		sorted = sorted_copy(values, n);
		for (int i = 1; i < parts; i++)
		{
			Size		position = i * (n - 1) / parts;

			select_number(values + done, n - done, position - done);
			holds(values[position] == sorted[position], "n = %zu, position %zu", n, position);
			done = position;
		}
		free(values);
		free(sorted);
	}
	property_end();
}

static void
test_pairs(void)
{
	property("structures in descending order, none lost");
	for (int run = 0; run < 300; run++)
	{
		Size		n = 1 + random_below(200);
		Size		k = random_below(n);
		Pair	   *a = malloc(n * sizeof(Pair));
		int64	   *before = malloc(n * sizeof(int64));
		int64	   *after = malloc(n * sizeof(int64));
		bool		right = true;

		for (Size i = 0; i < n; i++)
		{
			a[i].key = (int32) random_below(20);
			a[i].other = (int32) i;
			before[i] = (int64) a[i].key << 32 | a[i].other;
		}
		select_pair(a, n, k);
		for (Size i = 0; i < n; i++)
		{
			right = right && (i < k ? a[i].key >= a[k].key : a[i].key <= a[k].key);
			after[i] = (int64) a[i].key << 32 | a[i].other;
		}
		qsort(before, n, sizeof(int64), compare_numbers);
		qsort(after, n, sizeof(int64), compare_numbers);
		holds(right && memcmp(before, after, n * sizeof(int64)) == 0, "n = %zu, k = %zu", n, k);
		free(a);
		free(before);
		free(after);
	}
	property_end();
}

int
main(void)
{
	test_small();
	test_large(1000);
	test_large(100003);
	test_sequence();
	test_pairs();
	for (Size n = 10; n <= 1000000; n *= 10)
	{
		test_median_killer(n);
		test_adversary(n, n / 2, "in the middle");
	}
	test_adversary(1000000, 0, "the least");
	test_adversary(1000000, 999999, "the greatest");
	return done_testing();
}
