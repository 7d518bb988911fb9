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

#include "clv/clv_evaluation.h"

typedef enum ClvModel
{
	CLV_NBD,
	CLV_BG,
	CLV_MBG,
	CLV_PARETO
} ClvModel;

extern int	clv_parameter_count(ClvModel model);
extern bool clv_has_hessian(ClvModel model);
extern void clv_evaluate(ClvModel model, const float8 *parameter, const ClvRows *rows, ClvEvaluation *evaluation);
extern float8 clv_log_likelihood(ClvModel model, const float8 *parameter, uint32 repeats, float8 last_age, float8 age);

#endif							/* CUSTMART_CLV_LIKELIHOOD_H */
