/* needs: money/decimal.c shared/calendar_core.c history/history_core.c funnel/funnel_core.c funnel/funnel_walk_core.c funnel/funnel_rules_core.c funnel/funnel_any_order_core.c */
#include "funnel/funnel_core.h"

#include "tap.h"

#define ROWS 8					/* at most, where all chains are tried */

#define EVERY_MODE 16			/* all sets of the four restrictions */

/* PostgreSQL's first and last timestamp. */
#define TIME_FIRST INT64_C(-211813488000000000)
#define TIME_LAST INT64_C(9223371331199999999)

static const char *
mode_name(int mode)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s%s%s%s%s", mode == 0 ? ", clickhouse" : "",
			 mode & FUNNEL_ONCE ? ", once" : "", mode & FUNNEL_ORDER ? ", order" : "",
			 mode & FUNNEL_DEDUPLICATION ? ", deduplication" : "", mode & FUNNEL_INCREASE ? ", increase" : "");
	return name + 2;
}

/* ---------- worked examples ---------- */

/* The level of rows at times 1, 2, 3 ...: letters of `steps` are steps, all others none. */
static int
level_of(const char *rows, const char *steps, int64 within, int mode)
{
	Funnel		funnel = {(int) strlen(steps), within, mode};
	Event		events[64];
	FunnelChain chain;
	size_t		n = strlen(rows);

	for (size_t i = 0; i < n; i++)
	{
		const char *step = strchr(steps, rows[i]);

		events[i] = (Event) {.value = (int64) i + 1, .tag = step ? UINT32_C(1) << (step - steps) : 0};
	}
	funnel_walk(&funnel, events, n, &chain);
	return chain.level;
}

static void
test_examples(void)
{
	static const struct
	{
		const char *rows;
		const char *steps;
		int64		within;
		int			mode;
		int			level;
	}			examples[] = {
		/* a, then b, then c: no restriction, and the order kept strictly */
		{"abc", "abc", 100, FUNNEL_ONCE, 3},
		{"adbc", "abc", 100, FUNNEL_ONCE, 3},
		{"aabbcc", "abc", 100, FUNNEL_ONCE, 3},
		{"ccbbaa", "abc", 100, FUNNEL_ONCE, 1},
		{"abc", "abc", 100, FUNNEL_ORDER, 3},
		{"adbc", "abc", 100, FUNNEL_ORDER, 1},
		{"aabbcc", "abc", 100, FUNNEL_ORDER, 3},
		{"aabbdcc", "abc", 100, FUNNEL_ORDER, 2},
		{"ccbbaa", "abc", 100, FUNNEL_ORDER, 1},
		/* ClickHouse's documentation: A->B->D->C stops at D, A->B->B->C at the second B */
		{"ABDC", "ABC", 100, FUNNEL_ORDER, 2},
		{"ABDC", "ABC", 100, 0, 3},
		{"ABBC", "ABC", 100, FUNNEL_DEDUPLICATION, 2},
		{"ABBC", "ABC", 100, 0, 3},
		/* Doris's documentation */
		{"ABCBD", "ABCD", 100, FUNNEL_DEDUPLICATION, 3},
		{"ABDC", "ABCD", 100, FUNNEL_ORDER, 2},
		/* the window is inclusive, and begins anew with every first step */
		{"axb", "ab", 2, 0, 2},
		{"axxb", "ab", 2, 0, 1},
		{"axxaxb", "ab", 2, 0, 2},
		{"a", "ab", 0, 0, 1},
		{"b", "ab", 100, 0, 0},
		{"", "ab", 100, 0, 0}
	};

	property("worked examples");
	for (size_t i = 0; i < LENGTH_OF(examples); i++)
	{
		int			level = level_of(examples[i].rows, examples[i].steps, examples[i].within, examples[i].mode);

		holds(level == examples[i].level, "%s in %s, %s: %d, not %d", examples[i].rows, examples[i].steps,
			  mode_name(examples[i].mode), level, examples[i].level);
	}
	property_end();
}

static FunnelChain
walk(int steps, int64 within, int mode, const Event *events, size_t n)
{
	Funnel		funnel = {steps, within, mode};
	FunnelChain chain;

	funnel_walk(&funnel, events, n, &chain);
	return chain;
}

#define MOMENT(time, steps) {.value = (time), .tag = (steps)}

static void
test_moments(void)
{
	static const Event both_first[] = {MOMENT(1, 1), MOMENT(1, 3)};
	static const Event apart[] = {MOMENT(1, 3), MOMENT(2, 2)};
	static const Event needs_exchange[] = {MOMENT(5, 3), MOMENT(5, 1), MOMENT(5, 6)};
	static const Event with_stranger[] = {MOMENT(1, 1), MOMENT(2, 0), MOMENT(2, 2), MOMENT(3, 4)};
	static const Event with_repeat[] = {MOMENT(1, 1), MOMENT(2, 1), MOMENT(2, 2), MOMENT(3, 4)};
	static const Event two_chains[] = {MOMENT(1, 1), MOMENT(2, 2), MOMENT(10, 1), MOMENT(15, 2), MOMENT(16, 2)};
	static const Event across_all_time[] = {MOMENT(TIME_FIRST, 1), MOMENT(TIME_LAST, 2)};
	FunnelChain chain;

	is_int(walk(2, 10, FUNNEL_ONCE, both_first, 2).level, 2, "two rows of one moment are two steps");
	is_int(walk(2, 10, FUNNEL_ONCE, both_first + 1, 1).level, 1, "one row is one step");
	is_int(walk(2, 10, 0, both_first + 1, 1).level, 2, "or as many as it meets, as ClickHouse has it");
	is_int(walk(2, 10, FUNNEL_INCREASE, both_first, 2).level, 1, "where times must increase a moment is one step");
	is_int(walk(2, 10, FUNNEL_INCREASE, apart, 2).level, 2, "and two moments are two");
	is_int(walk(3, 10, FUNNEL_ONCE, needs_exchange, 3).level, 3, "rows of a moment are given to the steps that need them");
	is_int(walk(3, 10, FUNNEL_ORDER, with_stranger, 4).level, 3,
		   "a row that meets no step does not come between rows of its own moment");
	is_int(walk(3, 10, FUNNEL_DEDUPLICATION, with_repeat, 4).level, 3, "nor does a repeat");

	chain = walk(2, 10, FUNNEL_ONCE, two_chains, 5);
	ok(chain.level == 2 && chain.time[0] == 10 && chain.time[1] == 15,
	   "of two chains the later counts, with the first row of each step");
	is_int(walk(2, INT64_MAX, FUNNEL_ONCE, across_all_time, 2).level, 1,
		   "all of time is longer than the longest window");
	chain = walk(1, 0, FUNNEL_ONCE, across_all_time, 2);
	ok(chain.level == 1 && chain.time[0] == TIME_FIRST, "the first timestamp of all");
}

static void
test_many_steps(void)
{
	static Event events[5000];
	FunnelChain chain;
	size_t		n = 0;

	for (int i = 0; i < 32; i++)
		events[n++] = (Event) {.value = i, .tag = UINT32_C(1) << i};
	chain = walk(32, 31, FUNNEL_ONCE, events, n);
	ok(chain.level == 32 && chain.time[0] == 0 && chain.time[31] == 31, "32 steps");
	is_int(walk(32, 30, FUNNEL_ONCE, events, n).level, 31, "all but the last");

	for (size_t i = 0; i < 5000; i++)
		events[i] = (Event) {.value = 7, .tag = UINT32_MAX};
	property("rows of one moment that meet all steps are as many steps");
	for (int rows = 0; rows <= 40; rows++)
		holds(walk(32, 0, FUNNEL_ONCE, events, rows).level == Min(rows, 32), "%d rows", rows);
	property_end();
	is_int(walk(32, 0, FUNNEL_ONCE, events, 5000).level, 32, "5000 rows that meet all of 32 steps");
	is_int(walk(32, 0, FUNNEL_ONCE, events, 31).level, 31, "31 of them");
	is_int(walk(32, 0, 0, events, 1).level, 32, "one of them, as ClickHouse has it");

	/* 1000 rows that could be any of the first 31 steps do not hide the one that is the last. */
	for (size_t i = 0; i < 1000; i++)
		events[i] = (Event) {.value = 7, .tag = UINT32_MAX >> 1};
	events[1000] = (Event) {.value = 7, .tag = UINT32_MAX};
	is_int(walk(32, 0, FUNNEL_ONCE, events, 1001).level, 32, "a last row among a thousand");
	is_int(walk(32, 0, FUNNEL_ONCE, events, 1000).level, 31, "without it");
}

/* ---------- the definition, taken literally ---------- */

static bool
is_met(const Event *event, int step)
{
	return (event->tag & UINT32_C(1) << step) != 0;
}

/* Steps from `step` on that rows of this time can meet, by trying all ways. */
static int
steps_of_moment(const Event *events, int n, int64 time, int steps, int step, unsigned used, int mode)
{
	int			best = 0;

	for (int i = 0; i < n && step < steps; i++)
		if (events[i].value == time && is_met(&events[i], step) && (used & 1u << i) == 0)
		{
			int			more = mode & FUNNEL_INCREASE ? 0 :
				steps_of_moment(events, n, time, steps, step + 1, mode & FUNNEL_ONCE ? used | 1u << i : 0, mode);

			best = Max(best, 1 + more);
		}
	return best;
}

/* One chain, begun at a time. */
static FunnelChain
walk_from(const Funnel *funnel, const Event *events, int n, int64 start)
{
	FunnelChain chain = {0};

	for (int64 time = start; time <= start + funnel->within; time++)
	{
		bool		is_over = false;
		int			m;

		m = steps_of_moment(events, n, time, funnel->steps, chain.level, 0, funnel->mode);
		for (int i = 0; i < m; i++)
			chain.time[chain.level++] = time;
		for (int i = 0; i < n && m == 0; i++)
			if (events[i].value == time)
			{
				bool		meets_reached = false;

				for (int step = 0; step < chain.level; step++)
					meets_reached |= is_met(&events[i], step);
				if (meets_reached ? funnel->mode & FUNNEL_DEDUPLICATION : funnel->mode & FUNNEL_ORDER)
					is_over = true;
			}
		if (is_over || chain.level == 0)
			break;
	}
	return chain;
}

/* The best of the chains begun at any time. */
static FunnelChain
walk_all(const Funnel *funnel, const Event *events, int n)
{
	FunnelChain best = {0};

	for (int i = 0; i < n; i++)
	{
		FunnelChain chain = walk_from(funnel, events, n, events[i].value);

		if (chain.level > best.level || (chain.level == best.level && chain.level > 0 && chain.time[0] > best.time[0]))
			best = chain;
	}
	return best;
}

/*
 * The best of all chains that exist: any row may be the next step.  Of those of
 * one level the latest start, and then the earliest times.
 */
static void
try_all(const Funnel *funnel, const Event *events, int n, unsigned used, FunnelChain *chain, FunnelChain *best)
{
	int			level = chain->level;
	bool		is_better = level > best->level;

	if (level == best->level && level > 0)
	{
		int			differ = 0;

		while (differ < level && chain->time[differ] == best->time[differ])
			differ++;
		is_better = differ < level &&
			(differ == 0 ? chain->time[0] > best->time[0] : chain->time[differ] < best->time[differ]);
	}
	if (is_better)
		*best = *chain;
	for (int i = 0; i < n && level < funnel->steps; i++)
	{
		if (!is_met(&events[i], level) ||
			((funnel->mode & FUNNEL_ONCE) && (used & 1u << i)) ||
			(level > 0 && events[i].value < chain->time[level - 1]) ||
			(level > 0 && (funnel->mode & FUNNEL_INCREASE) && events[i].value == chain->time[level - 1]) ||
			(level > 0 && events[i].value > chain->time[0] + funnel->within))
			continue;
		chain->time[level] = events[i].value;
		chain->level = level + 1;
		try_all(funnel, events, n, used | 1u << i, chain, best);
		chain->level = level;
	}
}

static bool
same_chain(const FunnelChain *a, const FunnelChain *b)
{
	return a->level == b->level && memcmp(a->time, b->time, a->level * sizeof(int64)) == 0;
}

static const char *
text_of(const Event *events, int n)
{
	static char text[400];
	int			at = 0;

	text[0] = '\0';
	for (int i = 0; i < n; i++)
		at += snprintf(text + at, sizeof(text) - at, "%d:%x ", (int) events[i].value, events[i].tag);
	return text;
}

static void
swap_events(Event *a, Event *b)
{
	Event		kept = *a;

	*a = *b;
	*b = kept;
}

static void
test_all_chains(int mode)
{
	char		name[200];

	snprintf(name, sizeof(name), "%s: levels and times are those of the definition", mode_name(mode));
	property(name);
	for (int run = 0; run < 100000; run++)
	{
		Funnel		funnel = {1 + (int) random_below(5), (int64) random_below(6), mode};
		int			n = (int) random_below(ROWS + 1);
		int			times = 1 + (int) random_below(6);
		Event		events[ROWS];
		FunnelChain expected;
		FunnelChain got;

		/* Rows meet one step, several, or often none. */
		for (int i = 0; i < n; i++)
		{
			uint32		tag = (uint32) (random_below(2) ? UINT64_C(1) << random_below(funnel.steps) : random_u64());

			if (random_below(6) == 0)
				tag = 0;
			events[i] = (Event) {.value = (int64) random_below(times), .tag = tag & funnel_all_steps(funnel.steps)};
		}
		/* In order of times, but in no order where these are equal. */
		for (int i = 0; i < n; i++)
			for (int j = i; j > 0 && events[j].value < events[j - 1].value; j--)
				swap_events(&events[j], &events[j - 1]);

		expected = walk_all(&funnel, events, n);
		funnel_walk(&funnel, events, n, &got);
		holds(same_chain(&expected, &got), "run %d, %d steps within %d: %s: level %d, not %d", run, funnel.steps,
			  (int) funnel.within, text_of(events, n), got.level, expected.level);

		for (int i = 1; i < n; i++)
			if (events[i].value == events[i - 1].value && random_below(2))
				swap_events(&events[i], &events[i - 1]);
		funnel_walk(&funnel, events, n, &got);
		holds(same_chain(&expected, &got), "run %d: another order of equal times", run);

		if ((mode & (FUNNEL_ORDER | FUNNEL_DEDUPLICATION)) == 0)
		{
			FunnelChain chain = {0};
			FunnelChain best = {0};

			try_all(&funnel, events, n, 0, &chain, &best);
			holds(same_chain(&best, &got), "run %d, %d steps within %d: %s: level %d, but there is a chain of %d",
				  run, funnel.steps, (int) funnel.within, text_of(events, n), got.level, best.level);
		}
	}
	property_end();
}

/*
 * Steps 1 .. m can be given to different rows if and only if any k of them are
 * met by k rows or more (Hall 1935, "On Representatives of Subsets").
 */
static bool
hall(const Event *events, int n, int m)
{
	for (uint32 set = 1; set < UINT32_C(1) << m; set++)
	{
		int			rows = 0;

		for (int i = 0; i < n; i++)
			rows += (events[i].tag & set) != 0;
		if (rows < __builtin_popcount(set))
			return false;
	}
	return true;
}

static void
test_matching(void)
{
	property("one moment of many rows: as many steps as Hall's theorem allows");
	for (int run = 0; run < 3000; run++)
	{
		Event		events[150];
		int			steps = 1 + (int) random_below(9);
		int			n = (int) random_below(run % 10 == 0 ? 150 : 14);
		int			density = 1 + (int) random_below(4);
		int			level = 0;

		for (int i = 0; i < n; i++)
		{
			uint64		tag = random_u64();

			for (int k = 1; k < density; k++)
				tag &= random_u64();
			events[i] = (Event) {.value = 3, .tag = (uint32) tag & funnel_all_steps(steps)};
		}
		while (level < steps && hall(events, n, level + 1))
			level++;
		holds(walk(steps, 0, FUNNEL_ONCE, events, n).level == level, "run %d: not %d", run, level);
	}
	property_end();
}

/* ---------- rules, taken literally ---------- */

/*
 * A random funnel with rules: exclusions, limits for some of the steps, a last
 * start; and some of its steps optional.
 */
static void
random_rules(Funnel *funnel, FunnelRules *rules, uint32 optional)
{
	int			others = (int) random_below(3);
	int			steps = funnel->steps;
	int			first = random_below(2) ? steps : (int) random_below(steps + 1);

	funnel_rules_init(rules, steps + others, NULL);
	rules->steps = steps;
	rules->optional = optional & funnel_all_steps(steps) & ~1u;
	/* The exclusions stand behind the steps, or among them. */
	for (int i = 0, step = 0; i < rules->conditions; i++)
		rules->step[i] = i < first || i >= first + others ? step++ : FUNNEL_NO_STEP;
	if (random_below(4) == 0)
		rules->last_start = (int64) random_below(6);
	for (int r = 1; r < steps; r++)
	{
		for (int i = 0; i < rules->conditions; i++)
			if (rules->step[i] == FUNNEL_NO_STEP && (rules->optional != 0 || random_below(4)))
				rules->way_exclusions[r] |= UINT32_C(1) << i;
		if (random_below(2))
			rules->way_within[r] = (int64) random_below(5);
		if (random_below(2))
			rules->way_gap[r] = (int64) random_below(4);
	}
	funnel_rules_finish(funnel);
}

static bool
is_step(const FunnelRules *rules, const Event *event, int step)
{
	/* Chains count required steps. */
	for (int i = 0; i < rules->conditions; i++)
		if (rules->step[i] == rules->required[step] && (event->tag >> i & 1) != 0)
			return true;
	return false;
}

/* True if a row strictly between two moments ends a chain of r steps. */
static bool
is_excluded(const FunnelRules *rules, const Event *events, int n, int r, int64 after, int64 before)
{
	for (int i = 0; i < n; i++)
		if (events[i].value > after && events[i].value < before && (events[i].tag & rules->exclusions[r]) != 0)
			return true;
	return false;
}

static bool
is_better_chain(const FunnelChain *chain, const FunnelChain *best)
{
	int			level = chain->level;

	if (level != best->level || level == 0)
		return level > best->level;
	if (chain->time[0] != best->time[0])
		return chain->time[0] > best->time[0];
	for (int i = 1; i < level; i++)
		if (chain->time[i] != best->time[i])
			return chain->time[i] < best->time[i];
	return false;
}

/* Every chain that there is, where no mode says what must be taken. */
static void
try_all_by_rules(const Funnel *funnel, const Event *events, int n, unsigned used, FunnelChain *chain, FunnelChain *best)
{
	const FunnelRules *rules = funnel->rules;
	int			r = chain->level;

	if (is_better_chain(chain, best))
		*best = *chain;
	for (int i = 0; i < n && r < funnel->steps; i++)
	{
		int64		time = events[i].value;

		if (!is_step(rules, &events[i], r) || ((funnel->mode & FUNNEL_ONCE) && (used & 1u << i)))
			continue;
		if (r == 0 && time > rules->last_start)
			continue;
		if (r > 0 && (time < chain->time[r - 1] ||
					  ((funnel->mode & FUNNEL_INCREASE) && time == chain->time[r - 1]) ||
					  time - chain->time[0] > funnel->within ||
					  time - chain->time[r - 1] > rules->step_within[r] ||
					  time - chain->time[r - 1] < rules->step_gap[r] ||
					  is_excluded(rules, events, n, r, chain->time[r - 1], time)))
			continue;
		chain->time[r] = time;
		chain->level = r + 1;
		try_all_by_rules(funnel, events, n, used | 1u << i, chain, best);
		chain->level = r;
	}
}

/* Rows of one time that can be given to steps r .. r + m - 1, by trying all ways. */
static bool
can_take(const FunnelRules *rules, const Event *events, int n, int64 time, int r, int m, unsigned used, int mode)
{
	if (m == 0)
		return true;
	for (int i = 0; i < n; i++)
		if (events[i].value == time && is_step(rules, &events[i], r) && (used & 1u << i) == 0 &&
			can_take(rules, events, n, time, r + 1, m - 1, mode & FUNNEL_ONCE ? used | 1u << i : 0, mode))
			return true;
	return false;
}

/* The chain from a time on, where it must take a step as soon as it can. */
static FunnelChain
walk_from_by_rules(const Funnel *funnel, const Event *events, int n, int64 begin)
{
	const FunnelRules *rules = funnel->rules;
	FunnelChain chain = {0};

	for (int64 time = begin; time <= begin + funnel->within; time++)
	{
		int			r = chain.level;
		int64		since = r == 0 ? 0 : time - chain.time[r - 1];
		int			m = 0;

		while (r + m < funnel->steps && (m == 0 || (rules->step_gap[r + m] == 0 && (funnel->mode & FUNNEL_INCREASE) == 0)) &&
			   can_take(rules, events, n, time, r, m + 1, 0, funnel->mode))
			m++;
		if (r > 0 && (since > rules->step_within[r] || since < rules->step_gap[r]))
			m = 0;
		for (int i = 0; i < m; i++)
			chain.time[chain.level++] = time;
		if (chain.level == 0)
			break;
		for (int i = 0; i < n && m == 0; i++)
			if (events[i].value == time)
			{
				bool		is_repeat = false;
				bool		is_known = false;

				for (int step = 0; step < r; step++)
					is_repeat |= is_step(rules, &events[i], step);
				/* Optional steps before the next required one are not strangers. */
				for (int c = 0; c < rules->conditions; c++)
					is_known |= (events[i].tag >> c & 1) != 0 && rules->step[c] != FUNNEL_NO_STEP &&
						(rules->optional >> rules->step[c] & 1) != 0 && (r == funnel->steps || rules->step[c] < rules->required[r]);
				if ((is_repeat && (funnel->mode & FUNNEL_DEDUPLICATION)) || (!is_repeat && !is_known && (funnel->mode & FUNNEL_ORDER)) ||
					(events[i].tag & rules->exclusions[r]) != 0)
					return chain;
			}
	}
	return chain;
}

static void
free_rules(FunnelRules *rules)
{
	free(rules->rows);
	free(rules->moment);
	for (int r = 0; r < FUNNEL_STEPS_MAX; r++)
		free(rules->queue[r].chain);
}

/* Rows of one time that can be given to these steps, optional or not, by trying all ways. */
static bool
can_take_set(const FunnelRules *rules, const Event *events, int n, int64 time, uint32 steps, unsigned used, int mode)
{
	int			step = 0;

	if (steps == 0)
		return true;
	while ((steps >> step & 1) == 0)
		step++;
	for (int i = 0; i < n; i++)
		for (int c = 0; c < rules->conditions; c++)
			if (events[i].value == time && rules->step[c] == step && (events[i].tag >> c & 1) != 0 && (used & 1u << i) == 0 &&
				can_take_set(rules, events, n, time, steps & (steps - 1), mode & FUNNEL_ONCE ? used | 1u << i : 0, mode))
				return true;
	return false;
}

/* Adds optional steps to the times of required ones, moment by moment, as the definition has it. */
static FunnelChain
with_optional(const Funnel *funnel, const Event *events, int n, const FunnelChain *required)
{
	const FunnelRules *rules = funnel->rules;
	FunnelChain chain = {0};
	int			level = required->level;

	for (int r = 0; r < level; r++)
	{
		chain.time[rules->required[r]] = required->time[r];
		chain.reached |= UINT32_C(1) << rules->required[r];
	}
	for (int r = 0; r < level; r++)
	{
		int			step = rules->required[r] + 1;
		int			behind = r + 1 < funnel->steps ? rules->required[r + 1] : rules->steps;
		int64		last = required->time[r];
		int64		end = r + 1 < level ? required->time[r + 1] : required->time[0] + funnel->within;

		for (int64 time = last; time <= end && step < behind; time++)
		{
			for (int k = step; k < behind; k++)
			{
				uint32		taken = UINT32_C(1) << k;

				for (int i = 0; i < rules->steps; i++)
					if ((chain.reached >> i & 1) != 0 && chain.time[i] == time)
						taken |= UINT32_C(1) << i;
				if (time - last < rules->way_gap[k] || time - last > rules->way_within[k] ||
					((funnel->mode & FUNNEL_INCREASE) && (time == last || (r + 1 < level && time == end))) ||
					!can_take_set(rules, events, n, time, funnel->mode & FUNNEL_ONCE ? taken : UINT32_C(1) << k, 0, funnel->mode))
					continue;
				chain.reached |= UINT32_C(1) << k;
				chain.time[k] = last = time;
				step = k + 1;
			}
			/* Where the chain goes no further it may end before the window does. */
			if (r + 1 == level && time > required->time[r])
				for (int i = 0; i < n; i++)
					if (events[i].value == time)
					{
						bool		is_repeat = false;
						bool		is_known = false;

						for (int c = 0; c < rules->conditions; c++)
							if ((events[i].tag >> c & 1) != 0 && rules->step[c] != FUNNEL_NO_STEP)
							{
								bool		is_optional = (rules->optional >> rules->step[c] & 1) != 0;

								is_repeat |= !is_optional && rules->step[c] <= rules->required[r];
								is_known |= rules->step[c] < behind;
							}
						if ((is_repeat && (funnel->mode & FUNNEL_DEDUPLICATION)) || (!is_known && (funnel->mode & FUNNEL_ORDER)) ||
							(rules->steps > rules->required[r] + 1 && (events[i].tag & rules->way_exclusions[rules->required[r] + 1]) != 0))
							end = time;
					}
		}
	}
	while (chain.reached >> chain.level != 0)
		chain.level++;
	return chain;
}

static bool
same_steps(const FunnelChain *a, const FunnelChain *b)
{
	if (a->level != b->level || a->reached != b->reached)
		return false;
	for (int i = 0; i < a->level; i++)
		if ((a->reached >> i & 1) != 0 && a->time[i] != b->time[i])
			return false;
	return true;
}

static void
test_rules(int mode, bool has_optional)
{
	static FunnelRules rules;
	char		name[200];

	snprintf(name, sizeof(name), "%s: chains under rules%s are those of the definition", mode_name(mode), has_optional ? " with optional steps" : "");
	property(name);
	for (int run = 0; run < 40000; run++)
	{
		Funnel		funnel = {1 + (int) random_below(4 + has_optional), (int64) random_below(10), mode, &rules};
		int			n = (int) random_below(ROWS + 1);
		int			times = 1 + (int) random_below(9);
		Event		events[ROWS];
		FunnelChain expected = {0};
		FunnelChain got;

		random_rules(&funnel, &rules, has_optional ? (uint32) random_u64() : 0);
		for (int i = 0; i < n; i++)
		{
			uint32		tag = (uint32) (random_below(3) ? UINT64_C(1) << random_below(rules.conditions) : random_u64());

			events[i] = (Event) {.value = (int64) random_below(times), .tag = tag & funnel_all_steps(rules.conditions)};
		}
		for (int i = 0; i < n; i++)
			for (int j = i; j > 0 && events[j].value < events[j - 1].value; j--)
				swap_events(&events[j], &events[j - 1]);
		if ((mode & (FUNNEL_ORDER | FUNNEL_DEDUPLICATION)) == 0)
		{
			FunnelChain chain = {0};

			try_all_by_rules(&funnel, events, n, 0, &chain, &expected);
		}
		else
			for (int i = 0; i < n; i++)
			{
				FunnelChain chain = {0};

				if (events[i].value <= rules.last_start)
					chain = walk_from_by_rules(&funnel, events, n, events[i].value);
				if (chain.level > expected.level ||
					(chain.level == expected.level && chain.level > 0 && chain.time[0] > expected.time[0]))
					expected = chain;
			}
		expected = with_optional(&funnel, events, n, &expected);
		funnel_walk(&funnel, events, n, &got);
		holds(same_steps(&expected, &got), "run %d, %d steps (optional %x) within %d: %s: level %d %x, not %d %x", run, rules.steps, rules.optional,
			  (int) funnel.within, text_of(events, n), got.level, got.reached, expected.level, expected.reached);
		free_rules(&rules);
	}
	property_end();
}

/* All sets of rows that meet different steps, in the order of their times. */
static void
try_any_order(const Funnel *funnel, const Event *events, int n, uint32 steps, unsigned used, FunnelChain *chain, FunnelChain *best)
{
	const FunnelRules *rules = funnel->rules;
	int			k = chain->level;

	if (is_better_chain(chain, best))
		*best = *chain;
	for (int i = 0; i < n; i++)
		for (int step = 0; step < funnel->steps; step++)
		{
			int64		time = events[i].value;

			if ((steps >> step & 1) != 0 || !is_step(rules, &events[i], step) || ((funnel->mode & FUNNEL_ONCE) && (used & 1u << i)))
				continue;
			if (k == 0 ? time > rules->last_start : time < chain->time[k - 1] || time - chain->time[0] > funnel->within ||
				is_excluded(rules, events, n, 1, chain->time[0], time))
				continue;
			chain->time[k] = time;
			chain->level = k + 1;
			try_any_order(funnel, events, n, steps | UINT32_C(1) << step, used | 1u << i, chain, best);
			chain->level = k;
		}
}

static void
test_any_order(void)
{
	static FunnelRules rules;

	property("steps in any order are those of the definition");
	for (int run = 0; run < 40000; run++)
	{
		Funnel		funnel = {1 + (int) random_below(5), (int64) random_below(8), FUNNEL_ANY_ORDER | (run % 3 ? FUNNEL_ONCE : 0), &rules};
		int			n = (int) random_below(7);
		Event		events[ROWS];
		FunnelChain expected = {0};
		FunnelChain chain = {0};
		FunnelChain got;

		funnel_rules_init(&rules, funnel.steps + 1, NULL);
		rules.steps = funnel.steps;
		rules.step[funnel.steps] = FUNNEL_NO_STEP;
		if (random_below(2))
			for (int r = 1; r < funnel.steps; r++)
				rules.way_exclusions[r] = UINT32_C(1) << funnel.steps;
		if (random_below(3) == 0)
			rules.last_start = (int64) random_below(8);
		funnel_rules_finish(&funnel);
		for (int i = 0; i < n; i++)
		{
			uint32		tag = (uint32) (random_below(2) ? UINT64_C(1) << random_below(rules.conditions) : random_u64());

			events[i] = (Event) {.value = (int64) random_below(8), .tag = tag & funnel_all_steps(rules.conditions)};
		}
		for (int i = 0; i < n; i++)
			for (int j = i; j > 0 && events[j].value < events[j - 1].value; j--)
				swap_events(&events[j], &events[j - 1]);
		try_any_order(&funnel, events, n, 0, 0, &chain, &expected);
		funnel_walk(&funnel, events, n, &got);
		holds(same_chain(&expected, &got), "run %d, %d steps within %d: %s: level %d, not %d", run, funnel.steps, (int) funnel.within,
			  text_of(events, n), got.level, expected.level);
		free_rules(&rules);
	}
	property_end();
}

/* Rules that say nothing change nothing, however many rows there are. */
static void
test_empty_rules(void)
{
	static FunnelRules rules;
	static Event events[3000];

	funnel_rules_init(&rules, 5, NULL);
	property("rules that say nothing change nothing");
	for (int run = 0; run < 400; run++)
	{
		Funnel		funnel = {5, (int64) random_below(200), run % EVERY_MODE, &rules};
		FunnelChain expected;
		FunnelChain got;

		for (size_t i = 0; i < LENGTH_OF(events); i++)
			events[i] = (Event) {.value = (int64) i / 2, .tag = (uint32) (UINT64_C(1) << random_below(7)) & 31};
		funnel_rules_finish(&funnel);
		funnel_walk(&funnel, events, LENGTH_OF(events), &got);
		funnel.rules = NULL;
		funnel_walk(&funnel, events, LENGTH_OF(events), &expected);
		holds(same_chain(&expected, &got), "run %d", run);
	}
	property_end();

	/* Queues that grow and are emptied from the front: limits of 50 and 20 against the plain definition. */
	property("limits of many rows");
	for (int run = 0; run < 40; run++)
	{
		Funnel		funnel = {3, 120, 0, &rules};
		FunnelChain best = {0};
		FunnelChain got;

		free_rules(&rules);
		funnel_rules_init(&rules, 3, NULL);
		rules.way_within[1] = 50;
		rules.way_gap[1] = 20;
		rules.way_within[2] = 30;
		rules.way_gap[2] = 5;
		funnel_rules_finish(&funnel);
		for (size_t i = 0; i < LENGTH_OF(events); i++)
			events[i] = (Event) {.value = (int64) i * 2 + (int64) random_below(2), .tag = (uint32) (UINT64_C(1) << random_below(run % 2 ? 3 : 40)) & 7};
		for (size_t a = 0; a < LENGTH_OF(events); a++)
			for (size_t b = a; (events[a].tag & 1) && b < LENGTH_OF(events) && events[b].value - events[a].value <= 50; b++)
			{
				FunnelChain chain = {1, 1, {events[a].value}};

				if (is_better_chain(&chain, &best))
					best = chain;
				if ((events[b].tag & 2) == 0 || events[b].value - events[a].value < 20)
					continue;
				chain = (FunnelChain) {2, 3, {events[a].value, events[b].value}};
				if (is_better_chain(&chain, &best))
					best = chain;
				for (size_t c = b; c < LENGTH_OF(events) && events[c].value - events[b].value <= 30; c++)
					if ((events[c].tag & 4) != 0 && events[c].value - events[b].value >= 5 &&
						events[c].value - events[a].value <= 120)
					{
						chain = (FunnelChain) {3, 7, {events[a].value, events[b].value, events[c].value}};
						if (is_better_chain(&chain, &best))
							best = chain;
						break;
					}
			}
		funnel_walk(&funnel, events, LENGTH_OF(events), &got);
		holds(same_chain(&best, &got), "run %d: level %d, not %d", run, got.level, best.level);
	}
	property_end();
	free_rules(&rules);
}

/* ---------- durations ---------- */

static int
compare_durations(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static void
test_percentile(void)
{
	int64		few[] = {10, 30, 20, 40};
	int64		halves[] = {0, 1};
	int64		longest[] = {0, INT64_MAX};

	is_int(funnel_percentile(few, 4, 5), 25, "the median of 10, 20, 30, 40");
	is_int(funnel_percentile(few, 4, 9), 37, "their 90th percentile");
	is_int(funnel_percentile(few, 1, 9), few[0], "of one");
	is_int(funnel_percentile(halves, 2, 5), 1, "half a microsecond is rounded up");
	is_int(funnel_percentile(longest, 2, 9), INT64_C(8301034833169298226), "0.9 * (2^63 - 1) = 8301034833169298226.3");

	property("percentiles lie where the sorted durations have them");
	for (int run = 0; run < 20000; run++)
	{
		int64		durations[40];
		int64		sorted[40];
		size_t		n = 1 + random_below(40);
		int			tenths = random_below(2) ? 5 : 9;
		size_t		k = (n - 1) * tenths / 10;
		int64		got;

		for (size_t i = 0; i < n; i++)
			sorted[i] = durations[i] = (int64) random_below(run % 2 ? 10 : 1000000);
		qsort(sorted, n, sizeof(int64), compare_durations);
		got = funnel_percentile(durations, n, tenths);
		if ((n - 1) * tenths % 10 == 0)
			holds(got == sorted[k], "run %d", run);
		else
		{
			int64		exact = sorted[k] * 10 + (sorted[k + 1] - sorted[k]) * (int64) ((n - 1) * tenths % 10);

			holds(got * 10 <= exact + 5 && got * 10 > exact - 5, "run %d: %" PRId64 "/10 became %" PRId64, run, exact, got);
		}
	}
	property_end();
}

int
main(void)
{
	test_examples();
	test_moments();
	test_many_steps();
	for (int mode = 0; mode < EVERY_MODE; mode++)
		test_all_chains(mode);
	for (int mode = 0; mode < EVERY_MODE; mode++)
	{
		test_rules(mode, false);
		test_rules(mode, true);
	}
	test_any_order();
	test_empty_rules();
	test_matching();
	test_percentile();
	return done_testing();
}
