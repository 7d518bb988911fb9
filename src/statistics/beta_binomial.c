/*
 * beta_binomial.c
 *	  Tails of the beta-binomial distribution, in constant time.
 *
 * More than k of n trials succeed if and only if their rate V is above U, the
 * (k + 1)-th smallest of n numbers that are spread evenly from 0 to 1.  U has the
 * distribution Beta(c, d), c = k + 1, d = n - k, and V, which is independent of it,
 * Beta(a, b).  So P(X > k) is P(W > 0) for W = logit V - logit U, whose moment
 * generating function follows from that of logit V, Gamma(a + t) Gamma(b - t) /
 * (Gamma(a) Gamma(b)):
 *
 *		M(t) = Gamma(a + t) Gamma(b - t) Gamma(c - t) Gamma(d + t) /
 *			(Gamma(a) Gamma(b) Gamma(c) Gamma(d)).
 *
 * Its inversion is the integral of M(t) / t / (2 pi i) along a line from tau - i inf
 * to tau + i inf, 0 < tau < min(b, c).  Through the saddle point, where M(t) / t is
 * least on the real axis, nothing cancels, so the result is as good in relative
 * terms far out in the tail.  With steps of h the trapezoidal rule gives
 *
 *		sum over all m of exp(tau m D) P(W > m D), D = 2 pi / h,
 *
 * instead of its term at m = 0 (Abate and Whitt 1992, "The Fourier-series method for
 * inverting transforms of probability distributions"); the others vanish
 * exponentially as h falls.  So some hundred steps do for any numbers at all, where
 * a sum over X or a continued fraction takes as many as the numbers are large.
 */
#include "statistics/beta_binomial.h"

#include <math.h>

/* Stirling's series is good to all digits from here on; smaller arguments are raised. */
#define SERIES_MIN 12

/* What the terms at m <> 0 may add is this far below the result; an allowance for its estimate included. */
#define LOG_NEGLIGIBLE (-45.0)
#define LAST_TERM 1e-18

/* Of the smallest double that is not 0. */
#define LOG_SMALLEST (-745.2)

/* Points t between 0 and an end are sought at t = end / (1 + exp(-v)), v in these bounds. */
#define LOGIT_MIN (-60.0)
#define LOGIT_MAX 40.0
#define GOLDEN 0.61803398874989485

typedef struct Complex
{
	float8		re;
	float8		im;
} Complex;

/* The parameters of P(V > U). */
typedef struct Race
{
	float8		p[4];			/* a, b, c, d */
	float8		log_odds;		/* ln(a d / (b c)) */
	float8		end;			/* of the strip: min(b, c) */
} Race;

/* The signs of t in M(t). */
static const float8 sign[4] = {1, -1, -1, 1};

static inline Complex
product(Complex a, Complex b)
{
	Complex		result = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};

	return result;
}

/* ln(1 + z), for 1 + re z >= 0. */
static inline Complex
log_of_1_and(Complex z)
{
	Complex		result = {log1p(z.re * (2 + z.re) + z.im * z.im) / 2, atan2(z.im, 1 + z.re)};

	return result;
}

/* (1 + z) ln(1 + z) - z, given the logarithm.  Where z is small it is its series, so that nothing cancels. */
static Complex
excess(Complex z, Complex logarithm)
{
	Complex		one_and = {1 + z.re, z.im};
	Complex		result;

	if (z.re * z.re + z.im * z.im > 0.01)
	{
		result = product(one_and, logarithm);
		result.re -= z.re;
		result.im -= z.im;
		return result;
	}
	result.re = result.im = 0;
	for (int k = 18; k >= 2; k--)
	{
		result = product(result, z);
		result.re += (k % 2 == 0 ? 1.0 : -1.0) / (k * (k - 1));
	}
	return product(product(result, z), z);
}

/* Stirling's series, ln Gamma(z) - (z - 1/2) ln z + z - ln(2 pi) / 2 (DLMF 5.11.1), for re z >= SERIES_MIN - 1. */
static Complex
stirling_series(Complex z)
{
	static const float8 series[] = {
		1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400
	};
	float8		square = z.re * z.re + z.im * z.im;
	Complex		inverse = {z.re / square, -z.im / square};
	Complex		inverse_square = product(inverse, inverse);
	Complex		sum = {0, 0};

	for (int k = (int) (sizeof(series) / sizeof(series[0])) - 1; k >= 0; k--)
	{
		sum = product(sum, inverse_square);
		sum.re += series[k];
	}
	return product(sum, inverse);
}

/*
 * ln M(t), for 0 < re t < end.  Each ln(Gamma(p + u) / Gamma(p)), u = +-t, is
 *
 *		u ln p + p ((1 + z) ln(1 + z) - z) - ln(1 + z) / 2 + the difference of the
 *		series, z = u / p,
 *
 * where p is raised by a whole number if p or p + u is small.  The first terms make
 * t ln(a d / (b c)) together, which is known exactly though all four may be huge.
 */
static Complex
log_m(const Race *race, Complex t)
{
	Complex		sum = {0, 0};
	float8		log_odds = race->log_odds;

	for (int i = 0; i < 4; i++)
	{
		float8		p = race->p[i];
		Complex		u = {sign[i] * t.re, sign[i] * t.im};
		float8		least = Min(p, p + u.re);
		Complex		z;
		Complex		logarithm;
		Complex		part;
		Complex		argument;
		Complex		at_p;

		if (least < SERIES_MIN)
		{
			/* Gamma(p) = Gamma(p + 1) / p. */
			Complex		ratio = {1, 0};
			float8		raise = ceil(SERIES_MIN - least);

			for (float8 j = 0; j < raise; j++)
			{
				Complex		factor = {1 + u.re / (p + j), u.im / (p + j)};

				ratio = product(ratio, factor);
			}
			log_odds += sign[i] * log1p(raise / p);
			p += raise;
			sum.re -= log(hypot(ratio.re, ratio.im));
			sum.im -= atan2(ratio.im, ratio.re);
		}
		z.re = u.re / p;
		z.im = u.im / p;
		logarithm = log_of_1_and(z);
		part = excess(z, logarithm);
		sum.re += p * part.re - logarithm.re / 2;
		sum.im += p * part.im - logarithm.im / 2;
		argument.re = p + u.re;
		argument.im = u.im;
		part = stirling_series(argument);
		argument.re = p;
		argument.im = 0;
		at_p = stirling_series(argument);
		sum.re += part.re - at_p.re;
		sum.im += part.im;
	}
	sum.re += t.re * log_odds;
	sum.im += t.im * log_odds;
	return sum;
}

static float8
log_m_real(const Race *race, float8 t)
{
	Complex		real = {t, 0};
	float8		result = log_m(race, real).re;

	/* At the very end of the strip it is infinite. */
	return isnan(result) ? INFINITY : result;
}

/* ln(M(t) / t), whose least value is sought. */
static float8
integrand(const Race *race, float8 t, float8 tau, float8 log_m_tau)
{
	return log_m_real(race, t) - log(t);
}

/* The distance D at which exp(tau D) P(W > D) is negligible, as M(tau + t) shows: P(W > D) < M(s) exp(-s D). */
static float8
distance(const Race *race, float8 t, float8 tau, float8 log_m_tau)
{
	return (log_m_real(race, tau + t) - log_m_tau - LOG_NEGLIGIBLE) / t;
}

/* Where a function that falls and then rises has its least value between 0 and an end, about. */
static float8
least_at(float8 (*function) (const Race *, float8, float8, float8), const Race *race, float8 end, float8 tau, float8 log_m_tau)
{
	float8		low = LOGIT_MIN;
	float8		high = LOGIT_MAX;
	float8		v[2] = {high - GOLDEN * (high - low), low + GOLDEN * (high - low)};
	float8		value[2];

	for (int i = 0; i < 2; i++)
		value[i] = function(race, end / (1 + exp(-v[i])), tau, log_m_tau);
	while (high - low > 0.05)
	{
		/* Both are infinite at the end of the strip only. */
		int			drop = value[0] <= value[1] ? 1 : 0;

		if (isinf(value[1]))
			drop = 1;
		if (drop == 1)
		{
			high = v[1];
			v[1] = v[0];
			value[1] = value[0];
			v[0] = high - GOLDEN * (high - low);
		}
		else
		{
			low = v[0];
			v[0] = v[1];
			value[0] = value[1];
			v[1] = low + GOLDEN * (high - low);
		}
		value[1 - drop] = function(race, end / (1 + exp(-v[1 - drop])), tau, log_m_tau);
	}
	return end / (1 + exp(-(low + high) / 2));
}

/* P(V > U), which should not be near 1. */
static float8
wins(const Race *race)
{
	float8		tau = least_at(integrand, race, race->end, 0, 0);
	float8		log_m_tau = log_m_real(race, tau);
	float8		beyond;
	float8		d;
	float8		step;
	float8		sum;

	/* P(W > 0) < M(tau). */
	if (log_m_tau < LOG_SMALLEST)
		return 0;
	beyond = least_at(distance, race, race->end - tau, tau, log_m_tau);
	d = Max(distance(race, beyond, tau, log_m_tau), -(Min(log_m_tau, 0) + LOG_NEGLIGIBLE) / tau);
	step = 2 * M_PI / d;
	sum = 0.5 / tau;
	for (Size i = 1;; i++)
	{
		Complex		t = {tau, step * (float8) i};
		Complex		log_term = log_m(race, t);
		float8		size = exp(log_term.re - log_m_tau) / (t.re * t.re + t.im * t.im);

		check_interrupts(i);
		sum += size * (cos(log_term.im) * t.re + sin(log_term.im) * t.im);
		/* What is left falls faster than exponentially, or than any geometric series. */
		if (!(size * (t.re + t.im) > LAST_TERM * sum))
			break;
	}
	return Min(1, exp(log_m_tau + log(sum * step / M_PI)));
}

/* P(X > k), 0 <= k < n, by way of the smaller tail; or 1 - P(X > k). */
static float8
tail(const BetaBinomial *of, int64 k, bool is_above)
{
	float8		a = (float8) of->successes + 0.5;
	float8		b = (float8) of->failures + 0.5;
	float8		c = (float8) k + 1;
	float8		d = (float8) (of->trials - k);
	Race		above = {{a, b, c, d}, 0, Min(b, c)};
	Race		not_above = {{b, a, d, c}, 0, Min(a, d)};

	/* a d - b c = (a' d - b' c) / 2 with whole a' and b', so it is known to the last digit. */
	int128		difference = (int128) (2 * (uint64) of->successes + 1) * (of->trials - k) -
		(int128) (2 * (uint64) of->failures + 1) * ((int128) k + 1);
	float8		excess_odds = (float8) difference / 2 / (b * c);

	above.log_odds = fabs(excess_odds) < 0.5 ? log1p(excess_odds) : log(a / b * (d / c));
	not_above.log_odds = -above.log_odds;
	if (above.log_odds > 0)
		return is_above ? 1 - wins(&not_above) : wins(&not_above);
	return is_above ? wins(&above) : 1 - wins(&above);
}

/* How probable it is that more than k of the trials to come succeed. */
float8
beta_binomial_above(const BetaBinomial *of, int64 k)
{
	return k < 0 ? 1 : k >= of->trials ? 0 : tail(of, k, true);
}

/* How probable it is that k of them or fewer do. */
float8
beta_binomial_up_to(const BetaBinomial *of, int64 k)
{
	return k < 0 ? 0 : k >= of->trials ? 1 : tail(of, k, false);
}

/* The least k with P(X <= k) >= up_to, 0 < up_to <= 1/2: there the tail below is the one that is known exactly. */
int64
beta_binomial_low_quantile(const BetaBinomial *of, float8 up_to)
{
	int64		low = 0;
	int64		high = of->trials;

	Assert(up_to > 0 && up_to <= 0.5);
	while (low < high)
	{
		int64		k = low + (high - low) / 2;

		if (beta_binomial_up_to(of, k) >= up_to * (1 - BETA_BINOMIAL_PRECISION))
			high = k;
		else
			low = k + 1;
	}
	return low;
}

/* The least k with P(X > k) <= above, 0 <= above < 1; where that is above 1/2, the function above knows better. */
int64
beta_binomial_quantile(const BetaBinomial *of, float8 above)
{
	int64		low = 0;
	int64		high = of->trials;

	while (low < high)
	{
		int64		k = low + (high - low) / 2;

		if (beta_binomial_above(of, k) <= above * (1 + BETA_BINOMIAL_PRECISION))
			high = k;
		else
			low = k + 1;
	}
	return low;
}
