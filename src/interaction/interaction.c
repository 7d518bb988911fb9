/*
 * interaction.c
 *	  The aggregate interaction_stage: whether one member comes on their own
 *	  initiative, because they were induced, because they must, or not at all.
 *
 * The state is a bytea, changed in place, numbers in network order:
 *
 *		0	kind, version, 2 reserved bytes
 *		4	i32	min_own
 *		8	i64	span, microseconds
 *		16	f64	min_own_share
 *		24	i64	as_of
 *		32	i64	interactions in the span: obliged, induced, own
 */
#include "interaction/interaction.h"

#include "shared/bytes.h"
#include "shared/aggregate.h"
#include "shared/duration.h"
#include "shared/time_arguments.h"
#include "shared/time_range.h"
#include "mb/pg_wchar.h"
#include "shared/stored_kind.h"
#include "utils/builtins.h"

#define STATE_VERSION 1
#define STATE_SIZE (32 + 8 * INTERACTION_KINDS)

/* The settings of interaction_stage(kind, occurred_at, as_of). */
static const InteractionSettings default_settings = {180 * USECS_PER_DAY, 2, 0.5};

typedef struct State
{
	bytea	   *value;
	InteractionSettings settings;
	TimestampTz as_of;
	InteractionCounts counts;
} State;

/* ---------- arguments ---------- */

/* The kind of an interaction, by its name. */
InteractionKind
interaction_kind_argument(FunctionCallInfo fcinfo, int argument)
{
	text	   *name = PG_GETARG_TEXT_PP(argument);
	InteractionKind kind;

	if (unlikely(!interaction_kind_of_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &kind)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind must be obliged, induced or own, not \"%.*s\"",
						pg_mbcliplen(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), 60), VARDATA_ANY(name)),
				 errhint("Classify interactions with CASE; rows with NULL are skipped.")));
	PG_FREE_IF_COPY(name, argument);
	return kind;
}

/* The arguments span, min_own and min_own_share, of which none is NULL. */
InteractionSettings
interaction_settings_arguments(FunctionCallInfo fcinfo, int first)
{
	InteractionSettings settings;

	settings.span = duration_argument(PG_GETARG_INTERVAL_P(first), "span");
	settings.min_own = PG_GETARG_INT32(first + 1);
	settings.min_own_share = PG_GETARG_FLOAT8(first + 2);
	if (unlikely(settings.span <= 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("span must be above 0, not \"%s\"", duration_text(PG_GETARG_INTERVAL_P(first))),
				 errhint("It is how long before as_of interactions count, such as '180 days'.")));
	if (unlikely(settings.min_own < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_own must be 1 or more, not %d", settings.min_own),
				 errhint("It is the number of own interactions that make a member sticky.")));
	if (unlikely(!(settings.min_own_share >= 0 && settings.min_own_share <= 1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_own_share must be from 0 to 1, not %g", settings.min_own_share),
				 errhint("It is the share of own interactions that makes a member sticky: 0.5 is half of them.")));
	settings.min_own_share += 0.0;	/* -0 becomes 0, so that equal settings have equal bytes */
	return settings;
}

/* Raises 22023 if an interaction lies after as_of. */
void
interaction_check_as_of(TimestampTz as_of, TimestampTz time, const char *argument)
{
	if (unlikely(time > as_of))
		time_too_early_error(as_of, argument, time, "an interaction", false);
}

/* ---------- the state ---------- */

/* Reads a state, whose bytes may have come from anywhere. */
static void
state_view(bytea *value, State *state)
{
	const uint8 *bytes = (const uint8 *) VARDATA(value);
	int64		all = 0;
	bool		is_valid = VARSIZE(value) == VARHDRSZ + STATE_SIZE &&
		bytes[0] == STORED_INTERACTION_STATE && bytes[1] == STATE_VERSION &&
		bytes[2] == 0 && bytes[3] == 0;

	if (is_valid)
	{
		state->value = value;
		state->settings.min_own = (int32) load_u32(bytes + 4);
		state->settings.span = (int64) load_u64(bytes + 8);
		state->settings.min_own_share = load_f64(bytes + 16);
		state->as_of = (TimestampTz) load_u64(bytes + 24);
		is_valid = interaction_settings_are_valid(&state->settings) && time_is_in_range(state->as_of);
	}
	for (int i = 0; is_valid && i < INTERACTION_KINDS; i++)
	{
		int64		n = (int64) load_u64(bytes + 32 + 8 * i);

		is_valid = n >= 0 && n <= INTERACTION_COUNT_MAX && (all += n) <= INTERACTION_COUNT_MAX;
		state->counts.of[i] = n;
	}
	if (!is_valid)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of an aggregate is not valid")));
}

static void
state_store_counts(const State *state)
{
	uint8	   *bytes = (uint8 *) VARDATA(state->value) + 32;

	for (int i = 0; i < INTERACTION_KINDS; i++)
		bytes = store_u64(bytes, (uint64) state->counts.of[i]);
}

static void
state_create(State *state, const InteractionSettings *settings, TimestampTz as_of)
{
	uint8	   *bytes;

	state->value = palloc0(VARHDRSZ + STATE_SIZE);
	SET_VARSIZE(state->value, VARHDRSZ + STATE_SIZE);
	state->settings = *settings;
	state->as_of = as_of;
	memset(&state->counts, 0, sizeof(state->counts));
	bytes = (uint8 *) VARDATA(state->value);
	bytes[0] = STORED_INTERACTION_STATE;
	bytes[1] = STATE_VERSION;
	bytes = store_u32(bytes + 4, (uint32) settings->min_own);
	bytes = store_u64(bytes, (uint64) settings->span);
	bytes = store_f64(bytes, settings->min_own_share);
	store_u64(bytes, (uint64) as_of);
}

static void
raise_different(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same for all rows", argument),
			 errhint("Write it as a constant, or group by what it depends on.")));
}

/* The state in argument 0, for changing, or a new one; its parameters must be these. */
static void
get_state(FunctionCallInfo fcinfo, const InteractionSettings *settings, TimestampTz as_of, State *state)
{
	if (PG_ARGISNULL(0))
	{
		state_create(state, settings, as_of);
		return;
	}
	state_view(PG_GETARG_BYTEA_P(0), state);
	if (state->as_of != as_of)
		raise_different("as_of");
	if (state->settings.span != settings->span)
		raise_different("span");
	if (state->settings.min_own != settings->min_own)
		raise_different("min_own");
	if (state->settings.min_own_share != settings->min_own_share)
		raise_different("min_own_share");
}

static void
add_counts(State *state, const InteractionCounts *counts)
{
	if (!interaction_merge(&state->counts, counts))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a member cannot have more than " INT64_FORMAT " interactions", INTERACTION_COUNT_MAX)));
	state_store_counts(state);
}

/* ---------- the aggregate ---------- */

/* interaction_stage_step(bytea, kind, occurred_at, as_of [, span, min_own, min_own_share]): one interaction. */
CUSTMART_FUNCTION(custmart_interaction_stage_step);
Datum
custmart_interaction_stage_step(PG_FUNCTION_ARGS)
{
	InteractionSettings settings = default_settings;
	InteractionCounts one = {{0}};
	InteractionKind kind;
	TimestampTz time;
	TimestampTz as_of;
	State		state;

	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	kind = interaction_kind_argument(fcinfo, 1);
	time = time_check(PG_GETARG_TIMESTAMPTZ(2), "occurred_at");
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(3), "as_of");
	if (PG_NARGS() > 4)
		settings = interaction_settings_arguments(fcinfo, 4);
	interaction_check_as_of(as_of, time, "as_of");
	get_state(fcinfo, &settings, as_of, &state);
	if (interaction_is_within(time, as_of, settings.span))
	{
		one.of[kind] = 1;
		add_counts(&state, &one);
	}
	PG_RETURN_BYTEA_P(state.value);
}

/* interaction_stage_combine(bytea, bytea): both states as one. */
CUSTMART_FUNCTION(custmart_interaction_stage_combine);
Datum
custmart_interaction_stage_combine(PG_FUNCTION_ARGS)
{
	State		state;
	State		other;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	state_view(PG_GETARG_BYTEA_P(1), &other);
	get_state(fcinfo, &other.settings, other.as_of, &state);
	add_counts(&state, &other.counts);
	PG_RETURN_BYTEA_P(state.value);
}

/* interaction_stage_final(bytea): the name of the stage; NULL without rows. */
CUSTMART_FUNCTION(custmart_interaction_stage_final);
Datum
custmart_interaction_stage_final(PG_FUNCTION_ARGS)
{
	State		state;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state_view(PG_GETARG_BYTEA_P(0), &state);
	PG_RETURN_TEXT_P(cstring_to_text(interaction_stage_names[interaction_stage_of(&state.counts, &state.settings)]));
}
