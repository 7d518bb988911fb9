/*
 * funnel_core.c
 *	  Walking all chains of a member at once.
 *
 * How far a chain can still get depends on the steps it has reached and on when
 * it began; beginning later never makes it less.  So of all chains that have
 * reached r steps only the one that began last needs to be known, and one pass
 * over the moments with at most one chain for each r finds the best; a second
 * pass from its beginning finds its times.
 *
 * With rules it also matters when a chain reached its last step.  Then of those
 * that have reached r steps there is one for each moment in which some did, the
 * one that began last, and the limits of the next step are a window that slides
 * over them: the latest beginning in it is at the front of a queue.
 */
#include "funnel/funnel_core.h"

#include "shared/growing_array.h"

/* Rows of one moment that can matter: for each step, as many as there are steps. */
#define ROWS_MAX (FUNNEL_STEPS_MAX * FUNNEL_STEPS_MAX)

#define NOBODY (-1)

/* The rows of one time. */
typedef struct Moment
{
	const Event *rows;
	Size		count;
	uint32		met;			/* steps met by any row */
	int			stranger;		/* the highest first step of a row, from 0; 32 of a row that meets none */
} Moment;

/* Which row of a moment is matched to which step. */
typedef struct Matching
{
	int			rows;
	uint32		tag[ROWS_MAX];
	int			step[ROWS_MAX]; /* or NOBODY */
	bool		seen[ROWS_MAX];
} Matching;

static Size
read_moment(const Event *events, Size n, Size at, Moment *moment)
{
	int64		time = events[at].value;

	moment->rows = events + at;
	moment->met = 0;
	moment->stranger = 0;
	for (; at < n && events[at].value == time; at++)
	{
		uint32		tag = events[at].tag;
		int			first = tag == 0 ? FUNNEL_STEPS_MAX : __builtin_ctz(tag);

		check_interrupts(at);
		moment->met |= tag;
		moment->stranger = Max(moment->stranger, first);
	}
	moment->count = (Size) (events + at - moment->rows);
	return at;
}

/* ---------- one row for each step ---------- */

/*
 * Takes the rows that can matter.  A step that an ignored row meets has as many
 * rows taken as there are steps, so one of those is free.
 */
static void
take_rows(Matching *matching, const Moment *moment, int steps)
{
	int			taken[FUNNEL_STEPS_MAX] = {0};

	matching->rows = 0;
	for (Size i = 0; i < moment->count; i++)
	{
		bool		matters = false;

		check_interrupts(i);
		for (uint32 left = moment->rows[i].tag; left != 0 && !matters; left &= left - 1)
			matters = taken[__builtin_ctz(left)] < steps;
		if (!matters)
			continue;
		for (uint32 left = moment->rows[i].tag; left != 0; left &= left - 1)
			taken[__builtin_ctz(left)]++;
		matching->tag[matching->rows] = moment->rows[i].tag;
		matching->step[matching->rows] = NOBODY;
		matching->rows++;
	}
}

/*
 * Finds a row for one more step, giving other rows to steps matched before if
 * need be (augmenting paths; Kuhn 1955, "The Hungarian method").
 */
static bool
match(Matching *matching, int step)
{
	for (int i = 0; i < matching->rows; i++)
	{
		if ((matching->tag[i] >> step & 1) == 0 || matching->seen[i])
			continue;
		matching->seen[i] = true;
		if (matching->step[i] == NOBODY || match(matching, matching->step[i]))
		{
			matching->step[i] = step;
			return true;
		}
	}
	return false;
}

static void
unmatch(Matching *matching, int step)
{
	for (int i = 0; i < matching->rows; i++)
		if (matching->step[i] == step)
			matching->step[i] = NOBODY;
}

/*
 * For every number of steps reached before the moment, how many have been
 * reached after it, if each row counts for one.  A chain of r + 1 steps gets at
 * least as far as one of r, so a single matching serves all: it loses a step at
 * its beginning and gains some at its end.
 */
static void
reach_once(const Funnel *funnel, const Moment *moment, int *reach)
{
	Matching	matching;
	int			end = 0;

	take_rows(&matching, moment, funnel->steps);
	for (int r = 0; r < funnel->steps; r++)
	{
		end = Max(end, r);
		for (; end < funnel->steps; end++)
		{
			memset(matching.seen, false, matching.rows * sizeof(bool));
			if (!match(&matching, end))
				break;
		}
		reach[r] = end;
		unmatch(&matching, r);
	}
}

/* ---------- chains ---------- */

/*
 * How far the moment takes chains that have reached r steps, for each r that is a
 * bit of `wanted`.
 */
static void
find_reach(const Funnel *funnel, const Moment *moment, uint32 wanted, int *reach)
{
	/* Only where two consecutive steps are met can a chain advance by more than one. */
	uint32		several = wanted & moment->met & moment->met >> 1;

	if (several != 0 && (funnel->mode & (FUNNEL_ONCE | FUNNEL_INCREASE)) == FUNNEL_ONCE &&
		moment->count > 1)
	{
		reach_once(funnel, moment, reach);
		return;
	}
	for (uint32 left = wanted; left != 0; left &= left - 1)
	{
		int			r = __builtin_ctz(left);
		uint64		from_here = (uint64) moment->met >> r;

		if (funnel->mode & (FUNNEL_ONCE | FUNNEL_INCREASE))
			reach[r] = r + (int) (from_here & 1);
		else
			reach[r] = r + __builtin_ctzll(~from_here);
	}
}

/* True if a chain of r steps, which the moment does not advance, is over. */
static inline bool
is_over(const Funnel *funnel, const Moment *moment, int r)
{
	return ((funnel->mode & FUNNEL_ORDER) && moment->stranger >= r) ||
		((funnel->mode & FUNNEL_DEDUPLICATION) && (moment->met & funnel_all_steps(r)) != 0);
}

static inline bool
is_within(const Funnel *funnel, int64 start, int64 time)
{
	return (uint64) time - (uint64) start <= (uint64) funnel->within;
}

/* The level of the member, and at which event the chain that counts begins. */
static int
find_best(const Funnel *funnel, const Event *events, Size n, Size *best_start)
{
	bool		may_end = (funnel->mode & (FUNNEL_ORDER | FUNNEL_DEDUPLICATION)) != 0;
	uint32		alive = 0;		/* bit r: a chain that has reached r steps, not all */
	Size		start[FUNNEL_STEPS_MAX + 1];	/* and where it begins */
	int			best = 0;
	Moment		moment;

	for (Size at = 0, next; at < n; at = next)
	{
		int			reach[FUNNEL_STEPS_MAX];
		uint32		touched;

		next = read_moment(events, n, at, &moment);
		touched = may_end ? alive | (moment.met & 1) : (alive | 1) & moment.met;
		if (touched == 0)
			continue;
		find_reach(funnel, &moment, touched, reach);

		/* The highest first, so that what a chain arrives at is settled already. */
		while (touched != 0)
		{
			int			r = 31 - __builtin_clz(touched);
			Size		from = r == 0 ? at : start[r];
			int			to = reach[r];

			touched ^= UINT32_C(1) << r;
			if (!is_within(funnel, events[from].value, moment.rows->value))
			{
				alive &= ~(UINT32_C(1) << r);
				continue;
			}
			if (to == r)
			{
				if (is_over(funnel, &moment, r))
					alive &= ~(UINT32_C(1) << r);
				continue;
			}
			if (r > 0)
				alive &= ~(UINT32_C(1) << r);
			if (to > best || (to == best && from > *best_start))
			{
				best = to;
				*best_start = from;
			}
			if (to < funnel->steps && ((alive >> to & 1) == 0 || from > start[to]))
			{
				alive |= UINT32_C(1) << to;
				start[to] = from;
			}
		}
	}
	return best;
}

/* How far a member came, where there are no rules. */
static void
walk_freely(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	Size		at = 0;
	int			level = find_best(funnel, events, n, &at);
	int			reach[FUNNEL_STEPS_MAX];
	Moment		moment;

	chain->level = 0;
	while (chain->level < level)
	{
		at = read_moment(events, n, at, &moment);
		find_reach(funnel, &moment, UINT32_C(1) << chain->level, reach);
		for (int to = reach[chain->level]; chain->level < to; chain->level++)
			chain->time[chain->level] = moment.rows->value;
	}
}

/* ---------- chains under rules ---------- */

#define NEVER PG_INT64_MIN		/* no chain began then: it is before all times */

/* Rules that change nothing, of rows with so many conditions; scratch memory comes from the context. */
void
funnel_rules_init(FunnelRules *rules, int conditions, MemoryContext context)
{
	memset(rules, 0, sizeof(*rules));
	rules->conditions = conditions;
	for (int i = 0; i < FUNNEL_STEPS_MAX; i++)
	{
		rules->step[i] = i;
		rules->step_within[i] = PG_INT64_MAX;
	}
	rules->last_start = PG_INT64_MAX;
	rules->context = context;
}

/* The rows with the steps that they meet as their tags. */
static const Event *
rows_of_steps(FunnelRules *rules, const Event *events, Size n)
{
	if (!rules->has_others)
		return events;
	if (n > rules->rows_capacity)
		rules->rows = array_grow(rules->rows, &rules->rows_capacity, n, sizeof(Event), rules->context);
	for (Size i = 0; i < n; i++)
	{
		uint32		steps = 0;

		check_interrupts(i);
		for (uint32 left = events[i].tag; left != 0; left &= left - 1)
		{
			int			step = rules->step[__builtin_ctz(left)];

			if (step != FUNNEL_NO_STEP)
				steps |= UINT32_C(1) << step;
		}
		rules->rows[i] = (Event) {.value = events[i].value, .tag = steps};
	}
	return rules->rows;
}

/* Time from one moment to a later one, which may be longer than a duration can be. */
static inline uint64
time_between(int64 earlier, int64 later)
{
	return (uint64) later - (uint64) earlier;
}

static inline void
empty_queue(FunnelQueue *queue)
{
	queue->head = queue->ripe = queue->pending = queue->end = 0;
}

static inline bool
is_empty(const FunnelQueue *queue)
{
	return queue->head == queue->ripe && queue->pending == queue->end;
}

static FunnelWaiting *
append_waiting(FunnelRules *rules, FunnelQueue *queue)
{
	if (queue->end == queue->capacity)
		queue->chain = array_grow(queue->chain, &queue->capacity, queue->end + 1, sizeof(FunnelWaiting), rules->context);
	return &queue->chain[queue->end++];
}

/* Notes the beginning of a chain whose last step was now. */
static void
push_start(FunnelRules *rules, int r, int64 time, int64 start)
{
	FunnelQueue *queue = &rules->queue[r];

	/* Without limits those that began earlier are of no use. */
	if (rules->step_within[r] == PG_INT64_MAX && rules->step_gap[r] == 0)
	{
		if (!is_empty(queue) && queue->chain[queue->head].start >= start)
			return;
		empty_queue(queue);
	}
	/* What was taken off the front makes room. */
	if (queue->end == queue->capacity && queue->ripe - queue->head + queue->end - queue->pending < queue->end / 2)
	{
		Size		ripe = queue->ripe - queue->head;
		Size		pending = queue->end - queue->pending;

		memmove(queue->chain, queue->chain + queue->head, ripe * sizeof(FunnelWaiting));
		memmove(queue->chain + ripe, queue->chain + queue->pending, pending * sizeof(FunnelWaiting));
		queue->head = 0;
		queue->ripe = queue->pending = ripe;
		queue->end = ripe + pending;
	}
	*append_waiting(rules, queue) = (FunnelWaiting) {.time = time, .start = start};
}

/* The latest beginning of the chains that may take step r + 1 now, or NEVER. */
static int64
latest_start(const Funnel *funnel, int r, int64 time)
{
	FunnelRules *rules = funnel->rules;
	FunnelQueue *queue = &rules->queue[r];

	for (; queue->pending < queue->end; queue->pending++)
	{
		const FunnelWaiting waiting = queue->chain[queue->pending];

		if (time_between(waiting.time, time) < (uint64) rules->step_gap[r])
			break;
		while (queue->ripe > queue->head && queue->chain[queue->ripe - 1].start <= waiting.start)
			queue->ripe--;
		queue->chain[queue->ripe++] = waiting;
	}
	while (queue->head < queue->ripe &&
		   time_between(queue->chain[queue->head].time, time) > (uint64) rules->step_within[r])
		queue->head++;
	if (queue->head == queue->ripe)
		return NEVER;
	/* What follows began earlier still. */
	if (!is_within(funnel, queue->chain[queue->head].start, time))
	{
		queue->head = queue->ripe;
		return NEVER;
	}
	return queue->chain[queue->head].start;
}

/* The conditions that rows of the moment meet, exclusions among them. */
static uint32
conditions_of(const Event *events, Size from, Size to)
{
	uint32		met = 0;

	for (; from < to; from++)
	{
		check_interrupts(from);
		met |= events[from].tag;
	}
	return met;
}

/* A chain takes several steps in a moment only where none of them needs a gap. */
static inline int
reach_without_gaps(const FunnelRules *rules, int r, int reach)
{
	int			to = r;

	while (to < reach && (to == r || rules->step_gap[to] == 0))
		to++;
	return to;
}

static inline bool
ends(const Funnel *funnel, const Moment *moment, uint32 conditions, int r)
{
	return (conditions & funnel->rules->exclusions[r]) != 0 || is_over(funnel, moment, r);
}

/* The level of the member, and when the chain that counts begins. */
static int
find_best_start(const Funnel *funnel, const Event *events, const Event *rows, Size n, int64 *best_start)
{
	FunnelRules *rules = funnel->rules;
	bool		must_advance = (funnel->mode & (FUNNEL_ORDER | FUNNEL_DEDUPLICATION)) != 0;
	uint32		alive = 0;		/* bit r: the queue is not empty */
	int			best = 0;
	Moment		moment;

	for (int r = 1; r < funnel->steps; r++)
		empty_queue(&rules->queue[r]);
	for (Size at = 0, next; at < n; at = next)
	{
		int			reach[FUNNEL_STEPS_MAX];
		int64		start[FUNNEL_STEPS_MAX + 1];	/* of chains that have now reached so many steps */
		uint32		reached = 0;
		uint32		advancing;
		uint32		conditions;

		next = read_moment(rows, n, at, &moment);
		conditions = conditions_of(events, at, next);
		advancing = (alive | (moment.rows->value <= rules->last_start)) & moment.met;
		if (advancing != 0)
			find_reach(funnel, &moment, advancing, reach);
		for (; advancing != 0; advancing &= advancing - 1)
		{
			int			r = __builtin_ctz(advancing);
			int			to = reach_without_gaps(rules, r, reach[r]);
			int64		from = r == 0 ? moment.rows->value : latest_start(funnel, r, moment.rows->value);

			if (from == NEVER)
				continue;
			if (must_advance)
				rules->queue[r].head = rules->queue[r].ripe;
			for (int k = must_advance ? to : r + 1; k <= to; k++)
				if ((reached >> (k - 1) & 1) == 0 || from > start[k])
				{
					reached |= UINT32_C(1) << (k - 1);
					start[k] = from;
				}
		}
		for (uint32 left = alive; left != 0; left &= left - 1)
		{
			int			r = __builtin_ctz(left);

			if (ends(funnel, &moment, conditions, r))
				empty_queue(&rules->queue[r]);
			if (is_empty(&rules->queue[r]))
				alive &= ~(UINT32_C(1) << r);
		}
		for (; reached != 0; reached &= reached - 1)
		{
			int			k = __builtin_ctz(reached) + 1;

			if (k > best || (k == best && start[k] > *best_start))
			{
				best = k;
				*best_start = start[k];
			}
			if (k < funnel->steps)
			{
				push_start(rules, k, moment.rows->value, start[k]);
				alive |= UINT32_C(1) << k;
			}
		}
	}
	return best;
}

/* True if a chain waits that may take step r + 1 now; the first such is the head. */
static bool
is_waiting(FunnelRules *rules, int r, int64 time)
{
	FunnelQueue *queue = &rules->queue[r];

	while (queue->head < queue->end &&
		   time_between(queue->chain[queue->head].time, time) > (uint64) rules->step_within[r])
		queue->head++;
	return queue->head < queue->end &&
		time_between(queue->chain[queue->head].time, time) >= (uint64) rules->step_gap[r];
}

/*
 * The times of the chain that counts, which begins at row `at` and reaches `level`
 * steps.  The earlier a step, the earlier the step before it can have been, so of
 * chains that reach a step in a moment the one is kept that was the first to reach
 * the step before; and the one that takes the fewest steps in this very moment,
 * because it took the others before.
 */
static void
find_times(const Funnel *funnel, const Event *events, const Event *rows, Size n, Size at, int level, FunnelChain *chain)
{
	FunnelRules *rules = funnel->rules;
	bool		must_advance = (funnel->mode & (FUNNEL_ORDER | FUNNEL_DEDUPLICATION)) != 0;
	bool		is_first = true;
	Moment		moment;

	for (int r = 0; r < funnel->steps; r++)
		empty_queue(&rules->queue[r]);
	for (Size next; at < n; at = next, is_first = false)
	{
		int			reach[FUNNEL_STEPS_MAX];
		FunnelWaiting arrived[FUNNEL_STEPS_MAX + 1];
		uint32		waiting = is_first;
		uint32		reached = 0;
		uint32		conditions;
		int64		time;

		next = read_moment(rows, n, at, &moment);
		time = moment.rows->value;
		conditions = conditions_of(events, at, next);
		for (int r = 1; r < level && !is_first; r++)
			if (is_waiting(rules, r, time))
				waiting |= UINT32_C(1) << r;
		waiting &= moment.met;
		if (waiting != 0)
			find_reach(funnel, &moment, waiting, reach);
		/* From those with the fewest steps on, so that the ones with more come last. */
		for (uint32 left = waiting; left != 0; left &= left - 1)
		{
			int			r = __builtin_ctz(left);
			int			to = reach_without_gaps(rules, r, reach[r]);

			for (int k = must_advance ? to : r + 1; k <= to; k++)
			{
				arrived[k] = (FunnelWaiting) {.time = time, .from = r, .before = rules->queue[r].head};
				reached |= UINT32_C(1) << (k - 1);
			}
		}
		for (int r = 1; r < level; r++)
			if (ends(funnel, &moment, conditions, r) || (must_advance && (waiting >> r & 1) != 0))
				rules->queue[r].head = rules->queue[r].end;
		if ((reached >> (level - 1) & 1) != 0)
		{
			FunnelWaiting one = arrived[level];

			for (int k = level; k > 0;)
			{
				while (k > one.from)
					chain->time[--k] = one.time;
				if (k > 0)
					one = rules->queue[k].chain[one.before];
			}
			chain->level = level;
			return;
		}
		for (; reached != 0; reached &= reached - 1)
		{
			int			k = __builtin_ctz(reached) + 1;

			*append_waiting(rules, &rules->queue[k]) = arrived[k];
		}
	}
	Assert(false);
}

static void
walk_by_rules(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	const Event *rows = rows_of_steps(funnel->rules, events, n);
	int64		start = NEVER;
	int			level = find_best_start(funnel, events, rows, n, &start);
	Size		low = 0;
	Size		high = n;

	chain->level = 0;
	if (level == 0)
		return;
	while (low < high)
	{
		Size		middle = low + (high - low) / 2;

		if (rows[middle].value < start)
			low = middle + 1;
		else
			high = middle;
	}
	find_times(funnel, events, rows, n, low, level, chain);
}

/* How far a member came: `events` in order of time, then tag. */
void
funnel_walk(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	if (unlikely(funnel->rules != NULL))
		walk_by_rules(funnel, events, n, chain);
	else
		walk_freely(funnel, events, n, chain);
}

/* ---------- durations ---------- */

#define SELECT_NAME select_duration
#define SELECT_TYPE int64
#define SELECT_LESS(a, b) ((a) < (b))
#include "shared/quickselect.h"

/*
 * The duration that tenths / 10 of n durations, which are not below 0, do not
 * exceed, as percentile_cont has it: the value at tenths / 10 * (n - 1) of the
 * sorted ones, between two of them in a straight line, to the nearest
 * microsecond.  Reorders them.
 */
int64
funnel_percentile(int64 *durations, Size n, int tenths)
{
	uint64		position = (uint64) tenths * (n - 1);
	Size		k = position / 10;
	int			rest = (int) (position % 10);
	int64		low;
	int64		high;

	select_duration(durations, n, k);
	low = durations[k];
	if (rest == 0)
		return low;
	select_duration(durations + k + 1, n - k - 1, 0);
	high = durations[k + 1];
	return low + (int64) (((int128) (high - low) * rest + 5) / 10);
}
