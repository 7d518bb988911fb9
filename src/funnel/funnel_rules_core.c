/*
 * funnel_rules_core.c
 *	  Walking chains under rules.
 *
 * With rules it also matters when a chain reached its last step.  So of those
 * that have reached r steps there is one for each moment in which some did, the
 * one that began last, and the limits of the next step are a window that slides
 * over them: the latest beginning in it is at the front of a queue.
 */
#include "funnel/funnel_moment.h"

#include "shared/growing_array.h"

#define NEVER PG_INT64_MIN		/* no chain began then: it is before all times */

/* Rules that change nothing, of rows with so many conditions; scratch memory comes from the context. */
void
funnel_rules_init(FunnelRules *rules, int conditions, MemoryContext context)
{
	memset(rules, 0, sizeof(*rules));
	rules->conditions = rules->steps = conditions;
	for (int i = 0; i < FUNNEL_STEPS_MAX; i++)
	{
		rules->step[i] = i;
		rules->way_within[i] = PG_INT64_MAX;
	}
	rules->last_start = PG_INT64_MAX;
	rules->context = context;
}

/* Sets what walking takes from the rules, and the number of required steps. */
void
funnel_rules_finish(Funnel *funnel)
{
	FunnelRules *rules = funnel->rules;
	int			r = 0;

	for (int i = 0; i < rules->steps; i++)
	{
		if ((rules->optional >> i & 1) != 0)
			continue;
		rules->required[r] = i;
		rules->step_within[r] = rules->way_within[i];
		rules->step_gap[r] = rules->way_gap[i];
		rules->exclusions[r] = rules->way_exclusions[i];
		r++;
	}
	/* Behind the last required step there may be optional ones. */
	if (r < rules->steps)
		rules->exclusions[r] = rules->way_exclusions[rules->steps - 1];
	funnel->steps = r;
	rules->has_others = r < rules->conditions;
}

/* The steps that a row meets, optional ones among them. */
static inline uint32
steps_of(const FunnelRules *rules, uint32 conditions)
{
	uint32		steps = 0;

	for (; conditions != 0; conditions &= conditions - 1)
	{
		int			step = rules->step[__builtin_ctz(conditions)];

		if (step != FUNNEL_NO_STEP)
			steps |= UINT32_C(1) << step;
	}
	return steps;
}

/* The rows with the required steps that they meet as their tags. */
const Event *
funnel_rows_of_steps(FunnelRules *rules, const Event *events, Size n)
{
	if (!rules->has_others)
		return events;
	if (n > rules->rows_capacity)
		rules->rows = array_grow(rules->rows, &rules->rows_capacity, n, sizeof(Event), rules->context);
	for (Size i = 0; i < n; i++)
	{
		uint32		required = 0;
		int			r = 0;

		check_interrupts(i);
		for (uint32 left = steps_of(rules, events[i].tag) & ~rules->optional; left != 0; left &= left - 1)
		{
			while (rules->required[r] < __builtin_ctz(left))
				r++;
			required |= UINT32_C(1) << r;
		}
		rules->rows[i] = (Event) {.value = events[i].value, .tag = required};
	}
	return rules->rows;
}

/* How many required steps come before a step. */
static inline int
required_before(const FunnelRules *rules, int step)
{
	return step - __builtin_popcount(rules->optional & ((UINT32_C(1) << step) - 1));
}

/*
 * Reads the moment of the rows from `at` on.  A row that meets an optional step
 * is no stranger to a chain that may take it, or has been able to.
 */
static Size
read_ruled_moment(const Funnel *funnel, const Event *events, const Event *rows, Size n, Size at, Moment *moment)
{
	const FunnelRules *rules = funnel->rules;
	Size		next = read_moment(rows, n, at, moment);

	if ((funnel->mode & FUNNEL_ORDER) == 0 || rules->optional == 0)
		return next;
	moment->stranger = 0;
	for (Size i = at; i < next; i++)
	{
		int			first = rows[i].tag == 0 ? FUNNEL_STEPS_MAX : __builtin_ctz(rows[i].tag);

		check_interrupts(i);
		for (uint32 left = steps_of(rules, events[i].tag) & rules->optional; left != 0; left &= left - 1)
			first = Min(first, required_before(rules, __builtin_ctz(left)) - 1);
		moment->stranger = Max(moment->stranger, first);
	}
	return next;
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

		next = read_ruled_moment(funnel, events, rows, n, at, &moment);
		conditions = conditions_of(events, at, next);
		advancing = (alive | (moment.rows->value <= rules->last_start)) & moment.met;
		if (advancing != 0)
			funnel_find_reach(funnel, &moment, advancing, reach);
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

		next = read_ruled_moment(funnel, events, rows, n, at, &moment);
		time = moment.rows->value;
		conditions = conditions_of(events, at, next);
		for (int r = 1; r < level && !is_first; r++)
			if (is_waiting(rules, r, time))
				waiting |= UINT32_C(1) << r;
		waiting &= moment.met;
		if (waiting != 0)
			funnel_find_reach(funnel, &moment, waiting, reach);
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

/* ---------- optional steps ---------- */

/*
 * True if the moment, of rows with all their steps, has a row for one more step
 * beside those that the chain takes in it.
 */
static bool
has_row_for(const Funnel *funnel, const Event *events, Size from, Size to, uint32 taken, int step)
{
	FunnelRules *rules = funnel->rules;
	Moment		moment = {.count = to - from};
	bool		is_met = false;

	for (Size i = from; i < to && !is_met; i++)
	{
		check_interrupts(i);
		is_met = (steps_of(rules, events[i].tag) >> step & 1) != 0;
	}
	if (!is_met || taken == 0 || (funnel->mode & FUNNEL_ONCE) == 0)
		return is_met;
	if (moment.count > rules->moment_capacity)
		rules->moment = array_grow(rules->moment, &rules->moment_capacity, moment.count, sizeof(Event), rules->context);
	for (Size i = from; i < to; i++)
	{
		check_interrupts(i);
		rules->moment[i - from] = (Event) {.value = events[i].value, .tag = steps_of(rules, events[i].tag)};
	}
	moment.rows = rules->moment;
	return funnel_can_match(&moment, taken | UINT32_C(1) << step, rules->steps);
}

/* The steps that a chain takes at a time. */
static uint32
taken_at(const FunnelChain *chain, int64 time)
{
	uint32		taken = 0;

	for (uint32 left = chain->reached; left != 0; left &= left - 1)
		if (chain->time[__builtin_ctz(left)] == time)
			taken |= left & -left;
	return taken;
}

/*
 * Finds rows for the optional steps before required step r, or behind the last one
 * that was reached, in a chain that has r of these.
 */
static void
take_optional(const Funnel *funnel, const Event *events, const Event *rows, Size n, int r, FunnelChain *chain)
{
	FunnelRules *rules = funnel->rules;
	int			before = rules->required[r - 1];
	int			behind = r < funnel->steps ? rules->required[r] : rules->steps;
	bool		is_reached = r < funnel->steps && (chain->reached >> behind & 1) != 0;
	int64		last = chain->time[before];
	int			step = before + 1;
	Size		at = 0;
	Moment		moment;

	for (Size low = 0, high = n; low < high; at = low)
	{
		Size		middle = low + (high - low) / 2;

		if (rows[middle].value < last)
			low = middle + 1;
		else
			high = middle;
	}
	for (Size next; step < behind && at < n; at = next)
	{
		int64		time;

		next = read_ruled_moment(funnel, events, rows, n, at, &moment);
		time = moment.rows->value;
		if (is_reached ? time > chain->time[behind] : !is_within(funnel, chain->time[0], time))
			break;
		/* The first optional step that can be taken now; it may leave out others, which then come too late. */
		while (step < behind)
		{
			int			k = step;

			for (; k < behind; k++)
				if (time_between(last, time) >= (uint64) rules->way_gap[k] &&
					time_between(last, time) <= (uint64) rules->way_within[k] &&
					((funnel->mode & FUNNEL_INCREASE) == 0 || (time > last && !(is_reached && time == chain->time[behind]))) &&
					has_row_for(funnel, events, at, next, taken_at(chain, time), k))
					break;
			if (k == behind)
				break;
			chain->reached |= UINT32_C(1) << k;
			chain->time[k] = last = time;
			step = k + 1;
		}
		if (!is_reached && time > chain->time[before] && ends(funnel, &moment, conditions_of(events, at, next), r))
			break;
	}
}

/* Counts steps with the optional ones, and finds rows for these. */
static void
add_optional(const Funnel *funnel, const Event *events, const Event *rows, Size n, FunnelChain *chain)
{
	FunnelRules *rules = funnel->rules;
	int			required = chain->level;

	if (rules->optional == 0)
	{
		chain->reached = funnel_all_steps(required);
		return;
	}
	chain->reached = 0;
	for (int r = required; r-- > 0;)
	{
		chain->time[rules->required[r]] = chain->time[r];
		chain->reached |= UINT32_C(1) << rules->required[r];
	}
	for (int r = 1; r <= required; r++)
		take_optional(funnel, events, rows, n, r, chain);
	chain->level = chain->reached == 0 ? 0 : FUNNEL_STEPS_MAX - __builtin_clz(chain->reached);
}

/* How far a member came under rules. */
void
funnel_walk_by_rules(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	const Event *rows = funnel_rows_of_steps(funnel->rules, events, n);
	int64		start = NEVER;
	int			level = find_best_start(funnel, events, rows, n, &start);
	Size		low = 0;
	Size		high = n;

	chain->level = 0;
	chain->reached = 0;
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
	add_optional(funnel, events, rows, n, chain);
}
