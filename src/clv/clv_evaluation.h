/*
 * clv_evaluation.h
 *	  A log-likelihood at a point with its derivatives, and how it is summed over rows.
 */
#ifndef CUSTMART_CLV_EVALUATION_H
#define CUSTMART_CLV_EVALUATION_H

#include "clv/clv_math.h"
#include "clv/clv_rows.h"

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

#endif							/* CUSTMART_CLV_EVALUATION_H */
