/*
 * clv_pareto.c
 *	  The likelihood of Pareto/NBD and its gradient.
 */
#include "clv/clv_pareto.h"

/* ---------- the continued fraction ---------- */

static void
fraction_init(ClvFraction *fraction, float8 b, float8 c)
{
	fraction->b = b;
	fraction->c = c;
	fraction->n = 0;
}

/* Computes coefficients up to n, in pairs. */
static void
fraction_extend(ClvFraction *fraction, int n)
{
	const float8 b = fraction->b;
	const float8 c = fraction->c;

	if (fraction->n == 0)
	{
		/* As below with m = 0, where c - 1, which may be tiny, is in both. */
		fraction->k[0] = b / c;
		fraction->k_b[0] = 1 / c;
		fraction->k_c[0] = -b / (c * c);
	}
	for (int i = Max(fraction->n, 1); i < n; i++)
	{
		const float8 m = (i + 1) / 2;
		const float8 below = 1 / (c - 1 + 2 * m);

		if (i % 2 == 0)
		{
			const float8 other = 1 / (c + 2 * m);
			const float8 ratio = (c - 1 + m) * below * other;

			fraction->k[i] = (b + m) * ratio;
			fraction->k_b[i] = ratio;
			fraction->k_c[i] = (b + m) * ratio * (1 / (c - 1 + m) - below - other);
		}
		else
		{
			const float8 other = 1 / (c - 2 + 2 * m);
			const float8 ratio = m * below * other;

			fraction->k[i] = (c - b - 1 + m) * ratio;
			fraction->k_b[i] = -ratio;
			fraction->k_c[i] = ratio * (1 - (c - b - 1 + m) * (below + other));
		}
	}
	fraction->n = Max(fraction->n, n);
}

/*
 * ln of the function at w, and its derivatives by b, c and w.
 *
 * The coefficients tend to 1/4 from pairs whose product is at most 1/16, so a step
 * more in the fraction shrinks the error by rho = (sqrt(1 + w) - 1) / (sqrt(1 + w) + 1)
 * or better: after n steps it is below rho^n.
 */
static void
log_function(ClvFraction *fraction, float8 w, float8 *value, float8 *by_b, float8 *by_c, float8 *by_w)
{
	const float8 root = sqrt(1 + w);
	const float8 decay = w > 0 ? 2 * log((1 + root) * (1 + root) / w) : INFINITY; /* of a pair */
	const int	pairs = (int) Min(3 + 40 / decay, CLV_FRACTION_MAX / 2);
	float8		f = 1;
	float8		f_b = 0;
	float8		f_c = 0;
	float8		f_w = 0;

	if (2 * pairs > fraction->n)
		fraction_extend(fraction, 2 * pairs);
	for (int i = 2 * pairs - 1; i >= 0; i--)
	{
		const float8 k = fraction->k[i];
		const float8 inverse = 1 / f;
		const float8 u = w * inverse;

		f_b = u * (fraction->k_b[i] - k * inverse * f_b);
		f_c = u * (fraction->k_c[i] - k * inverse * f_c);
		f_w = k * inverse * (1 - u * f_w);
		f = 1 + k * u;
	}
	*value = -log(f);
	*by_b = -f_b / f;
	*by_c = -f_c / f;
	*by_w = -f_w / f;
}

/* ---------- chances ---------- */

/* Prepares for members with this many repeats. */
void
clv_chances_init(ClvChances *chances, const float8 *parameter, float8 repeats)
{
	const float8 orders = parameter[CLV_R] + repeats;
	const float8 s = parameter[CLV_S];
	const float8 c = orders + s + 1;

	chances->parameter = parameter;
	chances->repeats = repeats;
	if (parameter[CLV_ALPHA] >= parameter[CLV_BETA])
	{
		fraction_init(&chances->leave, s + 1, c);
		fraction_init(&chances->stay, s, c);
	}
	else
	{
		fraction_init(&chances->leave, orders, c);
		fraction_init(&chances->stay, orders + 1, c);
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

/*
 * The logarithm of the sum in the likelihood divided by K(last_age), when log_leave
 * is that of the member's last age.
 */
float8
clv_pareto_log_sum(ClvChances *chances, float8 log_leave, float8 last_age, float8 age)
{
	const float8 *parameter = chances->parameter;
	const float8 gap = age - last_age;

	return log_add(log_leave,
				   clv_log_stay(chances, age).value -
				   (parameter[CLV_R] + chances->repeats) * log1p(gap / (parameter[CLV_ALPHA] + last_age)) -
				   parameter[CLV_S] * log1p(gap / (parameter[CLV_BETA] + last_age)));
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
	ClvChances *chances = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ClvChances));
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
			clv_chances_init(chances, parameter, x);
		}
		if (other || row->last_age != row[-1].last_age)
		{
			left = clv_log_leave(chances, row->last_age);
			add_constant(&left, &alpha, &beta, log_alpha, r, x, s, row->last_age);
		}
		active = clv_log_stay(chances, row->age);
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
	pfree(chances);
	clv_totals_finish(&totals, 4, false, evaluation);
}
