/*
 * clv_pareto.h
 *	  The likelihood of Pareto/NBD, of which nothing cancels.
 *
 * With K(y) = (alpha + y)^-(r + x) (beta + y)^-s, and for a member who is active at
 * age y the chance q(y) to leave before the next order, the likelihood is
 *
 *		Γ(r + x) / Γ(r) alpha^r beta^s (K(last_age) q(last_age) + K(age) (1 - q(age))),
 *
 * a sum of positive terms.  q and 1 - q are each a hypergeometric function
 * F(1, b; c; -w) with w >= 0 times a factor, and the function is a continued
 * fraction with positive terms (DLMF 15.7.5).  The usual form is a difference of
 * two such functions, which is nothing but rounding for members who order often.
 */
#ifndef CUSTMART_CLV_PARETO_H
#define CUSTMART_CLV_PARETO_H

#include "clv/clv_evaluation.h"

/* A coefficient of 1 + k1 w / (1 + k2 w / (1 + ...)), the reciprocal of the function. */
typedef struct ClvCoefficient
{
	float8		k;
	float8		by_b;			/* derivatives */
	float8		by_c;
} ClvCoefficient;

/* They do not depend on ages, so rows with the same repeats share them. */
typedef struct ClvFraction
{
	float8		b;
	float8		c;
	Size		n;				/* how many there are already */
	Size		room;
	ClvCoefficient *coefficient;
} ClvFraction;

/* The chances to leave before the next order, and not to, for members with x repeats. */
typedef struct ClvChances
{
	const float8 *parameter;
	float8		repeats;
	ClvFraction leave;
	ClvFraction stay;
} ClvChances;

/* The logarithm of such a chance, and its derivatives by r, alpha, s and beta. */
typedef struct ClvLogChance
{
	float8		value;
	float8		gradient[4];
} ClvLogChance;

extern void clv_chances_init(ClvChances *chances, const float8 *parameter);
extern void clv_chances_start(ClvChances *chances, float8 repeats);
extern void clv_chances_free(ClvChances *chances);
extern ClvLogChance clv_log_leave(ClvChances *chances, float8 y);
extern ClvLogChance clv_log_stay(ClvChances *chances, float8 y);
extern float8 clv_pareto_log_sum(ClvChances *chances, float8 log_leave, float8 last_age, float8 age);
extern float8 clv_pareto_log_alive(ClvChances *chances, float8 last_age, float8 age);
extern void clv_pareto_evaluate(const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation);

#endif							/* CUSTMART_CLV_PARETO_H */
