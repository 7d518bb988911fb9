/*
 * funnel.c
 *	  The type funnel: one member's rows, and how far they lead through the steps
 *	  of a funnel.
 *
 * Stored (docs/storage-format.md): kind, version, settings, number of events,
 * events.
 */
#include "custmart.h"

#include "shared/bytes.h"
#include "catalog/pg_type.h"
#include "funnel/funnel_arguments.h"
#include "history/history.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#define FUNNEL_VERSION 1
#define HEADER_SIZE (2 + FUNNEL_SETTINGS_SIZE)

static const char *funnel_check(const uint8 *bytes, Size length);
static void funnel_arrange(History *history);
static Size funnel_stored_size(const History *history);
static void funnel_store(const History *history, uint8 *bytes);
static void funnel_load(History *history, const uint8 *bytes, Size length);

static const HistoryKind funnel_kind = {
	.type = {"funnel", funnel_check},
	.row_size = sizeof(Event),
	.keeps_all = true,
	.arrange = funnel_arrange,
	.stored_size = funnel_stored_size,
	.store = funnel_store,
	.load = funnel_load,
	.settings_hint = FUNNEL_SETTINGS_HINT,
	.size_hint = "Leave out rows that meet no step, or take a shorter period of time."
};

/* ---------- building ---------- */

/* funnel_step(funnel, within, occurred_at, steps): notes one row. */
CUSTMART_FUNCTION(custmart_funnel_step);
Datum
custmart_funnel_step(PG_FUNCTION_ARGS)
{
	FunnelRow	row;
	History	   *history;
	Event	   *event;

	if (!funnel_row_arguments(fcinfo, 1, &row))
		return aggregate_same_state(fcinfo);
	history = history_of_state(fcinfo, &funnel_kind);
	if (unlikely(!history_set(history, row.settings, FUNNEL_SETTINGS_SIZE)))
		funnel_settings_error();
	event = history_append(history);
	event->value = row.time;
	event->tag = row.steps;
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}

static void
funnel_arrange(History *history)
{
	(void) events_arrange((Event *) history->rows, &history->count, EVENTS_MOMENTS, &history->pool);
}

/* ---------- at rest ---------- */

static Size
funnel_stored_size(const History *history)
{
	return HEADER_SIZE + varint_size(history->count) +
		events_size((const Event *) history->rows, history->count, EVENTS_MOMENTS, &history->pool);
}

static void
funnel_store(const History *history, uint8 *bytes)
{
	*bytes++ = STORED_FUNNEL;
	*bytes++ = FUNNEL_VERSION;
	memcpy(bytes, history->settings, FUNNEL_SETTINGS_SIZE);
	bytes = store_varint(bytes + FUNNEL_SETTINGS_SIZE, history->count);
	(void) events_store((const Event *) history->rows, history->count, EVENTS_MOMENTS, &history->pool, bytes);
}

/* Returns what is wrong with stored bytes, or NULL. */
static const char *
funnel_check(const uint8 *bytes, Size length)
{
	const uint8 *end = bytes + length;
	const char *wrong;
	uint32		tag_max;
	uint64		n;
	int64		last;

	if (length < HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != STORED_FUNNEL)
		return "it is of another type";
	if (bytes[1] != FUNNEL_VERSION)
		return "its version is unknown";
	if ((wrong = funnel_check_settings(bytes + 2, FUNNEL_SETTINGS_SIZE, &tag_max)) != NULL)
		return wrong;
	bytes += HEADER_SIZE;
	if (!check_varint(&bytes, end, &n) || n == 0 || n > (uint64) (end - bytes))
		return "its number of events is not valid";
	if ((wrong = events_check(&bytes, end, n, EVENTS_MOMENTS, tag_max, UNIT_DAY, &last)) != NULL)
		return wrong;
	return bytes != end ? "its length is wrong" : NULL;
}

static void
funnel_load(History *history, const uint8 *bytes, Size length)
{
	const uint8 *end = bytes + length;
	uint64		n;

	(void) history_set(history, bytes + 2, FUNNEL_SETTINGS_SIZE);
	bytes = load_varint(bytes + HEADER_SIZE, &n);
	(void) events_load(bytes, end, n, EVENTS_MOMENTS, &history->pool, history_append_rows(history, n));
}

HISTORY_FUNCTIONS(funnel, &funnel_kind)

/* ---------- accessors ---------- */

/* The chain that counts, of the funnel in argument 0 and the mode in argument 1. */
static void
get_chain(FunctionCallInfo fcinfo, FunnelChain *chain)
{
	int			mode = funnel_mode_argument(fcinfo, 1);
	const History *history = history_open(PG_GETARG_DATUM(0), &funnel_kind);
	Funnel		funnel = funnel_of_settings(history->settings, mode);

	funnel_walk(&funnel, (const Event *) history->rows, history->count, chain);
}

/* level(funnel, mode): how many steps were reached. */
CUSTMART_FUNCTION(custmart_funnel_level);
Datum
custmart_funnel_level(PG_FUNCTION_ARGS)
{
	FunnelChain chain;

	get_chain(fcinfo, &chain);
	PG_RETURN_INT32(chain.level);
}

/* step_times(funnel, mode): when each of them was reached. */
CUSTMART_FUNCTION(custmart_funnel_step_times);
Datum
custmart_funnel_step_times(PG_FUNCTION_ARGS)
{
	FunnelChain chain;

	get_chain(fcinfo, &chain);
	PG_RETURN_DATUM(funnel_times(&chain));
}

/* step_durations(funnel, mode): how long it took from each to the next. */
CUSTMART_FUNCTION(custmart_funnel_step_durations);
Datum
custmart_funnel_step_durations(PG_FUNCTION_ARGS)
{
	FunnelChain chain;
	Interval	interval[FUNNEL_STEPS_MAX];
	Datum		durations[FUNNEL_STEPS_MAX];
	int			n;

	get_chain(fcinfo, &chain);
	n = Max(chain.level - 1, 0);
	for (int i = 0; i < n; i++)
	{
		interval[i] = funnel_interval(chain.time[i + 1] - chain.time[i]);
		durations[i] = IntervalPGetDatum(&interval[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(durations, n, INTERVALOID,
										  sizeof(Interval), false, TYPALIGN_DOUBLE));
}
