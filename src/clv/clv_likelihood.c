/*
 * clv_likelihood.c
 *	  Likelihoods of NBD, BG/NBD and MBG/NBD.
 */
#include "clv/clv_likelihood.h"

#include "clv/clv_pareto.h"

int
clv_parameter_count(ClvModel model)
{
	return model == CLV_NBD ? 2 : 4;
}

bool
clv_has_hessian(ClvModel model)
{
	return model != CLV_PARETO;
}

static void
evaluate_nbd(const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation)
{
	const float8 r = parameter[CLV_R];
	const float8 alpha = parameter[CLV_ALPHA];
	const float8 log_alpha = log(alpha);
	ClvTotals	totals = {0};
	ClvLogs		logs;
	ClvRising	rate;

	clv_logs_init(&logs, alpha, rows);
	clv_rising_start(&rate, r);
	for (Size i = 0; i < rows->n; i++)
	{
		const ClvRow *row = rows->row + i;
		const float8 x = row->repeats;
		const float8 log_age = clv_log_of_age(&logs, row->age);
		const float8 inverse = 1 / (alpha + row->age);
		const float8 part = row->age * inverse / alpha; /* 1 / alpha - 1 / (alpha + age) */
		float8		term[6];

		check_interrupts(i);
		if (row->repeats != rate.count)
			clv_rising_advance(&rate, x);
		term[0] = clv_sum_value(&rate.logs) - (r + x) * log_age - x * log_alpha;
		term[1] = clv_sum_value(&rate.inverses) - log_age;
		term[2] = r * part - x * inverse;
		term[3] = -clv_sum_value(&rate.squares);
		term[4] = part;
		term[5] = x * inverse * inverse - r * part * (1 / alpha + inverse);
		clv_totals_add(&totals, i, row->members, term, 6);
	}
	clv_logs_free(&logs);
	clv_totals_finish(&totals, 2, true, evaluation);
}

/*
 * Goes on with ln B(a, b + k) - ln B(a, b), which is the sum of ln(1 - a / (a + b + j))
 * over j < k: what is left of it where a / b is tiny is not to be found in gammas.
 */
static void
advance_stayed(ClvSum *log_stayed, float8 a, float8 b, float8 from, float8 to)
{
	if (to - from > CLV_SUMMED)
	{
		clv_sum_add(log_stayed, clv_log_rising(b + from, to - from) - clv_log_rising(a + b + from, to - from));
		return;
	}
	for (float8 j = from; j < to; j++)
		clv_sum_add(log_stayed, a < b + j ? log1p(-a / (a + b + j)) : log((b + j) / (a + b + j)));
}

/*
 * BG/NBD, and MBG/NBD, which counts the first order among those after which a
 * member may leave.
 */
static void
evaluate_geometric(ClvModel model, const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation)
{
	const float8 r = parameter[CLV_R];
	const float8 alpha = parameter[CLV_ALPHA];
	const float8 a = parameter[CLV_A];
	const float8 b = parameter[CLV_B];
	const float8 log_alpha = log(alpha);
	const int	first = model == CLV_MBG;
	ClvTotals	totals = {0};
	ClvLogs		logs;
	ClvRising	rate;			/* from r on */
	ClvRising	stays;			/* from b on */
	ClvRising	chances;		/* from a + b on */
	ClvSum		log_stayed = {0};
	float8		behind = 0;		/* b + chances to leave - 1 */
	float8		log_ratio = 0;	/* ln a - ln behind */

	clv_logs_init(&logs, alpha, rows);
	clv_rising_start(&rate, r);
	clv_rising_start(&stays, b);
	clv_rising_start(&chances, a + b);
	for (Size i = 0; i < rows->n; i++)
	{
		const ClvRow *row = rows->row + i;
		const float8 x = row->repeats;
		const float8 log_age = clv_log_of_age(&logs, row->age);
		const float8 inverse = 1 / (alpha + row->age);
		const float8 part = row->age * inverse / alpha; /* 1 / alpha - 1 / (alpha + age) */
		float8		squares;	/* of 1 / (a + b + j) */
		float8		term[CLV_TERMS];

		check_interrupts(i);
		if (i == 0 || x != rate.count)
		{
			/* Rows are sorted by repeats. */
			const float8 chances_before = chances.count;

			clv_rising_advance(&rate, x);
			clv_rising_advance(&stays, x + first);
			clv_rising_advance(&chances, x + first);
			advance_stayed(&log_stayed, a, b, chances_before, chances.count);
			behind = b + x + first - 1;
			log_ratio = x + first > 0 ? log(a / behind) : 0;
		}
		squares = clv_sum_value(&chances.squares);
		term[0] = clv_sum_value(&rate.logs) - (r + x) * log_age - x * log_alpha + clv_sum_value(&log_stayed);
		term[1] = clv_sum_value(&rate.inverses) - log_age;
		term[2] = r * part - x * inverse;
		term[3] = -clv_sum_value(&chances.inverses);
		term[4] = term[3] + clv_sum_value(&stays.inverses);
		term[5] = -clv_sum_value(&rate.squares);
		term[6] = part;
		term[7] = 0;
		term[8] = 0;
		term[9] = x * inverse * inverse - r * part * (1 / alpha + inverse);
		term[10] = 0;
		term[11] = 0;
		term[12] = squares;
		term[13] = squares;
		term[14] = squares - clv_sum_value(&stays.squares);
		if (x + first > 0)
		{
			/* d = ln of the odds of having left, and its derivatives */
			const float8 gap = row->age - row->last_age;
			const float8 last_inverse = 1 / (alpha + row->last_age);
			const float8 d_r = logs.table != NULL ? log_age - clv_log_of_age(&logs, row->last_age) : log1p(gap * last_inverse);
			const float8 narrow = gap * last_inverse * inverse; /* 1 / (alpha + last_age) - 1 / (alpha + age) */
			const float8 d_alpha = -(r + x) * narrow;
			const float8 d_a = 1 / a;
			const float8 d_b = -1 / behind;
			const float8 d = log_ratio + (r + x) * d_r;
			const float8 small = exp(-fabs(d));
			const float8 left = (d > 0 ? 1 : small) / (1 + small);
			const float8 both = small / ((1 + small) * (1 + small));

			term[0] += Max(d, 0) + log1p(small);
			term[1] += left * d_r;
			term[2] += left * d_alpha;
			term[3] += left * d_a;
			term[4] += left * d_b;
			term[5] += both * d_r * d_r;
			term[6] += both * d_r * d_alpha - left * narrow;
			term[7] += both * d_r * d_a;
			term[8] += both * d_r * d_b;
			term[9] += both * d_alpha * d_alpha - left * d_alpha * (last_inverse + inverse);
			term[10] += both * d_alpha * d_a;
			term[11] += both * d_alpha * d_b;
			term[12] += (both - left) * d_a * d_a;
			term[13] += both * d_a * d_b;
			term[14] += (both + left) * d_b * d_b;
		}
		clv_totals_add(&totals, i, row->members, term, CLV_TERMS);
	}
	clv_logs_free(&logs);
	clv_totals_finish(&totals, 4, true, evaluation);
}

/* Gradient, and Hessian where clv_has_hessian(), of the sum over the rows. */
void
clv_evaluate(ClvModel model, const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation)
{
	if (model == CLV_NBD)
		evaluate_nbd(parameter, rows, evaluation);
	else if (model == CLV_PARETO)
		clv_pareto_evaluate(parameter, rows, evaluation);
	else
		evaluate_geometric(model, parameter, rows, evaluation);
}

/* The same of one member. */
float8
clv_log_likelihood(ClvModel model, const float8 *parameter, uint32 repeats, float8 last_age, float8 age)
{
	ClvRow		row = {.repeats = repeats, .members = 1, .last_age = last_age, .age = age};
	ClvRows		rows = {.row = &row, .n = 1, .max_age = age};
	ClvEvaluation evaluation;

	clv_evaluate(model, parameter, &rows, &evaluation);
	return evaluation.value;
}
