/* needs: clv/clv_math.c clv/clv_rows.c clv/clv_evaluation.c clv/clv_likelihood.c clv/clv_pareto.c clv/clv_maximize.c clv/clv_fit.c clv/clv_predict.c clv/clv_spend.c */
#include "clv/clv_fit.h"
#include "clv/clv_pareto.h"
#include "clv/clv_predict.h"
#include "clv/clv_spend.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "tap.h"
#include "variates.h"

/*
 * Figures of functions are mpmath's, with 30 digits, from the textbook's integrals
 * and hypergeometric functions; those of fits are from two optimizers and, for
 * CDNOW, from R besides.
 */

#define FUNCTION 1e-10			/* relative errors allowed */
#define FITTED 1e-7
#define STD_ERROR 1e-5
#define OF_FIT 1e-8				/* functions at fitted parameters */

#define MODELS 3
static const ClvModel models[MODELS] = {CLV_BG, CLV_MBG, CLV_PARETO};
static const char *const model_name[] = {"NBD", "BG/NBD", "MBG/NBD", "Pareto/NBD"};

/* Parameters for weeks. */
static const ClvParameters fixed[MODELS] = {
	{CLV_BG, {0.243, 4.414, 0.793, 2.426}},
	{CLV_MBG, {0.525, 6.183, 0.891, 1.614}},
	{CLV_PARETO, {0.5533, 10.578, 0.6061, 11.669}}
};

#define WEEKLY_DISCOUNT (log(1.15) / 52)

static bool
close_to(float8 got, float8 expected, float8 tolerance)
{
	return fabs(got - expected) <= tolerance * fabs(expected);
}

/* A counterexample says what was got. */
static void
agrees(float8 got, float8 expected, float8 tolerance, const char *what)
{
	holds(close_to(got, expected, tolerance), "%s: got %.15g, expected %.12g, off by %.2g",
		  what, got, expected, fabs(got / expected - 1));
}

/* ---------- functions of given parameters ---------- */

typedef struct Member
{
	uint32		repeats;
	float8		last_age;
	float8		age;
	/* Log-likelihood, P(alive), orders in 39 weeks, discounted orders in 52; of Pareto/NBD also in all time. */
	float8		expected[MODELS][5];
} Member;

/* NAN: not given. */
static const Member members[] = {
	{2, 30.43, 38.86, {
		{-9.45860630707, .726578570081, 1.22602817477, 1.46191919902, NAN},
		{-9.48555131453, .706202265118, 1.26296062327, 1.49889898604, NAN},
		{-9.55412996082, .869144157852, 1.45521181836, 1.73596828076, 6.50144656382}}},
	{0, 0, 38.86, {
		{-.554713276438, 1, .195098052011, .236001798064, NAN},
		{-.539837463531, .389735080919, .154012746675, .185228229572, NAN},
		{-.521267068568, .29517194655, .107094779781, .127756755676, .478467106454}}},
	{1, 1.71, 38.86, {
		{-4.46909327503, .212100985377, .20318698708, .243530091492, NAN},
		{-4.46036061258, .17083648431, .188836541364, .225210112378, NAN},
		{-4.44979670371, .167924320216, .171041498889, .204040822799, .764161719409}}},
	{26, 30.86, 31, {
		{-37.7265794734, .968915649718, 20.7497261409, 24.2286882365, NAN},
		{-38.3221269478, .965566144144, 19.4507226522, 22.5942980066, NAN},
		{-39.1307165906, .997918386913, 20.1165656245, 23.8911316559, 86.2784620998}}},
	{0, 0, 0, {
		{0, 1, 1.19672319332, 1.36606132841, NAN},
		{0, .644311377246, 1.1829536656, 1.34226642995, NAN},
		{0, 1, 1.21356324783, 1.39101960642, 3.96534105008}}},
	{3, 38.86, 38.86, {
		{-12.7377526973, .848055182985, 2.03644320153, 2.42042778457, NAN},
		{-12.7147814289, .838147138965, 2.06032231947, 2.4375319799, NAN},
		{-12.657708958, 1, 2.33004564326, 2.77958526614, 10.4099396732}}},
	{221, 103.42857, 103.57143, {
		{-68.9044487542, .995244269664, 70.175691234, 84.5617855718, NAN},
		{-71.7152311933, .994687246356, 68.1939862527, 81.9011966185, NAN},
		{-76.9665477125, .999133928593, 69.0288685478, 83.8769697436, 377.821103042}}},
	{1, .142857, 78, {
		{-4.25968438814, .0772393373194, .0415545295088, .0505115836882, NAN},
		{-4.25506953432, .0536090708503, .0341611574389, .0413772631617, NAN},
		{-4.26838329206, .0399898497846, .0244019700486, .0295050351314, .125598064903}}},
	{10000, 99.99, 100, {
		{35609.5978082, .999793420763, 3279.76538194, NAN, NAN},
		{35443.0877, .99977156913, 3181.7766594, NAN, NAN},
		{35044.4602817, .999911752333, NAN, NAN, NAN}}},
	{10000, 99, 100, {
		{35696.3916916, 2.02211418121e-38, 6.63343041885e-35, NAN, NAN},
		{35528.3898304, 8.98785880299e-38, 2.86038933696e-34, NAN, NAN},
		{NAN, NAN, NAN, NAN, NAN}}},
	{10000, 50, 100, {
		{42117.7364838, 0, 0, NAN, NAN},
		{NAN, 0, NAN, NAN, NAN},
		{NAN, NAN, NAN, NAN, NAN}}}
};

static float8
figure_of(const ClvParameters *parameters, const Member *m, int figure)
{
	switch (figure)
	{
		case 0:
			return clv_log_likelihood(parameters->model, parameters->value, m->repeats, m->last_age, m->age);
		case 1:
			return clv_p_alive(parameters, m->repeats, m->last_age, m->age);
		case 2:
			return clv_expected_orders(parameters, m->repeats, m->last_age, m->age, 39);
		default:
			return clv_discounted_orders(parameters, m->repeats, m->last_age, m->age, figure == 3 ? 52 : INFINITY,
										 WEEKLY_DISCOUNT);
	}
}

static void
test_functions(void)
{
	static const char *const figure[] = {"likelihood", "P(alive)", "orders", "discounted", "discounted, all time"};

	for (int model = 0; model < MODELS; model++)
	{
		property(model_name[models[model]]);
		for (size_t i = 0; i < LENGTH_OF(members); i++)
			for (int f = 0; f < 5; f++)
			{
				float8		expected = members[i].expected[model][f];
				float8		got;

				if (isnan(expected))
					continue;
				got = figure_of(&fixed[model], &members[i], f);
				if (expected == 0)
					holds(fabs(got) <= 1e-15, "member %zu, %s: %g", i, figure[f], got);
				else
					holds(close_to(got, expected, FUNCTION), "member %zu, %s: got %.15g, expected %.12g",
						  i, figure[f], got, expected);
			}
		property_end();
	}
}

static void
test_chances(void)
{
	static const float8 order[MODELS][2] = {
		{.554627137917, .144550540783}, {.559994090822, .108829398777}, {.591942195136, .0692887172695}
	};
	static const float8 counts[MODELS][3] = {
		{.573786352096, .199395280836, .00359042954019},
		{.582473189493, .182783077288, .00362618779529},
		{.593493946807, .165592687029, .00419614114198}
	};
	static const float8 new[MODELS][3] = {
		{.0532678911717, 1.19672319332, 1.86051905794},
		{.0530847952637, 1.1829536656, 1.80475757755},
		{.0510072887511, 1.21356324783, 1.91021339138}
	};
	static const float8 weeks[] = {1, 39, 78};

	property("chances to order, and orders of new members");
	for (int model = 0; model < MODELS; model++)
	{
		const ClvParameters *p = &fixed[model];
		float8		chance[1000];
		float8		sum = 0;
		float8		mean = 0;

		agrees(clv_p_order(p, 2, 30.43, 38.86, 39), order[model][0], FUNCTION, model_name[p->model]);
		agrees(clv_p_order(p, 0, 0, 38.86, 39), order[model][1], FUNCTION, model_name[p->model]);
		for (int i = 0; i < 3; i++)
			agrees(clv_new_orders(p, weeks[i]), new[model][i], FUNCTION, model_name[p->model]);
		clv_new_order_chances(p, 39, 1000, chance);
		agrees(chance[0], counts[model][0], FUNCTION, "P(X = 0)");
		agrees(chance[1], counts[model][1], FUNCTION, "P(X = 1)");
		agrees(chance[10], counts[model][2], FUNCTION, "P(X = 10)");
		for (int i = 0; i < 1000; i++)
		{
			sum += chance[i];
			mean += i * chance[i];
		}
		agrees(sum, 1, 1e-13, "all chances");
		agrees(mean, new[model][1], 1e-10, "their mean");
		agrees(chance[0], exp(clv_log_likelihood(p->model, p->value, 0, 0, 39)), 1e-13, "no order");
	}
	property_end();

	property("the chance to order is that of the likelihood, and no time brings nothing");
	for (int i = 0; i < 3000; i++)
	{
		const ClvParameters *p = &fixed[i % MODELS];
		float8		age = 100 * uniform();
		float8		days = 100 * uniform();
		uint32		repeats = (uint32) random_below(30);
		float8		last_age = repeats == 0 ? 0 : age * uniform();
		float8		none = clv_log_likelihood(p->model, p->value, repeats, last_age, age + days) -
			clv_log_likelihood(p->model, p->value, repeats, last_age, age);
		float8		p_order = clv_p_order(p, repeats, last_age, age, days);

		holds(fabs(p_order + expm1(none)) < 1e-12, "%s (%u, %g, %g), %g: %.15g, not %.15g", model_name[p->model], repeats,
			  last_age, age, days, p_order, -expm1(none));
		holds(clv_expected_orders(p, repeats, last_age, age, 0) == 0 && clv_p_order(p, repeats, last_age, age, 0) == 0 &&
			  clv_discounted_orders(p, repeats, last_age, age, 0, 0.1) == 0, "no time");
		agrees(clv_discounted_orders(p, repeats, last_age, age, days, 0),
			   clv_expected_orders(p, repeats, last_age, age, days), 0, "no discount");
		agrees(clv_discounted_orders(p, repeats, last_age, age, days, 1e-13),
			   clv_expected_orders(p, repeats, last_age, age, days), 1e-10, "hardly a discount");
		holds(clv_expected_orders(p, repeats, last_age, age, days) >= p_order, "fewer orders than chances of one");
	}
	property_end();
}

static void
test_forecast(void)
{
	property("what is kept for many members is what each of them gets");
	for (int model = 0; model < MODELS; model++)
	{
		ClvForecast forecast;
		ClvForecast narrow;		/* with room for hardly any */

		clv_forecast_init(&forecast, &fixed[model], 52, WEEKLY_DISCOUNT, 20000);
		clv_forecast_init(&narrow, &fixed[model], 52, WEEKLY_DISCOUNT, 3);
		for (int i = 0; i < 20000; i++)
		{
			uint32		repeats = (uint32) random_below(20);
			float8		age = (float8) random_below(1000) / 4;
			float8		orders;
			float8		discounted;

			clv_forecast_if_alive(&forecast, repeats, age, &orders, &discounted);
			/* All of them would take long. */
			if (i % 10 == 0)
				holds(orders == clv_orders_if_alive(&fixed[model], repeats, age, 52) &&
					  discounted == clv_discounted_if_alive(&fixed[model], repeats, age, 52, WEEKLY_DISCOUNT),
					  "%s (%u, %g)", model_name[models[model]], repeats, age);
			if (i % 50 == 0)
			{
				float8		again;
				float8		discounted_again;

				clv_forecast_if_alive(&narrow, repeats, age, &again, &discounted_again);
				holds(again == orders && discounted_again == discounted, "where there is no room");
			}
		}
		clv_forecast_free(&forecast);
		clv_forecast_free(&narrow);
	}
	property_end();
}

static void
test_edges(void)
{
	const ClvParameters one = {CLV_BG, {.243, 4.414, 1, 2.426}};
	const ClvParameters nearly_one = {CLV_BG, {.243, 4.414, 1.0000001, 2.426}};
	const ClvParameters large_b = {CLV_BG, {.243, 4.414, .5, 1e6}};
	const ClvParameters pareto_one = {CLV_PARETO, {.5533, 10.578, 1, 11.669}};
	const ClvParameters small_r = {CLV_BG, {.01, 5, .8, 2}};
	const ClvParameters young = {CLV_MBG, {.3, .5, .8, 2}};
	const ClvParameters below = {CLV_PARETO, {.5143, 2.8845, .2856, 14.1087}};
	const ClvParameters above = {CLV_PARETO, {2, 50, .3, .2}};
	const ClvParameters btyd = {CLV_PARETO, {.5629966, 12.5590370, .4081095, 10.5148048}};
	const ClvParameters wandering = {CLV_BG, {1e8, 2e9, .5, 1e9}};

	property("edges");
	agrees(clv_expected_orders(&one, 2, 30.43, 38.86, 39), 1.10213678604, FUNCTION, "a = 1");
	agrees(clv_expected_orders(&nearly_one, 2, 30.43, 38.86, 39), 1.10213673142, FUNCTION, "a close to 1");
	agrees(clv_expected_orders(&large_b, 2, 30.43, 38.86, 39), 2.02146473572, FUNCTION, "large b");
	agrees(clv_expected_orders(&pareto_one, 2, 30.43, 38.86, 39), 1.18618408148, FUNCTION, "s = 1");
	agrees(clv_expected_orders(&small_r, 0, 0, 10, 52), .0255084074727, FUNCTION, "small r");
	agrees(clv_expected_orders(&young, 0, 0, 0, 52), 4.38853282218, FUNCTION, "z = .99");
	agrees(clv_log_likelihood(CLV_PARETO, below.value, 10000, 99.99, 100), 35765.4043766, FUNCTION, "alpha < beta");
	agrees(clv_p_alive(&below, 10000, 99.99, 100), .999957685195, FUNCTION, "alpha < beta");
	agrees(clv_log_likelihood(CLV_PARETO, below.value, 221, 103.42857, 103.57143), -61.5846485617, FUNCTION, "alpha < beta");
	agrees(clv_p_alive(&below, 221, 103.42857, 103.57143), .999596052318, FUNCTION, "alpha < beta");
	agrees(clv_log_likelihood(CLV_PARETO, below.value, 0, 0, 38.86), -1.11788062705, FUNCTION, "alpha < beta");
	agrees(clv_p_alive(&below, 0, 0, 38.86), .530326144199, FUNCTION, "alpha < beta");
	agrees(clv_log_likelihood(CLV_PARETO, above.value, 0, 0, 38.86), -.259370640845, FUNCTION, "alpha > beta");
	agrees(clv_p_alive(&above, 0, 0, 38.86), .0843257001834, FUNCTION, "alpha > beta");
	agrees(clv_log_likelihood(CLV_PARETO, above.value, 10000, 99.99, 100), 32007.7231724, FUNCTION, "alpha > beta");
	agrees(clv_p_alive(&above, 10000, 99.99, 100), .999957432321, FUNCTION, "alpha > beta");
	agrees(clv_discounted_orders(&btyd, 2, 30.43, 38.86, INFINITY, WEEKLY_DISCOUNT), 8.61324671175, FUNCTION, "all time");
	agrees(clv_log_likelihood(CLV_BG, wandering.value, 3, 20, 30), -10.4871968251, FUNCTION, "large parameters");
	property_end();
}

/*
 * Where series are long or parameters extreme.  Parameters are those of an active
 * member, so that evidence of many orders is in r and b.
 */
static void
test_extremes(void)
{
	static const struct
	{
		float8		r;
		float8		alpha;
		float8		a;
		float8		b;
		float8		days;
		float8		orders;
	}			orders[] = {
		{.3, .001, .8, 2, 52, 34.7973313595082},
		{.3, .00001, .8, 2, 52, 100.513724575193},
		{.3, .5, 1, 2, 3000, 10.248385995246},
		{.3, .5, 3.5, .2, 3000, .998138450494612},
		{7, .5, 30, .2, 3000, 1.00689655172414},
		{1001000, 10400, .8, 3, 365, 81.2012919074922},
		{100000.4, 570, .8, 100002.4, 1000, 112316.158701531},
		{2000000.4, 570, 1.5, 2400000, 1000, 1740868.12644413},
		{2005, 3, 2, 1, 365, 1.99999179722746}
	};
	static const struct
	{
		float8		r;
		float8		alpha;
		float8		a;
		float8		b;
		float8		days;
		float8		discount;
		float8		orders;
	}			discounted[] = {
		{.3, .5, .8, 2, 3650, .002, 10.0666227285006},
		{.24, 31, .79, 2.4, 365, .0004, 1.34485259157568},
		{3.24, 231, .79, 2.4, 3650, .0065, 1.45160163917756},
		{.3, .01, 3.5, .2, 3000, .0003, 1.04643954509277}
	};
	static const struct
	{
		float8		s;
		float8		beta;
		float8		discount;
		float8		days;
		float8		activity;
	}			activity[] = {
		{.6, 80, .0004, INFINITY, 521.339590205456},
		{.6, 80, .0125, INFINITY, 57.6302191587883},
		{.6, 80, .013, INFINITY, 55.871954730899},
		{.001, 80, .02, INFINITY, 49.9786327993897},
		{25, 80, .001, INFINITY, 3.32178113120002},
		{.6, .01, .0003, INFINITY, 3.56542264689752},
		{3, 2000, .005, INFINITY, 156.333393978808},
		{.6, 80, 1e-7, INFINITY, 19202.166226657},
		{.6, 80, .0004, 3650, 476.27435097268},
		{.6, .5, .002, 3650, 16.3429104617169},
		{25, 80, .02, 3650, 3.11712351111271},
		{2.5, .01, .0065, 3650, .00666581227278263}
	};
	static const struct
	{
		float8		parameter[4];
		uint32		repeats;
		float8		last_age;
		float8		log_likelihood;	/* at age 300 */
	}			pareto[] = {
		{{.5, 100, .6, 1}, 0, 0, -.0581746967679095},
		{{.5, 100, .6, .01}, 0, 0, -.00419426990524749},
		{{.5, 70, .1, .001}, 0, 0, -.21430712006796},
		{{.5, 100, .6, .0001}, 0, 0, -.000270727948696991},
		{{.5, .01, .6, 70}, 0, 0, -4.24130766620875},
		{{.5, .0001, .6, 70}, 0, 0, -6.53336840660269},
		{{.5, 100, .6, .0001}, 3, 100, -25.2309450920572},
		{{.5, .05, .6, 100}, 3, 2, -8.74800142638588},
		{{.5, 10000, .6, .5}, 3, 2, -27.9809824752528},
		{{30, .5, .01, 1000}, 3, 2, -54.7955589770362},
		{{.01, 80, 20, 3}, 2, 5, -33.1075653766009},
		{{5, 7, 200, 9000}, 40, 250, -125.50946548017},
		{{.5, 100, .6, 100}, 5, 200, -27.7112468587836}
	};

	property("orders at extremes");
	for (size_t i = 0; i < LENGTH_OF(orders); i++)
	{
		ClvParameters p = {CLV_BG, {orders[i].r, orders[i].alpha, orders[i].a, orders[i].b}};

		agrees(clv_orders_if_alive(&p, 0, 0, orders[i].days), orders[i].orders, FUNCTION, "orders");
	}
	property_end();

	property("discounted orders at extremes");
	for (size_t i = 0; i < LENGTH_OF(discounted); i++)
	{
		ClvParameters p = {CLV_BG, {discounted[i].r, discounted[i].alpha, discounted[i].a, discounted[i].b}};

		agrees(clv_discounted_if_alive(&p, 0, 0, discounted[i].days, discounted[i].discount), discounted[i].orders,
			   FUNCTION, "discounted");
	}
	for (size_t i = 0; i < LENGTH_OF(activity); i++)
	{
		ClvParameters p = {CLV_PARETO, {1, 1, activity[i].s, activity[i].beta}};	/* an order a day */

		agrees(clv_discounted_if_alive(&p, 0, 0, activity[i].days, activity[i].discount), activity[i].activity,
			   FUNCTION, "activity");
	}
	property_end();

	property("likelihood of Pareto/NBD at extremes");
	for (size_t i = 0; i < LENGTH_OF(pareto); i++)
		agrees(clv_log_likelihood(CLV_PARETO, pareto[i].parameter, pareto[i].repeats, pareto[i].last_age, 300),
			   pareto[i].log_likelihood, FUNCTION, "likelihood");
	property_end();

	property("series and integrals agree where they meet");
	for (int i = 0; i < 1000; i++)
	{
		const float8 r = exp(10 * uniform() - 3);
		ClvParameters p = {CLV_BG, {r, exp(4 * uniform() - 3), exp(8 * uniform() - 5), exp(8 * uniform() - 4)}};
		/* A series of 5000 terms. */
		const float8 meet = p.value[CLV_ALPHA] * 4960 / (r + 40);
		const float8 below = clv_orders_if_alive(&p, 0, 0, meet * (1 - 1e-12));
		const float8 above = clv_orders_if_alive(&p, 0, 0, meet * (1 + 1e-12));
		const float8 all = clv_orders_if_alive(&p, 0, 0, 2 * meet);
		const float8 discounted = clv_discounted_if_alive(&p, 0, 0, 2 * meet, 1e-14 / meet);

		holds(fabs(above / below - 1) < 1e-11, "r %g, alpha %g, a %g, b %g: %.15g, %.15g", r, p.value[1], p.value[2],
			  p.value[3], below, above);
		holds(fabs(discounted / all - 1) < 1e-10, "r %g, alpha %g, a %g, b %g: %.15g, discounted %.15g", r, p.value[1],
			  p.value[2], p.value[3], all, discounted);
	}
	property_end();
}

static void
test_spend(void)
{
	static const float8 p[] = {6.25, 3.74, 15.44};
	static const float8 heavy[] = {6.25, 0.9, 15.44};
	float8		spend;

	property("spend");
	holds(clv_expected_spend(p, 2, 22.345, &spend), "2 orders");
	agrees(spend, 24.6596128609, FUNCTION, "2 orders");
	holds(clv_expected_spend(p, 1, 11.77, &spend), "1 order");
	agrees(spend, 18.9168520578, FUNCTION, "1 order");
	holds(clv_expected_spend(p, 0, 0, &spend), "no order");
	agrees(spend, 35.2189781022, FUNCTION, "no order");
	holds(clv_expected_spend(p, 7, 73.74, &spend), "7 orders");
	agrees(spend, 71.469670897, FUNCTION, "7 orders");
	holds(clv_expected_spend(p, 1, 0, &spend), "nothing spent");
	agrees(spend, 10.7341490545, FUNCTION, "nothing spent");
	holds(clv_expected_spend(p, 1, -5, &spend), "more given back than spent");
	agrees(spend, 10.7341490545, FUNCTION, "more given back than spent");
	holds(!clv_expected_spend(heavy, 0, 0, &spend), "there is no mean");
	holds(clv_expected_spend(heavy, 1, 20, &spend) && spend > 0, "but there is one of who has ordered");
	agrees(clv_spend_log_likelihood(p, 2, 22.345), -3.55118916414, FUNCTION, "likelihood of 2");
	agrees(clv_spend_log_likelihood(p, 1, 11.77), -3.73770967874, FUNCTION, "likelihood of 1");
	agrees(clv_spend_log_likelihood(p, 10000, 35), -3.99442949604, FUNCTION, "likelihood of 10000");
	property_end();
}

/* ---------- derivatives ---------- */

/* Rows of random members. */
static void
random_rows(ClvRows *rows, ClvRow *row, int n, bool whole_days)
{
	for (int i = 0; i < n; i++)
	{
		float8		age = 700 * uniform();
		uint32		repeats = random_below(3) == 0 ? 0 : (uint32) exp(5 * uniform());

		row[i].repeats = repeats;
		row[i].members = 1 + (uint32) random_below(3);
		row[i].age = whole_days ? floor(age) + 2 : age;
		row[i].last_age = repeats == 0 ? 0 : whole_days ? 1 + floor(uniform() * (row[i].age - 1)) : age * uniform();
	}
	clv_rows_init(rows, row, n);
}

static void
test_derivatives(void)
{
	property("gradients and Hessians are what differences say");
	for (int round = 0; round < 400; round++)
	{
		ClvModel	model = (ClvModel) (round % 4);
		int			n = clv_parameter_count(model);
		ClvRow		row[20];
		ClvRows		rows;
		float8		base[4];
		ClvEvaluation at;

		random_rows(&rows, row, 20, round % 8 < 4);
		for (int i = 0; i < 4; i++)
			base[i] = exp(6 * uniform() - 3) * (i == CLV_ALPHA || (i == CLV_BETA && model == CLV_PARETO) ? 50 : 1);
		clv_evaluate(model, base, &rows, &at);
		for (int i = 0; i < n; i++)
		{
			const float8 h = 1e-4 * base[i];
			float8		p[4];
			ClvEvaluation near[4];
			float8		scale = base[i] / (fabs(at.value) + 1);

			/* Of order 4, so that the error is that of rounding. */
			for (int k = 0; k < 4; k++)
			{
				memcpy(p, base, sizeof(p));
				p[i] += h * (k < 2 ? k - 2 : k - 1);
				clv_evaluate(model, p, &rows, &near[k]);
			}
			holds(fabs((near[0].value - 8 * near[1].value + 8 * near[2].value - near[3].value) / (12 * h) - at.gradient[i]) *
				  scale < 1e-10, "%s: gradient %d: %g", model_name[model], i, at.gradient[i]);
			for (int j = 0; j < n && clv_has_hessian(model); j++)
				holds(fabs((near[0].gradient[j] - 8 * near[1].gradient[j] + 8 * near[2].gradient[j] - near[3].gradient[j]) /
						   (12 * h) - at.hessian[i][j]) * scale * base[j] < 1e-10,
					  "%s: hessian %d, %d: %g", model_name[model], i, j, at.hessian[i][j]);
		}
	}
	property_end();

	property("the same of spend");
	for (int round = 0; round < 100; round++)
	{
		ClvSpendRow row[20];
		ClvSpendRows rows;
		float8		base[3];
		ClvEvaluation at;

		for (int i = 0; i < 20; i++)
		{
			row[i].repeats = 1 + (uint32) exp(5 * uniform());
			row[i].members = 1;
			row[i].mean = exp(8 * uniform());
		}
		clv_spend_rows_init(&rows, row, 20);
		for (int i = 0; i < 3; i++)
			base[i] = exp(6 * uniform() - 2);
		clv_spend_evaluate(base, &rows, &at);
		for (int i = 0; i < 3; i++)
		{
			const float8 h = 1e-3 * base[i];
			float8		p[3];
			ClvEvaluation near[4];
			float8		scale = base[i] / (fabs(at.value) + 1);

			for (int k = 0; k < 4; k++)
			{
				memcpy(p, base, sizeof(p));
				p[i] += h * (k < 2 ? k - 2 : k - 1);
				clv_spend_evaluate(p, &rows, &near[k]);
			}
			holds(fabs((near[0].value - 8 * near[1].value + 8 * near[2].value - near[3].value) / (12 * h) - at.gradient[i]) *
				  scale < 1e-10, "gradient %d: %g", i, at.gradient[i]);
			for (int j = 0; j < 3; j++)
				holds(fabs((near[0].gradient[j] - 8 * near[1].gradient[j] + 8 * near[2].gradient[j] - near[3].gradient[j]) /
						   (12 * h) - at.hessian[i][j]) * scale * base[j] < 1e-10,
					  "hessian %d, %d: %g", i, j, at.hessian[i][j]);
		}
	}
	property_end();
}

/* ---------- fits ---------- */

/* A member of a file. */
typedef struct Shopper
{
	int			first;
	int			last;			/* day with orders, until the end */
	int			seen;			/* last of all days with orders */
	uint32		repeats;
	uint32		later;			/* days with orders after the end */
	int64		mills;			/* thousandths of money, after the first day */
} Shopper;

typedef struct Expected
{
	ClvModel	model;
	float8		parameter[4];
	float8		std_error[4];
	float8		log_likelihood;
} Expected;

static void
check_fit(const ClvFit *fit, const Expected *expected, uint32 warnings, const char *what)
{
	char		name[100];

	snprintf(name, sizeof(name), "%s, %s", what, model_name[fit->asked]);
	property(name);
	holds(fit->model == expected->model, "the model is %s", model_name[fit->model]);
	holds(fit->warnings == warnings, "warnings: %x", fit->warnings);
	for (int i = 0; i < clv_parameter_count(expected->model); i++)
	{
		agrees(fit->parameter[i], expected->parameter[i], FITTED, "parameter");
		agrees(sqrt(fit->covariance[i][i]), expected->std_error[i], STD_ERROR, "standard error");
	}
	agrees(fit->log_likelihood, expected->log_likelihood, 1e-10, "likelihood");
	property_end();
}

/* From weeks. */
static Expected
in_days(Expected weeks, float8 repeats)
{
	weeks.parameter[CLV_ALPHA] *= 7;
	weeks.std_error[CLV_ALPHA] *= 7;
	if (weeks.model == CLV_PARETO)
	{
		weeks.parameter[CLV_BETA] *= 7;
		weeks.std_error[CLV_BETA] *= 7;
	}
	weeks.log_likelihood -= repeats * log(7);
	return weeks;
}

static void
rows_of(const Shopper *shopper, int n, int end, ClvRow *row, ClvRows *rows)
{
	for (int i = 0; i < n; i++)
		row[i] = (ClvRow) {
		.repeats = shopper[i].repeats, .members = 1, .last_age = shopper[i].last - shopper[i].first, .age = end - shopper[i].first
	};
	clv_rows_init(rows, row, n);
}

static void
spend_rows_of(const Shopper *shopper, int n, ClvSpendRow *row, ClvSpendRows *rows)
{
	int			spenders = 0;

	for (int i = 0; i < n; i++)
		if (shopper[i].repeats > 0 && shopper[i].mills > 0)
			row[spenders++] = (ClvSpendRow) {
			.repeats = shopper[i].repeats, .members = 1, .mean = (float8) shopper[i].mills / 1000 / shopper[i].repeats
		};
	clv_spend_rows_init(rows, row, spenders);
}

static int
day_of(int year, int month, int day)
{
	struct tm	date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12};

	return (int) (timegm(&date) / 86400);
}

/* An order or a refund, on a day that is not before those that came before it. */
static void
add_order(Shopper *shopper, int day, int end, int64 mills)
{
	bool		known = shopper->first != 0;

	if (mills >= 0 && !known)
		shopper->first = shopper->last = shopper->seen = day;
	if (mills >= 0 && day > shopper->seen)
	{
		shopper->seen = day;
		if (day <= end)
		{
			shopper->repeats++;
			shopper->last = day;
		}
		else
			shopper->later++;
	}
	if (known && day <= end && day > shopper->first)
		shopper->mills += mills;
}

/* Members who came before the end, to the front. */
static int
keep_members(Shopper *shopper, int n, int end)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
		if (shopper[i].first != 0 && shopper[i].first <= end)
			shopper[kept++] = shopper[i];
	return kept;
}

/* A number with decimals, times 1000. */
static int64
mills_of(const char *text)
{
	return (int64) llround(strtod(text, NULL) * 1000);
}

/*
 * Public data sets are looked for beside the checkout.  NULL where they are not.
 */
#define DATA "../../../shared/data/"

static FILE *
open_data(const char *name)
{
	char		command[250];
	char		path[200];
	FILE	   *file;

	snprintf(path, sizeof(path), DATA "%.100s", name);
	file = fopen(path, "r");
	if (file == NULL)
	{
		printf("ok %d - fits to %s # SKIP %s is not there\n", ++tap_count, name, path);
		return NULL;
	}
	if (strstr(name, ".gz") == NULL)
		return file;
	fclose(file);
	snprintf(command, sizeof(command), "gzip -dc %s", path);
	return popen(command, "r");
}

#define SHOPPERS_MAX 30000

/* Lines end with a date, a number of CDs and money, and begin with the member. */
static int
read_cdnow(FILE *file, bool is_sample, int end, Shopper *shopper)
{
	char		line[200];
	int			last_id = 0;
	int			n = 0;

	while (fgets(line, sizeof(line), file) != NULL)
	{
		int			id;
		int			date;
		char		money[30];

		if (sscanf(line, is_sample ? "%d %*d %d %*d %29s" : "%d %d %*d %29s", &id, &date, money) != 3)
			continue;			/* headings */
		if (id != last_id)
			memset(&shopper[n++], 0, sizeof(Shopper));
		last_id = id;
		add_order(&shopper[n - 1], day_of(date / 10000, date / 100 % 100, date % 100), end, mills_of(money));
	}
	return keep_members(shopper, n, end);
}

/* The next field of a line of CSV, in which quotes do not matter otherwise. */
static char *
next_field(char **line)
{
	char	   *field = *line;
	char	   *at = field;
	bool		quoted = false;

	for (; *at != '\0' && (quoted || *at != ','); at++)
		quoted ^= *at == '"';
	*line = *at == '\0' ? at : at + 1;
	*at = '\0';
	return field;
}

#define FIRST_CUSTOMER 12000

static int
read_online_retail(FILE *file, int end, Shopper *shopper)
{
	char		line[1000];

	memset(shopper, 0, SHOPPERS_MAX * sizeof(Shopper));
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char	   *at = line;
		char	   *field[8];
		int			year;
		int			month;
		int			day;
		int			customer;

		for (int i = 0; i < 8; i++)
			field[i] = next_field(&at);
		customer = atoi(field[6]) - FIRST_CUSTOMER;
		if (customer < 0 || customer >= SHOPPERS_MAX || sscanf(field[4], "%d-%d-%d", &year, &month, &day) != 3)
			continue;			/* without a customer, and the headings */
		add_order(&shopper[customer], day_of(year, month, day), end, atoi(field[3]) * mills_of(field[5]));
	}
	return keep_members(shopper, SHOPPERS_MAX, end);
}

static float8
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (float8) now.tv_sec + 1e-9 * (float8) now.tv_nsec;
}

/* Sums over members of the holdout, beside what came. */
static void
check_holdout(const Shopper *shopper, int n, int end, int days, const ClvFit *fit, const float8 *expected, const char *what)
{
	ClvParameters parameters = {.model = fit->model};
	float8		total = 0;
	float8		error = 0;
	float8		square = 0;
	float8		alive = 0;
	char		name[100];

	memcpy(parameters.value, fit->parameter, sizeof(parameters.value));
	for (int i = 0; i < n; i++)
	{
		float8		orders = clv_expected_orders(&parameters, shopper[i].repeats, shopper[i].last - shopper[i].first,
												 end - shopper[i].first, days);
		float8		off = orders - shopper[i].later;

		total += orders;
		error += fabs(off);
		square += off * off;
		alive += clv_p_alive(&parameters, shopper[i].repeats, shopper[i].last - shopper[i].first, end - shopper[i].first);
	}
	snprintf(name, sizeof(name), "%s, holdout of %s", what, model_name[fit->asked]);
	property(name);
	agrees(total, expected[0], OF_FIT, "total");
	agrees(error / n, expected[1], OF_FIT, "mean error");
	agrees(sqrt(square / n), expected[2], OF_FIT, "root of mean square");
	if (expected[3] > 0)
		agrees(alive, expected[3], OF_FIT, "active");
	property_end();
}

static void
check_spend(const Shopper *shopper, int n, ClvSpendRow *row, float8 members, const float8 *expected, const char *what)
{
	ClvSpendRows rows;
	ClvSpendFit fit;
	char		name[100];

	spend_rows_of(shopper, n, row, &rows);
	snprintf(name, sizeof(name), "%s, spend", what);
	property(name);
	holds(rows.members == members, "%g members", rows.members);
	holds(clv_spend_fit(&rows, 0, &fit) && !fit.weak_prior_used && fit.has_covariance, "fitted");
	for (int i = 0; i < 3; i++)
	{
		agrees(fit.parameter[i], expected[2 * i], FITTED, "parameter");
		agrees(sqrt(fit.covariance[i][i]), expected[2 * i + 1], STD_ERROR, "standard error");
	}
	agrees(fit.log_likelihood, expected[6], 1e-10, "likelihood");
	property_end();
}

/* With a prior, which is weaker evidence than figures of ten digits. */
static void
check_prior_fit(const ClvRows *rows, ClvModel model, float8 penalty, const float8 *parameter, float8 log_likelihood, uint32 warnings)
{
	ClvFit		fit;

	holds(clv_fit(model, rows, penalty, &fit) == CLV_FITTED, "fitted");
	holds(fit.model == model && fit.warnings == warnings, "%s, warnings %x", model_name[fit.model], fit.warnings);
	holds(fit.has_covariance, "covariance");
	for (int i = 0; i < clv_parameter_count(model); i++)
		agrees(fit.parameter[i], parameter[i], 1e-6, model_name[model]);
	agrees(fit.log_likelihood, log_likelihood, 1e-8, model_name[model]);
}

static void
test_sample_priors(const ClvRows *rows)
{
	property("fits to the sample with a prior");
	check_prior_fit(rows, CLV_BG, 1, (float8[]) {.2427961, 30.92065, .7844784, 2.391152}, -14363.531827, 0);
	check_prior_fit(rows, CLV_MBG, 1, (float8[]) {.5285832, 43.43409, .8855830, 1.588757}, -14363.238146, 0);
	check_prior_fit(rows, CLV_BG, 100, (float8[]) {.2606839, 33.16622, .6404810, 1.696028}, -14365.753577, 0);
	check_prior_fit(rows, CLV_MBG, 100, (float8[]) {.6366973, 46.33148, .8213903, 1.169607}, -14364.291175, 0);
	property_end();
}

/* ---------- sets of which little can be told ---------- */

/* All that is predicted for some members, all of it finite and in range. */
static bool
predicts(const ClvParameters *p)
{
	static const Member some[] = {{0, 0, 0}, {0, 0, 100}, {1, 10, 100}, {50, 99, 100}, {1000, 50, 100}};
	bool		good = true;
	float8		chance[10];

	for (size_t i = 0; i < LENGTH_OF(some); i++)
	{
		const uint32 x = some[i].repeats;
		float8		alive = clv_p_alive(p, x, some[i].last_age, some[i].age);
		float8		order = clv_p_order(p, x, some[i].last_age, some[i].age, 365);
		float8		orders = clv_expected_orders(p, x, some[i].last_age, some[i].age, 365);
		float8		discounted = clv_discounted_orders(p, x, some[i].last_age, some[i].age, 365, 3e-4);
		float8		most = (p->value[CLV_R] + x) / (p->value[CLV_ALPHA] + some[i].age) * 365;

		good = good && alive >= 0 && alive <= 1 && order >= 0 && order <= alive * (1 + 1e-12) + 1e-12;
		good = good && isfinite(orders) && orders >= 0 && orders <= most * (1 + 1e-12) && orders >= order * (1 - 1e-9) - 1e-12;
		good = good && discounted >= 0 && discounted <= orders * (1 + 1e-9) && discounted >= orders * exp(-365 * 3e-4) * (1 - 1e-9);
	}
	clv_new_order_chances(p, 365, 10, chance);
	for (int i = 0; i < 10; i++)
		good = good && chance[i] >= 0 && chance[i] <= 1 + 1e-12;
	return good;
}

static void
check_sane(const ClvRow *given, int n, uint32 warnings)
{
	ClvRow		row[20];
	ClvRows		rows;

	memcpy(row, given, n * sizeof(ClvRow));
	clv_rows_init(&rows, row, n);
	for (int model = CLV_NBD; model <= CLV_PARETO; model++)
	{
		ClvFit		fit;
		ClvParameters p;

		holds(clv_fit((ClvModel) model, &rows, 0, &fit) == CLV_FITTED, "fitted");
		holds(isfinite(fit.log_likelihood) && isfinite(fit.nbd_log_likelihood), "likelihoods");
		holds(fit.model == CLV_NBD || (fit.warnings & CLV_NO_DROPOUT) == 0, "no dropout");
		holds((fit.warnings & warnings) == warnings, "%s, warnings %x", model_name[model], fit.warnings);
		p.model = fit.model;
		memcpy(p.value, fit.parameter, sizeof(p.value));
		for (int i = 0; i < clv_parameter_count(fit.model); i++)
		{
			holds(p.value[i] > 0 && isfinite(p.value[i]), "%s, parameter %d: %g", model_name[model], i, p.value[i]);
			for (int j = 0; j < clv_parameter_count(fit.model); j++)
				holds(isfinite(fit.covariance[i][j]), "%s, covariance", model_name[model]);
		}
		holds(predicts(&p), "%s predicts (%g, %g, %g, %g)", model_name[model], p.value[0], p.value[1], p.value[2], p.value[3]);
	}
}

static void
test_boundaries(void)
{
	static const float8 one_bg[] = {1.490514, 9.999848, .5626724, 2.197901};
	static const float8 one_mbg[] = {1.474511, 10.24090, .4346688, 2.383025};
	static const ClvRow one = {3, 1, 20, 30};
	static const ClvRow same = {10, 500, 100, 101};
	static const ClvRow few[] = {{0, 5, 0, 10}, {1, 1, 3, 10}, {0, 3, 0, 0}};
	static const ClvRow gone[] = {{1, 100000, 1, 1000}, {0, 100000, 0, 1000}};
	static const ClvRow still_here[] = {{1, 5, 1, 1}, {1, 1, 3, 10}, {4, 1, 10, 10}};
	static const ClvRow heavy[] = {{4000000000u, 1, 1000, 1000}, {1, 1000, 30, 1000}};
	static const ClvRow long_ago[] = {{2, 10, 1, 1e6}, {3, 10, 1e5, 1e6}, {0, 50, 0, 1e6}};
	static const ClvRow no_repeats[] = {{0, 10, 0, 5}, {0, 20, 0, 100}};
	ClvRow		row[3];
	ClvRows		rows;
	ClvFit		fit;

	property("one member, and many alike");
	row[0] = one;
	clv_rows_init(&rows, row, 1);
	check_prior_fit(&rows, CLV_BG, 0, one_bg, -10.6897558, CLV_FEW_REPEATERS | CLV_WEAK_PRIOR_USED);
	check_prior_fit(&rows, CLV_MBG, 0, one_mbg, -10.7687323, CLV_FEW_REPEATERS | CLV_WEAK_PRIOR_USED);
	check_prior_fit(&rows, CLV_BG, 1, one_bg, -10.6897558, CLV_FEW_REPEATERS);
	row[0] = same;
	clv_rows_init(&rows, row, 1);
	holds(clv_fit(CLV_BG, &rows, 0, &fit) == CLV_FITTED && fit.warnings == CLV_WEAK_PRIOR_USED, "warnings %x", fit.warnings);
	agrees(fit.parameter[CLV_R], 757.42, 1e-5, "r");
	agrees(fit.parameter[CLV_R] / fit.parameter[CLV_ALPHA], .0990422, 1e-5, "r / alpha");
	agrees(fit.parameter[CLV_A], .013983, 1e-4, "a");
	agrees(fit.parameter[CLV_B], 54.419, 1e-5, "b");
	agrees(fit.log_likelihood, -16567.02478, 1e-9, "likelihood");
	for (int model = CLV_BG; model <= CLV_PARETO; model++)
	{
		ClvParameters p;

		clv_fit((ClvModel) model, &rows, 0, &fit);
		p.model = fit.model;
		memcpy(p.value, fit.parameter, sizeof(p.value));
		holds(clv_p_alive(&p, 10, 100, 101) > .99, "%s: active", model_name[model]);
	}
	property_end();

	property("boundaries are answers");
	check_sane(&one, 1, CLV_FEW_REPEATERS);
	check_sane(&same, 1, CLV_WEAK_PRIOR_USED);
	check_sane(few, 3, CLV_FEW_REPEATERS | CLV_WEAK_PRIOR_USED);
	check_sane(gone, 2, CLV_WEAK_PRIOR_USED);
	check_sane(still_here, 3, CLV_FEW_REPEATERS | CLV_SHORT_HISTORY);
	check_sane(heavy, 2, CLV_ONE_MEMBER_DOMINATES);
	check_sane(long_ago, 3, CLV_FEW_REPEATERS);
	property_end();

	property("nothing can be told without repeats");
	memcpy(row, no_repeats, sizeof(no_repeats));
	clv_rows_init(&rows, row, 2);
	for (int model = CLV_NBD; model <= CLV_PARETO; model++)
		holds(clv_fit((ClvModel) model, &rows, 0, &fit) == CLV_NO_REPEATS && clv_fit((ClvModel) model, &rows, 1, &fit) == CLV_NO_REPEATS,
			  "%s", model_name[model]);
	holds(clv_fit_best(&rows, 0, &fit) == CLV_NO_REPEATS, "best");
	clv_rows_init(&rows, row, 0);
	holds(clv_fit(CLV_MBG, &rows, 0, &fit) == CLV_NO_REPEATS, "no rows");
	property_end();

	property("random small sets");
	for (int i = 0; i < 200; i++)
	{
		ClvRow		some[20];
		int			n = 1 + (int) random_below(20);

		for (int j = 0; j < n; j++)
		{
			float8		age = ceil(exp(7 * uniform()));
			uint32		repeats = j == 0 ? 1 : (uint32) random_below(1 + (uint64) exp(4 * uniform()));

			some[j] = (ClvRow) {.repeats = repeats, .members = 1, .age = age};
			some[j].last_age = repeats > 0 ? ceil(age * uniform()) : 0;
		}
		check_sane(some, n, CLV_FEW_REPEATERS);
	}
	property_end();

	property("predictions at parameters that no fit would have");
	for (int i = 0; i < 400; i++)
	{
		ClvParameters p = {.model = (ClvModel) (i % 4)};

		for (int j = 0; j < 4; j++)
			p.value[j] = exp(16 * uniform() - 8);
		holds(predicts(&p), "%s (%g, %g, %g, %g)", model_name[p.model], p.value[0], p.value[1], p.value[2], p.value[3]);
	}
	property_end();
}

static void
test_spend_boundaries(void)
{
	ClvSpendRow row[3] = {{3, 100, 10}, {1, 50, 10}, {7, 1, 10}};
	ClvSpendRows rows;
	ClvSpendFit fit;
	float8		spend;

	property("spend of which little can be told");
	clv_spend_rows_init(&rows, row, 3);
	holds(clv_spend_fit(&rows, 0, &fit) && fit.weak_prior_used && isfinite(fit.log_likelihood), "all spend the same");
	holds(clv_expected_spend(fit.parameter, 3, 10, &spend) && fabs(spend - 10) < 0.2, "all spend the same: %g", spend);
	clv_spend_rows_init(&rows, row, 1);
	holds(clv_spend_fit(&rows, 0, &fit) && fit.weak_prior_used && isfinite(fit.log_likelihood), "one row");
	row[0].members = 1;
	clv_spend_rows_init(&rows, row, 1);
	holds(clv_spend_fit(&rows, 0, &fit) && fit.weak_prior_used && isfinite(fit.log_likelihood), "one member");
	clv_spend_rows_init(&rows, row, 0);
	holds(!clv_spend_fit(&rows, 0, &fit), "nobody");
	property_end();
}

/* ---------- what must not matter ---------- */

/* Members who follow BG/NBD over two years, with times as they are or by day. */
static void
simulate(ClvRow *row, int n, bool by_day)
{
	for (int i = 0; i < n; i++)
	{
		const float8 rate = gamma_variate(0.243) / 30.9;
		const float8 leave = gamma_variate(0.793);
		const float8 leaves = leave / (leave + gamma_variate(2.426));
		float8		time = 0;

		row[i] = (ClvRow) {.members = 1, .age = by_day ? floor(730 * uniform()) : 730 * uniform()};
		while ((time -= log(uniform()) / rate) < row[i].age)
		{
			const float8 day = by_day ? ceil(time) : time;

			row[i].repeats += day > row[i].last_age;
			row[i].last_age = day;
			if (uniform() < leaves)
				break;
		}
	}
}

static void
shuffle(ClvRow *row, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) random_below((uint64) i + 1);
		ClvRow		other = row[i];

		row[i] = row[j];
		row[j] = other;
	}
}

static void
test_order(void)
{
	const int	n = 2000;
	ClvRow	   *given = malloc(n * sizeof(ClvRow));
	ClvRow	   *row = malloc(2 * n * sizeof(ClvRow));
	ClvRows		rows;
	ClvRows		again;

	property("the order of rows does not matter, nor that equal ones are merged");
	for (int round = 0; round < 8; round++)
	{
		ClvModel	model = (ClvModel) (round % 4);
		ClvFit		fit;
		ClvFit		other;

		simulate(given, n, round < 4);
		clv_rows_init(&rows, given, n);
		memcpy(row, given, rows.n * sizeof(ClvRow));
		shuffle(row, (int) rows.n);
		clv_rows_init(&again, row, rows.n);
		clv_fit(model, &rows, 0, &fit);
		clv_fit(model, &again, 0, &other);
		holds(fit.model == model && fit.warnings == 0, "%s: warnings %x", model_name[model], fit.warnings);
		holds(memcmp(&fit, &other, sizeof(fit)) == 0, "%s: shuffled", model_name[model]);

		/* Every row twice. */
		memcpy(row, given, rows.n * sizeof(ClvRow));
		memcpy(row + rows.n, given, rows.n * sizeof(ClvRow));
		shuffle(row, 2 * (int) rows.n);
		clv_rows_init(&again, row, 2 * rows.n);
		holds(again.n == rows.n && again.members == 2 * rows.members && again.repeats == 2 * rows.repeats, "merged");
		clv_fit(model, &again, 0, &other);
		for (int i = 0; i < clv_parameter_count(model); i++)
		{
			agrees(other.parameter[i], fit.parameter[i], FITTED, "twice: parameter");
			agrees(sqrt(other.covariance[i][i] * 2), sqrt(fit.covariance[i][i]), STD_ERROR, "twice: standard error");
		}
		agrees(other.log_likelihood, 2 * fit.log_likelihood, 1e-12, "twice: likelihood");
	}
	property_end();

	property("who came today tells nothing");
	for (int model = 0; model < MODELS; model++)
		for (int i = 0; i < 100; i++)
		{
			float8		p[4];

			for (int j = 0; j < 4; j++)
				p[j] = exp(6 * uniform() - 3);
			holds(fabs(clv_log_likelihood(models[model], p, 0, 0, 0)) < 3e-15, "%s: %g",
				  model_name[models[model]], clv_log_likelihood(models[model], p, 0, 0, 0));
		}
	property_end();

	property("figures are checked");
	holds(clv_row_check(0, 0, 0) == CLV_ROW_GOOD && clv_row_check(2, 1, 1) == CLV_ROW_GOOD, "good");
	holds(clv_row_check(0, NAN, 1) == CLV_ROW_NOT_FINITE && clv_row_check(0, 0, INFINITY) == CLV_ROW_NOT_FINITE, "not finite");
	holds(clv_row_check(-1, 0, 1) == CLV_ROW_NEGATIVE && clv_row_check(1, -1, 1) == CLV_ROW_NEGATIVE, "negative");
	holds(clv_row_check(1, 2, 1) == CLV_ROW_LAST_AGE_ABOVE_AGE, "last age above age");
	holds(clv_row_check(0, 1, 2) == CLV_ROW_LAST_AGE_WITHOUT_REPEATS, "no repeats");
	holds(clv_row_check(1, 0, 2) == CLV_ROW_REPEATS_WITHOUT_LAST_AGE, "no last age");
	holds(clv_row_check(INT64_C(1) << 32, 1, 2) == CLV_ROW_TOO_MANY_REPEATS, "too many");
	property_end();
	free(given);
	free(row);
}

static const Expected sample_fits[] = {
	{CLV_BG, {.24259452243, 4.413602019, .7929220172, 2.425906777}, {.012557378, .37822405, .18573382, .70541426}, -9582.429206674},
	{CLV_MBG, {.5248431591, 6.183085280, .8913593907, 1.614002240}, {.083268207, .69562064, .15478993, .53749480}, -9582.135715554},
	{CLV_PARETO, {.5532770469, 10.57768346, .6062399891, 11.66873529}, {.047627926, .84272252, .18728134, 6.2111136}, -9594.976178940},
	{CLV_NBD, {.3847661358, 12.07202284}, {.020985376, .80872318}, -9763.657614673}
};

static const Expected master_fits[] = {
	{CLV_BG, {.2516239589, 4.788942962, .7234335768, 2.161088358}, {.0042019739, .13125491, .053929244, .19858929}, -95368.443933161},
	{CLV_MBG, {.6371397334, 7.310289542, .8074741179, 1.228393996}, {.036207465, .29326388, .037611765, .11194551}, -95336.958319880},
	{CLV_PARETO, {.5974199663, 11.58565778, .5221856108, 8.827759150}, {.017372641, .29676469, .046341133, 1.4742266}, -95415.118617470}
};

/* Total, mean error, root of the mean square, members active. */
static const float8 sample_holdout[MODELS][4] = {
	{1653.408698, .7854542366, 1.607982011, 1917.277671},
	{1576.728302, .7647789493, 1.607182657, 1057.636371},
	{1665.513107, .7545233834, 1.602848000, 1051.875247}
};

static const float8 master_holdout[MODELS][4] = {
	{16873.73368, .8187422548, 1.732911266},
	{15933.59987, .7945357212, 1.739617970},
	{17153.18864, .7937663301, 1.726152600}
};

static const float8 sample_spend[] = {6.249572271, 1.1900553, 3.744224667, .29013307, 15.44352096, 4.1594228, -4055.917694802};
static const float8 master_spend[] = {6.275359068, .39969756, 3.624450023, .090553407, 14.98368703, 1.3440362, -40763.476261391};

/* Members of the sample at its fits, in days; then what is discounted over 364 days, of Pareto/NBD also in all time. */
static const struct
{
	uint32		repeats;
	float8		last_age;
	float8		age;
	float8		mean;
	float8		spend;
	float8		expected[MODELS][4];
}			sample_members[] = {
	{2, 213, 272, 22.345, 24.6539186982, {
		{.72662031166, 1.2259944553, 1.4618859146},
		{.70613847899, 1.2627588509, 1.4986362390},
		{.86913426361, 1.4552017016, 1.7359375776, 6.5003518343}}},
	{0, 0, 269, 0, 35.1703712657, {
		{1, .19654877382, .23771165823},
		{.39091709980, .15574361595, .18726611313},
		{.29764775987, .10879541592, .12975554779, .48497939809}}},
	{1, 12, 272, 11.77, 18.9100184468, {
		{.21239104440, .20341884753, .24380938200},
		{.17095107915, .18894490180, .22533646710},
		{.16799605794, .17111433631, .20412552166, .76436372268}}}
};

/* Members by repeats, the last for 7 and more; and repeats of all by three days. */
static const float8 sample_counts[MODELS][8] = {
	{1407.6843, 460.3235, 192.4614, 101.1642, 59.8471, 38.1197, 25.5491, 71.8507},
	{1418.6177, 429.1434, 198.5689, 108.2369, 64.7441, 41.1477, 27.2940, 69.2473},
	{1434.0493, 396.8779, 193.4924, 111.8117, 69.9900, 45.8556, 30.9321, 73.9910}
};

static const float8 sample_tracking[MODELS][3] = {
	{2493.956890, 3134.104231, 4160.609212},
	{2475.636261, 3089.146040, 4049.953213},
	{2524.932762, 3191.137544, 4270.040682}
};

static void
check_sample_members(const ClvFit *fit, int model)
{
	const float8 discount = log(1.15) / 364;
	ClvParameters p = {.model = fit->model};

	memcpy(p.value, fit->parameter, sizeof(p.value));
	property("members of the sample");
	for (size_t i = 0; i < LENGTH_OF(sample_members); i++)
	{
		const uint32 x = sample_members[i].repeats;
		const float8 last_age = sample_members[i].last_age;
		const float8 age = sample_members[i].age;
		const float8 *expected = sample_members[i].expected[model];

		agrees(clv_p_alive(&p, x, last_age, age), expected[0], OF_FIT, "P(alive)");
		agrees(clv_expected_orders(&p, x, last_age, age, 273), expected[1], OF_FIT, "orders");
		agrees(clv_discounted_orders(&p, x, last_age, age, 364, discount), expected[2], OF_FIT, "discounted");
		if (fit->model == CLV_PARETO)
			agrees(clv_discounted_orders(&p, x, last_age, age, INFINITY, discount), expected[3], OF_FIT, "in all time");
	}
	property_end();
}

/* How often members order, and how many orders there are by now: of all of them. */
static void
check_sample_totals(const Shopper *shopper, int n, int end, const ClvFit *fit, int model)
{
	const int	until[] = {end, day_of(1997, 12, 31), day_of(1998, 6, 30)};
	ClvParameters p = {.model = fit->model};
	float8		count[8] = {0};

	memcpy(p.value, fit->parameter, sizeof(p.value));
	property("members of the sample by repeats, and repeats by day");
	for (int i = 0; i < n; i++)
	{
		float8		chance[7];
		float8		more = 1;

		clv_new_order_chances(&p, end - shopper[i].first, 7, chance);
		for (int j = 0; j < 7; j++)
		{
			count[j] += chance[j];
			more -= chance[j];
		}
		count[7] += more;
	}
	for (int j = 0; j < 8; j++)
		holds(fabs(count[j] - sample_counts[model][j]) < 0.5001e-4, "%d repeats: %.6f", j, count[j]);
	for (int j = 0; j < 3; j++)
	{
		float8		repeats = 0;

		for (int i = 0; i < n; i++)
			repeats += clv_new_orders(&p, until[j] - shopper[i].first);
		agrees(repeats, sample_tracking[model][j], OF_FIT, "repeats");
	}
	property_end();
}

static void
test_cdnow(const char *name, bool is_sample, const Expected *fits, size_t n_fits, const float8 (*holdout)[4], const float8 *spend)
{
	const int	end = day_of(1997, 9, 30);
	FILE	   *file = open_data(name);
	Shopper    *shopper;
	ClvRow	   *row;
	ClvSpendRow *spend_row;
	ClvRows		rows;
	int			n;

	if (file == NULL)
		return;
	shopper = malloc(SHOPPERS_MAX * sizeof(Shopper));
	row = malloc(SHOPPERS_MAX * sizeof(ClvRow));
	spend_row = malloc(SHOPPERS_MAX * sizeof(ClvSpendRow));
	n = read_cdnow(file, is_sample, end, shopper);
	if (is_sample)
		fclose(file);
	else
		pclose(file);
	rows_of(shopper, n, end, row, &rows);
	printf("# %s: %d members, %zu rows\n", name, n, rows.n);
	is_int(n, is_sample ? 2357 : 23570, "members");
	is_int((int64) rows.repeaters, is_sample ? 946 : 9451, "members with repeats");
	is_int((int64) rows.repeats, is_sample ? 2457 : 24337, "repeats");
	is_int(rows.most_repeats, is_sample ? 29 : 80, "most repeats");
	is_int((int64) rows.n, is_sample ? 1016 : 8685, "rows");
	for (size_t i = 0; i < n_fits; i++)
	{
		Expected	expected = in_days(fits[i], rows.repeats);
		ClvFit		fit;
		float8		start = seconds();

		is_int(clv_fit(expected.model, &rows, 0, &fit), CLV_FITTED, "fitted");
		printf("# %s: %d iterations, %.1f ms with sanitizers\n", model_name[expected.model], fit.iterations,
			   1000 * (seconds() - start));
		check_fit(&fit, &expected, 0, name);
		if (i >= MODELS)
			continue;
		check_holdout(shopper, n, end, 273, &fit, holdout[i], name);
		if (is_sample)
		{
			check_sample_members(&fit, (int) i);
			check_sample_totals(shopper, n, end, &fit, (int) i);
		}
	}
	if (is_sample)
		test_sample_priors(&rows);
	check_spend(shopper, n, spend_row, is_sample ? 946 : 9450, spend, name);
	free(shopper);
	free(row);
	free(spend_row);
}

/* Nobody leaves whom these models could tell from one who only orders seldom. */
static void
test_online_retail(void)
{
	static const float8 spend[] = {
		2.449092052, .17496763, 3.276761891, .16371277, 369.5057890, 42.891181, -12727.705892867
	};
	static const float8 holdout[] = {3633.908114, .9973660487, 1.629786443, 0};
	const Expected nbd = {CLV_NBD, {.7226833132, 65.96590983}, {.0287984683, 3.0075062}, -35478.633247683};
	const ClvModel all[] = {CLV_BG, CLV_MBG, CLV_PARETO, CLV_NBD};
	const int	end = day_of(2011, 8, 31);
	FILE	   *file = open_data("online_retail/online_retail.csv.gz");
	Shopper    *shopper;
	ClvRow	   *row;
	ClvSpendRow *spend_row;
	ClvRows		rows;
	int			refunded = 0;
	int			later = 0;
	int			n;

	if (file == NULL)
		return;
	shopper = malloc(SHOPPERS_MAX * sizeof(Shopper));
	row = malloc(SHOPPERS_MAX * sizeof(ClvRow));
	spend_row = malloc(SHOPPERS_MAX * sizeof(ClvSpendRow));
	n = read_online_retail(file, end, shopper);
	pclose(file);
	rows_of(shopper, n, end, row, &rows);
	is_int(n, 3317, "members");
	is_int((int64) rows.repeaters, 1890, "members with repeats");
	is_int((int64) rows.repeats, 7051, "repeats");
	is_int(rows.most_repeats, 79, "most repeats");
	is_int((int64) rows.n, 2062, "rows");
	for (int i = 0; i < n; i++)
	{
		refunded += shopper[i].repeats > 0 && shopper[i].mills <= 0;
		later += (int) shopper[i].later;
	}
	is_int(refunded, 19, "members who gave back what they spent");
	is_int(later, 4807, "days with orders in the holdout");
	for (size_t i = 0; i < LENGTH_OF(all); i++)
	{
		ClvFit		fit;
		float8		start = seconds();

		is_int(clv_fit(all[i], &rows, 0, &fit), CLV_FITTED, "fitted");
		printf("# %s: %d iterations, %.1f ms with sanitizers\n", model_name[all[i]], fit.iterations,
			   1000 * (seconds() - start));
		check_fit(&fit, &nbd, all[i] == CLV_NBD ? 0 : CLV_NO_DROPOUT, "Online Retail");
		check_holdout(shopper, n, end, 100, &fit, holdout, "Online Retail");
	}
	check_spend(shopper, n, spend_row, 1871, spend, "Online Retail");
	free(shopper);
	free(row);
	free(spend_row);
}

/* What a fit says of its errors is so. */
static void
test_truth(void)
{
	static const float8 truth[] = {0.243, 30.9, 0.793, 2.426};
	const int	n = 100000;
	ClvRow	   *row = malloc(n * sizeof(ClvRow));
	ClvRows		rows;
	ClvFit		fit;

	property("simulated members give their parameters back");
	simulate(row, n, false);
	clv_rows_init(&rows, row, n);
	holds(clv_fit(CLV_BG, &rows, 0, &fit) == CLV_FITTED && fit.model == CLV_BG && fit.warnings == 0, "warnings %x", fit.warnings);
	for (int i = 0; i < 4; i++)
		holds(fabs(fit.parameter[i] - truth[i]) < 3 * sqrt(fit.covariance[i][i]), "%g, not %g, by a standard error of %g",
			  fit.parameter[i], truth[i], sqrt(fit.covariance[i][i]));
	holds(clv_fit_best(&rows, 0, &fit) == CLV_FITTED && fit.model == CLV_BG, "the best is %s", model_name[fit.model]);
	property_end();
	free(row);
}

/* How long a million members take: a remark, as the machine may be busy. */
static void
time_million(void)
{
	const int	n = 1000000;
	ClvRow	   *row = malloc(n * sizeof(ClvRow));
	ClvRows		rows;
	ClvFit		fit;
	float8		start;
	float8		sorted;

	simulate(row, n, true);
	start = seconds();
	clv_rows_init(&rows, row, n);
	sorted = seconds();
	clv_fit(CLV_BG, &rows, 0, &fit);
	printf("# a million members, %zu rows: sorted in %.2f s, BG/NBD fitted in %.2f s, with sanitizers\n", rows.n,
		   sorted - start, seconds() - sorted);
	free(row);
}

int
main(void)
{
	test_functions();
	test_chances();
	test_forecast();
	test_edges();
	test_extremes();
	test_spend();
	test_derivatives();
	test_boundaries();
	test_spend_boundaries();
	test_order();
	test_cdnow("cdnow/CDNOW_sample.txt", true, sample_fits, LENGTH_OF(sample_fits), sample_holdout, sample_spend);
	test_cdnow("cdnow/CDNOW_master.txt.gz", false, master_fits, LENGTH_OF(master_fits), master_holdout, master_spend);
	test_online_retail();
	test_truth();
	time_million();
	return done_testing();
}
