/*
 * clv_maximize.h
 *	  Maximum of a log-likelihood over positive parameters.
 *
 * It is searched over theta, the logarithms of the parameters, where none can
 * leave its range and the likelihood is closer to a parabola.  A likelihood may
 * have its maximum at infinity: the search notices, and says so.
 */
#ifndef CUSTMART_CLV_MAXIMIZE_H
#define CUSTMART_CLV_MAXIMIZE_H

#include "clv/clv_evaluation.h"

/* Of parameters that are no estimates any more. */
#define CLV_FAR 25.0

typedef struct ClvProblem
{
	int			parameters;
	float8		start[CLV_MATRIX_MAX];	/* parameters, not their logarithms */

	/*
	 * The weak prior that is subtracted: penalty / 2 * Σ ((theta - start) / 2)^2.
	 * It counts as much as this many members, and does not depend on units.
	 */
	float8		penalty;

	/* How far from the start is too far, in logarithms. */
	float8		far_out;

	/* Value and gradient by parameters, with the Hessian if has_hessian. */
	void		(*evaluate) (const void *data, const float8 *parameter, ClvEvaluation *evaluation);
	bool		has_hessian;

	/* Whether the likelihood is as good as at its limit; asked if there is no penalty. */
	bool		(*at_limit) (const void *data, const float8 *parameter, float8 log_likelihood);
	const void *data;
} ClvProblem;

/* Where a search is: the best point so far. */
typedef struct ClvPoint
{
	float8		theta[CLV_MATRIX_MAX];
	float8		parameter[CLV_MATRIX_MAX];
	float8		log_likelihood; /* without penalty */
	ClvEvaluation at;			/* penalized, by theta */
	int			iterations;
} ClvPoint;

typedef enum ClvOutcome
{
	CLV_MAXIMUM,
	CLV_AT_LIMIT,				/* the caller's at_limit */
	CLV_FAR_OUT,				/* a parameter tends to 0 or infinity */
	CLV_NO_END					/* too many iterations */
} ClvOutcome;

extern void clv_point_start(const ClvProblem *problem, ClvPoint *point);
extern ClvOutcome clv_newton(const ClvProblem *problem, ClvPoint *point);
extern ClvOutcome clv_bfgs(const ClvProblem *problem, ClvPoint *point);
extern bool clv_covariance(const ClvProblem *problem, const ClvPoint *point, ClvMatrix covariance);

#endif							/* CUSTMART_CLV_MAXIMIZE_H */
