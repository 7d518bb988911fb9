/*
 * funnel_arguments.c
 *	  Shared by the types funnel_summary and funnel_book.
 */
#include "funnel/funnel_arguments.h"

#include "shared/arguments.h"
#include "shared/bytes.h"
#include "shared/conditions.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "shared/duration.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* ---------- rows ---------- */

/* Windows up to this many days need no thought at every row. */
#define USUAL_DAYS 36500

static inline int64
within_argument(const Interval *interval)
{
	int64		within;

	if (likely(interval->month == 0 && (uint32) interval->day <= USUAL_DAYS &&
			   (uint64) interval->time <= USUAL_DAYS * USECS_PER_DAY))
		return interval->day * USECS_PER_DAY + interval->time;
	within = duration_argument(interval, "within");
	if (unlikely(within < 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must not be negative: \"%s\"", duration_text(interval)),
				 errhint("It is the longest time from the first step of a chain to its last, such as '30 days'.")));
	return within;
}

StaticAssertDecl(FUNNEL_STEPS_MAX == CONDITIONS_MAX, "a funnel has as many steps as there can be conditions");

static const ConditionsText steps_text = {
	.list = "steps",
	.owner = "a funnel",
	.hint = "Give one condition for each step."
};

/* The arguments within and steps; false if one of them is NULL, where only the whole of an array is. */
bool
funnel_row_arguments(FunctionCallInfo fcinfo, int within, int steps, StepsForm form, FunnelRow *row)
{
	int			count;

	if (PG_ARGISNULL(within) || (form == STEPS_ARRAY && PG_ARGISNULL(steps)))
		return false;
	(void) store_u64(row->settings + 1, (uint64) within_argument(PG_GETARG_INTERVAL_P(within)));
	row->steps = form == STEPS_ARRAY ? conditions_of_array(fcinfo, steps, &steps_text, &count) :
		conditions_listed(fcinfo, steps, &count);
	row->settings[0] = (uint8) count;
	return true;
}

/* Raises the error for rows with different settings. */
void
funnel_settings_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("within and the number of steps must be the same in all rows"),
			 errhint("Write within as a constant, and the steps as a list of conditions.")));
}

/* What is wrong with stored settings, or NULL and the tags that they allow. */
const char *
funnel_check_settings(const uint8 *settings, Size size, EventLimits *limits)
{
	if (size != FUNNEL_SETTINGS_SIZE)
		return "its settings have a wrong length";
	if (settings[0] < 1 || settings[0] > FUNNEL_STEPS_MAX)
		return "its number of steps is out of range";
	if ((int64) load_u64(settings + 1) < 0)
		return "its window is out of range";
	limits->tag_max = funnel_all_steps(settings[0]);
	return NULL;
}

/* ---------- modes ---------- */

#define CLICKHOUSE 0			/* no restriction */

static const struct
{
	const char *name;
	int			mode;
}			modes[] = {
	{"strict_once", FUNNEL_ONCE},
	{"clickhouse", CLICKHOUSE},
	{"strict_order", FUNNEL_ORDER},
	{"strict_deduplication", FUNNEL_DEDUPLICATION},
	{"strict_increase", FUNNEL_INCREASE},
	{"any_order", FUNNEL_ANY_ORDER}
};

/* The mode of one name; an error if there is none. */
static int
mode_of_name(const char *name, Size length)
{
	for (int i = 0; i < (int) lengthof(modes); i++)
		if (strlen(modes[i].name) == length && memcmp(modes[i].name, name, length) == 0)
			return modes[i].mode;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown mode of a funnel: \"%.*s\"", pg_mbcliplen(name, (int) length, 60), name),
			 errhint("Give one or more of strict_once, strict_order, strict_deduplication, strict_increase and any_order, separated by commas, or clickhouse alone.")));
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The argument mode: names separated by commas. */
int
funnel_mode_argument(FunctionCallInfo fcinfo, int argument)
{
	text	   *value;
	const char *at;
	const char *end;
	int			names = 0;
	int			mode = 0;
	bool		has_clickhouse = false;

	argument_check_not_null(fcinfo, argument, "mode");
	value = PG_GETARG_TEXT_PP(argument);
	at = VARDATA_ANY(value);
	end = at + VARSIZE_ANY_EXHDR(value);
	for (;; at++)
	{
		const char *comma = memchr(at, ',', end - at);
		const char *last = comma == NULL ? end : comma;
		int			one;

		while (at < last && is_blank(*at))
			at++;
		while (last > at && is_blank(last[-1]))
			last--;
		one = mode_of_name(at, last - at);
		has_clickhouse |= one == CLICKHOUSE;
		mode |= one;
		names++;
		if (comma == NULL)
			break;
		at = comma;
	}
	if (has_clickhouse && names > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode clickhouse cannot be combined with another one"),
				 errhint("It means that no restriction applies; name only those that do.")));
	if ((mode & FUNNEL_ANY_ORDER) && (mode & ~(FUNNEL_ANY_ORDER | FUNNEL_ONCE)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode any_order cannot be combined with one that depends on the order"),
				 errhint("Write 'any_order', or 'strict_once, any_order' if a row counts for one step only.")));
	PG_FREE_IF_COPY(value, argument);
	return mode;
}

/* ---------- rules ---------- */

/* An argument that is an array, NULL if it is empty. */
static ArrayType *
list_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	ArrayType  *array;

	argument_check_not_null(fcinfo, argument, name);
	array = PG_GETARG_ARRAYTYPE_P(argument);
	return ARR_NDIM(array) == 0 ? NULL : array;
}

/* The rules of a funnel, made when there is one. */
static FunnelRules *
rules_of(Funnel *funnel)
{
	if (funnel->rules == NULL)
	{
		funnel->rules = palloc(sizeof(FunnelRules));
		funnel_rules_init(funnel->rules, funnel->steps, CurrentMemoryContext);
	}
	return funnel->rules;
}

/* The elements of an array of numbers, of which none is NULL. */
static const int32 *
numbers_of(ArrayType *array, const char *name)
{
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain NULL", name),
				 errhint("Give numbers, counted from 1.")));
	return (const int32 *) ((const char *) array +
							(ARR_HASNULL(array) ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(ARR_NDIM(array))));
}

/*
 * The argument exclusions: conditions that are no steps, {c, ...}, or with the
 * steps between which they end a chain, {{c, from, to}, ...}.  Steps are counted
 * without them.  Returns the array, or NULL.
 */
static ArrayType *
exclusions_argument(FunctionCallInfo fcinfo, int argument, Funnel *funnel)
{
	ArrayType  *array = list_argument(fcinfo, argument, "exclusions");
	FunnelRules *rules;
	const int32 *number;
	bool		have_steps;

	if (array == NULL)
		return NULL;
	have_steps = ARR_NDIM(array) == 2;
	if (ARR_NDIM(array) > 2 || (have_steps && ARR_DIMS(array)[1] != 3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("exclusions must be conditions, or conditions each with two steps"),
				 errhint("Write '{4}' for condition 4 between any two steps, '{{4,1,2}}' for condition 4 between steps 1 and 2.")));
	if (have_steps && (funnel->mode & FUNNEL_ANY_ORDER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("in any order exclusions cannot be between two steps"),
				 errhint("Write '{4}' for condition 4 between the first and the last row of a chain.")));
	rules = rules_of(funnel);
	number = numbers_of(array, "exclusions");
	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
	{
		int32		condition = number[have_steps ? i * 3 : i];

		if (condition < 1 || condition > rules->conditions)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("exclusions has condition %d, which the funnel does not have", condition),
					 errhint("Its conditions are numbered from 1 to %d.", rules->conditions)));
		rules->step[condition - 1] = FUNNEL_NO_STEP;
	}
	rules->steps = 0;
	for (int i = 0; i < rules->conditions; i++)
		if (rules->step[i] != FUNNEL_NO_STEP)
			rules->step[i] = rules->steps++;
	if (rules->steps == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("exclusions must not name all conditions"),
				 errhint("The conditions that are not named are the steps.")));
	return array;
}

/* Notes between which steps exclusions end a chain. */
static void
set_exclusions(FunnelRules *rules, ArrayType *array)
{
	const int32 *number = numbers_of(array, "exclusions");
	bool		have_steps = ARR_NDIM(array) == 2;

	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
	{
		int32		condition = number[have_steps ? i * 3 : i];
		int32		from = have_steps ? number[i * 3 + 1] : 1;
		int32		to = have_steps ? number[i * 3 + 2] : rules->steps;

		if (have_steps && (from < 1 || to <= from || to > rules->steps))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("exclusions has condition %d between steps %d and %d", condition, from, to),
					 errhint("Give two steps, the earlier one first; without the exclusions the funnel has %d.", rules->steps)));
		if (have_steps && (((rules->optional >> (from - 1)) | (rules->optional >> (to - 1))) & 1) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("exclusions has condition %d between steps %d and %d, one of which is optional", condition, from, to),
					 errhint("A chain need not take an optional step: name the required steps around it.")));
		for (int k = from; k < to; k++)
			rules->way_exclusions[k] |= UINT32_C(1) << (condition - 1);
	}
}

/* An argument that any_order has no use for. */
static void
check_order(const Funnel *funnel, const char *name)
{
	if (funnel->mode & FUNNEL_ANY_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be given with mode any_order", name),
				 errhint("In any order there is no next step; only exclusions, which hold for the whole chain, can be given.")));
}

/* The argument optional_steps: steps that a chain need not take. */
static void
optional_argument(FunctionCallInfo fcinfo, int argument, Funnel *funnel)
{
	ArrayType  *array = list_argument(fcinfo, argument, "optional_steps");
	FunnelRules *rules;
	const int32 *number;

	if (array == NULL)
		return;
	check_order(funnel, "optional_steps");
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("optional_steps must be a list of steps, not an array of %d dimensions", ARR_NDIM(array)),
				 errhint("Write '{2,4}' if steps 2 and 4 may be left out.")));
	rules = rules_of(funnel);
	number = numbers_of(array, "optional_steps");
	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
	{
		if (number[i] < 2 || number[i] > rules->steps)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("optional_steps has step %d, which cannot be optional", number[i]),
					 errhint("Step 1 is where a chain begins, and without the exclusions the funnel has %d.", rules->steps)));
		rules->optional |= UINT32_C(1) << (number[i] - 1);
	}
}

/*
 * The argument step_within or step_gap: one duration for each step but the last,
 * from it to the next, or fewer; NULL where there is no limit.  There is none in any order.
 */
static void
limits_argument(FunctionCallInfo fcinfo, int argument, const char *name, Funnel *funnel, bool is_gap)
{
	ArrayType  *array = list_argument(fcinfo, argument, name);
	FunnelRules *rules;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (array == NULL)
		return;
	check_order(funnel, name);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of intervals, not an array of %d dimensions", name, ARR_NDIM(array)),
				 errhint("Give an interval for the way from step 1 to step 2, one from step 2 to step 3, and so on.")));
	deconstruct_array(array, INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	rules = rules_of(funnel);
	if (n > rules->steps - 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has %d intervals, but from each of %d steps to the next there are %d", name, n, rules->steps, rules->steps - 1),
				 errhint("Give an interval for the way from step 1 to step 2, one from step 2 to step 3, and so on; NULL where there is no limit.")));
	for (int i = 0; i < n; i++)
	{
		const Interval *interval = DatumGetIntervalP(elements[i]);
		int64		length;

		if (nulls[i])
			continue;
		length = duration_argument(interval, name);
		if (length < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not be negative: \"%s\"", name, duration_text(interval)),
					 errhint("It is the %s time from a step to the next, such as '1 hour'.", is_gap ? "shortest" : "longest")));
		if (is_gap)
			rules->way_gap[i + 1] = length;
		else
			rules->way_within[i + 1] = length;
		if (rules->way_gap[i + 1] > rules->way_within[i + 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("from step %d to step %d step_gap is longer than step_within", i + 1, i + 2),
					 errhint("No chain could take that step.")));
	}
}

/*
 * The arguments exclusions, step_within, step_gap and optional_steps, which begin
 * with the given one.  A library beside the SQL of another version may be called
 * without them.
 */
void
funnel_rules_arguments(FunctionCallInfo fcinfo, int argument, Funnel *funnel)
{
	ArrayType  *exclusions;

	if (PG_NARGS() < argument + 4)
		return;
	exclusions = exclusions_argument(fcinfo, argument, funnel);
	optional_argument(fcinfo, argument + 3, funnel);
	if (exclusions != NULL)
		set_exclusions(funnel->rules, exclusions);
	limits_argument(fcinfo, argument + 1, "step_within", funnel, false);
	limits_argument(fcinfo, argument + 2, "step_gap", funnel, true);
	if (funnel->rules != NULL)
		funnel_rules_finish(funnel);
}

/* Leaves out chains whose window has not ended at a moment. */
void
funnel_last_start(Funnel *funnel, TimestampTz as_of)
{
	FunnelRules *rules = rules_of(funnel);

	if (pg_sub_s64_overflow(as_of, funnel->within, &rules->last_start))
		rules->last_start = PG_INT64_MIN;
	funnel_rules_finish(funnel);
}

/* ---------- results ---------- */

/* A funnel with checked settings, read in a mode. */
Funnel
funnel_of_settings(const uint8 *settings, int mode)
{
	return (Funnel) {settings[0], (int64) load_u64(settings + 1), mode, NULL};
}

/* A duration in days and time, as the difference of two timestamps has it. */
Interval
funnel_interval(int64 duration)
{
	return (Interval) {.day = (int32) (duration / USECS_PER_DAY), .time = duration % USECS_PER_DAY};
}

/* The same as a number, for charts. */
float8
funnel_seconds(int64 duration)
{
	return (float8) duration / USECS_PER_SEC;
}

/* An array of one dimension, whose elements may be NULL. */
static Datum
make_array(Datum *elements, bool *nulls, int n, Oid type, int length, bool by_value)
{
	int			lower = 1;

	/* Arrays without elements have no dimension. */
	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &n, &lower, type, length, by_value, TYPALIGN_DOUBLE));
}

/* The times of a chain as timestamptz[]; NULL for an optional step that it did not take. */
Datum
funnel_times(const FunnelChain *chain)
{
	Datum		times[FUNNEL_STEPS_MAX];
	bool		nulls[FUNNEL_STEPS_MAX];

	for (int i = 0; i < chain->level; i++)
	{
		times[i] = TimestampTzGetDatum(chain->time[i]);
		nulls[i] = !funnel_has_step(chain, i);
	}
	return make_array(times, nulls, chain->level, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL);
}

/*
 * How long it took to each step but the first, from the one before it that the
 * chain took; NULL for a step that it did not take.  Returns how many these are.
 */
static int
durations_of(const FunnelChain *chain, int64 *durations, bool *nulls)
{
	int			last = 0;

	for (int i = 1; i < chain->level; i++)
	{
		nulls[i - 1] = !funnel_has_step(chain, i);
		durations[i - 1] = nulls[i - 1] ? 0 : chain->time[i] - chain->time[last];
		if (!nulls[i - 1])
			last = i;
	}
	return Max(chain->level - 1, 0);
}

/* The same as interval[]. */
Datum
funnel_intervals(const FunnelChain *chain)
{
	int64		durations[FUNNEL_STEPS_MAX];
	Interval	intervals[FUNNEL_STEPS_MAX];
	Datum		elements[FUNNEL_STEPS_MAX];
	bool		nulls[FUNNEL_STEPS_MAX];
	int			n = durations_of(chain, durations, nulls);

	for (int i = 0; i < n; i++)
	{
		intervals[i] = funnel_interval(durations[i]);
		elements[i] = IntervalPGetDatum(&intervals[i]);
	}
	return make_array(elements, nulls, n, INTERVALOID, sizeof(Interval), false);
}

/* The same in seconds, as float8[]. */
Datum
funnel_all_seconds(const FunnelChain *chain)
{
	int64		durations[FUNNEL_STEPS_MAX];
	Datum		elements[FUNNEL_STEPS_MAX];
	bool		nulls[FUNNEL_STEPS_MAX];
	int			n = durations_of(chain, durations, nulls);

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(funnel_seconds(durations[i]));
	return make_array(elements, nulls, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL);
}
