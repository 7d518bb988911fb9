/*
 * clv_fit.h
 *	  Fits a model to members by maximum likelihood.
 *
 * There is always an answer.  Where the likelihood grows towards a limit, that is
 * what the data say: nobody leaves, or all order at the same rate.  In the first
 * case the fit is the NBD, in the second a weak prior keeps parameters finite.
 * Which of them was done is a warning.
 */
#ifndef CUSTMART_CLV_FIT_H
#define CUSTMART_CLV_FIT_H

#include "clv/clv_likelihood.h"

/* Warnings, as bits. */
#define CLV_FEW_REPEATERS			0x01
#define CLV_SHORT_HISTORY			0x02
#define CLV_NO_DROPOUT				0x04
#define CLV_WEAK_PRIOR_USED			0x08
#define CLV_ONE_MEMBER_DOMINATES	0x10

/* Their thresholds. */
#define CLV_REPEATERS_WANTED 100
#define CLV_GAPS_WANTED 2.0		/* gaps between orders in a mean age */
#define CLV_SHARE_ALLOWED 0.05	/* of a member in all repeats */

typedef struct ClvFit
{
	ClvModel	asked;
	ClvModel	model;			/* the one asked for, or the NBD if nobody leaves */
	float8		parameter[CLV_MATRIX_MAX];
	ClvMatrix	covariance;		/* of the parameters */
	bool		has_covariance;
	float8		log_likelihood; /* without the prior */
	float8		nbd_log_likelihood;
	int			iterations;
	uint32		warnings;
} ClvFit;

typedef enum ClvFitStatus
{
	CLV_FITTED,
	CLV_NO_REPEATS				/* nobody has ordered on a second day: nothing can be told */
} ClvFitStatus;

extern ClvFitStatus clv_fit(ClvModel model, const ClvRows *rows, float8 penalty, ClvFit *fit);
extern ClvFitStatus clv_fit_best(const ClvRows *rows, float8 penalty, ClvFit *fit);

#endif							/* CUSTMART_CLV_FIT_H */
