/*
 * clv_maximize.c
 *	  Newton's method, and BFGS for a likelihood without a Hessian.
 */
#include "clv/clv_maximize.h"

#define ITERATIONS 100
#define HALVINGS 50
#define LONGEST_STEP 2.0

/* The gain that a step promises, above which it is not the last one: 1e-5 standard errors. */
#define NO_GAIN 1e-10

/* What a step must gain, of what its slope promises; and what may be rounding. */
#define ARMIJO 1e-4
#define ROUNDING 1e-13

/* Curvatures below this share of the largest one cannot be told from 0. */
#define LEAST_CURVATURE 1e-8

/*
 * A likelihood that creeps towards a limit stops gaining before a parameter is far
 * out.  But then it is flat: an error of 100 in a logarithm is no maximum.
 */
#define FLAT 1e-4

/* For central differences, in logarithms. */
#define DIFFERENCE 1e-5

/* ---------- the function of theta ---------- */

/* At point->theta, without the Hessian where the problem has none. */
static void
evaluate(const ClvProblem *problem, ClvPoint *point)
{
	const int	n = problem->parameters;
	ClvEvaluation *at = &point->at;

	for (int i = 0; i < n; i++)
		point->parameter[i] = exp(point->theta[i]);
	problem->evaluate(problem->data, point->parameter, at);
	point->log_likelihood = at->value;

	for (int i = 0; i < n; i++)
	{
		const float8 away = point->theta[i] - log(problem->start[i]);
		const float8 slope = at->gradient[i] * point->parameter[i];

		if (problem->has_hessian)
		{
			for (int j = 0; j < n; j++)
				at->hessian[i][j] *= point->parameter[i] * point->parameter[j];
			at->hessian[i][i] += slope - problem->penalty / 4;
		}
		at->gradient[i] = slope - problem->penalty / 4 * away;
		at->value -= problem->penalty / 8 * away * away;
	}
}

/* The Hessian from differences of gradients, where the problem has none. */
static void
complete(const ClvProblem *problem, ClvPoint *point)
{
	const int	n = problem->parameters;
	ClvMatrix	difference;

	if (problem->has_hessian)
		return;
	for (int i = 0; i < n; i++)
	{
		ClvPoint	above = *point;
		ClvPoint	below = *point;

		above.theta[i] += DIFFERENCE;
		below.theta[i] -= DIFFERENCE;
		evaluate(problem, &above);
		evaluate(problem, &below);
		for (int j = 0; j < n; j++)
			difference[i][j] = (above.at.gradient[j] - below.at.gradient[j]) / (2 * DIFFERENCE);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			point->at.hessian[i][j] = (difference[i][j] + difference[j][i]) / 2;
}

static bool
is_finite_point(const ClvProblem *problem, const ClvPoint *point)
{
	bool		finite = isfinite(point->at.value);

	for (int i = 0; i < problem->parameters; i++)
	{
		finite = finite && isfinite(point->at.gradient[i]) && point->parameter[i] > 0 && isfinite(point->parameter[i]);
		for (int j = 0; problem->has_hessian && j < problem->parameters; j++)
			finite = finite && isfinite(point->at.hessian[i][j]);
	}
	return finite;
}

void
clv_point_start(const ClvProblem *problem, ClvPoint *point)
{
	memset(point, 0, sizeof(*point));
	for (int i = 0; i < problem->parameters; i++)
		point->theta[i] = log(problem->start[i]);
}

/* ---------- steps ---------- */

static float8
dot(const float8 *a, const float8 *b, int n)
{
	float8		sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/*
 * Newton's step, with curvatures taken as if the function were concave: uphill
 * also where it is not.
 */
static void
newton_step(const ClvEvaluation *at, int n, float8 *step)
{
	ClvMatrix	vector;
	float8		curvature[CLV_MATRIX_MAX];
	float8		largest = 0;

	clv_eigen(at->hessian, n, curvature, vector);
	for (int i = 0; i < n; i++)
		largest = Max(largest, fabs(curvature[i]));
	memset(step, 0, n * sizeof(float8));
	for (int i = 0; i < n; i++)
	{
		float8		along = 0;

		for (int j = 0; j < n; j++)
			along += vector[j][i] * at->gradient[j];
		along /= Max(Max(fabs(curvature[i]), LEAST_CURVATURE * largest), 1e-300);
		for (int j = 0; j < n; j++)
			step[j] += vector[j][i] * along;
	}
}

/* Goes along the step as far as that gains something; false if nowhere. */
static bool
advance(const ClvProblem *problem, ClvPoint *point, float8 *step)
{
	const int	n = problem->parameters;
	const float8 rounding = ROUNDING * fabs(point->at.value);
	float8		longest = 0;

	for (int i = 0; i < n; i++)
		longest = Max(longest, fabs(step[i]));
	if (longest > LONGEST_STEP)
		for (int i = 0; i < n; i++)
			step[i] *= LONGEST_STEP / longest;

	for (int halving = 0; halving < HALVINGS; halving++)
	{
		ClvPoint	trial = *point;

		for (int i = 0; i < n; i++)
			trial.theta[i] += step[i];
		evaluate(problem, &trial);
		if (is_finite_point(problem, &trial) &&
			trial.at.value >= point->at.value + ARMIJO * dot(point->at.gradient, step, n) - rounding)
		{
			*point = trial;
			point->iterations++;
			return true;
		}
		for (int i = 0; i < n; i++)
			step[i] /= 2;
	}
	return false;
}

/* Whether the search should be given up where it is, and why. */
static bool
leaves(const ClvProblem *problem, const ClvPoint *point, ClvOutcome *outcome)
{
	for (int i = 0; i < problem->parameters; i++)
		if (fabs(point->theta[i] - log(problem->start[i])) > problem->far_out)
		{
			*outcome = CLV_FAR_OUT;
			return true;
		}
	*outcome = CLV_AT_LIMIT;
	return problem->penalty == 0 && problem->at_limit != NULL &&
		problem->at_limit(problem->data, point->parameter, point->log_likelihood);
}

/* Whether a direction is left in which the function hardly falls. */
static bool
is_flat(const ClvProblem *problem, const ClvPoint *point)
{
	ClvMatrix	vector;
	float8		curvature[CLV_MATRIX_MAX];
	bool		flat = false;

	clv_eigen(point->at.hessian, problem->parameters, curvature, vector);
	for (int i = 0; i < problem->parameters; i++)
		flat = flat || !(curvature[i] < -FLAT);
	return flat;
}

/* ---------- searches ---------- */

/* From the point to the maximum; the point is left with its Hessian. */
ClvOutcome
clv_newton(const ClvProblem *problem, ClvPoint *point)
{
	const int	n = problem->parameters;
	ClvOutcome	outcome;

	evaluate(problem, point);
	complete(problem, point);
	for (int iteration = 0; iteration < ITERATIONS; iteration++)
	{
		float8		step[CLV_MATRIX_MAX];
		bool		last;

		newton_step(&point->at, n, step);
		last = dot(point->at.gradient, step, n) < NO_GAIN;
		/* At the top, a step that gains nothing is as good as no step. */
		if (!advance(problem, point, step) && !last)
			return CLV_NO_END;
		complete(problem, point);
		/* Creeping to a limit may end in steps without gain. */
		if (leaves(problem, point, &outcome))
			return outcome;
		if (last)
			return is_flat(problem, point) ? CLV_FAR_OUT : CLV_MAXIMUM;
	}
	return CLV_NO_END;
}

/*
 * The same from gradients, and less close.  The inverse of the Hessian, negative,
 * is learnt from how the gradient changes on the way (Nocedal & Wright 2006, 6.17).
 */
ClvOutcome
clv_bfgs(const ClvProblem *problem, ClvPoint *point)
{
	const int	n = problem->parameters;
	ClvMatrix	inverse = {{0}};
	bool		known = false;
	ClvOutcome	outcome;

	evaluate(problem, point);
	for (int iteration = 0; iteration < ITERATIONS; iteration++)
	{
		ClvPoint	before = *point;
		float8		step[CLV_MATRIX_MAX];
		float8		moved[CLV_MATRIX_MAX];
		float8		fallen[CLV_MATRIX_MAX];
		float8		turned[CLV_MATRIX_MAX];
		float8		product;

		for (int i = 0; i < n; i++)
			step[i] = known ? dot(inverse[i], point->at.gradient, n) :
				point->at.gradient[i] / (1e-300 + sqrt(dot(point->at.gradient, point->at.gradient, n)));
		if (known && dot(point->at.gradient, step, n) < NO_GAIN)
			return CLV_MAXIMUM;
		if (!advance(problem, point, step))
		{
			/* What was learnt may be wrong. */
			if (!known)
				return CLV_NO_END;
			known = false;
			continue;
		}
		if (leaves(problem, point, &outcome))
			return outcome;

		for (int i = 0; i < n; i++)
		{
			moved[i] = point->theta[i] - before.theta[i];
			fallen[i] = before.at.gradient[i] - point->at.gradient[i];
		}
		product = dot(moved, fallen, n);
		if (!(product > 1e-12 * sqrt(dot(moved, moved, n) * dot(fallen, fallen, n))))
			continue;
		for (int i = 0; i < n && !known; i++)
			for (int j = 0; j < n; j++)
				inverse[i][j] = i == j ? product / dot(fallen, fallen, n) : 0;
		known = true;
		for (int i = 0; i < n; i++)
			turned[i] = dot(inverse[i], fallen, n);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				inverse[i][j] += (1 + dot(fallen, turned, n) / product) * moved[i] * moved[j] / product -
					(turned[i] * moved[j] + moved[i] * turned[j]) / product;
	}
	return CLV_NO_END;
}

/*
 * The covariance of the parameters, from the curvature at a maximum; false if it
 * is not one.
 */
bool
clv_covariance(const ClvProblem *problem, const ClvPoint *point, ClvMatrix covariance)
{
	const int	n = problem->parameters;
	ClvMatrix	information;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			information[i][j] = -point->at.hessian[i][j];
	if (!clv_invert_positive(information, n, covariance))
		return false;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			covariance[i][j] *= point->parameter[i] * point->parameter[j];
	return true;
}
