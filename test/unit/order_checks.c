/* needs: shared/calendar_core.c order_checks/order_checks_core.c */
/*
 * The core of order_checks, by brute force: ids by lists of what is one and what is
 * not, prices by sorting, dates by looking at all neighbours and all days.
 */
#include "order_checks/order_checks_core.h"

#include <ctype.h>
#include <math.h>

#include "tap.h"

/* ---------- ids ---------- */

static void
test_nobody(void)
{
	static const char *const nobody[] = {
		"", " ", "\t\r\n\v\f", "0", " 0", "-1", "-1 ", "guest", "GUEST", "Guest\n", "unknown", " UnKnown ", "n/a", "N/A", "null", "NULL", "test", "Test", "anonymous", "ANONYMOUS"
	};
	static const char *const somebody[] = {
		"00", "0.0", "1", "-10", "-", "guest 1", "guests", "gues", "unknown1", "na", "n\\a", "nulls", "tests", "anonymou", "anonymouss", "a very long id that is nobody's",
		"\xc2\xa0", "gu\0st"
	};

	property("ids that stand for nobody");
	for (size_t i = 0; i < LENGTH_OF(nobody); i++)
		holds(id_is_no_member(nobody[i], (uint32) strlen(nobody[i])), "\"%s\"", nobody[i]);
	property_end();
	property("ids that stand for somebody");
	for (size_t i = 0; i < LENGTH_OF(somebody); i++)
		holds(!id_is_no_member(somebody[i], (uint32) strlen(somebody[i])), "\"%s\"", somebody[i]);
	property_end();
}

static void
test_patterns(void)
{
	static const struct
	{
		const char *id;
		bool		scientific;
		bool		test;
		int			prefix;		/* of its number, or -1 */
	}			ids[] = {
		{"9e+05", true, false, 3}, {"4.0128e+10", true, false, 8}, {"4.0128E+10", true, false, 8}, {"1e+5", true, false, 3}, {"0.0e+0", true, false, 5},
		{"9e05", false, false, 2}, {"9e-05", false, false, 3}, {"9e+", false, false, -1}, {".5e+5", false, false, 4}, {"9.e+05", false, false, 4}, {"12e+05", false, false, 4}, {"9e+05 ", false, false, -1},
		{" 9e+05", false, false, 4}, {"9e+0x5", false, false, 5}, {"e+05", false, false, 2}, {"9", false, false, 0}, {"", false, false, -1}, {"9.5", false, false, 2}, {"9.5e", false, false, -1},
		{"test", false, true, -1}, {"TEST1", false, true, 4}, {"1test1", false, true, 5}, {"my test", false, true, -1}, {"a-test-b", false, true, -1}, {"Dummy", false, true, -1}, {"x_dummy_9", false, true, 8},
		{"contest", false, false, -1}, {"tests", false, false, -1}, {"testtest", false, false, -1}, {"dummyx", false, false, -1}, {"tes", false, false, -1}, {"tesT", false, true, -1}, {"contest test", false, true, -1},
		{"dumm", false, false, -1}, {"\xc3\xa4test", false, true, -1}, {"test\xc3\xa4", false, true, -1}, {"tetest", false, false, -1}, {"te test", false, true, -1},
		{"C536365", false, false, 1}, {"536365", false, false, 0}, {"2011-000123", false, false, 5}, {"A1B", false, false, -1}, {"123456789012345678", false, false, 0}, {"1234567890123456789", false, false, -1},
		{"x123456789012345678", false, false, 1}, {"0000000000000000001", false, false, -1}
	};

	property("rounded ids, tests and numbers");
	for (size_t i = 0; i < LENGTH_OF(ids); i++)
	{
		uint32		length = (uint32) strlen(ids[i].id);
		uint32		prefix;
		bool		number = id_number(ids[i].id, length, &prefix);

		holds(id_is_scientific(ids[i].id, length) == ids[i].scientific, "\"%s\": scientific", ids[i].id);
		holds(id_has_test_word(ids[i].id, length) == ids[i].test, "\"%s\": test", ids[i].id);
		holds(number == (ids[i].prefix >= 0) && (!number || prefix == (uint32) ids[i].prefix), "\"%s\": number", ids[i].id);
	}
	property_end();
}

static void
test_shapes(void)
{
	property("folds and shapes, byte by byte");
	for (int round = 0; round < 20000; round++)
	{
		static const char letters[] = " \tAzZa09-_\xc3\xa4";
		char		id[12];
		char		folded[12];
		char		shape[12];
		uint32		length = (uint32) (random_u64() % (sizeof(id) + 1));
		uint32		begin = 0;
		uint32		end;
		uint32		n;

		for (uint32 i = 0; i < length; i++)
			id[i] = letters[random_u64() % (sizeof(letters) - 1)];
		n = id_fold(id, length, folded);
		id_shape(id, length, shape);
		while (begin < length && isspace((unsigned char) id[begin]))
			begin++;
		for (end = length; end > begin && isspace((unsigned char) id[end - 1]);)
			end--;
		holds(n == end - begin, "fold of \"%.*s\"", (int) length, id);
		for (uint32 i = 0; i < n; i++)
			holds(folded[i] == (char) tolower((unsigned char) id[begin + i]), "fold of \"%.*s\" at %u", (int) length, id, i);
		for (uint32 i = 0; i < length; i++)
		{
			unsigned char c = (unsigned char) id[i];

			holds(shape[i] == (isdigit(c) ? '9' : isalpha(c) ? 'A' : id[i]), "shape of \"%.*s\" at %u", (int) length, id, i);
		}
	}
	property_end();
}

/* ---------- prices ---------- */

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The median of sorted numbers: of an even number the mean of the two in the middle. */
static double
median_of(double *numbers, size_t n)
{
	qsort(numbers, n, sizeof(double), compare_doubles);
	return (numbers[(n - 1) / 2] + numbers[n / 2]) / 2;
}

/* By the definition, with all logarithms sorted. */
static int
judge(const double *prices, size_t n, double price)
{
	double		logs[64];
	double		deviations[64];
	double		log_median;
	double		mad;
	double		mean = 0;
	double		deviation = 0;
	double		z;
	int			verdict = PRICE_USUAL;

	if (n < 10)
		return PRICE_USUAL;
	for (size_t i = 0; i < n; i++)
		logs[i] = log(prices[i]);
	log_median = median_of(logs, n);
	for (size_t i = 0; i < n; i++)
	{
		deviations[i] = fabs(logs[i] - log_median);
		mean += deviations[i] / (double) n;
	}
	mad = median_of(deviations, n);
	deviation = fabs(log(price) - log_median);
	z = mad > 0 ? 0.67449 * deviation / mad : mean > 0 ? deviation / (1.25331 * mean) : 0;
	if (z <= 3.5)
		return PRICE_USUAL;
	if (deviation >= log(10.0) - 1e-9)
		verdict |= PRICE_OUTLIER;
	for (int k = 1; k <= 3; k++)
		if (fabs(price / (exp(log_median) * pow(10, k)) - 1) <= 0.005 ||
			fabs(price / (exp(log_median) * pow(10, -k)) - 1) <= 0.005)
			verdict |= PRICE_SLIP;
	return verdict;
}

static void
test_prices(void)
{
	int			seen[4] = {0};

	property("outliers and slips, by sorting all logarithms");
	for (int round = 0; round < 30000; round++)
	{
		double		prices[64];
		CountedNumber used[64];
		size_t		counted = 0;
		size_t		n = 1 + random_u64() % 40;
		double		base = (double) (1 + random_u64() % 2000) / 100;
		UsualPrice	usual;

		for (size_t i = 0; i < n; i++)
		{
			static const double factors[] = {10, 100, 1000, 0.1, 0.01, 0.001, 9.97, 10.03, 20, 0.04, 9.9};

			/* Most prices are the same, or near, or anywhere. */
			prices[i] = base;
			if (round % 3 > 0)
				prices[i] = rint(base * (1 + (double) (random_u64() % 100) / (round % 3 == 1 ? 500 : 20)) * 100) / 100;
			if (random_u64() % 12 == 0)
				prices[i] = base * factors[random_u64() % LENGTH_OF(factors)];
		}
		/* Runs of equal prices are given as one, or one by one. */
		for (size_t i = 0; i < n; i++)
			if (i > 0 && round % 2 == 0 && prices[i] == prices[i - 1])
				used[counted - 1].count++;
			else
				used[counted++] = (CountedNumber) {prices[i], 1};
		usual = usual_price(used, counted);
		for (size_t i = 0; i < n; i++)
		{
			int			expected = judge(prices, n, prices[i]);

			holds(price_judge(&usual, prices[i]) == expected, "%zu prices, %.17g: %d, not %d", n, prices[i],
				  price_judge(&usual, prices[i]), expected);
			seen[expected]++;
		}
	}
	property_end();
	ok(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] > 0, "all verdicts were seen: %d, %d, %d, %d", seen[0], seen[1], seen[2], seen[3]);

	property("medians, by sorting");
	for (int round = 0; round < 5000; round++)
	{
		CountedNumber numbers[200];
		double		sorted[200 * 5];
		size_t		all = 0;
		double		upper;
		double		lower;
		size_t		n = 1 + random_u64() % LENGTH_OF(numbers);

		for (size_t i = 0; i < n; i++)
		{
			numbers[i].number = (double) (random_u64() % (1 + n / (1 + round % 7)));
			numbers[i].count = 1 + random_u64() % (1 + round % 5);
			for (uint32 k = 0; k < numbers[i].count; k++)
				sorted[all++] = numbers[i].number;
		}
		lower = lower_median(numbers, n, &upper);
		qsort(sorted, all, sizeof(double), compare_doubles);
		holds(lower == sorted[(all - 1) / 2] && upper == sorted[all / 2], "of %zu numbers", all);
	}
	property_end();
}

/* ---------- dates ---------- */

/* Days of a calendar that counts one by one. */
static void
test_exchange(void)
{
	int			year = 1996;
	int			month = 1;
	int			day = 1;
	int64		of[13][13];		/* of the days 1 to 12 of the current year */

	property("day and month exchanged, by counting days");
	for (int64 at = -1461; at < 3653; at++)
	{
		static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
		int			length = lengths[month - 1] + (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));

		if (day <= 12)
			of[month][day] = at;
		if (month == 12 && day == 31)
			for (int m = 1; m <= 12; m++)
				for (int d = 1; d <= 12; d++)
				{
					int64		time = of[m][d] * CHECK_DAY_USECS + 12345678;
					int64		exchanged = 0;
					bool		is_other = day_month_exchanged(time, &exchanged);

					holds(is_other == (m != d) && (!is_other || exchanged == of[d][m] * CHECK_DAY_USECS + 12345678),
						  "%d-%02d-%02d", year, m, d);
				}
		if (day > 12)
		{
			int64		exchanged;

			holds(!day_month_exchanged(at * CHECK_DAY_USECS, &exchanged), "%d-%02d-%02d", year, month, day);
		}
		holds(day_is_placeholder((int32) at) == false, "%d-%02d-%02d is a placeholder", year, month, day);
		if (++day > length)
		{
			day = 1;
			if (++month > 12)
			{
				month = 1;
				year++;
			}
		}
	}
	property_end();
	ok(day_is_placeholder(-10957) && !day_is_placeholder(-10956) && !day_is_placeholder(-10958), "1970-01-01, and no day beside it");
	/* 1899-12-30 is day 0 of spreadsheets; 2038-01-19 the last of 32 bits. */
	ok(day_is_placeholder(-36527) && day_is_placeholder(-36889) && !day_is_placeholder(-36890) && !day_is_placeholder(-36159), "1900-01-01 and 1899; not 1898-12-31, not 1901-01-01");
	ok(day_is_placeholder(13898) && !day_is_placeholder(13879) && day_is_placeholder(13880) && day_is_placeholder(2921939), "2038, and 9999-12-31");
	ok(day_is_placeholder(-730119) && !day_is_placeholder(-730120) && day_is_placeholder(-90213), "0001-01-01, not the day before, and 1753-01-01");
}

static bool found[200];

static void
note(void *context, uint32 order)
{
	(void) context;
	found[order] = true;
}

static void
test_series(void)
{
	long		swaps = 0;

	property("swapped orders, by all neighbours of each");
	for (int round = 0; round < 20000; round++)
	{
		int64		times[200];
		int			n = 1 + (int) (random_u64() % 60);
		OrderSeries series = {0};
		SwapCounts	counts = {0};
		int64		far = 0;
		int64		swapped = 0;

		for (int i = 0; i < n; i++)
		{
			times[i] = (int64) (9500 + i * (round % 4) + (int64) (random_u64() % 3)) * CHECK_DAY_USECS + (int64) (random_u64() % 86400) * 1000000;
			if (random_u64() % 9 == 0)
				(void) day_month_exchanged(times[i], &times[i]);
			if (random_u64() % 19 == 0)
				times[i] += (int64) (random_u64() % 40) * CHECK_DAY_USECS;
		}
		memset(found, 0, sizeof(found));
		for (int i = 0; i < n; i++)
			series_add(&series, (SeriesOrder) {times[i], (uint32) i}, &counts, note, NULL);
		series_end(&series, &counts, note, NULL);
		for (int i = 0; i < n; i++)
		{
			double		neighbours[10];
			int			m = 0;
			int64		median;
			int64		exchanged;
			bool		is_far;
			bool		is_swapped;

			for (int k = i - 5; k <= i + 5; k++)
				if (k >= 0 && k < n && k != i)
					neighbours[m++] = (double) times[k];
			if (m == 0)
				continue;
			qsort(neighbours, (size_t) m, sizeof(double), compare_doubles);
			median = (int64) neighbours[(m - 1) / 2];
			is_far = llabs(times[i] - median) > 10 * CHECK_DAY_USECS;
			is_swapped = is_far && day_month_exchanged(times[i], &exchanged) && llabs(exchanged - median) <= 2 * CHECK_DAY_USECS;
			far += is_far;
			swapped += is_swapped;
			holds(found[i] == is_swapped, "order %d of %d", i, n);
		}
		holds(counts.orders == n && counts.far == far && counts.swapped == swapped, "counts of %d orders", n);
		swaps += swapped;
	}
	property_end();
	ok(swaps > 1000, "%ld swapped orders were found", swaps);
}

static void
test_gaps(void)
{
	property("gaps, by looking at every day and every stretch");
	for (int round = 0; round < 20000; round++)
	{
		uint8		days[120];
		int			n = 1 + (int) (random_u64() % LENGTH_OF(days));
		int32		list[120];
		size_t		listed = 0;
		int			first = (int) (random_u64() % 1000) - 500;
		bool		open[7] = {false};
		int			opened = 0;
		int			missing = 0;
		int			best = 0;
		int			best_first = 0;
		GapCounts	gaps;

		for (int i = 0; i < n; i++)
			days[i] = (i % 7 != round % 7) && random_u64() % 4 > 0;
		days[0] = days[n - 1] = 1;
		for (int i = 0; i < n; i++)
			open[i % 7] |= days[i];
		for (int i = 0; i < n; i++)
		{
			opened += open[i % 7];
			missing += open[i % 7] && !days[i];
		}
		for (int a = 0; a < n; a++)
			for (int b = a; b < n; b++)
			{
				bool		is_empty = true;
				bool		has_open = false;

				for (int i = a; i <= b; i++)
				{
					is_empty &= !days[i];
					has_open |= open[i % 7];
				}
				if (is_empty && has_open && b - a + 1 > best)
				{
					best = b - a + 1;
					best_first = a;
				}
			}
		for (int i = 0; i < n; i++)
			if (days[i])
				list[listed++] = first + i;
		gaps = count_gaps(list, listed);
		holds(gaps.open == opened && gaps.missing == missing, "%d days: %d of %d", n, missing, opened);
		holds(best == 0 ? gaps.missing == 0 : gaps.longest_first == first + best_first && gaps.longest_last == first + best_first + best - 1,
			  "%d days: longest from %d, %d days", n, best_first, best);
	}
	property_end();
}

int
main(void)
{
	test_nobody();
	test_patterns();
	test_shapes();
	test_prices();
	test_exchange();
	test_series();
	test_gaps();
	return done_testing();
}
