/* needs: interaction/interaction_core.c */
#include "interaction/interaction_core.h"

#include <math.h>

#include "tap.h"

#define EVENTS 40
#define DAY INT64CONST(86400000000)

/*
 * The definition of statistics.md, word for word and in integers: over the last
 * span before as_of sticky if own >= k and own / all >= p / q, else induced if
 * any induced or own, else forced if any, else dormant.
 */
static InteractionStage
stage_by_definition(const Event *events, int n, int64 as_of, int64 span, int k, int p, int q)
{
	int			of[3] = {0};
	int			all = 0;

	for (int i = 0; i < n; i++)
		if ((int128) as_of - span < events[i].value && events[i].value <= as_of)
		{
			of[events[i].tag]++;
			all++;
		}
	if (of[2] >= k && of[2] * q >= p * all)
		return STAGE_STICKY;
	if (of[1] > 0 || of[2] > 0)
		return STAGE_INDUCED;
	return all > 0 ? STAGE_FORCED : STAGE_DORMANT;
}

static int
compare_events(const void *a, const void *b)
{
	const Event *x = a;
	const Event *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->tag > y->tag) - (x->tag < y->tag);
}

/* Times close together, so that they often lie on the edges of the span; at both ends of time, too. */
static int64
random_time(int kind)
{
	switch (kind)
	{
		case 0:
			return (int64) random_below(20);
		case 1:
			return (int64) random_below(1000) * DAY;
		case 2:
			return INT64_MIN + (int64) random_below(12);
		case 3:
			return INT64_MAX - (int64) random_below(12);
		default:
			return random_below(2) ? INT64_MIN + (int64) random_below(3) : INT64_MAX - (int64) random_below(3);
	}
}

static int64
random_span(int kind)
{
	switch (kind)
	{
		case 0:
		case 2:
		case 3:
			return 1 + (int64) random_below(14);
		case 1:
			return (int64) (1 + random_below(400)) * DAY;
		default:
			return INT64_MAX - (int64) random_below(2);
	}
}

static void
test_definition(void)
{
	static int	seen[INTERACTION_STAGES];
	int			unknown = 0;

	property("counts and stages are those of the definition, in exact integers");
	for (int run = 0; run < 200000; run++)
	{
		int			kind = run % 5;
		int			kinds = 1 + (int) random_below(3);
		int			n = (int) random_below(random_below(4) ? 8 : EVENTS);
		int			q = 1 + (int) random_below(20);
		int			p = (int) random_below(q + 1);
		int64		as_of = random_time(kind);
		InteractionSettings settings = {random_span(kind), 1 + (int32) random_below(4), (float8) p / q};
		Event		events[EVENTS];
		Event	   *exact;
		InteractionCounts counts;
		InteractionStage stage;
		InteractionStage expected;
		bool		known = false;

		for (int i = 0; i < n; i++)
		{
			events[i] = (Event) {.value = random_time(kind), .tag = random_below(kinds)};
			if (random_below(5) == 0)
				events[i].tag = INTERACTION_OWN;
			known |= events[i].value <= as_of;
		}
		qsort(events, n, sizeof(Event), compare_events);
		exact = exact_copy(events, n * sizeof(Event));
		expected = stage_by_definition(events, n, as_of, settings.span, settings.min_own, p, q);

		holds(interaction_count(exact, n, as_of, settings.span, &counts) == known, "run %d: known", run);
		stage = interaction_stage_of(&counts, &settings);
		holds(stage == expected, "run %d: %s, not %s, of %d events, as of %" PRId64 ", span %" PRId64 ", min_own %d, min_own_share %d/%d",
			  run, interaction_stage_names[stage], interaction_stage_names[expected], n, as_of, settings.span, settings.min_own, p, q);
		for (int i = 0; i < INTERACTION_KINDS; i++)
		{
			int			count = 0;

			for (int j = 0; j < n; j++)
				count += events[j].tag == (uint32) i && events[j].value <= as_of &&
					(int128) events[j].value > (int128) as_of - settings.span;
			holds(counts.of[i] == count, "run %d: kind %d", run, i);
		}
		free(exact);
		seen[expected]++;
		unknown += !known;
	}
	property_end();
	for (int i = 0; i < INTERACTION_STAGES; i++)
		ok(seen[i] > 2000, "%d members %s among them", seen[i], interaction_stage_names[i]);
	ok(unknown > 2000, "and %d not known yet", unknown);

	property("counts of parts, added up one by one, are the counts of the whole");
	for (int run = 0; run < 20000; run++)
	{
		int			n = (int) random_below(EVENTS);
		int64		as_of = random_time(0);
		int64		span = random_span(0);
		Event		events[EVENTS];
		InteractionCounts parts[2] = {{{0}}, {{0}}};
		InteractionCounts whole;

		for (int i = 0; i < n; i++)
			events[i] = (Event) {.value = random_time(0), .tag = random_below(3)};
		qsort(events, n, sizeof(Event), compare_events);
		(void) interaction_count(events, n, as_of, span, &whole);
		for (int i = 0; i < n; i++)
		{
			InteractionCounts one = {{0}};

			one.of[events[i].tag] = interaction_is_within(events[i].value, as_of, span);
			holds(interaction_merge(&parts[random_below(2)], &one), "run %d: one", run);
		}
		holds(interaction_merge(&parts[0], &parts[1]), "run %d: both", run);
		holds(memcmp(&parts[0], &whole, sizeof(whole)) == 0, "run %d", run);
	}
	property_end();
}

/* Worked out by hand: min_own = 2, min_own_share = 0.5, span 180 days. */
static void
test_by_hand(void)
{
	static const struct
	{
		int64		obliged;
		int64		induced;
		int64		own;
		InteractionStage stage;
		const char *why;
	}			cases[] = {
		{0, 0, 0, STAGE_DORMANT, "nothing is dormant"},
		{9, 0, 0, STAGE_FORCED, "obliged only is forced"},
		{9, 1, 0, STAGE_INDUCED, "one induced is enough"},
		{9, 0, 1, STAGE_INDUCED, "one of its own is not sticky yet"},
		{0, 0, 1, STAGE_INDUCED, "one is below min_own, though all are its own"},
		{0, 0, 2, STAGE_STICKY, "two of its own are"},
		{1, 1, 2, STAGE_STICKY, "half is enough"},
		{2, 1, 2, STAGE_INDUCED, "less than half is not"},
		{INTERACTION_COUNT_MAX - 3, 0, 3, STAGE_INDUCED, "three of very many are not"},
	};
	InteractionSettings settings = {180 * DAY, 2, 0.5};
	InteractionCounts counts = {{INTERACTION_COUNT_MAX - 1, 0, 0}};
	InteractionCounts one = {{0, 0, 1}};
	InteractionKind kind;

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		InteractionCounts c = {{cases[i].obliged, cases[i].induced, cases[i].own}};

		is_text(interaction_stage_names[interaction_stage_of(&c, &settings)],
				interaction_stage_names[cases[i].stage], cases[i].why);
	}
	ok(interaction_is_within(100 * DAY, 100 * DAY, DAY) && !interaction_is_within(100 * DAY + 1, 100 * DAY, DAY) &&
	   interaction_is_within(99 * DAY + 1, 100 * DAY, DAY) && !interaction_is_within(99 * DAY, 100 * DAY, DAY),
	   "as_of is inside the span, its other end is not");

	settings.min_own_share = 0.1;
	settings.min_own = 1;
	counts = (InteractionCounts) {{9, 0, 1}};
	ok(interaction_stage_of(&counts, &settings) == STAGE_STICKY, "1 of 10 is 0.1, though 0.1 is no binary number");
	settings.min_own_share = 0;
	counts = (InteractionCounts) {{9, 9, 0}};
	ok(interaction_stage_of(&counts, &settings) == STAGE_INDUCED, "none of its own is not sticky whatever min_own_share is");

	counts = (InteractionCounts) {{INTERACTION_COUNT_MAX - 1, 0, 0}};
	ok(interaction_merge(&counts, &one) && !interaction_merge(&counts, &one) && counts.of[2] == 1,
	   "counts end at 2^53 in all, and stay as they were");

	ok(interaction_kind_of_name("obliged", 7, &kind) && kind == INTERACTION_OBLIGED &&
	   interaction_kind_of_name("induced", 7, &kind) && kind == INTERACTION_INDUCED &&
	   interaction_kind_of_name("own!", 3, &kind) && kind == INTERACTION_OWN, "three kinds");
	ok(!interaction_kind_of_name("", 0, &kind) && !interaction_kind_of_name("ow", 2, &kind) &&
	   !interaction_kind_of_name("own ", 4, &kind) && !interaction_kind_of_name("Own", 3, &kind) &&
	   !interaction_kind_of_name("obliged\0", 8, &kind) && !interaction_kind_of_name("forced", 6, &kind), "and no other");

	settings = (InteractionSettings) {1, 1, 1};
	ok(interaction_settings_are_valid(&settings), "settings are valid up to their limits");
	ok(!interaction_settings_are_valid(&(InteractionSettings) {0, 1, 1}) &&
	   !interaction_settings_are_valid(&(InteractionSettings) {1, 0, 1}) &&
	   !interaction_settings_are_valid(&(InteractionSettings) {1, 1, 1.0000000000000002}) &&
	   !interaction_settings_are_valid(&(InteractionSettings) {1, 1, -1e-300}) &&
	   !interaction_settings_are_valid(&(InteractionSettings) {1, 1, NAN}), "and not beyond");
}

int
main(void)
{
	test_by_hand();
	test_definition();
	return done_testing();
}
