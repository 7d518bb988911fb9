/*
 * distributions.h
 *	  Distributions and corrections for significance tests.
 *
 * All p-values, that of chi-squared aside, are two-sided, and all keep their relative precision far into the
 * tails: the result is 0 only if the value is below the smallest double.
 */
#ifndef CUSTMART_DISTRIBUTIONS_H
#define CUSTMART_DISTRIBUTIONS_H

#include "shared/core.h"

extern float8 statistics_normal_p(float8 z);
extern float8 statistics_normal_below(float8 z);
extern float8 statistics_normal_quantile(float8 alpha);
extern float8 statistics_poisson(float8 a, float8 x);
extern float8 statistics_chi_squared_p(float8 chi_squared, float8 df);
extern float8 statistics_student_p(float8 t, float8 df);
extern float8 statistics_student_quantile(float8 alpha, float8 df);
extern float8 statistics_hedges_correction(float8 df);
extern void statistics_benjamini_hochberg(const float8 *p, uint32 *order, Size n, float8 *q);

#endif							/* CUSTMART_DISTRIBUTIONS_H */
