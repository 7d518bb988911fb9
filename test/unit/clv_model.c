/* needs: shared/calendar_core.c money/decimal.c clv/clv_math.c clv/clv_rows.c clv/clv_evaluation.c clv/clv_likelihood.c clv/clv_pareto.c clv/clv_maximize.c clv/clv_fit.c clv/clv_predict.c clv/clv_spend.c clv/clv_format.c clv/clv_history.c clv/clv_tracking.c */
#include "clv/clv_format.h"
#include "clv/clv_history.h"
#include "clv/clv_tracking.h"

#include <math.h>

#include "tap.h"

static float8
random_number(void)
{
	return (float8) random_below(1000001) / 1000;
}

/* ---------- the stored form ---------- */

static void
random_covariance(ClvMatrix covariance, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = i; j < n; j++)
			covariance[i][j] = covariance[j][i] = i == j ? random_number() : random_number() - 500;
}

static ClvFitted
random_model(void)
{
	ClvFitted	fitted = {
		.orders.model = (ClvModel) random_below(4),
		.asked = (ClvChoice) (1 + random_below(4)),
		.warnings = (uint32) random_below(CLV_STORED_WARNINGS + 1),
		.members = 1000 + (int64) random_below(1000),
		.repeaters = 1 + (int64) random_below(1000),
		.repeats = 1000 + (int64) random_below(100000),
		.max_age = 1 + random_number(),
		.penalty = random_number(),
		.log_likelihood = -random_number(),
		.nbd_log_likelihood = -random_number(),
		.has_covariance = random_below(2) == 0
	};
	const int	n = clv_parameter_count(fitted.orders.model);

	for (int i = 0; i < n; i++)
		fitted.orders.value[i] = 0.001 + random_number();
	if (fitted.has_covariance)
		random_covariance(fitted.covariance, n);
	if (random_below(2) == 0)
	{
		fitted.spend_members = 1 + (int64) random_below((uint64) fitted.repeaters);
		fitted.spend_log_likelihood = -random_number();
		fitted.has_correlation = random_below(2) == 0;
		fitted.correlation = fitted.has_correlation ? random_number() / 500 - 1 : 0;
		fitted.has_spend_covariance = random_below(2) == 0;
		for (int i = 0; i < CLV_SPEND_PARAMETERS; i++)
			fitted.spend[i] = 0.001 + random_number();
		if (fitted.has_spend_covariance)
			random_covariance(fitted.spend_covariance, CLV_SPEND_PARAMETERS);
	}
	fitted.spend_left_out = (int64) random_below((uint64) (fitted.repeaters - fitted.spend_members + 1));
	if (random_below(2) == 0)
	{
		fitted.zone_size = 1 + (uint32) random_below(255);
		fitted.until = (int32) random_below(20000) - 10000;
		for (uint32 i = 0; i < fitted.zone_size; i++)
			fitted.zone[i] = (char) ('a' + random_below(26));
	}
	return fitted;
}

/* Checks bytes of exactly this length, so that a sanitizer sees what is read behind them. */
static const char *
check(const uint8 *bytes, Size length)
{
	uint8	   *copy = malloc(length > 0 ? length : 1);
	const char *wrong;

	memcpy(copy, bytes, length);
	wrong = clv_check_stored(copy, length);
	free(copy);
	return wrong;
}

static void
test_round_trips(void)
{
	property("a model is stored, found good and read as it was");
	for (int run = 0; run < 20000; run++)
	{
		uint8		bytes[CLV_STORED_MAX];
		uint8		again[CLV_STORED_MAX];
		ClvFitted	fitted = random_model();
		ClvFitted	loaded;
		Size		length = clv_store(&fitted, bytes);
		const char *wrong = check(bytes, length);

		holds(wrong == NULL, "%s", wrong);
		clv_load(bytes, &loaded);
		holds(clv_store(&loaded, again) == length && memcmp(again, bytes, length) == 0, "other bytes");
		holds(loaded.orders.model == fitted.orders.model && loaded.spend_members == fitted.spend_members &&
			  loaded.until == fitted.until && loaded.correlation == fitted.correlation &&
			  memcmp(loaded.orders.value, fitted.orders.value, sizeof(loaded.orders.value)) == 0 &&
			  memcmp(loaded.covariance, fitted.covariance, sizeof(loaded.covariance)) == 0 &&
			  memcmp(loaded.spend_covariance, fitted.spend_covariance, sizeof(loaded.spend_covariance)) == 0,
			  "another model");
		/* Shorter and longer ones are not valid. */
		holds(check(bytes, random_below(length)) != NULL, "a part of it");
		holds(check(bytes, length + 1) != NULL, "more than it");
	}
	property_end();
}

static void
test_damage(void)
{
	int			refused = 0;
	int			taken = 0;

	property("damaged bytes are refused, or are those of another model");
	for (int run = 0; run < 100000; run++)
	{
		uint8		bytes[CLV_STORED_MAX + 1] = {0};
		uint8		again[CLV_STORED_MAX];
		ClvFitted	fitted = random_model();
		Size		length = clv_store(&fitted, bytes);

		bytes[random_below(length)] ^= (uint8) (1 + random_below(255));
		if (check(bytes, length) != NULL)
			refused++;
		else
		{
			taken++;
			clv_load(bytes, &fitted);
			holds(clv_store(&fitted, again) == length && memcmp(again, bytes, length) == 0, "it is read otherwise");
		}
	}
	property_end();
	ok(refused > 10000 && taken > 10000, "both happen (%d, %d)", refused, taken);
}

#define REFUSES(text, change) \
do { \
	ClvFitted	fitted = good; \
	uint8		bytes[CLV_STORED_MAX]; \
	change; \
	is_text(check(bytes, clv_store(&fitted, bytes)), text, #change); \
} while (0)

static void
test_refusals(void)
{
	ClvFitted	good = random_model();

	while (good.orders.model != CLV_PARETO || !good.has_covariance || !good.has_spend_covariance || !good.has_correlation || good.zone_size == 0)
		good = random_model();
	REFUSES(NULL, (void) 0);
	REFUSES("its reserved bits are not zero", fitted.warnings |= CLV_HOLDOUT_BIAS);
	REFUSES("its counts are not possible", fitted.members = 0);
	REFUSES("its counts are not possible", fitted.members = fitted.repeaters - 1);
	REFUSES("its counts are not possible", fitted.repeaters = 0);
	REFUSES("its counts are not possible", fitted.repeats = fitted.repeaters - 1);
	REFUSES("its counts are not possible", fitted.repeats = INT64_MAX);
	REFUSES("its counts are not possible", fitted.spend_members = fitted.repeaters + 1);
	REFUSES("its counts are not possible", fitted.spend_left_out = fitted.repeaters);
	REFUSES("its counts are not possible", fitted.spend_left_out = -1);
	REFUSES("its day is out of range", fitted.until = CALENDAR_DAY_MIN - 1);
	REFUSES("its longest age is out of range", fitted.max_age = 0);
	REFUSES("its longest age is out of range", fitted.max_age = NAN);
	REFUSES("its penalty is out of range", fitted.penalty = -1);
	REFUSES("its penalty is out of range", fitted.penalty = INFINITY);
	REFUSES("a likelihood is not finite", fitted.log_likelihood = NAN);
	REFUSES("a likelihood is not finite", fitted.spend_log_likelihood = -INFINITY);
	REFUSES("a parameter is out of range", fitted.orders.value[CLV_R] = 0);
	REFUSES("a parameter is out of range", fitted.orders.value[CLV_R] = NAN);
	REFUSES("a parameter is out of range", fitted.orders.value[CLV_ALPHA] = 1e13 * fitted.orders.value[CLV_BETA]);
	REFUSES("a parameter is out of range", fitted.spend[CLV_SPEND_Q] = -1);
	REFUSES("a covariance is not valid", fitted.covariance[1][1] = -1);
	REFUSES("a covariance is not valid", fitted.covariance[0][3] = NAN);
	REFUSES("a covariance is not valid", fitted.spend_covariance[1][2] = INFINITY);
	REFUSES("its correlation is not one", fitted.correlation = 1.5);
	REFUSES("its correlation is not one", fitted.correlation = NAN);
	REFUSES(NULL, fitted.covariance[0][3] = -0.0);	/* the sign is not stored */
}

/* ---------- what is seen of a member ---------- */

#define DAYS 60

/* A member in plain terms: by day, whether there was an order, and the net in hundredths. */
typedef struct Member
{
	bool		has_row[DAYS];
	bool		has_order[DAYS];
	int64		net[DAYS];
} Member;

static Size
random_member(Member *member, Event *events)
{
	const int	sparse = 1 + (int) random_below(20);
	Size		n = 0;

	memset(member, 0, sizeof(*member));
	for (int day = 0; day < DAYS; day++)
	{
		member->has_row[day] = random_below((uint64) sparse) == 0;
		if (!member->has_row[day])
			continue;
		member->has_order[day] = random_below(4) > 0;
		member->net[day] = (int64) random_below(10000) - (member->has_order[day] ? 500 : 10000);
		events[n].tag = event_period_tag(day, member->has_order[day]);
		events[n++].value = decimal_pack_small(member->net[day], 2);
	}
	return n;
}

static void
test_history(void)
{
	DecimalPool amounts = {0};
	DecimalPool pool = {0};

	property("what a model sees of a member is what days and their money say");
	for (int run = 0; run < 50000; run++)
	{
		Member		member;
		Event		events[DAYS];
		Size		n = random_member(&member, events);
		int32		until = (int32) random_below(DAYS);
		int32		recent = (int32) random_below(DAYS);
		int			first = 0;
		int			last = -1;
		uint32		orders = 0;
		uint32		orders_after = 0;
		uint32		orders_recent = 0;
		int64		money = 0;
		int64		money_after = 0;
		ClvHistory	history;
		ClvHistoryStatus status = clv_history_read(events, n, &amounts, until, recent, &history, &pool);

		while (first < DAYS && !member.has_order[first])
			first++;
		if (first > until)
		{
			holds(status == CLV_HISTORY_NONE, "no order until then");
			continue;
		}
		for (int day = first; day < DAYS; day++)
		{
			if (day <= until)
			{
				orders += member.has_order[day];
				orders_recent += member.has_order[day] && day >= recent;
				last = member.has_order[day] ? day : last;
				money += day > first ? member.net[day] : 0;
			}
			else
			{
				orders_after += member.has_order[day];
				money_after += member.net[day];
			}
		}
		holds(status == CLV_HISTORY_READ && history.first == first && history.repeats == orders - 1 &&
			  history.last_age == last - first && history.age == until - first && history.recent == orders_recent &&
			  history.days_after == orders_after, "days");
		holds(history.money >> 8 == money && history.money_after >> 8 == money_after, "money");
	}
	property_end();
}

/* ---------- day by day ---------- */

static void
test_tracking(void)
{
	static const ClvParameters parameters = {CLV_MBG, {0.8, 20, 0.9, 1.6}};

	property("orders of all members day by day, and those that are expected");
	for (int run = 0; run < 200; run++)
	{
		const int	members = 1 + (int) random_below(50);
		const int32 shift = (int32) random_below(2) * 100000 - 50000;
		int32		until = (int32) random_below(DAYS);
		int32		last = until + (int32) random_below(DAYS - (uint64) until);
		Member	   *member = malloc(members * sizeof(Member));
		int		   *first = malloc(members * sizeof(int));
		ClvTracking tracking;

		clv_tracking_init(&tracking, shift + until, shift + last);
		for (int m = 0; m < members; m++)
		{
			Event		events[DAYS];
			Size		n = random_member(&member[m], events);

			for (Size i = 0; i < n; i++)
				events[i].tag = event_period_tag(event_period(&events[i]) + shift, event_is_active(&events[i]));
			first[m] = 0;
			while (first[m] < DAYS && !member[m].has_order[first[m]])
				first[m]++;
			if (first[m] <= until)
				clv_tracking_add_history(&tracking, shift + first[m], events, n);
		}
		clv_tracking_expect(&tracking, &parameters);
		for (int day = -1; day <= last; day++)
		{
			float8		repeats = 0;
			float8		expected = 0;
			int			from = day - (int) random_below(5);

			for (int m = 0; m < members; m++)
			{
				if (first[m] > until)
					continue;
				for (int d = Max(from + 1, first[m] + 1); d <= day; d++)
					repeats += member[m].has_order[d];
				if (first[m] <= day)
					expected += clv_new_orders(&parameters, day - first[m]);
			}
			holds(clv_tracking_repeats(&tracking, shift + from, shift + day) == repeats, "repeats");
			holds(fabs(clv_tracking_expected(&tracking, shift + day) - expected) <= 1e-12 * expected, "expected");
		}
		clv_tracking_free(&tracking);
		free(member);
		free(first);
	}
	property_end();
}

/* Members who come every day, are never lost, and order at the rate r / alpha of a model; more in one block. */
static bool
seasonal(float8 more, uint32 members)
{
	static const ClvParameters parameters = {CLV_NBD, {1000, 10000}};
	ClvTracking tracking;
	bool		result;

	clv_tracking_init(&tracking, 363, 363);
	for (uint32 m = 0; m < members; m++)
	{
		Event		events[364] = {{0}};
		Size		n = 0;

		events[n++].tag = event_period_tag(0, true);
		for (int32 day = 1; day < 364; day++)
			if ((float8) random_below(1000) < 100 * (day / 28 == 5 ? more : 1))
				events[n++].tag = event_period_tag(day, true);
		clv_tracking_add_history(&tracking, 0, events, n);
	}
	clv_tracking_expect(&tracking, &parameters);
	result = clv_tracking_is_seasonal(&tracking);
	clv_tracking_free(&tracking);
	return result;
}

static void
test_seasons(void)
{
	ClvTracking tracking;
	Event		days[2] = {{.tag = event_period_tag(-200000, true)}, {.tag = event_period_tag(0, true)}};

	ok(!seasonal(1, 200), "no season");
	ok(!seasonal(1.2, 200), "a weak one");
	ok(seasonal(1.5, 200), "four weeks with half as much again");
	ok(seasonal(0.5, 200), "four weeks with half as much");
	ok(!seasonal(1.5, 3), "of three members nothing is told");
	clv_tracking_init(&tracking, 10, 10);
	clv_tracking_add_history(&tracking, -200000, days, 2);
	ok(tracking.is_too_long, "more days than are tracked");
	clv_tracking_free(&tracking);
}

int
main(void)
{
	test_round_trips();
	test_damage();
	test_refusals();
	test_history();
	test_tracking();
	test_seasons();
	return done_testing();
}
