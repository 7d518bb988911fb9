/*
 * distributions.c
 *	  Distributions and corrections for significance tests.
 *
 * With a = df / 2, x = df / (df + t^2) and u = -ln x, Student's two-sided p is
 * the incomplete beta function I_x(a, 1/2) (Abramowitz & Stegun 26.7.1).  The
 * formulas below are in terms of u, because x comes too close to 1, or to 0, to
 * be distinguished from it: the density of u is, with w = a - 1/4,
 *
 *		Gamma(a + 1/2) / (Gamma(a) sqrt(pi)) exp(-w u) (2 sinh(u / 2))^(-1/2).
 */
#include "statistics/distributions.h"

#include <math.h>

#define SQRT_PI 1.77245385090551602730

/* A sum is done when its terms are far below its last digit. */
#define NEGLIGIBLE 1e-19

/* From here on Student's distribution equals the normal one to all digits. */
#define NORMAL_DF 1e30

/*
 * Newton's iteration doubles the digits: after a step as small as this one the
 * rest is rounding.  It takes fewer than ten steps.
 */
#define LAST_STEP 1e-9
#define SEARCH_STEPS 100

/* ---------- the normal distribution ---------- */

/*
 * erfc(sqrt(s + rest)), where rest is much less than s.  The root is rounded,
 * which would cost digits far out: they are restored.
 */
static float8
erfc_of_root(float8 s, float8 rest)
{
	float8		root = sqrt(s);

	return erfc(root) * (1 - (fma(-root, root, s) + rest));
}

float8
statistics_normal_p(float8 z)
{
	float8		square = z * z;

	if (fabs(z) > 40)
		return 0;
	return erfc_of_root(square / 2, fma(z, z, -square) / 2);
}

/* How probable a value below z is. */
float8
statistics_normal_below(float8 z)
{
	return z < 0 ? statistics_normal_p(z) / 2 : 1 - statistics_normal_p(z) / 2;
}

/* The z > 0 whose two-sided p is alpha. */
float8
statistics_normal_quantile(float8 alpha)
{
	return statistics_student_quantile(alpha, NORMAL_DF);
}

/* ---------- series ---------- */

/* (sinh(u / 2) / (u / 2))^(-1/2) as a series in u^2, up to u = 1/2. */
static const float8 sinh_series[] = {
	1.0,
	-1.0 / 48,
	1.0 / 2560,
	-61.0 / 7741440,
	1261.0 / 7431782400,
	-79.0 / 20761804800,
	66643.0 / 761775532277760
};

#define SERIES_LENGTH ((int) (sizeof(sinh_series) / sizeof(sinh_series[0])))
#define SERIES_U 0.5			/* it is good up to here, */
#define SERIES_A 20.25			/* and its integrals are from here on */

/*
 * Integral of the density of u from s / w on, without the constant factors: with
 * the series above it is a sum of incomplete gamma functions
 * Gamma(2 k + 1/2, s) / w^(2 k) (DLMF 8.18(ii)).
 */
static float8
tail_integral(float8 w, float8 s)
{
	float8		power = sqrt(s) * exp(-s);	/* s^(2 k + 1/2) exp(-s) / w^(2 k), from k = 0 */
	float8		gamma = SQRT_PI * erfc_of_root(s, 0);
	float8		sum = gamma;

	for (int k = 1; k < SERIES_LENGTH; k++)
	{
		float8		c = 2 * k - 1.5;

		/* Gamma(c + 1, s) = c Gamma(c, s) + s^c exp(-s), twice. */
		gamma = ((c * gamma + power) * (c + 1) + power * s) / w / w;
		power *= s / w * (s / w);
		sum += sinh_series[k] * gamma;
	}
	return sum;
}

/* The whole integral, divided by sqrt(pi). */
static float8
whole_integral(float8 w)
{
	float8		gamma = 1;
	float8		sum = 1;

	for (int k = 1; k < SERIES_LENGTH; k++)
	{
		gamma *= (2 * k - 1.5) / w * ((2 * k - 0.5) / w);
		sum += sinh_series[k] * gamma;
	}
	return sum;
}

/*
 * Gamma(a + 1/2) / Gamma(a) for a > 0.  The density integrates to 1, which gives
 * the ratio for large a (so does DLMF 5.11.14); smaller ones are reduced to it.
 */
static float8
gamma_ratio(float8 a)
{
	float8		factor = 1;

	for (; a < SERIES_A; a++)
		factor *= a / (a + 0.5);
	return factor * sqrt(a - 0.25) / whole_integral(a - 0.25);
}

/*
 * 1 + b/c x + b (b + 1) / (c (c + 1)) x^2 + ..., the hypergeometric function
 * F(b, 1; c; x).  No term is negative and, as used here, each is less than the
 * previous one; x is below 0.98, so 2000 terms are enough.
 */
static float8
hypergeometric(float8 b, float8 c, float8 x)
{
	float8		term = 1;
	float8		sum = 1;

	for (int n = 0; n < 4000 && term > NEGLIGIBLE * sum; n++)
	{
		term *= (b + n) / (c + n) * x;
		sum += term;
	}
	return sum;
}

/* ---------- Student's distribution ---------- */

/* Whether u is so small that p should be computed from 1 - p. */
static bool
is_central(float8 u, float8 a)
{
	/* t^2 < 1, and x > 1/2 as well */
	return expm1(u) < Min(1 / (2 * a), 1);
}

/* 1 - p = I_(1-x)(1/2, a), by DLMF 8.17.8. */
static float8
student_center(float8 u, float8 a)
{
	float8		y = -expm1(-u);

	return 2 / SQRT_PI * gamma_ratio(a) * sqrt(y) * exp(-a * u) * hypergeometric(a + 0.5, 1.5, y);
}

/* p itself, precise in the tails. */
static float8
student_tail(float8 u, float8 a)
{
	float8		half;

	if (a >= SERIES_A && u < SERIES_U)
		return tail_integral(a - 0.25, (a - 0.25) * u) / (SQRT_PI * whole_integral(a - 0.25));

	/* DLMF 8.17.8; in halves, so that only the result can underflow. */
	half = exp(-a * u / 2);
	return half * (gamma_ratio(a) / (SQRT_PI * a) * sqrt(-expm1(-u)) *
				   hypergeometric(a + 0.5, a + 1, exp(-u))) * half;
}

/* df > 0, and may be infinite. */
float8
statistics_student_p(float8 t, float8 df)
{
	float8		ratio = t * t / df;
	float8		u;

	if (!(df > 0))
		return NAN;
	if (df > NORMAL_DF)
		return statistics_normal_p(t);
	u = isinf(ratio) ? 2 * log(fabs(t)) - log(df) : log1p(ratio);
	return is_central(u, df / 2) ? 1 - student_center(u, df / 2) : student_tail(u, df / 2);
}

/* The t > 0 whose two-sided p is alpha. */
float8
statistics_student_quantile(float8 alpha, float8 df)
{
	float8		a;
	float8		constant;
	float8		u;
	float8		low = 0;
	float8		high;
	bool		last = false;

	if (!(alpha > 0 && alpha < 1) || !(df > 0))
		return NAN;
	df = Min(df, NORMAL_DF);
	a = df / 2;
	constant = gamma_ratio(a) / SQRT_PI;

	if (alpha > 0.5)
	{
		/*
		 * Newton's iteration on 1 - p as a function of t, whose slope falls: from
		 * what t is at the first slope it rises to the root and not beyond.
		 */
		float8		density = 2 * constant / sqrt(df);
		float8		t = (1 - alpha) / density;

		for (int step = 0; step < SEARCH_STEPS; step++)
		{
			float8		change;

			u = log1p(t * t / df);
			change = ((1 - alpha) - student_center(u, a)) / (density * exp(-(a + 0.5) * u));
			t += change;
			if (fabs(change) <= LAST_STEP * t)
				break;
		}
		return t;
	}

	/*
	 * The same on ln p as a function of u, which is nearly straight and convex.
	 * p is below exp(-a u), so u is at most what it is where that is alpha.
	 */
	u = high = -log(alpha) / a;
	for (int step = 0; step < SEARCH_STEPS && !last; step++)
	{
		float8		p = is_central(u, a) ? 1 - student_center(u, a) : student_tail(u, a);
		float8		density = constant * exp(-a * u) / sqrt(-expm1(-u));
		float8		next = u + log(p / alpha) * (p / density);

		if (p > alpha)
			low = u;
		else
			high = u;

		/* Where p or the density is below the smallest double there is no slope. */
		if (!(next >= low && next <= high))
			next = low + (high - low) / 2;
		last = fabs(next - u) <= LAST_STEP * u;
		u = next;
	}
	return sqrt(df) * exp(u / 2) * sqrt(-expm1(-u));
}

/* ---------- chi-squared ---------- */

/* ln Gamma(a + 1) - (a + 1/2) ln a + a - ln(2 pi) / 2 (DLMF 5.11.1), to all digits from a = 10 on. */
static float8
stirling_error(float8 a)
{
	float8		square = a * a;

	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188 - 691.0 / 360360 / square) /
															 square) / square) / square) / square) / a;
}

/* x - a - a ln(x / a), which is at least 0, without losing digits where x is near a. */
static float8
deviance(float8 a, float8 x)
{
	float8		u = (x - a) / (x + a);
	float8		term = 2 * a * u;
	float8		sum = (x - a) * u;
	float8		square = u * u;

	if (fabs(u) > 0.1)
		return x - a - a * log(x / a);

	/* ln(x / a) = 2 (u + u^3 / 3 + u^5 / 5 + ...) and x - a - 2 a u = (x - a) u */
	for (int k = 3; k < 40; k += 2)
	{
		term *= square;
		sum -= term / k;
	}
	return sum;
}

/* x^a exp(-x) / Gamma(a + 1): how probable a is, if x are expected. */
float8
statistics_poisson(float8 a, float8 x)
{
	if (a < 10)
	{
		/* In halves, so that only the result can underflow. */
		float8		half = pow(x, a / 2) * exp(-x / 2);

		return half * (half / tgamma(a + 1));
	}
	return exp(-stirling_error(a) - deviance(a, x)) / sqrt(2 * M_PI * a);
}

/*
 * How probable a value above this one is: the incomplete gamma function
 * Q(df / 2, chi_squared / 2), by the series of P = 1 - Q (DLMF 8.11.4) up to the
 * mean, and above it by the continued fraction of Q (DLMF 8.9.2), evaluated with
 * the method of Lentz.  Both need steps in the order of the root of df.
 */
float8
statistics_chi_squared_p(float8 chi_squared, float8 df)
{
	float8		a = df / 2;
	float8		x = chi_squared / 2;

	if (!(df > 0) || !(x >= 0))
		return NAN;
	if (isinf(x))
		return 0;
	if (x < a + 1)
	{
		float8		term = 1;
		float8		sum = 1;

		for (float8 n = 1; term > NEGLIGIBLE * sum; n++)
		{
			term *= x / (a + n);
			sum += term;
		}
		return 1 - Min(1, statistics_poisson(a, x) * sum);
	}
	else
	{
		float8		b = x + 1 - a;
		float8		c = INFINITY;
		float8		d = 1 / b;
		float8		fraction = d;

		for (float8 n = 1; n < 1e7; n++)
		{
			float8		numerator = -n * (n - a);
			float8		change;

			b += 2;
			d = 1 / (numerator * d + b);
			c = b + numerator / c;
			change = c * d;
			fraction *= change;
			if (fabs(change - 1) < 1e-15)
				break;
		}
		return Min(1, statistics_poisson(a, x) * a * fraction);
	}
}

/* ---------- corrections ---------- */

/*
 * The factor J that removes the bias of a standardized difference (Hedges 1981,
 * "Distribution theory for Glass's estimator of effect size"), for df >= 2:
 * Gamma(df / 2) / (sqrt(df / 2) Gamma((df - 1) / 2)).
 */
float8
statistics_hedges_correction(float8 df)
{
	if (df > NORMAL_DF)
		return 1;
	return gamma_ratio((df - 1) / 2) / sqrt(df / 2);
}

/*
 * Merges two neighbouring runs of indexes, each in order of p: the left one is
 * order[0 .. left - 1], the right one follows.  Scratch has room for the left
 * one; a float8 holds an index exactly.
 */
static void
merge_runs(const float8 *p, uint32 *order, Size left, Size n, float8 *scratch)
{
	Size		from_left = 0;
	Size		from_right = left;

	if (p[order[left - 1]] <= p[order[left]])
		return;
	for (Size i = 0; i < left; i++)
	{
		check_interrupts(i + 1);
		scratch[i] = order[i];
	}
	for (Size i = 0; from_left < left; i++)
	{
		uint32		index = (uint32) scratch[from_left];

		check_interrupts(i + 1);
		if (from_right < n && p[order[from_right]] < p[index])
			order[i] = order[from_right++];
		else
		{
			order[i] = index;
			from_left++;
		}
	}
}

/*
 * q-values of the p-values of n tests, by Benjamini & Hochberg (1995): the least
 * n / j * p over the tests from a test's own rank on, where j are their ranks.
 * Each array has room for n; q is also used for sorting, and must not be p.
 */
void
statistics_benjamini_hochberg(const float8 *p, uint32 *order, Size n, float8 *q)
{
	float8		least = 1;

	Assert(n <= PG_UINT32_MAX && q != p);
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		Assert(p[i] >= 0 && p[i] <= 1);
		order[i] = (uint32) i;
	}
	for (Size width = 1; width < n; width *= 2)
		for (Size start = 0; start + width < n; start += 2 * width)
		{
			check_interrupts(start);
			merge_runs(p, order + start, width, Min(2 * width, n - start), q);
		}
	for (Size i = n; i > 0; i--)
	{
		uint32		index = order[i - 1];

		check_interrupts(i);
		least = Min(least, (float8) n / (float8) i * p[index]);
		q[index] = least;
	}
}
