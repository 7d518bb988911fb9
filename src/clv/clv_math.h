/*
 * clv_math.h
 *	  Special functions, compensated sums, and algebra of small symmetric matrices.
 *
 * Likelihoods are full of differences of lgamma() at close arguments, of which
 * nothing is left when parameters are large, and optimizers do wander there.  So
 * it is the differences that are functions here.
 */
#ifndef CUSTMART_CLV_MATH_H
#define CUSTMART_CLV_MATH_H

#include "shared/core.h"

#include <math.h>

#define CLV_MATRIX_MAX 4

/* A sum whose lost digits are kept beside it (Neumaier 1974). */
typedef struct ClvSum
{
	float8		sum;
	float8		lost;
} ClvSum;

static inline void
clv_sum_add(ClvSum *total, float8 term)
{
	float8		sum = total->sum + term;

	total->lost += fabs(total->sum) >= fabs(term) ? (total->sum - sum) + term : (term - sum) + total->sum;
	total->sum = sum;
}

static inline float8
clv_sum_value(const ClvSum *total)
{
	return total->sum + total->lost;
}

/* Nodes and weights of Gauss and Legendre on [-1, 1]; the other half is its mirror image. */
#define CLV_NODES 8
extern const float8 clv_node[CLV_NODES];
extern const float8 clv_weight[CLV_NODES];

extern float8 clv_log_rising(float8 z, float8 n);
extern float8 clv_log_beta(float8 a, float8 b);
extern float8 clv_digamma(float8 z);
extern float8 clv_trigamma(float8 z);

/* Up to here sums are added term by term, which is as exact as it gets. */
#define CLV_SUMMED 4096

/* Σ over j from 0 to count - 1 of functions of z + j. */
typedef struct ClvRising
{
	float8		z;
	float8		count;
	ClvSum		logs;			/* ln(z + j), that is ln Γ(z + count) - ln Γ(z) */
	ClvSum		inverses;		/* 1 / (z + j) */
	ClvSum		squares;		/* 1 / (z + j)^2 */
} ClvRising;

extern void clv_rising_start(ClvRising *rising, float8 z);
extern void clv_rising_advance(ClvRising *rising, float8 count);

typedef float8 ClvMatrix[CLV_MATRIX_MAX][CLV_MATRIX_MAX];

extern void clv_eigen(const ClvMatrix symmetric, int n, float8 *value, ClvMatrix vector);
extern bool clv_invert_positive(const ClvMatrix symmetric, int n, ClvMatrix inverse);

#endif							/* CUSTMART_CLV_MATH_H */
