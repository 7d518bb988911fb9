/*
 * contact_trail.c
 *	  The type contact_trail: what was sent to one member and what they did, and how
 *	  much that is.
 */
#include "contact/contact.h"

#include "history/history.h"
#include "shared/arguments.h"
#include "shared/time_arguments.h"

#define CONTACT_TRAIL_VERSION 1

static const char *contact_trail_check(const uint8 *bytes, Size length);
static const char *check_settings(const uint8 *settings, Size size, EventLimits *limits);

static const HistoryKind contact_trail_kind = {
	.type = {"contact_trail", contact_trail_check},
	.format = {STORED_CONTACT_TRAIL, CONTACT_TRAIL_VERSION, EVENTS_NAMED, check_settings},
	.size_hint = "Leave out rows that are too old to matter.",
	.name_noun = CONTACT_NAME_NOUN
};

HISTORY_FUNCTIONS(contact_trail, &contact_trail_kind)

static const char *
check_settings(const uint8 *settings, Size size, EventLimits *limits)
{
	return names_check(settings, size, CONTACT_KINDS, limits);
}

/* ---------- building ---------- */

/* contact_trail_step(contact_trail, channel, kind, occurred_at): notes one row. */
CUSTMART_FUNCTION(custmart_contact_trail_step);
Datum
custmart_contact_trail_step(PG_FUNCTION_ARGS)
{
	History    *trail;
	text	   *channel;
	ContactKind kind;
	TimestampTz time;
	Event		event;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return aggregate_same_state(fcinfo);
	trail = history_of_state(fcinfo, &contact_trail_kind);
	channel = PG_GETARG_TEXT_PP(1);
	kind = contact_kind_argument(fcinfo, 2);
	time = time_check(PG_GETARG_TIMESTAMPTZ(3), "occurred_at");
	if (trail->count == trail->capacity)
		history_reserve(trail, 1);	/* which may give channels other numbers */
	event = (Event) {
		.value = time,
		.tag = event_named_tag(history_name(trail, VARDATA_ANY(channel), VARSIZE_ANY_EXHDR(channel)), kind)
	};
	*history_append(trail) = event;
	PG_FREE_IF_COPY(channel, 1);
	PG_RETURN_DATUM(EOHPGetRWDatum(&trail->hdr));
}

/* ---------- accessors ---------- */

/* Argument 0. */
static const History *
open_trail(FunctionCallInfo fcinfo)
{
	return history_open(PG_GETARG_DATUM(0), &contact_trail_kind);
}

/* The moment to look at, argument 1; NULL is the latest row. */
static TimestampTz
get_as_of(FunctionCallInfo fcinfo, const History *trail)
{
	TimestampTz last = trail->events[trail->count - 1].value;
	TimestampTz as_of;

	if (PG_ARGISNULL(1))
		return last;
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(1), "as_of");
	if (last > as_of)
		time_too_early_error(as_of, "as_of", last, "a row", false);
	return as_of;
}

/* pressure(contact_trail, as_of, half_life, channels, weights) */
CUSTMART_FUNCTION(custmart_contact_trail_pressure);
Datum
custmart_contact_trail_pressure(PG_FUNCTION_ARGS)
{
	const History *trail;
	ContactWeights given;
	float8		weights[NAMES_MAX];
	int64		half_life;
	int64		contacts;
	int64		last_contact;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	half_life = contact_duration_argument(fcinfo, 2, "half_life", 1);
	given = contact_weights_arguments(fcinfo, 3);
	trail = open_trail(fcinfo);
	contact_weights_of(&given, trail->settings, trail->settings_size, weights);
	PG_RETURN_FLOAT8(contact_pressure(trail->events, trail->count, get_as_of(fcinfo, trail), half_life,
									  weights, &contacts, &last_contact));
}

/* contacts_within(contact_trail, as_of, span, channel) */
CUSTMART_FUNCTION(custmart_contacts_within);
Datum
custmart_contacts_within(PG_FUNCTION_ARGS)
{
	const History *trail;
	int64		span;
	int			channel;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	span = contact_duration_argument(fcinfo, 2, "span", 1);
	trail = open_trail(fcinfo);
	channel = contact_channel_argument(fcinfo, 3, trail->settings, trail->settings_size);
	PG_RETURN_INT64(contact_within(trail->events, trail->count, get_as_of(fcinfo, trail), span, channel));
}

/* next_contact(contact_trail, as_of, span, cap, channel) */
CUSTMART_FUNCTION(custmart_next_contact);
Datum
custmart_next_contact(PG_FUNCTION_ARGS)
{
	const History *trail;
	TimestampTz as_of;
	int64		span;
	int32		cap;
	int			channel;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	span = contact_duration_argument(fcinfo, 2, "span", 1);
	argument_check_not_null(fcinfo, 3, "cap");
	cap = PG_GETARG_INT32(3);
	if (cap < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cap must not be below 0, not %d", cap),
				 errhint("It is how many contacts are allowed in the span.")));
	trail = open_trail(fcinfo);
	channel = contact_channel_argument(fcinfo, 4, trail->settings, trail->settings_size);
	as_of = get_as_of(fcinfo, trail);
	if (cap == 0 || contact_is_opted_out(trail->events, trail->count, channel))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(contact_next(trail->events, trail->count, as_of, span,
									   contact_within(trail->events, trail->count, as_of, span, channel),
									   cap, channel));
}
