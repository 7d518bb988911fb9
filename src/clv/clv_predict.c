/*
 * clv_predict.c
 *	  Predictions from a model's parameters.
 *
 * Letters are those of the literature: R = r + x orders' worth of evidence on a
 * member's rate, A = alpha + age, B = b + chances to leave not taken.
 */
#include "clv/clv_predict.h"

#include "clv/clv_pareto.h"
#include "shared/large_memory.h"

/* A series is done when what is left of it is below its last digit. */
#define NEGLIGIBLE 1e-17

/* Above this, terms are scaled down. */
#define LARGE 1e250

/* Longer series take more time than the integral below. */
#define SERIES_TERMS 5000

/*
 * Steps of the integral.  The error of the trapezoidal rule is e^(-pi^2 / step), or
 * e^(-2 pi^2 / (step^2 a)) where the beta distribution is narrow.
 */
#define BETA_STEP 0.25
#define BETA_NARROW_STEP 0.6

/* ---------- BG/NBD and MBG/NBD ---------- */

/* The parameters of one member who is active. */
typedef struct Active
{
	float8		R;
	float8		A;
	float8		a;
	float8		B;
} Active;

static Active
active_member(const ClvParameters *parameters, float8 repeats, float8 age)
{
	Active		m = {
		.R = parameters->value[CLV_R] + repeats,
		.A = parameters->value[CLV_ALPHA] + age,
		.a = parameters->value[CLV_A],
		.B = parameters->value[CLV_B] + repeats + (parameters->model == CLV_MBG)
	};

	return m;
}

/*
 * Averages over n, the orders in a time if nobody ever left, which has the negative
 * binomial distribution with `shape` and z: of the orders that are made before
 * leaving, or of the chance to make the next one, which is the weight of an order
 * at that time.
 */
static float8
average(const Active *m, float8 shape, float8 z, bool of_orders)
{
	float8		chance = 1;		/* of n, times a constant */
	float8		stays = 1;		/* the chance to be there after n orders */
	float8		made = 0;		/* orders */
	float8		chances = 1;
	float8		sum = of_orders ? 0 : 1;

	for (Size n = 0;; n++)
	{
		float8		ratio = z * (shape + n) / (n + 1);
		float8		next = Max(z, z * (shape + n + 1) / (n + 2));	/* and all ratios after it */
		float8		term;
		float8		rest;

		check_interrupts(n + 1);
		chance *= ratio;
		made += stays;
		stays *= (m->B + n) / (m->a + m->B + n);
		term = chance * (of_orders ? made : stays);
		chances += chance;
		sum += term;
		if (chances > LARGE)
		{
			chance /= LARGE;
			chances /= LARGE;
			sum /= LARGE;
		}
		if (next >= 1)
			continue;
		rest = of_orders ? chance * (made / (1 - next) + next / ((1 - next) * (1 - next))) : term / (1 - next);
		if (rest <= NEGLIGIBLE * sum && chance <= (1 - next) * NEGLIGIBLE * chances)
			return sum / chances;
	}
}

/*
 * The same averages, as shares of what they would be if the member did not leave,
 * by integrating over the chance p to leave after an order, which has the beta
 * distribution (a, B):
 *
 *		orders		(1 - (1 + p q)^-R) / (p R q)
 *		weight		(1 + p q)^-(R + 1)			where q = days / A
 *
 * Summed at equal steps of u = ln(p / (1 - p)) from the middle of the distribution
 * on, where the density is e^(a u) (1 + middle (e^u - 1))^-(a + B) times a constant:
 * the sum of densities is that constant.  On either side the terms become those of
 * a geometric series, however slowly they fall.
 */
static float8
beta_average(const Active *m, float8 q, bool of_orders)
{
	const float8 middle = m->a / (m->a + m->B);
	const float8 step = Min(BETA_STEP, BETA_NARROW_STEP / sqrt(1 + m->a));
	float8		sum = 0;
	float8		densities = 0;

	for (int side = -1; side <= 1; side += 2)
	{
		float8		last = 0;

		/* The middle is on the left side. */
		for (Size i = side > 0;; i++)
		{
			const float8 u = side * step * (float8) i;
			const float8 grown = 1 + middle * expm1(u);
			const float8 density = exp(m->a * u - (m->a + m->B) * log1p(middle * expm1(u)));
			const float8 p = middle * exp(u) / grown;
			const float8 ratio = last > 0 ? density / last : 1; /* and less for all terms after it */
			bool		at_left = p * Max(1, m->R * q) < NEGLIGIBLE;
			float8		share = 1;
			float8		term;
			float8		rest;

			check_interrupts(i + 1);
			if (!at_left)
				share = of_orders ? -expm1(-m->R * log1p(p * q)) / (p * m->R * q) : exp(-(m->R + 1) * log1p(p * q));
			term = density * share;
			sum += term;
			densities += density;
			if (at_left || (1 - middle) / grown < NEGLIGIBLE)
			{
				rest = 1 / expm1((side < 0 ? m->a : m->B) * step);
				sum += term * rest;
				densities += density * rest;
				break;
			}
			/* The share is at most 1, and falls from left to right. */
			rest = density * ratio / (1 - ratio);
			if (ratio < 1 && rest <= NEGLIGIBLE * densities && rest * (side < 0 ? 1 : share) <= NEGLIGIBLE * sum)
				break;
			last = density;
		}
	}
	return sum / densities;
}

/* Whether the series is short: that of orders about as many as there may be. */
static bool
is_short(const Active *m, float8 q)
{
	return m->R * q + 40 * (1 + q) <= SERIES_TERMS;
}

static float8
geometric_orders(const Active *m, float8 days)
{
	const float8 q = days / m->A;

	return is_short(m, q) ? average(m, m->R, days / (m->A + days), true) : m->R * q * beta_average(m, q, true);
}

/* Orders a day, after these days. */
static float8
geometric_rate(const Active *m, float8 days)
{
	const float8 q = days / m->A;

	return m->R / m->A * (is_short(m, q) ? average(m, m->R + 1, days / (m->A + days), false) : beta_average(m, q, false));
}

/* ---------- integrals ---------- */

/* What is integrated over time. */
typedef struct Integrand
{
	float8		(*value) (const struct Integrand *integrand, float8 days);
	float8		discount;
	const Active *member;		/* of geometric_rate */
	float8		scale;			/* of pareto_stays: beta + age */
	float8		s;
	const ClvParameters *parameters;	/* of orders_then_left */
	int			orders;
	float8		log_constant;
	float8		narrow;			/* how many times as many nodes as usual it needs, less 1 */
} Integrand;

/*
 * The integral over the next days, of a function that changes with the logarithm of
 * scale + time: over that logarithm, in panels of 16 nodes, few of which are enough.
 */
static float8
integrate(const Integrand *integrand, float8 scale, float8 days)
{
	const float8 length = log1p(days / scale);
	const int	panels = 1 + (int) Min((length / 1.5 + integrand->discount * days / 8) * (1 + integrand->narrow), 1000);
	float8		sum = 0;

	for (int panel = 0; panel < panels; panel++)
		for (int i = 0; i < 2 * CLV_NODES; i++)
		{
			float8		node = i % 2 == 0 ? clv_node[i / 2] : -clv_node[i / 2];
			float8		v = length / panels * (panel + (1 + node) / 2);
			float8		time = scale * expm1(v);

			sum += clv_weight[i / 2] * exp(v - integrand->discount * time) * integrand->value(integrand, time);
		}
	return scale * length / panels / 2 * sum;
}

static float8
rate_of_member(const Integrand *integrand, float8 days)
{
	return geometric_rate(integrand->member, days);
}

/* The chance to be active still. */
static float8
pareto_stays(const Integrand *integrand, float8 days)
{
	return exp(-integrand->s * log1p(days / integrand->scale));
}

/* ---------- Pareto/NBD ---------- */

/* Days of activity in the next days of one who is active, divided by beta + age. */
static float8
pareto_activity(float8 s, float8 scale, float8 days)
{
	const float8 length = log1p(days / scale);

	return s == 1 ? length : -expm1((1 - s) * length) / (s - 1);
}

/* e^x E_s(x), a continued fraction (DLMF 8.19.17) for x that is not small. */
static float8
scaled_exponential_integral(float8 s, float8 x)
{
	float8		f = x;

	/* Two steps shrink the error by e^(-4 sqrt(x / n)) at n, so 200 are ample for x >= 1. */
	for (int n = 200; n >= 1; n--)
		f = x + (s + n - 1) / (1 + n / f);
	return 1 / f;
}

/* Discounted days of activity of one who is active. */
static float8
pareto_discounted_activity(float8 s, float8 scale, float8 days, float8 discount)
{
	Integrand	integrand = {.value = pareto_stays, .discount = discount, .scale = scale, .s = s};
	const float8 x = discount * scale;

	if (!isinf(days))
		return integrate(&integrand, scale / (1 + s), days);
	if (x >= 1)
		return scale * scaled_exponential_integral(s, x);
	/* Nothing is left of an order after that time. */
	return integrate(&integrand, scale / (1 + s), 45 / discount);
}

/* ---------- members ---------- */

/* ln of the odds of having left, in BG/NBD and MBG/NBD. */
static float8
log_odds(ClvModel model, const float8 *parameter, float8 repeats, float8 last_age, float8 age)
{
	float8		behind = parameter[CLV_B] + repeats - (model == CLV_BG);

	return log(parameter[CLV_A] / behind) +
		(parameter[CLV_R] + repeats) * log1p((age - last_age) / (parameter[CLV_ALPHA] + last_age));
}

/*
 * The chance that the member is active still, that is, has not left.  BG/NBD takes
 * everybody for active who has ordered once.
 */
float8
clv_p_alive(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age)
{
	const float8 *p = parameters->value;

	switch (parameters->model)
	{
		case CLV_NBD:
			return 1;
		case CLV_BG:
		case CLV_MBG:
			if (parameters->model == CLV_BG && repeats == 0)
				return 1;
			return 1 / (1 + exp(log_odds(parameters->model, p, repeats, last_age, age)));
		case CLV_PARETO:
			{
				ClvChances	chances;
				float8		log_alive;

				clv_chances_init(&chances, p);
				clv_chances_start(&chances, repeats);
				log_alive = clv_pareto_log_alive(&chances, last_age, age);
				clv_chances_free(&chances);
				return exp(log_alive);
			}
	}
	pg_unreachable();
}

/* The chance that the member orders in the next days. */
float8
clv_p_order(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age, float8 days)
{
	const float8 *p = parameters->value;

	if (parameters->model == CLV_PARETO)
	{
		ClvChances	chances;
		float8		log_leave;
		float8		log_none;

		clv_chances_init(&chances, p);
		clv_chances_start(&chances, repeats);
		log_leave = clv_log_leave(&chances, last_age).value;
		log_none = clv_pareto_log_sum(&chances, log_leave, last_age, age + days) -
			clv_pareto_log_sum(&chances, log_leave, last_age, age);
		clv_chances_free(&chances);
		return Max(0, -expm1(log_none));
	}
	return clv_p_alive(parameters, repeats, last_age, age) *
		-expm1(-(p[CLV_R] + repeats) * log1p(days / (p[CLV_ALPHA] + age)));
}

/* Orders of one who is active in the next days. */
float8
clv_orders_if_alive(const ClvParameters *parameters, uint32 repeats, float8 age, float8 days)
{
	const float8 *p = parameters->value;
	const float8 rate = (p[CLV_R] + repeats) / (p[CLV_ALPHA] + age);
	Active		member;

	if (days <= 0)
		return 0;
	switch (parameters->model)
	{
		case CLV_NBD:
			return rate * days;
		case CLV_BG:
		case CLV_MBG:
			member = active_member(parameters, repeats, age);
			return geometric_orders(&member, days);
		case CLV_PARETO:
			return rate * (p[CLV_BETA] + age) * pareto_activity(p[CLV_S], p[CLV_BETA] + age, days);
	}
	pg_unreachable();
}

/*
 * The same, an order after t days counting e^(-discount t).  NBD and Pareto/NBD take
 * an infinity of days, if there is a discount; NAN where the sum has no end.
 */
float8
clv_discounted_if_alive(const ClvParameters *parameters, uint32 repeats, float8 age, float8 days, float8 discount)
{
	const float8 *p = parameters->value;
	const float8 rate = (p[CLV_R] + repeats) / (p[CLV_ALPHA] + age);
	const bool	geometric = parameters->model == CLV_BG || parameters->model == CLV_MBG;
	Active		member;
	Integrand	integrand = {.value = rate_of_member, .discount = discount, .member = &member};

	if (isinf(days) && (geometric || discount <= 0))
		return NAN;
	if (discount <= 0 || days <= 0)
		return clv_orders_if_alive(parameters, repeats, age, days);
	switch (parameters->model)
	{
		case CLV_NBD:
			return rate * -expm1(-discount * days) / discount;
		case CLV_BG:
		case CLV_MBG:
			member = active_member(parameters, repeats, age);
			/* The more orders come, the earlier one of them is the last. */
			return integrate(&integrand, member.A / (1 + member.R), days);
		case CLV_PARETO:
			return rate * pareto_discounted_activity(p[CLV_S], p[CLV_BETA] + age, days, discount);
	}
	pg_unreachable();
}

float8
clv_expected_orders(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age, float8 days)
{
	return clv_p_alive(parameters, repeats, last_age, age) * clv_orders_if_alive(parameters, repeats, age, days);
}

float8
clv_discounted_orders(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age, float8 days, float8 discount)
{
	return clv_p_alive(parameters, repeats, last_age, age) *
		clv_discounted_if_alive(parameters, repeats, age, days, discount);
}

/* ---------- many members ---------- */

/* Makes a forecast for so many members. */
void
clv_forecast_init(ClvForecast *forecast, const ClvParameters *parameters, float8 days, float8 discount, float8 members)
{
	Size		size;

	forecast->parameters = *parameters;
	forecast->days = days;
	forecast->discount = discount;
	forecast->buckets = 1;
	while (forecast->buckets < CLV_FORECAST_SLOTS / CLV_FORECAST_BUCKET && forecast->buckets < members)
		forecast->buckets *= 2;
	size = forecast->buckets * CLV_FORECAST_BUCKET * sizeof(ClvForecastSlot);
	forecast->slot = large_alloc_zeroed(CurrentMemoryContext, size);
}

void
clv_forecast_free(ClvForecast *forecast)
{
	pfree(forecast->slot);
}

void
clv_forecast_if_alive(ClvForecast *forecast, uint32 repeats, float8 age, float8 *orders, float8 *discounted)
{
	uint64		bits;
	ClvForecastSlot *bucket;
	ClvForecastSlot *slot;

	/* Of an age in days only the first bits are set; a product spreads them to the last. */
	memcpy(&bits, &age, sizeof(bits));
	bits = ((bits >> 32) ^ (bits << 32) ^ repeats) * UINT64CONST(0x9E3779B97F4A7C15);
	bucket = forecast->slot + (bits >> 32 & (forecast->buckets - 1)) * CLV_FORECAST_BUCKET;
	for (slot = bucket; slot < bucket + CLV_FORECAST_BUCKET && slot->is_used; slot++)
		if (slot->repeats == repeats && slot->age == age)
		{
			*orders = slot->orders;
			*discounted = slot->discounted;
			return;
		}
	if (slot == bucket + CLV_FORECAST_BUCKET)
		slot = bucket + (bits >> 62);
	slot->is_used = true;
	slot->repeats = repeats;
	slot->age = age;
	slot->orders = *orders = clv_orders_if_alive(&forecast->parameters, repeats, age, forecast->days);
	slot->discounted = *discounted = clv_discounted_if_alive(&forecast->parameters, repeats, age, forecast->days, forecast->discount);
}

/* ---------- new members ---------- */

float8
clv_new_orders(const ClvParameters *parameters, float8 days)
{
	return clv_expected_orders(parameters, 0, 0, 0, days);
}

float8
clv_new_discounted(const ClvParameters *parameters, float8 days, float8 discount)
{
	return clv_discounted_orders(parameters, 0, 0, 0, days, discount);
}

/* The density of leaving after some days, having made n orders. */
static float8
orders_then_left(const Integrand *integrand, float8 days)
{
	const float8 *p = integrand->parameters->value;
	const float8 n = integrand->orders;

	return exp(integrand->log_constant - p[CLV_R] * log1p(days / p[CLV_ALPHA]) +
			   (n == 0 ? 0 : n * log(days / (p[CLV_ALPHA] + days))) -
			   (p[CLV_S] + 1) * log1p(days / p[CLV_BETA])) * p[CLV_S] / p[CLV_BETA];
}

/* The chances of 0 to n - 1 repeat orders in the first days. */
void
clv_new_order_chances(const ClvParameters *parameters, float8 days, int n, float8 *chance)
{
	const float8 *p = parameters->value;
	const float8 a = p[CLV_A];
	const float8 b = p[CLV_B];
	const int	first = parameters->model == CLV_MBG;
	const float8 z = days / (p[CLV_ALPHA] + days);
	float8		orders = exp(-p[CLV_R] * log1p(days / p[CLV_ALPHA]));	/* the chance of n, if nobody left */
	float8		below = 0;		/* and of fewer */
	float8		stays = first ? b / (a + b) : 1;	/* the chance to be there after n orders */
	float8		log_constant = 0;

	for (int i = 0; i < n; i++)
	{
		switch (parameters->model)
		{
			case CLV_NBD:
				chance[i] = orders;
				break;
			case CLV_BG:
			case CLV_MBG:
				chance[i] = stays * orders;
				if (i + first > 0)
					chance[i] += stays * a / (b + i + first - 1) * Max(0, 1 - below);
				stays *= (b + i + first) / (a + b + i + first);
				break;
			case CLV_PARETO:
				{
					Integrand	integrand = {
						.value = orders_then_left, .parameters = parameters,
						.orders = i, .log_constant = log_constant, .narrow = sqrt(i) / 4
					};
					const float8 scale = Min(p[CLV_ALPHA] / (1 + p[CLV_R]), p[CLV_BETA] / (1 + p[CLV_S]));

					chance[i] = orders * exp(-p[CLV_S] * log1p(days / p[CLV_BETA])) +
						integrate(&integrand, scale, days);
				}
				break;
		}
		below += orders;
		orders *= z * (p[CLV_R] + i) / (i + 1);
		log_constant += log((p[CLV_R] + i) / (i + 1));
	}
}
