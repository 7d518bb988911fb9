/*
 * funnel_arguments.c
 *	  Shared by the types funnel_summary and funnel_book.
 */
#include "funnel/funnel_arguments.h"

#include "shared/arguments.h"
#include "shared/bytes.h"
#include "catalog/pg_type.h"
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

/*
 * The steps that a row meets, NULL being false, and how many there are; from the
 * arguments that begin with the given one.
 */
static inline uint32
listed_steps(FunctionCallInfo fcinfo, int argument, uint8 *steps)
{
	int			count = PG_NARGS() - argument;
	const NullableDatum *step = &fcinfo->args[argument];
	uint32		met = 0;

	for (int i = 0; i < count; i++)
		met |= (uint32) (!step[i].isnull & DatumGetBool(step[i].value)) << i;
	*steps = (uint8) count;
	return met;
}

/* The same from an array. */
static uint32
array_of_steps(FunctionCallInfo fcinfo, int argument, uint8 *steps)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	int			count = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	const bits8 *present;
	const char *element;
	uint32		met = 0;

	if (unlikely(ARR_NDIM(array) > 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("steps must be a list of conditions, not an array of %d dimensions", ARR_NDIM(array)),
				 errhint("Give one condition for each step.")));
	if (unlikely(count < 1 || count > FUNNEL_STEPS_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a funnel must have 1 to %d steps, not %d", FUNNEL_STEPS_MAX, count),
				 errhint("Give one condition for each step.")));
	present = ARR_NULLBITMAP(array);
	element = (const char *) array +
		(present != NULL ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(1));
	for (int i = 0; i < count; i++)
		if (likely(present == NULL) || (present[i / 8] >> i % 8 & 1))
			met |= (uint32) (*element++ != 0) << i;
	PG_FREE_IF_COPY(array, argument);
	*steps = (uint8) count;
	return met;
}

/* The arguments within and steps; false if one of them is NULL, where only the whole of an array is. */
bool
funnel_row_arguments(FunctionCallInfo fcinfo, int within, int steps, StepsForm form, FunnelRow *row)
{
	if (PG_ARGISNULL(within) || (form == STEPS_ARRAY && PG_ARGISNULL(steps)))
		return false;
	(void) store_u64(row->settings + 1, (uint64) within_argument(PG_GETARG_INTERVAL_P(within)));
	row->steps = form == STEPS_ARRAY ? array_of_steps(fcinfo, steps, &row->settings[0]) :
		listed_steps(fcinfo, steps, &row->settings[0]);
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
	{"strict_increase", FUNNEL_INCREASE}
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
			 errhint("Give one or more of strict_once, strict_order, strict_deduplication and strict_increase, separated by commas, or clickhouse alone.")));
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
	PG_FREE_IF_COPY(value, argument);
	return mode;
}

/* ---------- results ---------- */

/* A funnel with checked settings, read in a mode. */
Funnel
funnel_of_settings(const uint8 *settings, int mode)
{
	return (Funnel) {settings[0], (int64) load_u64(settings + 1), mode};
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

/* The times of a chain as timestamptz[]. */
Datum
funnel_times(const FunnelChain *chain)
{
	Datum		times[FUNNEL_STEPS_MAX];

	for (int i = 0; i < chain->level; i++)
		times[i] = TimestampTzGetDatum(chain->time[i]);
	return PointerGetDatum(construct_array(times, chain->level, TIMESTAMPTZOID,
										   sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
