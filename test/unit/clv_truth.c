/* needs: clv/clv_math.c clv/clv_rows.c clv/clv_evaluation.c clv/clv_likelihood.c clv/clv_pareto.c clv/clv_maximize.c clv/clv_fit.c clv/clv_spend.c */
#include "clv/clv_fit.h"
#include "clv/clv_spend.h"

#include "tap.h"
#include "variates.h"

/*
 * Shops of members with known parameters: intervals of 95 % must hold the truth in 93 to
 * 97 of 100.  The standard deviation of a share of 300 shops is 1.3 %, and less for all
 * parameters together, so those are taken together, and a single one may be off by 3 of them.
 */

#define SHOPS 300
#define MEMBERS 1500

static bool
holds_truth(float8 estimate, float8 variance, float8 truth)
{
	return fabs(log(truth / estimate)) <= 1.96 * sqrt(variance) / estimate;
}

/* Shares of the shops whose intervals hold the truth. */
static void
check_shares(const int *held, int parameters, int shops, const char *name)
{
	int			sum = 0;

	property(name);
	for (int i = 0; i < parameters; i++)
	{
		float8		share = (float8) held[i] / shops;

		sum += held[i];
		holds(share > 0.95 - 3 * 0.0126 && share < 0.95 + 3 * 0.0126, "parameter %d: %.3f", i, share);
	}
	holds((float8) sum / shops / parameters >= 0.93 && (float8) sum / shops / parameters <= 0.97, "all parameters: %.3f",
		  (float8) sum / shops / parameters);
	property_end();
	printf("# %s: %.1f %%\n", name, 100.0 * sum / shops / parameters);
}

/* A member, by the model's own words. */
static ClvRow
visit(ClvModel model, const float8 *p)
{
	const float8 rate = gamma_variate(p[CLV_R]) / p[CLV_ALPHA];
	ClvRow		row = {.members = 1, .age = 100 + 600 * uniform()};
	float8		end = row.age;
	float8		time = 0;
	float8		leaves = 0;

	if (model == CLV_PARETO)
		end = fmin(end, -log(uniform()) * p[CLV_BETA] / gamma_variate(p[CLV_S]));
	else
	{
		float8		leave = gamma_variate(p[CLV_A]);

		leaves = leave / (leave + gamma_variate(p[CLV_B]));
	}
	if (model == CLV_MBG && uniform() < leaves)
		return row;
	while ((time -= log(uniform()) / rate) < end)
	{
		row.repeats++;
		row.last_age = time;
		if (uniform() < leaves)
			break;
	}
	return row;
}

static void
test_orders(ClvModel model, const float8 *truth, const char *name)
{
	static ClvRow row[MEMBERS];
	int			held[CLV_MATRIX_MAX] = {0};

	for (int shop = 0; shop < SHOPS; shop++)
	{
		ClvRows		rows;
		ClvFit		fit;

		for (int i = 0; i < MEMBERS; i++)
			row[i] = visit(model, truth);
		clv_rows_init(&rows, row, MEMBERS);
		clv_fit(model, &rows, 0, &fit);
		for (int i = 0; i < CLV_MATRIX_MAX && fit.has_covariance; i++)
			held[i] += holds_truth(fit.parameter[i], fit.covariance[i][i], truth[i]);
	}
	check_shares(held, CLV_MATRIX_MAX, SHOPS, name);
}

static void
test_spend(void)
{
	static const float8 truth[CLV_SPEND_PARAMETERS] = {6, 4, 15};
	static ClvSpendRow row[MEMBERS];
	int			held[CLV_SPEND_PARAMETERS] = {0};

	for (int shop = 0; shop < SHOPS; shop++)
	{
		ClvSpendRows rows;
		ClvSpendFit fit;

		for (int i = 0; i < MEMBERS; i++)
		{
			const float8 scale = gamma_variate(truth[CLV_SPEND_Q]) / truth[CLV_SPEND_GAMMA];

			row[i] = (ClvSpendRow) {.repeats = 1 + (uint32) random_below(8), .members = 1};
			row[i].mean = gamma_variate(truth[CLV_SPEND_P] * row[i].repeats) / scale / row[i].repeats;
		}
		clv_spend_rows_init(&rows, row, MEMBERS);
		clv_spend_fit(&rows, 0, &fit);
		for (int i = 0; i < CLV_SPEND_PARAMETERS && fit.has_covariance; i++)
			held[i] += holds_truth(fit.parameter[i], fit.covariance[i][i], truth[i]);
	}
	check_shares(held, CLV_SPEND_PARAMETERS, SHOPS, "Gamma-Gamma: intervals hold the truth");
}

int
main(void)
{
	test_orders(CLV_BG, (float8[]) {0.5, 40, 0.8, 2}, "BG/NBD: intervals hold the truth");
	test_orders(CLV_MBG, (float8[]) {0.8, 40, 0.7, 1.5}, "MBG/NBD: intervals hold the truth");
	test_orders(CLV_PARETO, (float8[]) {0.8, 30, 0.7, 120}, "Pareto/NBD: intervals hold the truth");
	test_spend();
	return done_testing();
}
