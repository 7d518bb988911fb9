/*
 * clv_spend.h
 *	  The money of an order: the Gamma-Gamma model (Fader, Hardie, Lee 2005b).
 *
 * Orders of a member vary about the member's mean with shape p, and means vary over
 * members such that the scale of orders is gamma distributed (q, gamma).  Spend is
 * taken to be independent of how often a member orders.
 */
#ifndef CUSTMART_CLV_SPEND_H
#define CUSTMART_CLV_SPEND_H

#include "clv/clv_evaluation.h"

enum
{
	CLV_SPEND_P,
	CLV_SPEND_Q,
	CLV_SPEND_GAMMA,
	CLV_SPEND_PARAMETERS
};

typedef struct ClvSpendFit
{
	float8		parameter[CLV_MATRIX_MAX];
	ClvMatrix	covariance;
	bool		has_covariance;
	float8		log_likelihood;
	int			iterations;
	bool		weak_prior_used;
} ClvSpendFit;

extern void clv_spend_evaluate(const float8 *parameter, const ClvSpendRows *rows, ClvEvaluation *evaluation);
extern float8 clv_spend_log_likelihood(const float8 *parameter, uint32 repeats, float8 mean);
extern bool clv_spend_fit(const ClvSpendRows *rows, float8 penalty, ClvSpendFit *fit);
extern bool clv_spend_correlation(const ClvSpendRows *rows, float8 *correlation);
extern bool clv_expected_spend(const float8 *parameter, uint32 repeats, float8 mean, float8 *spend);

#endif							/* CUSTMART_CLV_SPEND_H */
