/*
 * funnel.c
 *	  The type funnel_summary: one member's rows, and how far they lead through the steps
 *	  of a funnel.
 */
#include "funnel/funnel.h"

#include "funnel/funnel_arguments.h"
#include "shared/time_arguments.h"

#define FUNNEL_VERSION 1

static const char *funnel_summary_check(const uint8 *bytes, Size length);

const HistoryKind funnel_kind = {
	.type = {"funnel_summary", funnel_summary_check},
	.format = {STORED_FUNNEL, FUNNEL_VERSION, EVENTS_MOMENTS, funnel_check_settings},
	.settings_hint = FUNNEL_SETTINGS_HINT,
	.size_hint = "Leave out rows that meet no step, or take a shorter period of time."
};

HISTORY_FUNCTIONS(funnel_summary, &funnel_kind)

/* ---------- building ---------- */

static inline Datum
funnel_step(FunctionCallInfo fcinfo, StepsForm form)
{
	FunnelRow	row;
	TimestampTz time;
	History	   *history;
	Event	   *event;

	if (PG_ARGISNULL(2) || !funnel_row_arguments(fcinfo, 1, 3, form, &row))
		return aggregate_same_state(fcinfo);
	time = time_check(PG_GETARG_TIMESTAMPTZ(2), "occurred_at");
	history = history_of_state(fcinfo, &funnel_kind);
	if (unlikely(!history_set(history, row.settings, FUNNEL_SETTINGS_SIZE)))
		funnel_settings_error();
	event = history_append(history);
	event->value = time;
	event->tag = row.steps;
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}

/* funnel_step(funnel_summary, within, occurred_at, steps): notes one row. */
CUSTMART_FUNCTION(custmart_funnel_step);
Datum
custmart_funnel_step(PG_FUNCTION_ARGS)
{
	return funnel_step(fcinfo, STEPS_ARRAY);
}

/* funnel_step(funnel_summary, within, occurred_at, step, step ...): the same. */
CUSTMART_FUNCTION(custmart_funnel_step_listed);
Datum
custmart_funnel_step_listed(PG_FUNCTION_ARGS)
{
	return funnel_step(fcinfo, STEPS_LISTED);
}

/* ---------- accessors ---------- */

/* The chain that counts, of the funnel in argument 0, the mode in argument 1 and the rules behind it. */
static void
get_chain(FunctionCallInfo fcinfo, FunnelChain *chain)
{
	int			mode = funnel_mode_argument(fcinfo, 1);
	const History *history = history_open(PG_GETARG_DATUM(0), &funnel_kind);
	Funnel		funnel = funnel_of_settings(history->settings, mode);

	funnel_rules_arguments(fcinfo, 2, &funnel);
	funnel_walk(&funnel, history->events, history->count, chain);
}

/* level(funnel_summary, mode, exclusions, step_within, step_gap, optional_steps): how many steps were reached. */
CUSTMART_FUNCTION(custmart_funnel_level);
Datum
custmart_funnel_level(PG_FUNCTION_ARGS)
{
	FunnelChain chain;

	get_chain(fcinfo, &chain);
	PG_RETURN_INT32(chain.level);
}

/* step_times(funnel_summary, mode, exclusions, step_within, step_gap, optional_steps): when each of them was reached. */
CUSTMART_FUNCTION(custmart_funnel_step_times);
Datum
custmart_funnel_step_times(PG_FUNCTION_ARGS)
{
	FunnelChain chain;

	get_chain(fcinfo, &chain);
	PG_RETURN_DATUM(funnel_times(&chain));
}

/* step_durations(funnel_summary, mode, exclusions, step_within, step_gap, optional_steps): how long it took from each to the next. */
CUSTMART_FUNCTION(custmart_funnel_step_durations);
Datum
custmart_funnel_step_durations(PG_FUNCTION_ARGS)
{
	FunnelChain chain;

	get_chain(fcinfo, &chain);
	PG_RETURN_DATUM(funnel_intervals(&chain));
}

/* step_seconds(funnel_summary, mode, exclusions, step_within, step_gap, optional_steps): the same in seconds. */
CUSTMART_FUNCTION(custmart_funnel_step_seconds);
Datum
custmart_funnel_step_seconds(PG_FUNCTION_ARGS)
{
	FunnelChain chain;

	get_chain(fcinfo, &chain);
	PG_RETURN_DATUM(funnel_all_seconds(&chain));
}
