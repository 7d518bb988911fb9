/*
 * clv_spend.c
 *	  The Gamma-Gamma model: likelihood, fit and expectation.
 */
#include "clv/clv_spend.h"

#include "clv/clv_maximize.h"

#define TERMS 10				/* the value, 3 of the gradient, 6 of the Hessian */

void
clv_spend_evaluate(const float8 *parameter, const ClvSpendRows *rows, ClvEvaluation *evaluation)
{
	const float8 p = parameter[CLV_SPEND_P];
	const float8 q = parameter[CLV_SPEND_Q];
	const float8 gamma = parameter[CLV_SPEND_GAMMA];
	const float8 digamma_q = clv_digamma(q);
	const float8 trigamma_q = clv_trigamma(q);
	ClvTotals	totals = {0};
	float8		log_beta = 0;
	float8		digamma_p = 0;
	float8		digamma_pq = 0;
	float8		trigamma_p = 0;
	float8		trigamma_pq = 0;

	for (Size i = 0; i < rows->n; i++)
	{
		const ClvSpendRow *row = rows->row + i;
		const float8 x = row->repeats;
		const float8 px = p * x;
		const float8 y = x * row->mean;
		const float8 log_gamma_share = -log1p(y / gamma);
		const float8 log_y_share = -log1p(gamma / y);
		const float8 inverse = 1 / (gamma + y);
		const float8 part = y * inverse / gamma;	/* 1 / gamma - 1 / (gamma + y) */
		float8		term[TERMS];

		check_interrupts(i);
		if (i == 0 || row->repeats != row[-1].repeats)
		{
			/* Rows are sorted by repeats. */
			log_beta = clv_log_beta(px, q);
			digamma_p = clv_digamma(px);
			digamma_pq = clv_digamma(px + q);
			trigamma_p = clv_trigamma(px);
			trigamma_pq = clv_trigamma(px + q);
		}
		term[0] = q * log_gamma_share + px * log_y_share - log_beta - log(row->mean);
		term[1] = x * (digamma_pq - digamma_p + log_y_share);
		term[2] = digamma_pq - digamma_q + log_gamma_share;
		term[3] = q * part - px * inverse;
		term[4] = x * x * (trigamma_pq - trigamma_p);
		term[5] = x * trigamma_pq;
		term[6] = -x * inverse;
		term[7] = trigamma_pq - trigamma_q;
		term[8] = part;
		term[9] = px * inverse * inverse - q * part * (1 / gamma + inverse);
		clv_totals_add(&totals, i, row->members, term, TERMS);
	}
	clv_totals_finish(&totals, CLV_SPEND_PARAMETERS, true, evaluation);
}

float8
clv_spend_log_likelihood(const float8 *parameter, uint32 repeats, float8 mean)
{
	ClvSpendRow row = {.repeats = repeats, .members = 1, .mean = mean};
	ClvSpendRows rows = {.row = &row, .n = 1, .members = 1, .mean = mean};
	ClvEvaluation evaluation;

	clv_spend_evaluate(parameter, &rows, &evaluation);
	return evaluation.value;
}

static void
evaluate_rows(const void *data, const float8 *parameter, ClvEvaluation *evaluation)
{
	clv_spend_evaluate(parameter, data, evaluation);
}

/* Fits the model; false if there are no rows. */
bool
clv_spend_fit(const ClvSpendRows *rows, float8 penalty, ClvSpendFit *fit)
{
	ClvProblem	problem = {
		.parameters = CLV_SPEND_PARAMETERS,
		.start = {2, 2, rows->mean},
		.penalty = penalty,
		.far_out = CLV_FAR,
		.evaluate = evaluate_rows,
		.has_hessian = true,
		.data = rows
	};
	ClvPoint	point;

	memset(fit, 0, sizeof(*fit));
	if (rows->n == 0)
		return false;
	clv_point_start(&problem, &point);
	if (clv_newton(&problem, &point) != CLV_MAXIMUM)
	{
		/* All spend the same, or the sets are too small to tell. */
		fit->weak_prior_used = penalty < 1;
		problem.penalty = Max(penalty, 1);
		clv_point_start(&problem, &point);
		clv_newton(&problem, &point);
	}
	memcpy(fit->parameter, point.parameter, sizeof(fit->parameter));
	fit->log_likelihood = point.log_likelihood;
	fit->iterations = point.iterations;
	fit->has_covariance = clv_covariance(&problem, &point, fit->covariance);
	return true;
}

/*
 * The correlation of a member's mean with the repeats, of which the model says that
 * there is none.  False if one of them does not vary.
 */
bool
clv_spend_correlation(const ClvSpendRows *rows, float8 *correlation)
{
	ClvSum		sum = {0};
	ClvSum		xx = {0};
	ClvSum		xy = {0};
	ClvSum		yy = {0};
	float8		mean_repeats;
	float8		product;

	for (Size i = 0; i < rows->n; i++)
		clv_sum_add(&sum, (float8) rows->row[i].repeats * rows->row[i].members);
	mean_repeats = clv_sum_value(&sum) / rows->members;
	for (Size i = 0; i < rows->n; i++)
	{
		const ClvSpendRow *row = rows->row + i;
		const float8 x = row->repeats - mean_repeats;
		const float8 y = row->mean / rows->mean - 1;

		check_interrupts(i);
		clv_sum_add(&xx, x * x * row->members);
		clv_sum_add(&xy, x * y * row->members);
		clv_sum_add(&yy, y * y * row->members);
	}
	product = sqrt(clv_sum_value(&xx)) * sqrt(clv_sum_value(&yy));
	if (rows->n == 0 || !(product > 0))
		return false;
	*correlation = Max(-1, Min(1, clv_sum_value(&xy) / product));
	return true;
}

/*
 * The mean of the member's future orders; without repeats, of all members.  False if
 * the model has no such mean, as so many members spend so much more than others.
 */
bool
clv_expected_spend(const float8 *parameter, uint32 repeats, float8 mean, float8 *spend)
{
	const float8 p = parameter[CLV_SPEND_P];
	const float8 x = repeats;
	const float8 below = p * x + parameter[CLV_SPEND_Q] - 1;

	if (!(below > 0))
		return false;
	*spend = p * (parameter[CLV_SPEND_GAMMA] + x * Max(mean, 0)) / below;
	return true;
}
