/*
 * clv_likelihood.h
 *	  Log-likelihoods of the models, with their derivatives.
 *
 * While a member is active, orders come at a rate that is gamma distributed over
 * members (r, alpha).  The models differ in how a member leaves:
 *
 *		NBD				never
 *		BG/NBD			after a repeat order, with a probability that is beta
 *						distributed over members (a, b) (Fader, Hardie, Lee 2005)
 *		MBG/NBD			after any order, the first one too (Batislam et al. 2007)
 *		Pareto/NBD		at any time, at a rate that is gamma distributed over
 *						members (s, beta) (Schmittlein et al. 1987)
 *
 * Time is in days, but any other unit will do for what is here.
 */
#ifndef CUSTMART_CLV_LIKELIHOOD_H
#define CUSTMART_CLV_LIKELIHOOD_H

#include "clv/clv_math.h"
#include "clv/clv_rows.h"

typedef enum ClvModel
{
	CLV_NBD,
	CLV_BG,
	CLV_MBG,
	CLV_PARETO
} ClvModel;

/* Where the parameters of a model are. */
enum
{
	CLV_R,
	CLV_ALPHA,
	CLV_A,						/* s of Pareto/NBD */
	CLV_B,						/* beta of Pareto/NBD */
	CLV_S = CLV_A,
	CLV_BETA = CLV_B
};

/* A function at a point, its gradient and its Hessian. */
typedef struct ClvEvaluation
{
	float8		value;
	float8		gradient[CLV_MATRIX_MAX];
	ClvMatrix	hessian;
} ClvEvaluation;

/*
 * Sums of a value, its gradient and the upper triangle of its Hessian, in this
 * order.  Terms are added up in blocks, and only the blocks' sums with the digits
 * that they lose: as good, and much faster.
 */
#define CLV_TERMS (1 + CLV_MATRIX_MAX + CLV_MATRIX_MAX * (CLV_MATRIX_MAX + 1) / 2)

typedef struct ClvTotals
{
	float8		block[CLV_TERMS];
	ClvSum		total[CLV_TERMS];
} ClvTotals;

#define CLV_BLOCK 64			/* rows */

static inline void
clv_totals_end_block(ClvTotals *totals, int terms)
{
	for (int i = 0; i < terms; i++)
	{
		clv_sum_add(&totals->total[i], totals->block[i]);
		totals->block[i] = 0;
	}
}

/* Adds the terms of a row, the one with this number. */
static inline void
clv_totals_add(ClvTotals *totals, Size row, float8 members, const float8 *term, int terms)
{
	if (row % CLV_BLOCK == 0)
		clv_totals_end_block(totals, terms);
	for (int i = 0; i < terms; i++)
		totals->block[i] += members * term[i];
}

extern void clv_totals_finish(ClvTotals *totals, int parameters, bool has_hessian, ClvEvaluation *evaluation);

/* ln(1 + age / scale), from a table where ages are days. */
typedef struct ClvLogs
{
	float8		scale;
	float8	   *table;
} ClvLogs;

static inline float8
clv_log_of_age(const ClvLogs *logs, float8 age)
{
	return logs->table != NULL ? logs->table[(uint32) age] : log1p(age / logs->scale);
}

extern void clv_logs_init(ClvLogs *logs, float8 scale, const ClvRows *rows);
extern void clv_logs_free(ClvLogs *logs);

/* ln(1 + e^d) */
static inline float8
clv_softplus(float8 d)
{
	return Max(d, 0) + log1p(exp(-fabs(d)));
}

/* ln of the odds of having left, in BG/NBD and MBG/NBD. */
static inline float8
clv_log_odds(ClvModel model, const float8 *parameter, float8 repeats, float8 last_age, float8 age)
{
	float8		behind = parameter[CLV_B] + repeats - (model == CLV_BG);

	return log(parameter[CLV_A] / behind) +
		(parameter[CLV_R] + repeats) * log1p((age - last_age) / (parameter[CLV_ALPHA] + last_age));
}

extern int	clv_parameter_count(ClvModel model);
extern bool clv_has_hessian(ClvModel model);
extern void clv_evaluate(ClvModel model, const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation);
extern float8 clv_log_likelihood(ClvModel model, const float8 *parameter, uint32 repeats, float8 last_age, float8 age);

#endif							/* CUSTMART_CLV_LIKELIHOOD_H */
