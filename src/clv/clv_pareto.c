/*
 * clv_pareto.c
 *	  The likelihood of Pareto/NBD and its gradient.
 */
#include "clv/clv_pareto.h"

#include "shared/growing_array.h"

/*
 * As many pairs as w = 10^6 needs, when one parameter of time is a millionth of the
 * other.  Beyond, the truncated fraction is a smooth function still.
 */
#define PAIRS_MAX 10000
#define SPARE_PAIRS 3
#define FEW_PAIRS 24

/* e^-40 is below the last digit of the coefficients' size. */
#define LAST_DIGIT 40.0

/* ---------- the continued fraction ---------- */

static void
fraction_start(ClvFraction *fraction, float8 b, float8 c)
{
	fraction->b = b;
	fraction->c = c;
	fraction->n = 0;
}

/* Computes coefficients up to n. */
static void
fraction_extend(ClvFraction *fraction, Size n)
{
	const float8 b = fraction->b;
	const float8 c = fraction->c;

	if (n > fraction->room)
		fraction->coefficient = array_grow(fraction->coefficient, &fraction->room, n, sizeof(ClvCoefficient),
										   CurrentMemoryContext);
	for (Size i = fraction->n; i < n; i++)
	{
		ClvCoefficient *coefficient = fraction->coefficient + i;
		const Size	pair = (i + 1) / 2;
		const float8 m = (float8) pair;
		const float8 below = 1 / (c - 1 + 2 * m);

		if (i == 0)
		{
			/* As below with m = 0, where c - 1, which may be tiny, cancels. */
			coefficient->k = b / c;
			coefficient->by_b = 1 / c;
			coefficient->by_c = -b / (c * c);
		}
		else if (i % 2 == 0)
		{
			const float8 other = 1 / (c + 2 * m);
			const float8 ratio = (c - 1 + m) * below * other;

			coefficient->k = (b + m) * ratio;
			coefficient->by_b = ratio;
			coefficient->by_c = (b + m) * ratio * (1 / (c - 1 + m) - below - other);
		}
		else
		{
			const float8 other = 1 / (c - 2 + 2 * m);
			const float8 ratio = m * below * other;

			coefficient->k = (c - b - 1 + m) * ratio;
			coefficient->by_b = -ratio;
			coefficient->by_c = ratio * (1 - (c - b - 1 + m) * (below + other));
		}
	}
	fraction->n = n;
}

/*
 * How many pairs of coefficients it takes.
 *
 * A pair whose product is (kappa w)^2 shrinks the error by rho^2 or better, where
 * rho = (sqrt(1 + 4 kappa w) - 1) / (sqrt(1 + 4 kappa w) + 1).  kappa grows to 1/4,
 * but if b or c is large it takes its time.
 */
static Size
pairs_needed(const ClvFraction *fraction, float8 w)
{
	const float8 b = fraction->b;
	const float8 c = fraction->c;
	float8		root = 1 + sqrt(1 + w);
	float8		decay = 2 * log(root * root / w);	/* -ln rho^2 */
	float8		sum = 0;

	if (!(w > 0))
		return SPARE_PAIRS;
	/* Looking closer does not pay. */
	if (LAST_DIGIT < FEW_PAIRS * decay)
		return SPARE_PAIRS + (Size) (LAST_DIGIT / decay);
	for (float8 m = 1; m < PAIRS_MAX; m *= 2)
	{
		/* At the end of pairs from m to 2 m. */
		const float8 n = 2 * m;
		const float8 below = c - 1 + 2 * n;
		const float8 x = 4 * w * sqrt((b + n) / (c + 2 * n) * ((c - 1 + n) / below) * (n / below) * ((c - b - 1 + n) / (c - 2 + 2 * n)));

		root = 1 + sqrt(1 + x);
		decay = 2 * log(root * root / x);
		if (sum + decay * m >= LAST_DIGIT)
			return SPARE_PAIRS + (Size) (m + (LAST_DIGIT - sum) / decay);
		sum += decay * m;
	}
	return PAIRS_MAX;
}

/* ln of the function at w, and its derivatives by b, c and w. */
static void
log_function(ClvFraction *fraction, float8 w, float8 *value, float8 *by_b, float8 *by_c, float8 *by_w)
{
	const Size	n = 2 * pairs_needed(fraction, w);
	float8		f = 1;
	float8		f_b = 0;
	float8		f_c = 0;
	float8		f_w = 0;

	if (n > fraction->n)
		fraction_extend(fraction, n);
	for (Size i = n; i > 0; i--)
	{
		const ClvCoefficient *coefficient = fraction->coefficient + i - 1;
		const float8 inverse = 1 / f;
		const float8 u = w * inverse;
		const float8 slope = coefficient->k * inverse;

		f_b = u * (coefficient->by_b - slope * f_b);
		f_c = u * (coefficient->by_c - slope * f_c);
		f_w = slope * (1 - u * f_w);
		f = 1 + coefficient->k * u;
	}
	*value = -log(f);
	*by_b = -f_b / f;
	*by_c = -f_c / f;
	*by_w = -f_w / f;
}

/* ---------- chances ---------- */

void
clv_chances_init(ClvChances *chances, const float8 *parameter)
{
	memset(chances, 0, sizeof(*chances));
	chances->parameter = parameter;
}

void
clv_chances_free(ClvChances *chances)
{
	if (chances->leave.room > 0)
		pfree(chances->leave.coefficient);
	if (chances->stay.room > 0)
		pfree(chances->stay.coefficient);
}

/* Goes on to members with this many repeats. */
void
clv_chances_start(ClvChances *chances, float8 repeats)
{
	const float8 *parameter = chances->parameter;
	const float8 orders = parameter[CLV_R] + repeats;
	const float8 s = parameter[CLV_S];
	const float8 c = orders + s + 1;

	chances->repeats = repeats;
	if (parameter[CLV_ALPHA] >= parameter[CLV_BETA])
	{
		fraction_start(&chances->leave, s + 1, c);
		fraction_start(&chances->stay, s, c);
	}
	else
	{
		fraction_start(&chances->leave, orders, c);
		fraction_start(&chances->stay, orders + 1, c);
	}
}

/*
 * What both chances are made of: the share of their rates, the function, and for
 * one of them (alpha + y) / (beta + y) or its reciprocal, so that w >= 0.
 */
static inline ClvLogChance
log_chance(const ClvChances *chances, ClvFraction *fraction, int of, float8 y)
{
	const float8 *parameter = chances->parameter;
	const float8 share[2] = {parameter[CLV_R] + chances->repeats, parameter[CLV_S]};
	const float8 both = share[0] + share[1];
	const float8 buys = 1 / (parameter[CLV_ALPHA] + y);
	const float8 leaves = 1 / (parameter[CLV_BETA] + y);
	const bool	by_beta = parameter[CLV_ALPHA] >= parameter[CLV_BETA];
	const float8 difference = fabs(parameter[CLV_ALPHA] - parameter[CLV_BETA]);
	const float8 w = difference * (by_beta ? leaves : buys);
	ClvLogChance result;
	float8		by_b;
	float8		by_c;
	float8		by_w;

	log_function(fraction, w, &result.value, &by_b, &by_c, &by_w);
	result.value += log(share[of] / both);
	result.gradient[CLV_R] = by_c - 1 / both + (of == 0 ? 1 / share[0] : 0) + (by_beta ? 0 : by_b);
	result.gradient[CLV_S] = by_c - 1 / both + (of == 1 ? 1 / share[1] : 0) + (by_beta ? by_b : 0);
	result.gradient[CLV_ALPHA] = by_w * (by_beta ? leaves : -(1 + w) * buys);
	result.gradient[CLV_BETA] = by_w * (by_beta ? -(1 + w) * leaves : buys);
	if (by_beta == (of == 1))
	{
		/* ln (alpha + y) - ln (beta + y), or the negative */
		const float8 sign = by_beta ? 1 : -1;

		result.value += log1p(w);
		result.gradient[CLV_ALPHA] += sign * buys;
		result.gradient[CLV_BETA] -= sign * leaves;
	}
	return result;
}

/* To leave before the next order. */
ClvLogChance
clv_log_leave(ClvChances *chances, float8 y)
{
	return log_chance(chances, &chances->leave, 1, y);
}

/* To order before leaving. */
ClvLogChance
clv_log_stay(ClvChances *chances, float8 y)
{
	return log_chance(chances, &chances->stay, 0, y);
}

/* ln(e^a + e^b) */
static inline float8
log_add(float8 a, float8 b)
{
	return Max(a, b) + log1p(exp(-fabs(a - b)));
}

/* ln of K(age) / K(last_age) */
static float8
log_ratio(const ClvChances *chances, float8 last_age, float8 age)
{
	const float8 *parameter = chances->parameter;
	const float8 gap = age - last_age;

	return -(parameter[CLV_R] + chances->repeats) * log1p(gap / (parameter[CLV_ALPHA] + last_age)) -
		parameter[CLV_S] * log1p(gap / (parameter[CLV_BETA] + last_age));
}

/*
 * The logarithm of the sum in the likelihood, divided by K(last_age); log_leave is
 * that of the member's last age.
 */
float8
clv_pareto_log_sum(ClvChances *chances, float8 log_leave, float8 last_age, float8 age)
{
	return log_add(log_leave, clv_log_stay(chances, age).value + log_ratio(chances, last_age, age));
}

/* The logarithm of the chance that a member is active. */
float8
clv_pareto_log_alive(ClvChances *chances, float8 last_age, float8 age)
{
	const float8 log_leave = clv_log_leave(chances, last_age).value;

	return Min(0, log_ratio(chances, last_age, age) - clv_pareto_log_sum(chances, log_leave, last_age, age));
}

/* ---------- the likelihood ---------- */

/*
 * One of the two terms at age y: its chance times K(y) alpha^r beta^s, as a
 * logarithm.  Adds to the gradient, which is of the chance before.
 */
static inline void
add_constant(ClvLogChance *chance, const ClvLogs *alpha, const ClvLogs *beta, float8 log_alpha, float8 r, float8 x, float8 s, float8 y)
{
	const float8 buys = clv_log_of_age(alpha, y);
	const float8 leaves = clv_log_of_age(beta, y);

	chance->value -= (r + x) * buys + x * log_alpha + s * leaves;
	chance->gradient[CLV_R] -= buys;
	chance->gradient[CLV_ALPHA] += (r * y / alpha->scale - x) / (alpha->scale + y);
	chance->gradient[CLV_S] -= leaves;
	chance->gradient[CLV_BETA] += s * y / beta->scale / (beta->scale + y);
}

void
clv_pareto_evaluate(const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation)
{
	const float8 r = parameter[CLV_R];
	const float8 s = parameter[CLV_S];
	const float8 log_alpha = log(parameter[CLV_ALPHA]);
	ClvChances	chances;
	ClvTotals	totals = {0};
	ClvLogs		alpha;
	ClvLogs		beta;
	ClvRising	rate;
	ClvLogChance left = {0};
	float8		log_rising = 0;
	float8		rising_r = 0;

	clv_logs_init(&alpha, parameter[CLV_ALPHA], rows);
	clv_logs_init(&beta, parameter[CLV_BETA], rows);
	clv_rising_start(&rate, r);
	clv_chances_init(&chances, parameter);
	for (Size i = 0; i < rows->n; i++)
	{
		const ClvRow *row = rows->row + i;
		const float8 x = row->repeats;
		const bool	other = i == 0 || row->repeats != row[-1].repeats;
		ClvLogChance active;
		float8		small;
		float8		has_left;
		float8		term[5];

		/* A row takes much longer than elsewhere. */
		check_interrupts(i * 64);
		if (other)
		{
			clv_rising_advance(&rate, x);
			log_rising = clv_sum_value(&rate.logs);
			rising_r = clv_sum_value(&rate.inverses);
			clv_chances_start(&chances, x);
		}
		if (other || row->last_age != row[-1].last_age)
		{
			left = clv_log_leave(&chances, row->last_age);
			add_constant(&left, &alpha, &beta, log_alpha, r, x, s, row->last_age);
		}
		active = clv_log_stay(&chances, row->age);
		add_constant(&active, &alpha, &beta, log_alpha, r, x, s, row->age);

		small = exp(-fabs(left.value - active.value));
		has_left = (left.value > active.value ? 1 : small) / (1 + small);
		term[0] = log_rising + Max(left.value, active.value) + log1p(small);
		for (int j = 0; j < 4; j++)
			term[1 + j] = has_left * left.gradient[j] + (1 - has_left) * active.gradient[j];
		term[1 + CLV_R] += rising_r;
		clv_totals_add(&totals, i, row->members, term, 5);
	}
	clv_logs_free(&alpha);
	clv_logs_free(&beta);
	clv_chances_free(&chances);
	clv_totals_finish(&totals, 4, false, evaluation);
}
