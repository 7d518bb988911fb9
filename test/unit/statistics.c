/* needs: statistics/distributions.c statistics/proportions.c statistics/mean_difference.c statistics/random_effects.c */
#include "statistics/distributions.h"
#include "statistics/mean_difference.h"
#include "statistics/proportions.h"
#include "statistics/random_effects.h"

#include <math.h>

#include "tap.h"

/*
 * Figures with 16 and more digits are mpmath's, with 50 digits and arguments as
 * the nearest doubles: erfc, the hypergeometric function where t is small and
 * the continued fraction of I_x (DLMF 8.17.22) where it is not, loggamma.
 */

/* Whether they agree but for a relative error. */
static bool
close_to(float8 got, float8 expected, float8 tolerance)
{
	return fabs(got - expected) <= tolerance * fabs(expected);
}

/* The same of p-values, whose logarithm is as good as a double holds it. */
static bool
same_p(float8 got, float8 expected)
{
	return close_to(got, expected, 5e-16 * (4 - log(expected)));
}

/* From low to high, each order of magnitude as often as any other. */
static float8
random_size(float8 low, float8 high)
{
	return exp(log(low) + (log(high) - log(low)) * (float8) random_below(1000001) / 1000000);
}

static void
test_normal(void)
{
	struct
	{
		float8		z;
		float8		p;
	}			known[] = {
		{1e-10, 0.999999999920211544},
		{0.5, 0.617075077451973793},
		{1.0, 0.317310507862914103},
		{1.96, 0.0499957902964408724},
		{5, 5.73303143758387823e-7},
		{10, 1.52397060483210521e-23},
		{20, 5.50724823721246739e-89},
		{20.1, 7.37936172744277911e-90},
		{30, 9.81342785429637412e-198},
		{33.3, 3.86101101185567995e-243},
		{37.123456789, 1.17565604695616953e-301},
		{37.5, 9.21070601916390969e-308},
		/* R's ToothGrowth by van Elteren's test, of which p is .002756035977 */
		{2.993714619, 0.00275603597386115341}
	};
	float8		last = 1;

	property("normal: known p-values, to both sides");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		float8		p = statistics_normal_p(known[i].z);

		holds(close_to(p, known[i].p, 2e-15), "z = %g: %.17g", known[i].z, p);
		holds(statistics_normal_p(-known[i].z) == p, "z = %g", -known[i].z);
	}
	property_end();

	property("normal: p falls, and is 0 only below the smallest double");
	for (float8 z = 0.01; z < 38.45; z += 0.01)
	{
		float8		p = statistics_normal_p(z);

		holds(p > 0 && p < last, "z = %g: %g after %g", z, p, last);
		last = p;
	}
	holds(last < 1e-322, "%g", last);
	holds(statistics_normal_p(39) == 0, "z = 39");
	holds(statistics_normal_p(1e300) == 0, "z = 1e300");
	holds(statistics_normal_p(-INFINITY) == 0, "infinity");
	property_end();
	ok(statistics_normal_p(0) == 1 && isnan(statistics_normal_p(NAN)), "normal: z of 0 and of NaN");
}

/*
 * 1 - p for whole df by finite sums (Abramowitz & Stegun 26.7.3 and 26.7.4).
 */
static float8
center_by_sum(float8 t, int df)
{
	float8		theta = atan(t / sqrt(df));
	float8		square = cos(theta) * cos(theta);
	float8		term = df % 2 == 0 ? 1 : cos(theta);
	float8		sum = df == 1 ? 0 : term;

	for (int k = df % 2 == 0 ? 2 : 3; k < df - 1; k += 2)
	{
		term *= (k - 1.0) / k * square;
		sum += term;
	}
	return df % 2 == 0 ? sin(theta) * sum : 2 / M_PI * (theta + sin(theta) * sum);
}

static void
test_student(void)
{
	struct
	{
		float8		t;
		float8		df;
		float8		p;
	}			known[] = {
		{1e-9, 5, 0.99999999924078662},
		{0.25, 0.5, 0.869119769684850917},
		{1e100, 0.5, 6.41401950828445796e-51},
		{1, 0.5, 0.602243221682644163},
		{3, 1.5, 0.133547754254913265},
		{1e60, 5, 1.89803344911247264e-299},
		{0.9999, 7, 0.350661800061030619},
		{1.0001, 7, 0.350571530092882833},
		{4, 10, 0.00251833262473669226},
		{1e15, 20, 1.8042578125e-288},
		{6, 40.5, 4.52045276870664098e-7},
		{1.0001, 40.5, 0.323200262493494917},
		{8, 41, 6.63494505006491959e-10},
		{5.1, 41, 8.12609097682930415e-6},
		{200, 41, 6.36547284763135963e-63},
		{8, 100, 2.27286480772808065e-12},
		{37, 100, 3.67082140353890431e-60},
		{60, 100, 3.13761431914138914e-80},
		{64, 100, 5.81050987814656554e-83},
		{1000, 100, 7.91961860794785191e-202},
		{25.4, 1000, 3.16491302825063502e-110},
		{30.1, 3000, 3.64772057413877467e-174},
		{2, 12345.678, 0.0455221310806497805},
		{37, 12345.678, 2.74508327228312626e-284},
		{1e-3, 1e6, 0.99920211577164909},
		{1.5, 1e6, 0.133614718236792769},
		{37, 1e6, 1.82997308618022631e-299},
		{5, 1e9, 5.73303240395162843e-7},
		{37, 1e9, 1.14565168575551391e-299},
		/* Welch's test of 20.3 22.1 21.9 and 18.9 20.3 19, of which p is .05180736035 */
		{2.798871953, 3.799904002, 0.0518073603664706961}
	};
	static const float8 dfs[] = {0.5, 1, 2, 3.5, 10, 40, 40.49, 40.5, 41, 100, 1e4, 1e9, 1e29, INFINITY};

	property("Student: known p-values, to both sides");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		float8		p = statistics_student_p(known[i].t, known[i].df);

		holds(same_p(p, known[i].p), "t = %g, df = %g: %.17g", known[i].t, known[i].df, p);
		holds(statistics_student_p(-known[i].t, known[i].df) == p, "t = %g", -known[i].t);
	}
	property_end();

	property("Student: closed forms of df = 1 and 2 as far as doubles reach");
	for (int i = 0; i < 20000; i++)
	{
		float8		t = random_size(1e-14, 1e300);
		float8		p = statistics_student_p(t, 1);

		holds(same_p(p, 2 / M_PI * atan(1 / t)), "t = %.17g, df = 1: %.17g", t, p);
		t = random_size(1e-14, 1e150);
		p = statistics_student_p(t, 2);
		holds(same_p(p, 2 / sqrt(2 + t * t) / (sqrt(2 + t * t) + t)), "t = %.17g, df = 2: %.17g", t, p);
	}
	property_end();

	property("Student: finite sums of whole df");
	for (int i = 0; i < 20000; i++)
	{
		int			df = 1 + (int) random_below(300);
		float8		t = random_size(1e-3, 10);
		float8		p = statistics_student_p(t, df);

		holds(fabs(1 - p - center_by_sum(t, df)) < 1e-14, "t = %.17g, df = %d: %.17g", t, df, p);
	}
	property_end();

	property("Student: far out p is a power of t");
	for (int i = 0; i < 1000; i++)
	{
		/* The density is K t^-(df + 1) there, so p(t) / p(2 t) is 2^df. */
		float8		df = random_size(0.5, 20);
		float8		t = random_size(1e9, 1e14);
		float8		ratio = statistics_student_p(t, df) / statistics_student_p(2 * t, df);

		holds(close_to(ratio, pow(2, df), 1e-12), "t = %g, df = %g: %.17g", t, df, ratio);
	}
	property_end();

	property("Student: p falls as t rises, through all ways to compute it");
	for (size_t i = 0; i < LENGTH_OF(dfs); i++)
	{
		float8		last = 1;

		for (float8 t = 1e-3; t < 1e4; t *= 1.0003)
		{
			float8		p = statistics_student_p(t, dfs[i]);

			holds(p < last || p < 1e-320, "t = %g, df = %g: %.17g after %.17g", t, dfs[i], p, last);
			holds(p > 0 || (t > 38.4 && dfs[i] > 100), "t = %g, df = %g: 0", t, dfs[i]);
			last = p;
		}
	}
	property_end();

	property("Student: p falls as df rises, down to the normal one");
	for (float8 t = 1.01; t < 37; t *= 1.02)
	{
		float8		last = 1;

		for (float8 df = 0.5; df < 1e12; df *= 1.03)
		{
			float8		p = statistics_student_p(t, df);

			/* With much df it no longer falls by more than p is rounded. */
			holds(p < last || same_p(p, last), "t = %g, df = %g: %.17g after %.17g", t, df, p, last);
			last = p;
		}
		holds(same_p(statistics_student_p(t, 1e25), statistics_normal_p(t)), "t = %g", t);
		holds(statistics_student_p(t, INFINITY) == statistics_normal_p(t), "t = %g", t);
	}
	property_end();

	property("Student: t of 0, tiny, huge, infinite and NaN");
	for (size_t i = 0; i < LENGTH_OF(dfs); i++)
	{
		holds(statistics_student_p(0, dfs[i]) == 1, "t = 0, df = %g", dfs[i]);
		holds(statistics_student_p(1e-300, dfs[i]) == 1, "t = 1e-300, df = %g", dfs[i]);
		holds(statistics_student_p(-INFINITY, dfs[i]) == 0, "infinity, df = %g", dfs[i]);
		holds(isnan(statistics_student_p(NAN, dfs[i])), "NaN, df = %g", dfs[i]);
	}
	/* 2 / (pi t), and at df = 1/2 it falls as 1 / sqrt(t), from the figure for 1e100 on */
	holds(same_p(statistics_student_p(1e308, 1), 2 / M_PI * 1e-308), "1e308, df = 1");
	holds(same_p(statistics_student_p(1e308, 0.5), 6.41401950828445796e-155), "1e308, df = 1/2");
	holds(isnan(statistics_student_p(1, NAN)), "df = NaN");
	holds(isnan(statistics_student_p(1, 0)), "df = 0");
	property_end();
}

static void
test_quantile(void)
{
	/* Abramowitz & Stegun, table 26.10: p = 0.05, 0.01, 0.001, to three places */
	struct
	{
		float8		df;
		float8		t[3];
	}			table[] = {
		{1, {12.706, 63.657, 636.619}},
		{2, {4.303, 9.925, 31.598}},
		{5, {2.571, 4.032, 6.869}},
		{10, {2.228, 3.169, 4.587}},
		{30, {2.042, 2.750, 3.646}},
		{120, {1.980, 2.617, 3.373}},
		{INFINITY, {1.960, 2.576, 3.291}}
	};
	static const float8 alphas[] = {0.05, 0.01, 0.001};
	struct
	{
		float8		alpha;
		float8		df;
		float8		t;
	}			known[] = {
		{0.05, 1.5, 6.01666310442793169},
		{1e-300, 3, 1.30163808920714926e+100},
		{1e-300, 40, 189882480.254626821},
		{1e-300, 41, 126281785.904394265},
		{1e-300, 1000, 54.3417821494220258},
		{1e-300, 1e6, 37.0785317182304994},
		{1e-10, 7.5, 49.766812227795238},
		{1e-5, 50, 4.91390681559732493},
		{0.05, 1e6, 1.95996635681410701},
		{0.05, 1e9, 1.95996398691232544},
		{0.001, 23, 3.76762680431178062},
		{0.5, 1.25, 0.920972575419872733},
		{0.4999999, 9, 0.702722315054106793},
		{0.5000001, 9, 0.702721978448567001},
		{0.9, 2.5, 0.138814767919469539},
		{0.999999, 30, 1.26380011309836846e-6},
		{1 - 1e-12, 3, 1.36031942990424427e-12},
		{1 - 1e-12, 1e9, 1.25328641216425184e-12},
		{1e-100, 1e9, 21.305942492599269}
	};

	property("quantile: a printed table");
	for (size_t i = 0; i < LENGTH_OF(table); i++)
		for (size_t j = 0; j < LENGTH_OF(alphas); j++)
		{
			float8		t = statistics_student_quantile(alphas[j], table[i].df);

			/* It prints 31.598 for 31.5991, as tables of its time do. */
			holds(fabs(t - table[i].t[j]) < (table[i].df == 2 && j == 2 ? 0.0015 : 0.0005001),
				  "alpha = %g, df = %g: %.17g", alphas[j], table[i].df, t);
		}
	property_end();

	property("quantile: known ones");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		float8		t = statistics_student_quantile(known[i].alpha, known[i].df);

		holds(close_to(t, known[i].t, 3e-13), "alpha = %g, df = %g: %.17g", known[i].alpha, known[i].df, t);
	}
	property_end();

	property("quantile: closed forms of df = 1 and 2");
	for (int i = 0; i < 20000; i++)
	{
		float8		near_one = 1 - random_size(1e-12, 0.5);
		float8		alpha = random_below(2) ? near_one : random_size(1e-300, 1);
		float8		t;

		if (!(alpha < 1))
			continue;
		t = statistics_student_quantile(alpha, 1);
		holds(close_to(t, alpha < 0.5 ? 1 / tan(M_PI / 2 * alpha) : tan(M_PI / 2 * (1 - alpha)), 1e-12),
			  "alpha = %.17g, df = 1: %.17g", alpha, t);
		t = statistics_student_quantile(alpha, 2);
		holds(close_to(t, (1 - alpha) * sqrt(2 / (alpha * (2 - alpha))), 1e-12),
			  "alpha = %.17g, df = 2: %.17g", alpha, t);
	}
	property_end();

	property("quantile: its p is alpha");
	for (int i = 0; i < 20000; i++)
	{
		float8		df = random_size(1, 1e9);
		float8		alpha = random_size(1e-300, 1);
		float8		t;
		float8		p;

		if (!(alpha < 1))
			continue;
		t = statistics_student_quantile(alpha, df);
		p = statistics_student_p(t, df);

		/* An error of t is so many times greater in p, at most. */
		holds(fabs(p - alpha) <= alpha * 1e-15 * (4 + Min(df, 2 * t * t) - 2 * log(alpha)),
			  "alpha = %g, df = %g: t = %.17g, of which p is %g", alpha, df, t, p);
	}
	property_end();

	property("quantile: down to the smallest double");
	for (float8 alpha = 1e-307; alpha > 0; alpha /= 3)
		for (float8 df = 2; df < 1e10; df *= 5)
		{
			float8		p = statistics_student_p(statistics_student_quantile(alpha, df), df);

			holds(fabs(p - alpha) <= 1e-12 * alpha + 4 * 4.94e-324, "alpha = %g, df = %g: %g", alpha, df, p);
		}
	property_end();

	property("quantile: of what is no alpha, no df");
	holds(isnan(statistics_student_quantile(0, 5)), "alpha = 0");
	holds(isnan(statistics_student_quantile(1, 5)), "alpha = 1");
	holds(isnan(statistics_student_quantile(NAN, 5)), "alpha = NaN");
	holds(isnan(statistics_student_quantile(0.5, NAN)), "df = NaN");
	holds(isnan(statistics_student_quantile(0.5, 0)), "df = 0");
	property_end();
}

static void
test_hedges(void)
{
	struct
	{
		float8		df;
		float8		j;
	}			known[] = {
		{2, 0.564189583547756287},	/* 1 / sqrt(pi) */
		{3, 0.723601254558267659},	/* sqrt(pi / 6) */
		{4, 0.797884560802865356},	/* sqrt(2 / pi) */
		{2.5, 0.661579868984308899},
		{10, 0.922745608053087103},
		{38.5, 0.980370682511163422},
		{41.4, 0.98175544893473184},
		{41.5, 0.98179972318877248},
		{41.6, 0.981843783080920148},
		{57, 0.986774400008933253},
		{100, 0.992478054981444867},
		{12345.678, 0.999939248559762149},
		{1e6, 0.99999924999978125},
		{1e9, 0.99999999925},
		{1e12, 0.99999999999925},
		{INFINITY, 1}
	};

	property("Hedges: known corrections");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		float8		j = statistics_hedges_correction(known[i].df);

		holds(close_to(j, known[i].j, 3e-15), "df = %g: %.17g", known[i].df, j);
	}
	property_end();

	property("Hedges: from J(df) to J(df + 2), as Gamma(x + 1) = x Gamma(x) has it");
	for (int i = 0; i < 20000; i++)
	{
		float8		df = random_size(2, 1e6);
		float8		j = statistics_hedges_correction(df);
		float8		next = statistics_hedges_correction(df + 2);

		holds(close_to(next, j * (df / (df - 1)) * sqrt(df / (df + 2)), 5e-15),
			  "df = %.17g: %.17g, then %.17g", df, j, next);
	}
	property_end();
}

/* By definition: the least FDR bound among the thresholds that reject it. */
static float8
q_by_definition(const float8 *p, Size n, float8 value)
{
	float8		least = 1;

	for (Size j = 0; j < n; j++)
		if (p[j] >= value)
		{
			Size		rank = 0;

			for (Size k = 0; k < n; k++)
				rank += p[k] <= p[j];
			least = Min(least, (float8) n / (float8) rank * p[j]);
		}
	return least;
}

/* With nothing to spare on either side. */
static float8 *
corrected(const float8 *p, Size n)
{
	float8	   *copy = exact_copy(p, n * sizeof(float8));
	float8	   *q = malloc(n * sizeof(float8));
	uint32	   *order = malloc(n * sizeof(uint32));

	statistics_benjamini_hochberg(copy, order, n, q);
	if (memcmp(copy, p, n * sizeof(float8)) != 0)
		diag("p was changed");
	free(copy);
	free(order);
	return q;
}

static int
compare_numbers(const void *a, const void *b)
{
	float8		x = *(const float8 *) a;
	float8		y = *(const float8 *) b;

	return (x > y) - (x < y);
}

static void
test_corrections(void)
{
	/* Benjamini & Hochberg 1995, section 3.2; n / rank by hand */
	static const float8 p[] = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459,
	.3240, .4262, .5719, .6528, .7590, 1};
	static const float8 expected[] = {.0015, .0030, .0095, .035625, .0603, .0298 * 15 / 7, .0298 * 15 / 7,
	.0645, .0765, .486, .4262 * 15 / 11, .714875, .6528 * 15 / 13, .7590 * 15 / 14, 1};
	float8	   *q = corrected(p, LENGTH_OF(p));
	int			rejected = 0;

	property("Benjamini-Hochberg: the example of their paper");
	for (size_t i = 0; i < LENGTH_OF(p); i++)
	{
		rejected += q[i] <= 0.05;
		holds(close_to(q[i], expected[i], 1e-15), "p = %g: %.17g", p[i], q[i]);
	}
	holds(rejected == 4, "%d are rejected", rejected);
	property_end();
	free(q);

	property("Benjamini-Hochberg: what the definition gives, in any order");
	for (int run = 0; run < 10000; run++)
	{
		float8		values[40];
		Size		n = random_below(LENGTH_OF(values) + 1);
		int			kinds = 1 + (int) random_below(60);
		float8		power = random_below(2) ? 1 : 6;

		for (Size i = 0; i < n; i++)
			values[i] = pow((float8) random_below(kinds + 1) / kinds, power);
		q = corrected(values, n);
		for (Size i = 0; i < n; i++)
			holds(q[i] == q_by_definition(values, n, values[i]), "run %d, p = %.17g: %.17g", run, values[i], q[i]);
		free(q);
	}
	property_end();

	property("Benjamini-Hochberg: as fast in the worst of orders");
	for (int pattern = 0; pattern < 6; pattern++)
	{
		/* Not a power of two: the last runs are short. */
		Size		n = 300000;
		float8	   *values = malloc(n * sizeof(float8));
		float8	   *sorted;
		float8		least = 1;

		for (Size i = 0; i < n; i++)
		{
			Size		ways[] = {i, n - i, 7, Min(i, n - i), random_below(5), random_below(n)};

			values[i] = (float8) ways[pattern] / (float8) n;
		}
		q = corrected(values, n);
		sorted = exact_copy(values, n * sizeof(float8));
		qsort(sorted, n, sizeof(float8), compare_numbers);

		/* Sorted, q rise with p, and are found again from the end. */
		qsort(q, n, sizeof(float8), compare_numbers);
		for (Size i = n; i-- > 0;)
		{
			least = Min(least, (float8) n / (float8) (i + 1) * sorted[i]);
			holds(q[i] == least, "pattern %d, rank %zu: %.17g", pattern, i + 1, q[i]);
		}
		free(values);
		free(sorted);
		free(q);
	}
	property_end();
}

/* ---------- chi-squared, proportions, effects of several places ---------- */

/* The survival function as scipy.stats.chi2 has it, which is good to about 1e-13. */
static void
test_chi_squared(void)
{
	struct
	{
		float8		chi_squared;
		float8		df;
		float8		p;
	}			known[] = {
		{1e-10, 1, 0.9999920211543921},
		{0.5, 1, 0.47950012218695337},
		{3.84, 1, 0.05004352124870519},
		{2.88, 1, 0.08968602177036435},
		{10, 1, 0.001565402258002549},
		{100, 1, 1.5239706048320995e-23},
		{1400, 1, 2.1010145162644003e-306},
		{0.1, 2, 0.951229424500714},
		{1386, 2, 1.0812448229266871e-301},
		{33.172258529771355, 4, 1.1013005223052518e-06},
		{0.001, 4, 0.9999998750416589},
		{3, 5, 0.6999858358786276},
		{50, 5, 1.3857973367009573e-09},
		{600, 7, 2.4350307908745613e-125},
		{9, 19, 0.9734793951465333},
		{19.5, 19, 0.4252089384655007},
		{21.9, 20, 0.345961488029529},
		{40, 20, 0.0049954123083075785},
		{500, 20, 2.910266873027274e-93},
		{180, 200, 0.84177901081357},
		{199, 200, 0.5066733396800365},
		{203, 200, 0.42757305368346665},
		{260, 200, 0.002750408367306518},
		{2000, 200, 6.035827529631144e-294},
		{99000, 100000, 0.9875216843619172},
		{100000, 100000, 0.4994052918952067},
		{102000, 100000, 4.41193925512029e-06},
		{110000, 100000, 2.5841772471794118e-104},
		{999999.5, 1000000.0, 0.4999529842080969}
	};

	property("chi-squared: known p-values");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		float8		p = statistics_chi_squared_p(known[i].chi_squared, known[i].df);

		holds(close_to(p, known[i].p, 1e-12 * (1 - log10(known[i].p) / 30)), "%g, df = %g: %.17g", known[i].chi_squared, known[i].df, p);
	}
	property_end();

	/* Of two degrees p is exp(-x / 2), of one it is that of a normal z; more by recurrence (Abramowitz & Stegun 26.4.8). */
	property("chi-squared: closed forms");
	for (int i = 0; i < 3000; i++)
	{
		float8		x = random_size(1e-8, 1200);
		float8		root = sqrt(x);
		float8		df = 1 + (float8) random_below(60);
		float8		lower = statistics_chi_squared_p(x, df);
		float8		term = exp(df / 2 * log(x / 2) - x / 2 - lgamma(df / 2 + 1));

		holds(close_to(statistics_chi_squared_p(x, 2), exp(-x / 2), 1e-13), "%g", x);
		holds(close_to(statistics_chi_squared_p(x, 1), statistics_normal_p(root), 1e-12), "%g", x);
		holds(close_to(statistics_chi_squared_p(x, df + 2), lower + term, 1e-12), "%g, df = %g", x, df);
	}
	property_end();
	ok(statistics_chi_squared_p(0, 3) == 1 && statistics_chi_squared_p(INFINITY, 3) == 0 && statistics_chi_squared_p(1e300, 3) == 0 &&
	   isnan(statistics_chi_squared_p(NAN, 3)) && isnan(statistics_chi_squared_p(1, 0)) && isnan(statistics_chi_squared_p(-1, 1)),
	   "chi-squared: ends, and what is none");

	property("normal: quantile and what is below");
	for (int i = 0; i < 3000; i++)
	{
		float8		alpha = random_size(1e-12, 0.999);
		float8		z = statistics_normal_quantile(alpha);

		holds(close_to(statistics_normal_p(z), alpha, 1e-12), "%g", alpha);
		holds(close_to(statistics_normal_below(-z), alpha / 2, 1e-12) && close_to(statistics_normal_below(z), 1 - alpha / 2, 1e-15), "%g", alpha);
	}
	property_end();
	ok(close_to(statistics_normal_quantile(0.05), 1.9599639845400545, 1e-14) && statistics_normal_below(0) == 0.5, "normal: quantile of 5 %%");
}

static void
test_proportions(void)
{
	/* Newcombe (1998), method 10: what his table II has, with digits by statsmodels' confint_proportions_2indep(method='newcomb'). */
	struct
	{
		Proportion	a;
		Proportion	b;
		float8		low;
		float8		high;
	}			known[] = {
		{{56, 70}, {48, 80}, 0.0524314724, 0.3338726540},
		{{5, 56}, {0, 29}, -0.0381371479, 0.1925600139},
		{{1240, 20000}, {515, 10000}, 0.00493856213, 0.01589150832},
		{{9, 10}, {3, 10}, 0.1705, 0.8090},
		{{6, 7}, {2, 7}, 0.0582, 0.8062},
		{{0, 10}, {0, 20}, -0.1611, 0.2775},
		{{10, 10}, {0, 20}, 0.6791, 1.0000},
		{{10, 10}, {0, 10}, 0.6075, 1.0000}
	};
	ProportionDifference d;

	property("proportions: Newcombe's examples, the first three to ten digits");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		float8		rounding = i < 3 ? 5.1e-11 : 5.1e-5;

		d = proportion_difference(&known[i].a, &known[i].b, 0.05);
		holds(fabs(d.low - known[i].low) < rounding && fabs(d.high - known[i].high) < rounding, "%zu: %.12f %.12f", i, d.low, d.high);
	}
	property_end();
	d = proportion_difference(&known[0].a, &known[0].b, 0.05);
	ok(d.difference == 0.2 && close_to(d.z, 2.65017195126, 1e-11) && close_to(d.p, 0.00804508136820, 1e-11), "proportions: pooled z");
	d = proportion_difference(&known[2].a, &known[2].b, 0.05);
	ok(d.difference == 0.0105 && close_to(d.z, 3.65304964503, 1e-11) && close_to(d.p, 0.000259144103920, 1e-11), "proportions: pooled z of many");
	d = proportion_difference(&known[5].a, &known[5].b, 0.05);
	ok(d.difference == 0 && isnan(d.z) && isnan(d.p) && d.expected == 0, "proportions: without any there is no test");
	ok(close_to(proportion_group_size(0.05, 0.055, 0.8, 0.05), 31230.6925, 5e-9), "proportions: size of a group");
	ok(isnan(proportion_group_size(0.05, 0.05, 0.8, 0.05)) && proportion_group_size(0.05, 0.06, 0.01, 0.05) == 0,
	   "proportions: no difference, and a power below that of chance");

	property("proportions: intervals lie between -1 and 1 and around the difference, turn around with the groups, and grow as alpha falls");
	for (int i = 0; i < 20000; i++)
	{
		Proportion	a = {0, 1 + (float8) random_below(200)};
		Proportion	b = {0, 1 + (float8) random_below(5)};
		ProportionDifference other;
		ProportionDifference wider;

		a.count = (float8) random_below((uint64_t) a.n + 1);
		b.count = (float8) random_below((uint64_t) b.n + 1);
		d = proportion_difference(&a, &b, 0.05);
		other = proportion_difference(&b, &a, 0.05);
		wider = proportion_difference(&a, &b, 0.01);
		holds(d.low >= -1 && d.high <= 1 && d.low <= d.difference && d.difference <= d.high &&
			  fabs(other.low + d.high) < 1e-15 && fabs(other.high + d.low) < 1e-15 && wider.low <= d.low && wider.high >= d.high,
			  "%g/%g, %g/%g: %g %g", a.count, a.n, b.count, b.n, d.low, d.high);
	}
	property_end();
}

static void
test_effects(void)
{
	/* Five segments: 300/1000 and 280/1000, 220 and 150, 90 and 40, 12 and 14, 60/500 and 70/500. */
	float8		effect[] = {0.02, 0.07, 0.05, -0.002, -0.02};
	float8		variance[] = {
		(0.3 * 0.7 + 0.28 * 0.72) / 1000, (0.22 * 0.78 + 0.15 * 0.85) / 1000, (0.09 * 0.91 + 0.04 * 0.96) / 1000,
		(0.012 * 0.988 + 0.014 * 0.986) / 1000, (0.12 * 0.88 + 0.14 * 0.86) / 500
	};
	float8		shrunk[] = {0.02108393, 0.06028153, 0.04747207, -0.00141507, -0.00730914};
	float8		error[] = {0.01734046, 0.01535831, 0.01042081, 0.00500832, 0.01793592};
	RandomEffects all = random_effects(effect, variance, 5);
	MeanDifference welch;
	MeanVariance varies = {1, 9};
	MeanVariance constant = {0, 9};

	ok(close_to(all.q, 33.1722585298, 1e-11) && close_to(all.p, 1.10130052231e-06, 1e-11), "effects: Cochran's Q");
	ok(close_to(all.tau_squared, 0.00111591873559, 1e-11) && close_to(all.mean, 0.0240226649294, 1e-11), "effects: tau^2 and mu of DerSimonian and Laird");
	property("effects: shrunk, and their error if tau^2 and mu were known, which is less than it is");
	for (int i = 0; i < 5; i++)
	{
		ShrunkEffect s = random_effects_shrink(&all, effect[i], variance[i]);

		holds(fabs(s.effect - shrunk[i]) < 5.1e-9 && fabs(s.given_error - error[i]) < 5.1e-9 && s.error > s.given_error,
			  "%d: %.10f %.10f %.10f", i, s.effect, s.given_error, s.error);
	}
	property_end();
	all = random_effects(effect, variance, 3);
	ok(random_effects_shrink(&all, 0.5, 0.25).effect == 0.5 && random_effects_shrink(&all, 0.5, 0.25).error == 0.5, "effects: fewer than four stay as measured");
	all = random_effects(effect, variance, 1);
	ok(isnan(all.q) && isnan(all.p) && all.tau_squared == 0 && all.mean == 0.02, "effects: of one nothing differs");
	all = random_effects(effect, variance, 0);
	ok(isnan(all.q) && isnan(all.mean), "effects: none");
	ok(!mean_difference(1, &constant, &constant, 0.05, &welch) && mean_difference(1, &varies, &constant, 0.05, &welch) && welch.df == 9 && welch.t == 1,
	   "means: nothing varies, and one does");
}

int
main(void)
{
	test_normal();
	test_student();
	test_quantile();
	test_hedges();
	test_corrections();
	test_chi_squared();
	test_proportions();
	test_effects();
	return done_testing();
}
