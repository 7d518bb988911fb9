/*
 * clv_fit.c
 *	  Fits a model, and deals with likelihoods without a maximum.
 */
#include "clv/clv_fit.h"

#include "clv/clv_maximize.h"
#include "shared/large_memory.h"

/* Nobody leaves if the likelihood is this close to that of the NBD, and leaving this rare. */
#define NO_DROPOUT_GAIN 0.05
#define NO_DROPOUT_SHARE 1e-5

/* Pareto/NBD has a fit to a sample first where there are more rows than this. */
#define SAMPLE_ROWS 20000
#define SAMPLE_DROPOUT 1e-3		/* and its result is of use from here on */

/*
 * The likelihood of Pareto/NBD takes long where its parameters of time are far apart.
 * Here they are so by a factor of 400,000, and nothing is said about members.
 */
#define PARETO_FAR 13.0

typedef struct FitData
{
	ClvModel	model;
	const ClvRows *rows;
	float8		nbd_log_likelihood;
} FitData;

static void
evaluate_rows(const void *data, const float8 *parameter, ClvEvaluation *evaluation)
{
	const FitData *fit = data;

	clv_evaluate(fit->model, parameter, fit->rows, evaluation);
}

/* How many members leave, roughly: after an order, or in their time. */
static float8
dropout(const FitData *fit, const float8 *parameter)
{
	return fit->model == CLV_PARETO ?
		parameter[CLV_S] / parameter[CLV_BETA] * fit->rows->mean_age :
		parameter[CLV_A] / (parameter[CLV_A] + parameter[CLV_B]);
}

/* Whether the likelihood only creeps up to that of a model in which nobody leaves. */
static bool
has_no_dropout(const void *data, const float8 *parameter, float8 log_likelihood)
{
	const FitData *fit = data;

	return log_likelihood - fit->nbd_log_likelihood < NO_DROPOUT_GAIN && dropout(fit, parameter) < NO_DROPOUT_SHARE;
}

/* Whether too few of a sample leave to tell what all do. */
static bool
has_little_dropout(const void *data, const float8 *parameter, float8 log_likelihood)
{
	return dropout(data, parameter) < SAMPLE_DROPOUT;
}

static ClvProblem
make_problem(const FitData *data, float8 penalty)
{
	const bool	pareto = data->model == CLV_PARETO;
	const float8 mean_age = data->rows->mean_age;
	ClvProblem	problem = {
		.parameters = clv_parameter_count(data->model),
		.start = {1, mean_age / 8, 1, 1},
		.penalty = penalty,
		.far_out = pareto ? PARETO_FAR : CLV_FAR,
		.evaluate = evaluate_rows,
		.has_hessian = clv_has_hessian(data->model),
		.at_limit = data->model == CLV_NBD ? NULL : has_no_dropout,
		.data = data
	};

	if (pareto)
	{
		problem.start[CLV_R] = problem.start[CLV_S] = 0.5;
		problem.start[CLV_ALPHA] = problem.start[CLV_BETA] = mean_age / 4;
	}
	return problem;
}

/*
 * One member in `step`, so that each row is represented by its share; in the order
 * of rows, in which neighbours are alike.
 */
static void
take_sample(const ClvRows *all, uint64 step, ClvRow *row, ClvRows *sample)
{
	uint64		before = step / 2;
	Size		n = 0;

	for (Size i = 0; i < all->n; i++)
	{
		uint64		after = before + all->row[i].members;

		check_interrupts(i);
		row[n] = all->row[i];
		row[n].members = (uint32) (after / step - before / step);
		n += row[n].members > 0;
		before = after;
	}
	clv_rows_init(sample, row, n);
}

/* Brings the point close to the maximum: a sample will do for that. */
static ClvOutcome
approach(const ClvProblem *problem, const FitData *data, ClvPoint *point)
{
	const ClvRows *rows = data->rows;

	if (rows->n > SAMPLE_ROWS)
	{
		ClvRow	   *row = large_alloc(CurrentMemoryContext, rows->n * sizeof(ClvRow));
		ClvRows		sample;
		FitData		sample_data = *data;
		ClvProblem	sample_problem = *problem;
		ClvPoint	sample_point = *point;
		ClvOutcome	outcome;

		take_sample(rows, (uint64) (rows->members / (SAMPLE_ROWS / 2.0)), row, &sample);
		sample_data.rows = &sample;
		sample_problem.data = &sample_data;
		sample_problem.at_limit = has_little_dropout;
		outcome = clv_bfgs(&sample_problem, &sample_point);
		pfree(row);
		if (outcome == CLV_MAXIMUM)
		{
			memcpy(point->theta, sample_point.theta, sizeof(point->theta));
			return outcome;
		}
	}
	return clv_bfgs(problem, point);
}

/* Searches the maximum from the start. */
static ClvOutcome
search(const ClvProblem *problem, const FitData *data, ClvPoint *point)
{
	ClvOutcome	outcome = CLV_MAXIMUM;

	clv_point_start(problem, point);
	if (!problem->has_hessian)
		outcome = approach(problem, data, point);
	/* Newton's method may find its way where BFGS did not. */
	return outcome == CLV_MAXIMUM || outcome == CLV_NO_END ? clv_newton(problem, point) : outcome;
}

/*
 * Finds the maximum, with a weak prior if there is none without.  True unless the
 * caller's limit was reached.
 */
static bool
maximize(const FitData *data, float8 *penalty, ClvPoint *point, ClvProblem *problem)
{
	ClvOutcome	outcome;

	*problem = make_problem(data, *penalty);
	outcome = search(problem, data, point);
	if (outcome == CLV_FAR_OUT || outcome == CLV_NO_END)
	{
		/* The prior's middle is the start, and closer than where the search has got to. */
		*penalty = Max(*penalty, 1);
		problem->penalty = *penalty;
		search(problem, data, point);
	}
	return outcome != CLV_AT_LIMIT;
}

/* What can be told from the data alone. */
static uint32
data_warnings(const ClvRows *rows)
{
	const float8 mean_gap = rows->mean_last_age * rows->members / rows->repeats;
	uint32		warnings = 0;

	if (rows->mean_age < CLV_GAPS_WANTED * mean_gap)
		warnings |= CLV_SHORT_HISTORY;
	/* Among few, one always dominates. */
	if (rows->repeaters < CLV_REPEATERS_WANTED)
		warnings |= CLV_FEW_REPEATERS;
	else if (rows->most_repeats > CLV_SHARE_ALLOWED * rows->repeats)
		warnings |= CLV_ONE_MEMBER_DOMINATES;
	return warnings;
}

/* Fits the model; penalty is the weight of a prior, in members. */
ClvFitStatus
clv_fit(ClvModel model, const ClvRows *rows, float8 penalty, ClvFit *fit)
{
	FitData		data = {.model = CLV_NBD, .rows = rows};
	const float8 asked_penalty = penalty;
	ClvProblem	problem;
	ClvPoint	point;

	memset(fit, 0, sizeof(*fit));
	fit->asked = fit->model = model;
	if (!(rows->repeats > 0))
		return CLV_NO_REPEATS;
	fit->warnings = data_warnings(rows);

	/* The NBD is the limit of the others, and what they are compared with. */
	maximize(&data, &penalty, &point, &problem);
	fit->nbd_log_likelihood = data.nbd_log_likelihood = point.log_likelihood;
	fit->iterations = point.iterations;
	if (model != CLV_NBD)
	{
		ClvProblem	nbd_problem = problem;
		ClvPoint	nbd_point = point;

		data.model = model;
		if (maximize(&data, &penalty, &point, &problem))
			fit->iterations += point.iterations;
		else
		{
			fit->model = CLV_NBD;
			fit->warnings |= CLV_NO_DROPOUT;
			problem = nbd_problem;
			point = nbd_point;
		}
	}
	if (penalty > asked_penalty)
		fit->warnings |= CLV_WEAK_PRIOR_USED;
	memcpy(fit->parameter, point.parameter, sizeof(fit->parameter));
	fit->log_likelihood = point.log_likelihood;
	fit->has_covariance = clv_covariance(&problem, &point, fit->covariance);
	return CLV_FITTED;
}

/* Fits the models in which members leave, and keeps the one of the highest likelihood. */
ClvFitStatus
clv_fit_best(const ClvRows *rows, float8 penalty, ClvFit *fit)
{
	const ClvModel models[] = {CLV_MBG, CLV_BG, CLV_PARETO};
	ClvFitStatus status = clv_fit(models[0], rows, penalty, fit);

	for (int i = 1; i < 3 && status == CLV_FITTED; i++)
	{
		ClvFit		other;

		clv_fit(models[i], rows, penalty, &other);
		if (other.log_likelihood > fit->log_likelihood)
			*fit = other;
	}
	return status;
}
