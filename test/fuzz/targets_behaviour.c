/*
 * targets_behaviour.c
 *	  Fuzzing of what keeps events: activity, retention_book, funnel, funnel_book,
 *	  interaction_book, spend, points.
 *
 * Values come as bytes and text, are made of rows in several orders, which must
 * give the same bytes, and are made of rows and then forged.  What is taken goes
 * through all functions of its type, whose rows must not contradict themselves,
 * and is merged.
 */
#include "targets.h"

#include <stdio.h>

#include "retention/activity.h"
#include "book/book.h"
#include "catalog/pg_type.h"
#include "funnel/funnel_core.h"
#include "history/retention_book_format.h"
#include "interaction/interaction_core.h"
#include "utils/array.h"
#include "utils/date.h"

#undef snprintf

FUNCTION(custmart_activity_summary_in);
FUNCTION(custmart_activity_summary_out);
FUNCTION(custmart_activity_summary_recv);
FUNCTION(custmart_activity_summary_combine);
FUNCTION(custmart_activity_summary_add);
FUNCTION(custmart_activity_step);
FUNCTION(custmart_activity_first_period);
FUNCTION(custmart_activity_last_period);
FUNCTION(custmart_activity_active_periods);
FUNCTION(custmart_activity_period_list);
FUNCTION(custmart_activity_is_active);
FUNCTION(custmart_activity_streak);
FUNCTION(custmart_activity_streak_day);
FUNCTION(custmart_activity_longest_streak);
FUNCTION(custmart_activity_lifecycle);
FUNCTION(custmart_retention_book_in);
FUNCTION(custmart_retention_book_out);
FUNCTION(custmart_retention_book_recv);
FUNCTION(custmart_retention_book_combine);
FUNCTION(custmart_retention_book_add);
FUNCTION(custmart_retention_book_step_bigint);
FUNCTION(custmart_retention_book_step_uuid);
FUNCTION(custmart_retention_book_step_text);
FUNCTION(custmart_retention_book_step_bigint_amount);
FUNCTION(custmart_retention_book_step_uuid_amount);
FUNCTION(custmart_retention_book_step_text_amount);
FUNCTION(custmart_retention_book_step_bigint_time);
FUNCTION(custmart_retention_book_step_uuid_time);
FUNCTION(custmart_retention_book_step_text_time);
FUNCTION(custmart_retention_book_step_bigint_since_timestamptz_timestamptz);
FUNCTION(custmart_retention_book_step_text_since_timestamptz_timestamptz);
FUNCTION(custmart_retention_book_step_bigint_amount_since_timestamptz_timestamptz);
FUNCTION(custmart_retention_book_step_uuid_amount_since_timestamptz_timestamptz);
FUNCTION(custmart_retention_book_step_bigint_time_since);
FUNCTION(custmart_retention_book_step_text_time_since);
FUNCTION(custmart_retention_book_step_bigint_activity);
FUNCTION(custmart_retention_book_step_text_activity);
FUNCTION(custmart_retention_book_rows_skipped);
FUNCTION(custmart_retention_book_member_count);
FUNCTION(custmart_retention_book_net_outside);
FUNCTION(custmart_cohort_retention);
FUNCTION(custmart_lifecycle_counts);
FUNCTION(custmart_stickiness);
FUNCTION(custmart_day_retention);
FUNCTION(custmart_revenue_growth);
FUNCTION(custmart_funnel_summary_in);
FUNCTION(custmart_funnel_summary_out);
FUNCTION(custmart_funnel_summary_recv);
FUNCTION(custmart_funnel_summary_combine);
FUNCTION(custmart_funnel_summary_add);
FUNCTION(custmart_funnel_step);
FUNCTION(custmart_funnel_level);
FUNCTION(custmart_funnel_step_times);
FUNCTION(custmart_funnel_step_durations);
FUNCTION(custmart_funnel_step_seconds);
FUNCTION(custmart_funnel_book_in);
FUNCTION(custmart_funnel_book_out);
FUNCTION(custmart_funnel_book_recv);
FUNCTION(custmart_funnel_book_combine);
FUNCTION(custmart_funnel_book_add);
FUNCTION(custmart_funnel_book_step_bigint);
FUNCTION(custmart_funnel_book_step_uuid);
FUNCTION(custmart_funnel_book_step_text);
FUNCTION(custmart_funnel_book_step_bigint_summary);
FUNCTION(custmart_funnel_book_step_text_summary);
FUNCTION(custmart_funnel_book_rows_skipped);
FUNCTION(custmart_funnel_book_member_count);
FUNCTION(custmart_funnel_steps);
FUNCTION(custmart_funnel_members);
FUNCTION(custmart_funnel_members_typed);
FUNCTION(custmart_session_book_in);
FUNCTION(custmart_session_book_out);
FUNCTION(custmart_session_book_recv);
FUNCTION(custmart_session_book_combine);
FUNCTION(custmart_session_book_add);
FUNCTION(custmart_session_book_step_bigint);
FUNCTION(custmart_session_book_step_uuid);
FUNCTION(custmart_session_book_step_text);
FUNCTION(custmart_session_book_rows_skipped);
FUNCTION(custmart_session_book_member_count);
FUNCTION(custmart_sessions);
FUNCTION(custmart_sessions_typed);
FUNCTION(custmart_session_members);
FUNCTION(custmart_session_members_typed);
FUNCTION(custmart_interaction_book_in);
FUNCTION(custmart_interaction_book_out);
FUNCTION(custmart_interaction_book_recv);
FUNCTION(custmart_interaction_book_combine);
FUNCTION(custmart_interaction_book_add);
FUNCTION(custmart_interaction_book_step_bigint);
FUNCTION(custmart_interaction_book_step_uuid);
FUNCTION(custmart_interaction_book_step_text);
FUNCTION(custmart_interaction_book_rows_skipped);
FUNCTION(custmart_interaction_book_member_count);
FUNCTION(custmart_interaction_stages);
FUNCTION(custmart_interaction_members);
FUNCTION(custmart_interaction_members_typed);
FUNCTION(custmart_interaction_transitions);

FUNCTION(custmart_spend_summary_in);
FUNCTION(custmart_spend_summary_out);
FUNCTION(custmart_spend_summary_recv);
FUNCTION(custmart_spend_summary_combine);
FUNCTION(custmart_spend_summary_add);
FUNCTION(custmart_spend_step);
FUNCTION(custmart_rolling_spend);
FUNCTION(custmart_tier_by_spend);
FUNCTION(custmart_spend_to_next);
FUNCTION(custmart_tier_until);
FUNCTION(custmart_tier_history);

FUNCTION(custmart_points_summary_in);
FUNCTION(custmart_points_summary_out);
FUNCTION(custmart_points_summary_recv);
FUNCTION(custmart_points_summary_combine);
FUNCTION(custmart_points_summary_add);
FUNCTION(custmart_points_step);
FUNCTION(custmart_points_balance);
FUNCTION(custmart_points_lapsed);
FUNCTION(custmart_points_until);
FUNCTION(custmart_points_earned);
FUNCTION(custmart_points_redeemed);
FUNCTION(custmart_points_lapses);
FUNCTION(custmart_points_history);

#define STORED_TYPE(type) { \
	#type, custmart_##type##_in, custmart_##type##_out, custmart_##type##_recv, custmart_stored_eq, \
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended \
}

/* A type, with what all of them can do. */
typedef struct Kind
{
	Type		type;
	PGFunction	add;
	PGFunction	combine;
	bool		is_set;			/* adding it to itself changes nothing, or, for books, rows_skipped alone */
	void		(*use) (Datum value, Input *input);
} Kind;

static void use_activity(Datum value, Input *input);
static void use_retention(Datum value, Input *input);
static void use_funnel(Datum value, Input *input);
static void use_funnel_book(Datum value, Input *input);
static void use_interactions(Datum value, Input *input);
static void use_sessions(Datum value, Input *input);
static void use_spend(Datum value, Input *input);
static void use_points(Datum value, Input *input);

static const Kind activity = {
	STORED_TYPE(activity_summary), custmart_activity_summary_add, custmart_activity_summary_combine, true, use_activity
};
static const Kind retention_book = {
	STORED_TYPE(retention_book), custmart_retention_book_add, custmart_retention_book_combine, false, use_retention
};
static const Kind funnel = {
	STORED_TYPE(funnel_summary), custmart_funnel_summary_add, custmart_funnel_summary_combine, false, use_funnel
};
static const Kind funnel_book = {
	STORED_TYPE(funnel_book), custmart_funnel_book_add, custmart_funnel_book_combine, false, use_funnel_book
};
static const Kind interaction_book = {
	STORED_TYPE(interaction_book), custmart_interaction_book_add, custmart_interaction_book_combine, false, use_interactions
};

static const Kind session_book = {
	STORED_TYPE(session_book), custmart_session_book_add, custmart_session_book_combine, false, use_sessions
};

static const Kind spend = {
	STORED_TYPE(spend_summary), custmart_spend_summary_add, custmart_spend_summary_combine, false, use_spend
};
static const Kind points = {
	STORED_TYPE(points_summary), custmart_points_summary_add, custmart_points_summary_combine, false, use_points
};

/* Rows of a set that are looked at; a forged value may ask for millions. */
#define ROWS_LOOKED_AT 3000

static void
begin(void)
{
	host_memory_ends = true;
	host_rows_end = ROWS_LOOKED_AT;
}

/* True if a call came to an end that depends on how much was asked for. */
static bool
has_ended(const Outcome *outcome)
{
	return outcome->raised &&
		(outcome->sqlstate == ERRCODE_QUERY_CANCELED || outcome->sqlstate == ERRCODE_OUT_OF_MEMORY ||
		 outcome->sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED || outcome->sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE);
}

/* The same, or the zone of a forged value is none of this server. */
static bool
has_ended_or_no_zone(const Outcome *outcome)
{
	if (outcome->raised && outcome->sqlstate == ERRCODE_INVALID_PARAMETER_VALUE &&
		strncmp(outcome->message, "time zone ", 10) == 0)
		return true;
	return has_ended(outcome);
}

static NullableDatum
text_argument(const char *text)
{
	return (NullableDatum) ARG(host_packed(host_varlena(text, strlen(text))));
}

static void
text_of(Datum value, char *text, Size size)
{
	snprintf(text, size, "%.*s", (int) VARSIZE_ANY_EXHDR(DatumGetPointer(value)), VARDATA_ANY(DatumGetPointer(value)));
}

/* ---------- merging, which all do alike ---------- */

static void
merge(const Kind *kind, Datum a, Datum b)
{
	Outcome		sum = CALL(kind->add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(kind->add, ARG(b), ARG(host_packed(a)));
	Outcome		flattened;
	Datum		value;

	if (has_ended(&sum) || has_ended(&reverse))
		return;
	host_require(sum.raised == reverse.raised, "a + b fails and b + a does not, or the other way round: %s%s",
				 sum.message, reverse.message);
	if (sum.raised)
	{
		bool		is_of_settings = strstr(sum.message, "made with different settings") != NULL;

		host_require(sum.sqlstate == (is_of_settings ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_DATATYPE_MISMATCH) &&
					 a != b, "+: %s", sum.message);
		return;
	}
	/* Sums are made when a value is flattened, and may not fit. */
	flattened = CALL(custmart_stored_send, ARG(sum.value));
	if (has_ended(&flattened))
		return;
	value = must(flattened, "flattening");
	host_require(same_bytes(value, flat(reverse.value)), "a + b <> b + a");
	host_require(!kind->is_set || a != b || same_bytes(value, a), "a + a <> a");
	check_round_trips(&kind->type, value);

	/* As an aggregate does it: states flat, and states as other workers hand them over. */
	for (int expanded = 0; expanded < 2; expanded++)
	{
		Outcome		state = CALL_IN_AGGREGATE(kind->combine, NULL_ARG, ARG(a));
		Outcome		other = CALL_IN_AGGREGATE(kind->combine, NULL_ARG, ARG(b));
		Outcome		total;

		if (has_ended(&state) || has_ended(&other))
			return;
		host_require(same_bytes(a, flat(must(state, "rollup"))), "what is taken is stored differently");
		total = CALL_IN_AGGREGATE(kind->combine, ARG(state.value), ARG(expanded ? must(other, "rollup") : b));
		if (has_ended(&total))
			return;
		host_require(same_bytes(value, flat(must(total, "rollup"))), "+ and rollup differ");
		host_require(same_bytes(b, flat(must(other, "rollup"))), "merging changes what is merged");
	}
}

static void
recv_target(const Kind *kind, Input *input)
{
	struct varlena *value;

	begin();
	value = receive_both(&kind->type, input);
	if (value == NULL)
		return;
	kind->use(PointerGetDatum(value), input);
	merge(kind, PointerGetDatum(value), PointerGetDatum(value));
}

static void
in_target(const Kind *kind, Input *input)
{
	struct varlena *value;

	begin();
	value = from_text(&kind->type, input->at, left(input));
	if (value != NULL)
		kind->use(PointerGetDatum(value), input);
}

/* ---------- arguments ---------- */

#define LATEST (END_TIMESTAMP - 1)

/* A year from each end, every zone and unit has a period for a time. */
static TimestampTz
take_instant(Input *input)
{
	uint8		kind = take_byte(input);

	if (kind < 0x60)
		return kind * USECS_PER_SEC;
	if (kind < 0xC0)
		return kind * USECS_PER_DAY;
	if (kind < 0xD8)
		return (TimestampTz) (kind - 0xCC) * 31 * USECS_PER_DAY - 1;
	if (kind < 0xE8)
		return kind * USECS_PER_HOUR * 1000;
	if (kind < 0xF0)
		return (TimestampTz) take_number(input, 4) * USECS_PER_SEC;
	if (kind < 0xF6)
		return MIN_TIMESTAMP + (kind - 0xF0) * 100 * USECS_PER_DAY;
	return kind < 0xFA ? LATEST - (kind - 0xF6) * USECS_PER_HOUR * 7 : USECS_PER_HOUR;
}

static NullableDatum
take_time(Input *input)
{
	if (input->at < input->end && *input->at == 0xFF)
	{
		input->at++;
		return (NullableDatum) NULL_ARG;
	}
	return (NullableDatum) ARG(TimestampTzGetDatum(take_instant(input)));
}

/* A day as an argument, sometimes one that dates can name and times cannot. */
static DateADT
take_day(Input *input)
{
	uint8		kind = take_byte(input);

	return kind < 0xF0 ? kind - 40 : kind < 0xF8 ? DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE + kind - 0xF0 :
		DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1 - (kind - 0xF8);
}

static NullableDatum
take_member(Input *input, KeyType type, bool is_one)
{
	static const char *const texts[] = {"", "a", "ab", "\xC3\xA4", "a longer member than fits a word"};
	uint8		number = take_byte(input);
	char		text[100];

	if (number >= 0xFC)
		return (NullableDatum) NULL_ARG;
	if (is_one)
		number = 1;
	switch (type)
	{
		case KEY_INT64:
			return (NullableDatum) ARG(Int64GetDatum(number < 0xF0 ? number % 12 - 3 : (int64) take_number(input, 8)));
		case KEY_FIXED16:
			return (NullableDatum) ARG(PointerGetDatum(memset(palloc(16), number % 12 * 23, 16)));
		default:
			snprintf(text, sizeof(text), "%s%d", texts[number % lengthof(texts)], number % 12);
			return text_argument(number == 0 ? "" : text);
	}
}

static NullableDatum
take_amount(Input *input)
{
	static const char *const amounts[] = {
		"0", "1", "-1", "19.99", "-19.99", "0.00", "0.001", "36028797018963967", "36028797018963968",
		"-36028797018963969", "360287970189639.67", "99999999999999999999999999999999999999",
		"-99999999999999999999999999999999999999.9999999999999999999999999999", "0.0000000000000000000000000001", "-0.5"
	};
	uint8		kind = take_byte(input);
	const char *text = amounts[kind < 0xA0 ? kind % 5 : kind % lengthof(amounts)];
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	Decimal		d;

	if (kind == 0xFF)
		return (NullableDatum) NULL_ARG;
	if (!decimal_from_text(text, strlen(text), &d))
		abort();
	return (NullableDatum) ARG(host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric))));
}

static const char *const units[] = {
	"day", "week", "month", "quarter", "year", "week(sunday)", "quarter(february)", "year(april)", "year(december)"
};
static const char *const zones[] = {"UTC", "Europe/Berlin", "america/new_york", "Restless/City", "Untold/City", "Asia/Kolkata"};

/* What must be the same in all rows of a value. */
typedef struct Settings
{
	NullableDatum unit;
	NullableDatum zone;
	NullableDatum within;
	int			steps;
	bool		is_one;			/* all rows are of one member */
} Settings;

static Settings
take_settings(Input *input)
{
	static const int64 windows[] = {0, 1, 60 * USECS_PER_SEC, USECS_PER_DAY, 30 * USECS_PER_DAY, PG_INT64_MAX};
	uint8		a = take_byte(input);
	uint8		b = take_byte(input);
	Interval   *within = palloc0(sizeof(Interval));
	Settings	settings;

	within->time = windows[b % lengthof(windows)];
	if (b % 2)
	{
		within->day = (int32) (within->time / USECS_PER_DAY);
		within->time %= USECS_PER_DAY;
	}
	settings.unit = text_argument(units[a % lengthof(units)]);
	settings.zone = text_argument(zones[a / 5 % lengthof(zones)]);
	settings.within = (NullableDatum) ARG(IntervalPGetDatum(within));
	settings.is_one = (b & 0x40) != 0;
	settings.steps = b < 0x80 ? 1 + b % 5 : 1 + b % FUNNEL_STEPS_MAX;
	return settings;
}

static NullableDatum
take_steps(Input *input, int steps)
{
	uint8		values[FUNNEL_STEPS_MAX];
	uint32		mask = (uint32) take_number(input, steps <= 8 ? 1 : 4);

	for (int i = 0; i < steps; i++)
		values[i] = (mask >> i & 1) ? 1 : mask % 7 == 3 ? HOST_NULL_BOOL : 0;
	return (NullableDatum) ARG(host_bool_array(values, steps));
}

static NullableDatum
take_kind(Input *input)
{
	static const char *const kinds[INTERACTION_KINDS] = {"obliged", "induced", "own"};
	uint8		kind = take_byte(input);

	return kind == 0xFF ? (NullableDatum) NULL_ARG : text_argument(kinds[kind % INTERACTION_KINDS]);
}

/* An activity of few rows; null if none of them counts. */
static NullableDatum
take_activity(Input *input, const Settings *settings)
{
	int			n = 1 + take_byte(input) % 4;
	NullableDatum state = NULL_ARG;

	for (int i = 0; i < n; i++)
	{
		Outcome		outcome = CALL_IN_AGGREGATE(custmart_activity_step, state, take_time(input), settings->unit, settings->zone);

		if (!outcome.raised && !outcome.is_null)
			state = (NullableDatum) ARG(outcome.value);
	}
	if (!state.isnull)
		state.value = host_packed(flat(state.value));
	return state;
}

/* The same of a funnel. */
static NullableDatum
take_funnel(Input *input, const Settings *settings)
{
	int			n = 1 + take_byte(input) % 4;
	NullableDatum state = NULL_ARG;

	for (int i = 0; i < n; i++)
	{
		NullableDatum time = take_time(input);
		Outcome		outcome = CALL_IN_AGGREGATE(custmart_funnel_step, state, settings->within, time, take_steps(input, settings->steps));

		if (!outcome.raised && !outcome.is_null)
			state = (NullableDatum) ARG(outcome.value);
	}
	if (!state.isnull)
		state.value = host_packed(flat(state.value));
	return state;
}

/* ---------- values made of rows ---------- */

typedef enum RowArguments
{
	ROW_ACTIVITY, ROW_PERIODS, ROW_AMOUNTS, ROW_TIMES, ROW_ACTIVITIES, ROW_FUNNEL, ROW_FUNNELS, ROW_INTERACTIONS, ROW_SPEND,
	ROW_JOINED_PERIODS, ROW_JOINED_AMOUNTS, ROW_JOINED_TIMES
} RowArguments;

typedef struct Signature
{
	PGFunction	step;
	KeyType		member;			/* 0: none */
	RowArguments arguments;
	const Kind *kind;
} Signature;

static const Signature signatures[] = {
	{custmart_activity_step, 0, ROW_ACTIVITY, &activity},
	{custmart_retention_book_step_bigint, KEY_INT64, ROW_PERIODS, &retention_book},
	{custmart_retention_book_step_uuid, KEY_FIXED16, ROW_PERIODS, &retention_book},
	{custmart_retention_book_step_text, KEY_BYTES, ROW_PERIODS, &retention_book},
	{custmart_retention_book_step_bigint_amount, KEY_INT64, ROW_AMOUNTS, &retention_book},
	{custmart_retention_book_step_uuid_amount, KEY_FIXED16, ROW_AMOUNTS, &retention_book},
	{custmart_retention_book_step_text_amount, KEY_BYTES, ROW_AMOUNTS, &retention_book},
	{custmart_retention_book_step_bigint_time, KEY_INT64, ROW_TIMES, &retention_book},
	{custmart_retention_book_step_uuid_time, KEY_FIXED16, ROW_TIMES, &retention_book},
	{custmart_retention_book_step_text_time, KEY_BYTES, ROW_TIMES, &retention_book},
	{custmart_retention_book_step_bigint_since_timestamptz_timestamptz, KEY_INT64, ROW_JOINED_PERIODS, &retention_book},
	{custmart_retention_book_step_text_since_timestamptz_timestamptz, KEY_BYTES, ROW_JOINED_PERIODS, &retention_book},
	{custmart_retention_book_step_bigint_amount_since_timestamptz_timestamptz, KEY_INT64, ROW_JOINED_AMOUNTS, &retention_book},
	{custmart_retention_book_step_uuid_amount_since_timestamptz_timestamptz, KEY_FIXED16, ROW_JOINED_AMOUNTS, &retention_book},
	{custmart_retention_book_step_bigint_time_since, KEY_INT64, ROW_JOINED_TIMES, &retention_book},
	{custmart_retention_book_step_text_time_since, KEY_BYTES, ROW_JOINED_TIMES, &retention_book},
	{custmart_retention_book_step_bigint_activity, KEY_INT64, ROW_ACTIVITIES, &retention_book},
	{custmart_retention_book_step_text_activity, KEY_BYTES, ROW_ACTIVITIES, &retention_book},
	{custmart_funnel_step, 0, ROW_FUNNEL, &funnel},
	{custmart_funnel_book_step_bigint, KEY_INT64, ROW_FUNNEL, &funnel_book},
	{custmart_funnel_book_step_uuid, KEY_FIXED16, ROW_FUNNEL, &funnel_book},
	{custmart_funnel_book_step_text, KEY_BYTES, ROW_FUNNEL, &funnel_book},
	{custmart_funnel_book_step_bigint_summary, KEY_INT64, ROW_FUNNELS, &funnel_book},
	{custmart_funnel_book_step_text_summary, KEY_BYTES, ROW_FUNNELS, &funnel_book},
	{custmart_interaction_book_step_bigint, KEY_INT64, ROW_INTERACTIONS, &interaction_book},
	{custmart_interaction_book_step_uuid, KEY_FIXED16, ROW_INTERACTIONS, &interaction_book},
	{custmart_interaction_book_step_text, KEY_BYTES, ROW_INTERACTIONS, &interaction_book},
	{custmart_session_book_step_bigint, KEY_INT64, ROW_TIMES, &session_book},
	{custmart_session_book_step_uuid, KEY_FIXED16, ROW_TIMES, &session_book},
	{custmart_session_book_step_text, KEY_BYTES, ROW_TIMES, &session_book},
	{custmart_spend_step, 0, ROW_SPEND, &spend},
	{custmart_points_step, 0, ROW_SPEND, &points}
};

/* One of the signatures of a type. */
static const Signature *
signature_of(const Kind *kind, int number)
{
	int			n = 0;

	for (int i = 0; i < lengthof(signatures); i++)
		n += signatures[i].kind == kind;
	number %= n;
	for (int i = 0;; i++)
		if (signatures[i].kind == kind && number-- == 0)
			return &signatures[i];
}

#define ROWS_MAX 200

typedef struct Row
{
	NullableDatum args[6];
	int			nargs;
	uint8		part;
} Row;

static int
take_rows(Input *input, const Signature *signature, Row *rows)
{
	Settings	settings = take_settings(input);
	int			most = take_byte(input) * 2;
	int			n = 0;

	while (n < Min(most, ROWS_MAX) && left(input) > 0)
	{
		NullableDatum *arg = rows[n].args;

		if (signature->member != 0)
			*arg++ = take_member(input, signature->member, settings.is_one);
		switch (signature->arguments)
		{
			case ROW_JOINED_AMOUNTS:
				*arg++ = take_time(input);
				*arg++ = take_time(input);
				*arg++ = take_amount(input);
				*arg++ = settings.unit;
				*arg++ = settings.zone;
				break;
			case ROW_JOINED_PERIODS:
				*arg++ = take_time(input);
				*arg++ = take_time(input);
				*arg++ = settings.unit;
				*arg++ = settings.zone;
				break;
			case ROW_JOINED_TIMES:
				*arg++ = take_time(input);
				*arg++ = take_time(input);
				break;
			case ROW_AMOUNTS:
				*arg++ = take_time(input);
				*arg++ = take_amount(input);
				*arg++ = settings.unit;
				*arg++ = settings.zone;
				break;
			case ROW_ACTIVITY:
			case ROW_PERIODS:
				*arg++ = take_time(input);
				*arg++ = settings.unit;
				*arg++ = settings.zone;
				break;
			case ROW_TIMES:
				*arg++ = take_time(input);
				break;
			case ROW_ACTIVITIES:
				*arg++ = take_activity(input, &settings);
				break;
			case ROW_FUNNEL:
				*arg++ = settings.within;
				*arg++ = take_time(input);
				*arg++ = take_steps(input, settings.steps);
				break;
			case ROW_FUNNELS:
				*arg++ = take_funnel(input, &settings);
				break;
			case ROW_SPEND:
				*arg++ = take_time(input);
				*arg++ = take_amount(input);
				break;
			case ROW_INTERACTIONS:
				*arg++ = take_kind(input);
				*arg++ = take_time(input);
				break;
		}
		rows[n].nargs = arg - rows[n].args;
		rows[n++].part = take_byte(input);
	}
	return n;
}

/* The state of all rows of one part, or of all parts if it is -1; 0 if there is none. */
static Datum
add_rows(const Row *rows, int n, const Signature *signature, int part, bool flatten)
{
	Datum		state = (Datum) 0;

	for (int i = 0; i < n; i++)
	{
		NullableDatum args[7] = {{state, state == (Datum) 0}};
		Outcome		outcome;

		if (part >= 0 && rows[i].part % 2 != part)
			continue;
		memcpy(args + 1, rows[i].args, sizeof(rows[i].args));
		outcome = host_call(signature->step, args, 1 + rows[i].nargs, HOST_AGGREGATE);
		/* Times that are in no period of their zone. */
		if (outcome.raised && outcome.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE)
			continue;
		host_require(!outcome.raised, "a row: %s", outcome.message);
		if (outcome.is_null)
			continue;
		state = outcome.value;
		/* Between any two rows a state may be sent elsewhere. */
		if (flatten && rows[i].part % 64 == 0)
			state = flat(state);
	}
	return state;
}

/* However rows are ordered and divided, they make the same bytes, which are returned; 0 if none. */
static Datum
check_rows(Row *rows, int n, const Signature *signature)
{
	const Kind *kind = signature->kind;
	Datum		whole = add_rows(rows, n, signature, -1, false);
	Datum		parts[2];
	Outcome		empty;

	if (whole == (Datum) 0)
		return whole;
	whole = flat(whole);
	host_require(same_bytes(whole, flat(add_rows(rows, n, signature, -1, true))),
				 "another value if the state was flat on the way");
	for (int i = 0; i < 2; i++)
		parts[i] = add_rows(rows, n, signature, i, false);
	if (parts[0] != (Datum) 0 && parts[1] != (Datum) 0)
	{
		host_require(same_bytes(whole, flat(must(CALL(kind->add, ARG(flat(parts[0])), ARG(flat(parts[1]))), "+"))),
					 "the sum of two parts differs");
		host_require(same_bytes(whole, flat(must(CALL_IN_AGGREGATE(kind->combine, ARG(parts[1]), ARG(parts[0])), "combine"))),
					 "two combined parts differ");
	}
	for (int i = 0; i < n / 2; i++)
	{
		Row			swap = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = swap;
	}
	host_require(same_bytes(whole, flat(add_rows(rows, n, signature, -1, false))), "another value backwards");
	empty = CALL_IN_AGGREGATE(kind->combine, NULL_ARG, NULL_ARG);
	host_require(!empty.raised && empty.is_null, "nothing and nothing");
	check_round_trips(&kind->type, whole);
	return whole;
}

/* ---------- values that are forged ---------- */

static Size
damage(Input *input, uint8 *bytes, Size length)
{
	uint8		kind = take_byte(input);
	Size		at = (kind & 0x80 ? take_number(input, 2) : take_number(input, 1)) % Max(length, 1);
	uint8		number = take_byte(input);
	Size		size = 1 + number % 16;

	if (length == 0)
		return 0;
	switch (kind % 8)
	{
		case 0:
			bytes[at] = number;
			break;
		case 1:
			bytes[at] ^= 1 << number % 8;
			break;
		case 2:
			bytes[at] += number;
			break;
		case 3:					/* takes out */
			size = Min(size, length - at);
			memmove(bytes + at, bytes + at + size, length - at - size);
			length -= size;
			break;
		case 4:					/* doubles */
			size = Min(size, length - at);
			memmove(bytes + at + size, bytes + at, length - at);
			length += size;
			break;
		case 5:					/* a number of variable length more */
			memmove(bytes + at + 2, bytes + at, length - at);
			bytes[at] = number | 0x80;
			bytes[at + 1] = number % 127 + 1;
			length += 2;
			break;
		case 6:					/* from the end, where events are */
			bytes[length - 1 - at] = number;
			break;
		case 7:
			bytes[length - 1 - at] += number % 2 ? 1 : -1;
			break;
	}
	return length;
}

static struct varlena *
take_value(const Kind *kind, Input *input)
{
	static Row	rows[ROWS_MAX];
	const Signature *signature = signature_of(kind, take_byte(input));
	int			changes = take_byte(input) % 8;
	Input		damages = *input;
	struct varlena *forged;
	Datum		value;
	uint8	   *bytes;
	Size		length;
	int			n;

	input->at = Min(input->at + changes * 4, input->end);
	damages.end = input->at;
	n = take_rows(input, signature, rows);
	value = n == 0 ? (Datum) 0 : check_rows(rows, n, signature);
	if (value == (Datum) 0)
		return NULL;
	kind->use(value, input);
	length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));
	bytes = palloc(length + 8 * 16);
	memcpy(bytes, VARDATA_ANY(DatumGetPointer(value)), length);
	for (int i = 0; i < changes; i++)
		length = damage(&damages, bytes, length);
	forged = from_binary(&kind->type, bytes, length);
	if (forged != NULL && changes > 0)
		kind->use(PointerGetDatum(forged), input);
	return forged;
}

static void
forged_target(const Kind *kind, Input *input)
{
	struct varlena *a;
	struct varlena *b;

	begin();
	a = take_value(kind, input);
	b = take_value(kind, input);
	if (a != NULL)
		merge(kind, PointerGetDatum(a), PointerGetDatum(b != NULL ? b : a));
}

/* ---------- activity ---------- */

static void
use_activity(Datum value, Input *input)
{
	NullableDatum packed = ARG(host_packed(value));
	NullableDatum day = ARG(DateADTGetDatum(take_day(input)));
	int64		n = DatumGetInt64(must(CALL(custmart_activity_active_periods, packed), "active_periods"));
	DateADT		first = DatumGetDateADT(must(CALL(custmart_activity_first_period, packed), "first_period"));
	DateADT		last = DatumGetDateADT(must(CALL(custmart_activity_last_period, packed), "last_period"));
	int32		streak = DatumGetInt32(must(CALL(custmart_activity_streak, packed), "streak"));
	int32		longest = DatumGetInt32(must(CALL(custmart_activity_longest_streak, packed), "longest_streak"));
	bool		is_active = DatumGetBool(must(CALL(custmart_activity_is_active, packed, day), "is_active"));
	int32		streak_day = DatumGetInt32(must(CALL(custmart_activity_streak_day, packed, day), "streak"));
	Outcome		lifecycle = CALL(custmart_activity_lifecycle, packed, day);
	Outcome		list = CALL(custmart_activity_period_list, packed);
	DateADT    *days;

	check_round_trips(&activity.type, value);
	host_require(n > 0 && IS_VALID_DATE(first) && IS_VALID_DATE(last) && first <= last && (n == 1) == (first == last), "first and last period");
	host_require(streak >= 1 && streak <= longest && longest <= n && streak_day <= longest, "streaks");
	host_require((streak_day > 0) == is_active, "a streak of a day without activity");
	host_require(!lifecycle.raised, "lifecycle: %s", lifecycle.message);
	if (!lifecycle.is_null)
	{
		char		text[32];

		text_of(lifecycle.value, text, sizeof(text));
		host_require((strcmp(text, "dormant") == 0) != is_active, "dormant and active, or neither");
		host_require((streak_day > 1) == (strcmp(text, "returning") == 0), "returning without a streak");
	}
	else
		host_require(!is_active, "an active member who is nothing");
	host_require(DatumGetBool(must(CALL(custmart_activity_is_active, packed, ARG(DateADTGetDatum(first))), "is_active")) &&
				 DatumGetInt32(must(CALL(custmart_activity_streak_day, packed, ARG(DateADTGetDatum(last))), "streak")) == streak,
				 "not active in the first period, or another streak up to the last");
	if (has_ended(&list))
		return;
	host_require(ARR_DIMS((ArrayType *) DatumGetPointer(must(list, "period_list")))[0] == n, "period_list");
	days = (DateADT *) ARR_DATA_PTR((ArrayType *) DatumGetPointer(list.value));
	host_require(days[0] == first && days[n - 1] == last, "the ends of the list");
	for (int64 i = 1; i < n; i++)
		host_require(days[i - 1] < days[i], "the list does not ascend");
}

/* ---------- retention_book ---------- */

static const Oid cohort_columns[] = {
	DATEOID, INT4OID, DATEOID, INT8OID, INT8OID, FLOAT8OID, INT8OID, FLOAT8OID, NUMERICOID, HOST_BOUND
};
static const Oid growth_columns[] = {DATEOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID};
static const Oid stickiness_columns[] = {INT4OID, INT8OID, FLOAT8OID, INT8OID, FLOAT8OID};
static const Oid revenue_columns[] = {
	DATEOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, FLOAT8OID, FLOAT8OID
};
static const Oid day_columns[] = {INT4OID, INT4OID, INT8OID, INT8OID, FLOAT8OID, INT8OID, FLOAT8OID};

/* Of the report that is read, from row to row. */
static bool has_amounts;
static bool is_joined;			/* the book says when members joined */
static int64 members_seen;
static int64 last_seen;
static int64 period_seen;
static DateADT day_seen;
static DateADT first_day_seen;

static bool
is_share(Datum value)
{
	return DatumGetFloat8(value) >= 0 && DatumGetFloat8(value) <= 1;
}

static void
check_cohort(const Datum *values, const bool *nulls)
{
	DateADT		cohort = DatumGetDateADT(values[0]);
	int32		period = DatumGetInt32(values[1]);
	DateADT		first_day = DatumGetDateADT(values[2]);
	int64		members = DatumGetInt64(values[3]);
	int64		active = DatumGetInt64(values[4]);
	int64		on_or_after = DatumGetInt64(values[6]);

	host_require(!nulls[0] && !nulls[1] && !nulls[2] && !nulls[3] && !nulls[4] && !nulls[6], "a column is null");
	host_require(period == 0 ? first_day == cohort : first_day > first_day_seen, "the first day of a period");
	first_day_seen = first_day;
	if (period == 0)
	{
		host_require(cohort > day_seen, "cohorts do not ascend");
		host_require(members > 0 && (is_joined || (active == members && on_or_after == members)), "a cohort is not active in its own period");
		members_seen += members;
		last_seen = members;
	}
	else
		host_require(cohort == day_seen && period == period_seen + 1, "periods do not follow one another");
	host_require(active >= 0 && active <= on_or_after && on_or_after <= last_seen, "more are active than were left");
	host_require(nulls[5] == nulls[7] && (nulls[5] || (is_share(values[5]) && is_share(values[7]))), "rates");
	host_require(nulls[8] == !has_amounts && (nulls[9] || (has_amounts && !nulls[5])), "net");
	last_seen = on_or_after;
	period_seen = period;
	day_seen = cohort;
}

static void
check_growth(const Datum *values, const bool *nulls)
{
	int64		active = DatumGetInt64(values[1]);
	int64		dormant = DatumGetInt64(values[5]);

	host_require(DatumGetDateADT(values[0]) > day_seen, "periods do not ascend");
	day_seen = DatumGetDateADT(values[0]);
	host_require(active == DatumGetInt64(values[2]) + DatumGetInt64(values[3]) + DatumGetInt64(values[4]), "active members");
	host_require(DatumGetInt64(values[2]) >= 0 && DatumGetInt64(values[3]) >= 0 && DatumGetInt64(values[4]) >= 0 && dormant >= 0, "below 0");
	if (!nulls[5])
		host_require(active - last_seen == DatumGetInt64(values[2]) + DatumGetInt64(values[4]) - dormant, "growth does not add up");
	members_seen += DatumGetInt64(values[2]);
	last_seen = active;
}

static void
check_stickiness(const Datum *values, const bool *nulls)
{
	host_require(DatumGetInt32(values[0]) == period_seen + 1, "periods");
	period_seen++;
	host_require(is_share(values[2]) && is_share(values[4]), "shares");
	if (period_seen == 1)
		last_seen = DatumGetInt64(values[3]);
	host_require(DatumGetInt64(values[3]) == last_seen && DatumGetInt64(values[1]) >= 0, "at_least");
	last_seen -= DatumGetInt64(values[1]);
	members_seen += DatumGetInt64(values[1]);
}

static void
check_day(const Datum *values, const bool *nulls)
{
	int32		day = DatumGetInt32(values[0]);
	int32		until_day = DatumGetInt32(values[1]);
	int64		members = DatumGetInt64(values[2]);
	int64		active = DatumGetInt64(values[3]);
	int64		on_or_after = DatumGetInt64(values[5]);

	host_require(day > period_seen && until_day >= day, "days");
	host_require(members >= 0 && (period_seen < 0 || members <= members_seen), "more members on a later day");
	host_require(active >= 0 && active <= on_or_after && on_or_after <= members, "more are active than there are");
	host_require(day > 0 || is_joined || active == members, "not active on the first day");
	host_require(nulls[4] == (members == 0) && nulls[6] == nulls[4] && (nulls[4] || (is_share(values[4]) && is_share(values[6]))), "rates");
	members_seen = members;
	period_seen = until_day;
}

static void
check_revenue(const Datum *values, const bool *nulls)
{
	host_require(DatumGetDateADT(values[0]) > day_seen, "periods do not ascend");
	day_seen = DatumGetDateADT(values[0]);
	for (int i = 1; i <= 8; i++)
		host_require(nulls[i] == (i >= 5 && i <= 7 && nulls[5]) &&
					 (nulls[i] || host_is_numeric((uint8 *) VARDATA_ANY(DatumGetPointer(values[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(values[i])))),
					 "column %d is no numeric", i);
	host_require(nulls[9] == nulls[10] && (nulls[9] || (DatumGetFloat8(values[9]) >= DatumGetFloat8(values[10]) && is_share(values[10]))), "rates");
}

/* A report, checked row by row; false if it broke off. */
static bool
report(PGFunction function, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
	   void (*check) (const Datum *values, const bool *nulls), int64 *rows)
{
	Outcome		outcome;

	members_seen = last_seen = 0;
	period_seen = check == check_day ? -1 : 0;
	day_seen = PG_INT32_MIN;
	host_each_row = check;
	outcome = host_rows(function, args, nargs, columns, ncolumns);
	host_each_row = NULL;
	if (has_ended_or_no_zone(&outcome))
		return false;
	if (outcome.raised)
		/* as_of, or the bounds, do not fit the book. */
		host_require(outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE || outcome.sqlstate == ERRCODE_DATA_CORRUPTED ||
					 outcome.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
					 "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
	*rows = DatumGetInt64(outcome.value);
	return !outcome.raised;
}

static void
use_retention(Datum value, Input *input)
{
	NullableDatum packed = ARG(host_packed(value));
	int64		members = DatumGetInt64(must(CALL(custmart_retention_book_member_count, packed), "member_count"));
	uint8		form = ((uint8 *) VARDATA_ANY(DatumGetPointer(value)))[3];
	TimestampTz as_of = take_instant(input);
	DateADT		since = take_day(input);
	int64		rows;
	int64		cohorts = -1;
	bool		has_times;
	Outcome		net;

	check_round_trips(&retention_book.type, value);
	host_require(DatumGetInt64(must(CALL(custmart_retention_book_rows_skipped, packed), "rows_skipped")) >= 0, "rows_skipped below 0");
	is_joined = form >= RETENTION_JOINED;
	has_amounts = form == RETENTION_AMOUNTS || form == RETENTION_JOINED_AMOUNTS;
	has_times = form == RETENTION_TIMES || form == RETENTION_JOINED_TIMES;
	net = CALL(custmart_retention_book_net_outside, packed);
	if (!has_ended(&net))
	{
		host_require(!net.raised && net.is_null == !has_amounts, "net_outside: %s", net.message);
		host_require(net.is_null || host_is_numeric((uint8 *) VARDATA_ANY(DatumGetPointer(net.value)), VARSIZE_ANY_EXHDR(DatumGetPointer(net.value))),
					 "net_outside is no numeric");
	}
	for (int i = 0; i < 2; i++)
	{
		NullableDatum args[] = {packed, {TimestampTzGetDatum(as_of), i == 0}};
		NullableDatum day_args[] = {packed, {TimestampTzGetDatum(as_of), i == 0}, ARG(Int32GetDatum(since & 0x7F)), NULL_ARG};
		Datum		first_days[] = {Int32GetDatum(since & 1), Int32GetDatum(2 + (since & 0x1F)), Int32GetDatum(34 + (since & 0x3F))};
		NullableDatum bracket_args[] = {packed, {TimestampTzGetDatum(as_of), i == 0}, ARG(Int32GetDatum(98 + (since & 0x7F))),
		ARG(host_number_array(first_days, lengthof(first_days), INT4OID))};
		NullableDatum bounds[] = {packed, {TimestampTzGetDatum(as_of), i == 0 || since % 2 == 0}, {DateADTGetDatum(since), i == 0}, {DateADTGetDatum(since + 700), i == 0}};
		bool		given;

		given = report(custmart_cohort_retention, args, 2, cohort_columns, lengthof(cohort_columns), check_cohort, &rows);
		host_require(!given || !has_times || members == 0, "cohorts of times");
		if (given)
		{
			host_require(members_seen <= members && ((has_amounts && !is_joined) || members_seen == members), "cohorts of %lld members of %lld",
						 (long long) members_seen, (long long) members);
			cohorts = members_seen;
		}
		given = report(custmart_lifecycle_counts, args, 2, growth_columns, lengthof(growth_columns), check_growth, &rows);
		if (given && cohorts >= 0)
			host_require(is_joined ? members_seen <= members : members_seen == cohorts, "%lld new members in cohorts of %lld", (long long) members_seen, (long long) cohorts);
		given = report(custmart_stickiness, bounds, 4, stickiness_columns, lengthof(stickiness_columns), check_stickiness, &rows);
		if (given)
			host_require(last_seen == 0 && members_seen <= members && (i > 0 || cohorts < 0 || (is_joined ? members_seen <= cohorts : members_seen == cohorts)), "stickiness of other members");
		given = report(custmart_revenue_growth, args, 2, revenue_columns, lengthof(revenue_columns), check_revenue, &rows);
		host_require(!given || has_amounts || members == 0, "revenue without amounts");
		given = report(custmart_day_retention, day_args, 4, day_columns, lengthof(day_columns), check_day, &rows);
		host_require(!given || (rows == (members == 0 ? 0 : (since & 0x7F) + 1) && (has_times || members == 0)), "day_retention of periods");
		given = report(custmart_day_retention, bracket_args, 4, day_columns, lengthof(day_columns), check_day, &rows);
		host_require(!given || rows == (members == 0 ? 0 : 3), "brackets");
	}
}

/* ---------- funnel, funnel_book ---------- */

static const char *const modes[] = {
	"strict_once", "clickhouse", "strict_order", "strict_deduplication", "strict_increase", "strict_once, strict_order",
	" strict_increase ,strict_deduplication", "strict_once,strict_order,strict_deduplication,strict_increase"
};

static int
array_length(Datum array)
{
	ArrayType  *a = (ArrayType *) DatumGetPointer(array);

	return ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a));
}

static void
use_funnel(Datum value, Input *input)
{
	NullableDatum packed = ARG(host_packed(value));
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(value));
	int			levels[lengthof(modes)];

	check_round_trips(&funnel.type, value);
	for (int i = 0; i < lengthof(modes); i++)
	{
		NullableDatum mode = text_argument(modes[i]);
		Datum		times = must(CALL(custmart_funnel_step_times, packed, mode), "step_times");
		Datum		durations = must(CALL(custmart_funnel_step_durations, packed, mode), "step_durations");
		TimestampTz *time = (TimestampTz *) ARR_DATA_PTR((ArrayType *) DatumGetPointer(times));
		Interval   *duration = (Interval *) ARR_DATA_PTR((ArrayType *) DatumGetPointer(durations));

		levels[i] = DatumGetInt32(must(CALL(custmart_funnel_level, packed, mode), "level"));
		/* The number of steps is the first setting, behind kind, version and their size. */
		host_require(levels[i] >= 0 && levels[i] <= bytes[4], "level %d", levels[i]);
		host_require(array_length(times) == levels[i] && array_length(durations) == Max(levels[i] - 1, 0), "%d times at level %d",
					 array_length(times), levels[i]);
		for (int k = 1; k < levels[i]; k++)
			host_require(time[k] >= time[k - 1] && duration[k - 1].month == 0 && duration[k - 1].time < USECS_PER_DAY &&
						 duration[k - 1].day * USECS_PER_DAY + duration[k - 1].time == time[k] - time[k - 1] &&
						 (time[k] > time[k - 1] || (i != 4 && i < 6)), "a chain goes back in time");
	}
	/* Any restriction, no more steps.  Two may reach more than one of them: what is not reached is not repeated. */
	for (int i = 0; i < lengthof(modes); i++)
		host_require(levels[i] <= levels[1], "%s reaches more than clickhouse", modes[i]);
}

static const Oid step_columns[] = {INT4OID, INT8OID, FLOAT8OID, FLOAT8OID, INTERVALOID, INTERVALOID, FLOAT8OID, FLOAT8OID};
static const Oid level_columns[] = {INT8OID, INT4OID, TIMESTAMPTZARRAYOID};

static int64 reached[FUNNEL_STEPS_MAX + 1];

static void
check_level(const Datum *values, const bool *nulls)
{
	int			level = DatumGetInt32(values[1]);

	host_require(!nulls[0] && !nulls[1] && !nulls[2] && level >= 0 && level <= FUNNEL_STEPS_MAX && array_length(values[2]) == level, "a level");
	for (int i = 0; i <= level; i++)
		reached[i]++;
}

static void
check_step(const Datum *values, const bool *nulls)
{
	int			step = DatumGetInt32(values[0]);
	int64		members = DatumGetInt64(values[1]);

	host_require(step == ++period_seen && members == reached[step], "%lld members on step %d", (long long) members, step);
	host_require(nulls[2] == (step == 1 || last_seen == 0) && nulls[3] == (reached[1] == 0) && (nulls[2] || is_share(values[2])) &&
				 (nulls[3] || is_share(values[3])), "rates");
	host_require(nulls[4] == (step == 1 || members == 0) && nulls[5] == nulls[4] && nulls[6] == nulls[4] && nulls[7] == nulls[4], "times");
	if (!nulls[4])
	{
		Interval   *median = DatumGetIntervalP(values[4]);
		Interval   *p90 = DatumGetIntervalP(values[5]);

		host_require(median->day >= 0 && median->time >= 0 && median->day * (int128) USECS_PER_DAY + median->time <=
					 p90->day * (int128) USECS_PER_DAY + p90->time, "the median is above the 90th percentile");
		host_require(DatumGetFloat8(values[6]) == (float8) (median->day * (int128) USECS_PER_DAY + median->time) / USECS_PER_SEC &&
					 DatumGetFloat8(values[7]) == (float8) (p90->day * (int128) USECS_PER_DAY + p90->time) / USECS_PER_SEC, "seconds");
	}
	last_seen = members;
}

/* The members of a book, asked for as each type; the rows of their own type are checked. */
static void
check_members(const Kind *kind, PGFunction plain, PGFunction typed, const NullableDatum *args, int nargs,
			  const Oid *columns, int ncolumns, void (*check) (const Datum *values, const bool *nulls), int64 members)
{
	int			key_type = ((uint8 *) VARDATA_ANY(DatumGetPointer(args[0].value)))[2];
	NullableDatum typed_args[8] = {NULL_ARG};

	memcpy(typed_args + 1, args, nargs * sizeof(NullableDatum));
	for (int i = KEY_INT64; i <= KEY_BYTES; i++)
	{
		Oid			own[8];
		Outcome		outcome;

		memcpy(own, columns, ncolumns * sizeof(Oid));
		own[0] = (Oid[]) {0, INT8OID, UUIDOID, TEXTOID}[i];
		host_each_row = check;
		outcome = i == KEY_INT64 ? host_rows(plain, args, nargs, own, ncolumns) : host_rows(typed, typed_args, nargs + 1, own, ncolumns);
		host_each_row = NULL;
		if (has_ended(&outcome))
			continue;
		if (outcome.raised)
			host_require(outcome.sqlstate == (i == key_type ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_DATATYPE_MISMATCH),
						 "members: %s", outcome.message);
		else
			host_require(i == key_type && DatumGetInt64(outcome.value) == members, "%lld members of %lld",
						 (long long) DatumGetInt64(outcome.value), (long long) members);
	}
}

static void
use_funnel_book(Datum value, Input *input)
{
	NullableDatum packed = ARG(host_packed(value));
	int64		members = DatumGetInt64(must(CALL(custmart_funnel_book_member_count, packed), "member_count"));
	uint8		first = take_byte(input);
	int64		rows;

	check_round_trips(&funnel_book.type, value);
	host_require(DatumGetInt64(must(CALL(custmart_funnel_book_rows_skipped, packed), "rows_skipped")) >= 0, "rows_skipped below 0");
	for (int i = 0; i < 3; i++)
	{
		NullableDatum args[] = {packed, text_argument(modes[(first + i) % lengthof(modes)])};

		memset(reached, 0, sizeof(reached));
		check_members(&funnel_book, custmart_funnel_members, custmart_funnel_members_typed, args, 2, level_columns,
					  lengthof(level_columns), check_level, members);
		if (reached[0] == members)
			(void) report(custmart_funnel_steps, args, 2, step_columns, lengthof(step_columns), check_step, &rows);
	}
}

/* ---------- session_book ---------- */

static const Oid session_columns[] = {INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, FLOAT8OID, INT8OID};
static const Oid session_member_columns[] = {INT8OID, INT8OID, INT8OID, INT8OID, FLOAT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID};

static int64 events_seen;
static int64 sessions_seen;
static int64 first_sessions;

static void
check_session(const Datum *values, const bool *nulls)
{
	int64		number = DatumGetInt64(values[1]);
	TimestampTz started = DatumGetTimestampTz(values[2]);
	TimestampTz ended = DatumGetTimestampTz(values[3]);
	Interval   *length = DatumGetIntervalP(values[4]);

	first_sessions += number == 1;
	sessions_seen++;
	events_seen += DatumGetInt64(values[6]);
	host_require(number >= 1 && started <= ended && DatumGetInt64(values[6]) >= 1 &&
				 length->day * (int128) USECS_PER_DAY + length->time == (int128) ended - started, "a session");
}

static void
check_session_member(const Datum *values, const bool *nulls)
{
	int64		sessions = DatumGetInt64(values[1]);
	int64		events = DatumGetInt64(values[2]);

	sessions_seen -= sessions;
	events_seen -= events;
	host_require(sessions >= 1 && sessions <= events && DatumGetInt64(values[3]) <= sessions && DatumGetFloat8(values[4]) >= 0 &&
				 DatumGetTimestampTz(values[5]) <= DatumGetTimestampTz(values[6]), "the sessions of a member");
}

/* The sessions of a book, for a gap; those of its members are the same added up. */
static void
use_sessions(Datum value, Input *input)
{
	NullableDatum packed = ARG(host_packed(value));
	int			key_type = ((uint8 *) VARDATA_ANY(DatumGetPointer(value)))[2];
	int64		members = DatumGetInt64(must(CALL(custmart_session_book_member_count, packed), "member_count"));
	Interval	gap = {.day = take_byte(input) % 4, .time = take_byte(input) * INT64CONST(1000)};
	NullableDatum args[] = {NULL_ARG, packed, ARG(IntervalPGetDatum(&gap))};
	bool		is_typed = key_type != KEY_INT64;
	Oid			own[lengthof(session_columns)];

	check_round_trips(&session_book.type, value);
	host_require(DatumGetInt64(must(CALL(custmart_session_book_rows_skipped, packed), "rows_skipped")) >= 0, "rows_skipped below 0");
	events_seen = sessions_seen = first_sessions = 0;
	memcpy(own, session_columns, sizeof(own));
	own[0] = (Oid[]) {0, INT8OID, UUIDOID, TEXTOID}[key_type];
	host_each_row = check_session;
	(void) must(host_rows(is_typed ? custmart_sessions_typed : custmart_sessions, args + !is_typed, 2 + is_typed, own, lengthof(own)), "sessions");
	host_require(first_sessions == members, "members without sessions");
	memcpy(own + 1, session_member_columns + 1, sizeof(own) - sizeof(Oid));
	host_each_row = check_session_member;
	(void) must(host_rows(is_typed ? custmart_session_members_typed : custmart_session_members, args + !is_typed, 2 + is_typed, own, lengthof(own)), "session_members");
	host_each_row = NULL;
	host_require(sessions_seen == 0 && events_seen == 0, "the sessions of members are not those of the book");
}

/* ---------- interaction_book ---------- */

static const Oid stage_columns[] = {TEXTOID, INT8OID, FLOAT8OID, INT8OID, INT8OID, INT8OID};
static const Oid stage_member_columns[] = {INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID};
static const Oid transition_columns[] = {TEXTOID, TEXTOID, INT8OID, FLOAT8OID};

static int64 kinds_seen[INTERACTION_KINDS];

static void
check_stage(const Datum *values, const bool *nulls)
{
	host_require(nulls[2] || is_share(values[2]), "a share");
	members_seen += DatumGetInt64(values[1]);
	for (int i = 0; i < INTERACTION_KINDS; i++)
	{
		host_require(DatumGetInt64(values[3 + i]) >= 0, "interactions");
		kinds_seen[i] += DatumGetInt64(values[3 + i]);
	}
}

static void
check_stage_member(const Datum *values, const bool *nulls)
{
	host_require(!nulls[0] && !nulls[1], "a member without a stage");
	for (int i = 0; i < INTERACTION_KINDS; i++)
		kinds_seen[i] -= DatumGetInt64(values[2 + i]);
}

static void
check_transition(const Datum *values, const bool *nulls)
{
	host_require(!nulls[1] && (nulls[3] || is_share(values[3])), "a share");
	members_seen += DatumGetInt64(values[2]);
}

static void
use_interactions(Datum value, Input *input)
{
	static const int64 spans[] = {1, USECS_PER_SEC * 60, USECS_PER_DAY, 180 * USECS_PER_DAY, PG_INT64_MAX};
	NullableDatum packed = ARG(host_packed(value));
	int64		members = DatumGetInt64(must(CALL(custmart_interaction_book_member_count, packed), "member_count"));
	TimestampTz as_of = take_instant(input);
	TimestampTz from = take_instant(input);
	uint8		number = take_byte(input);
	Interval   *span = palloc0(sizeof(Interval));
	NullableDatum settings[] = {
		ARG(IntervalPGetDatum(span)), ARG(Int32GetDatum(1 + number / 16)), ARG(Float8GetDatum(number % 4 / 4.0))
	};
	int64		rows;

	span->time = spans[number % lengthof(spans)];
	check_round_trips(&interaction_book.type, value);
	host_require(DatumGetInt64(must(CALL(custmart_interaction_book_rows_skipped, packed), "rows_skipped")) >= 0, "rows_skipped below 0");
	for (int i = 0; i < 2; i++)
	{
		NullableDatum args[] = {packed, {TimestampTzGetDatum(as_of), i == 0}, settings[0], settings[1], settings[2]};
		NullableDatum two[] = {packed, ARG(TimestampTzGetDatum(from)), args[1], settings[0], settings[1], settings[2]};

		memset(kinds_seen, 0, sizeof(kinds_seen));
		if (report(custmart_interaction_stages, args, 5, stage_columns, lengthof(stage_columns), check_stage, &rows))
		{
			host_require(rows == INTERACTION_STAGES && members_seen == members, "stages");
			if (members <= ROWS_LOOKED_AT)
			{
				check_members(&interaction_book, custmart_interaction_members, custmart_interaction_members_typed, args, 5,
							  stage_member_columns, lengthof(stage_member_columns), check_stage_member, members);
				for (int k = 0; k < INTERACTION_KINDS; k++)
					host_require(kinds_seen[k] == 0, "interaction_stages and interaction_members differ");
			}
		}
		if (report(custmart_interaction_transitions, two, 6, transition_columns, lengthof(transition_columns), check_transition, &rows))
			host_require(rows == (INTERACTION_STAGES + 1) * INTERACTION_STAGES && members_seen == members, "transitions");
	}
}

/* ---------- spend ---------- */

static const Oid tier_columns[] = {TIMESTAMPTZOID, TEXTOID, NUMERICOID, TEXTOID};

static const char *const tiers[] = {"gold", "silver", "bronze", ""};
static char last_tier[32];

static void
check_tier(const Datum *values, const bool *nulls)
{
	char		reason[32];
	char		tier[32];
	int			old = -1;
	int			new = -1;

	for (int i = 0; i < 4; i++)
		host_require(!nulls[i], "column %d is null", i);
	text_of(values[3], reason, sizeof(reason));
	text_of(values[1], tier, sizeof(tier));
	for (int i = 0; i < lengthof(tiers); i++)
	{
		old = strcmp(last_tier, tiers[i]) == 0 ? i : old;
		new = strcmp(tier, tiers[i]) == 0 ? i : new;
	}
	host_require(strcmp(reason, members_seen == 0 ? "start" : new < old ? "upgrade" : new > old ? "downgrade" : "kept") == 0,
				 "%s from \"%s\" to \"%s\"", reason, last_tier, tier);
	host_require(members_seen == 0 || DatumGetTimestampTz(values[0]) >= last_seen, "tiers do not follow one another");
	last_seen = DatumGetTimestampTz(values[0]);
	members_seen++;
	strcpy(last_tier, tier);
}

/* Looks for interrupts of a walk, each after 65536 steps: ten thousand years have millions of ends of days. */
#define WALK_CHECKS 8

static void
check_spend(Datum value, Input *input)
{
	static const char *const limits[] = {"1000000000000000000000", "19.99", "0.0000000000000000000000000001"};
	static const Interval spans[] = {
		{.month = 12}, {.month = 1}, {.day = 30}, {.time = 1}, {.month = 1, .day = 1, .time = 1}, {.month = 120000}, {.day = PG_INT32_MAX, .time = PG_INT64_MAX}
	};
	uint8		number = take_byte(input);
	uint8		settings = take_byte(input);
	TimestampTz as_of = number < 0x80 ? LATEST : take_instant(input);
	uint8		rules = take_byte(input);
	NullableDatum from_zero = ARG(BoolGetDatum((rules & 1) != 0));
	NullableDatum soft_landing = ARG(BoolGetDatum((rules & 2) != 0));
	NullableDatum with_kept = ARG(BoolGetDatum((rules & 4) != 0));
	NullableDatum keep_for = NULL_ARG;
	NullableDatum keep_limits = NULL_ARG;
	NullableDatum packed = ARG(host_packed(value));
	NullableDatum span = ARG(IntervalPGetDatum(memcpy(palloc(sizeof(Interval)), &spans[number % lengthof(spans)], sizeof(Interval))));
	NullableDatum unit = text_argument(units[settings % lengthof(units)]);
	NullableDatum zone = text_argument(zones[settings / 5 % lengthof(zones)]);
	Datum		numerics[lengthof(limits)];
	Outcome		outcome;
	Outcome		tier;
	char		text[32];

	check_round_trips(&spend.type, value);
	for (int i = 0; i < lengthof(limits); i++)
	{
		uint8		numeric[DECIMAL_NUMERIC_SIZE];
		Decimal		d;

		host_require(decimal_from_text(limits[i], strlen(limits[i]), &d), "a limit");
		numerics[i] = host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric)));
	}
	if (rules & 1)
		span.value = IntervalPGetDatum(memcpy(palloc(sizeof(Interval)), &spans[0], sizeof(Interval)));
	if (rules & 8)
		keep_for = (NullableDatum) ARG(IntervalPGetDatum(memcpy(palloc(sizeof(Interval)), &spans[rules / 32 % lengthof(spans)], sizeof(Interval))));
	if (rules & 16)
	{
		Datum		lower[lengthof(limits)];

		/* The limits to keep the first tiers are lower. */
		for (int i = 0; i < lengthof(limits); i++)
		{
			static const char *const texts[] = {"20.00", "0.01", "0.0000000000000000000000000001"};
			uint8		numeric[DECIMAL_NUMERIC_SIZE];
			Decimal		d;

			host_require(decimal_from_text(texts[i], strlen(texts[i]), &d), "a limit to keep a tier");
			lower[i] = host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric)));
		}
		keep_limits = (NullableDatum) ARG(host_numeric_array(lower, lengthof(limits)));
	}
	outcome = CALL(custmart_rolling_spend, packed, ARG(TimestampTzGetDatum(as_of)), span, zone);
	if (!has_ended(&outcome))
		host_require(host_is_numeric((uint8 *) VARDATA_ANY(DatumGetPointer(must(outcome, "rolling_spend"))), VARSIZE_ANY_EXHDR(DatumGetPointer(outcome.value))),
					 "rolling_spend is no numeric");
	{
		NullableDatum args[] = {
			packed, ARG(TimestampTzGetDatum(as_of)), ARG(host_numeric_array(numerics, lengthof(limits))), ARG(host_text_array(tiers, lengthof(tiers))),
			span, unit, zone, from_zero, keep_for, keep_limits, soft_landing, with_kept
		};

		tier = host_call(custmart_tier_by_spend, args, 11, HOST_PLAIN);
		last_tier[0] = '\0';
		members_seen = 0;
		host_each_row = check_tier;
		outcome = host_rows(custmart_tier_history, args, 12, tier_columns, lengthof(tier_columns));
		host_each_row = NULL;
		/* An amount after as_of. */
		if (tier.raised && tier.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE)
		{
			host_require(number >= 0x80 && outcome.sqlstate == tier.sqlstate, "tier_by_spend: %s", tier.message);
			return;
		}
		if (!has_ended(&tier))
			text_of(must(tier, "tier_by_spend"), text, sizeof(text));
		if (!has_ended(&tier) && !has_ended(&outcome))
			host_require(!outcome.raised && DatumGetInt64(outcome.value) == members_seen && strcmp(text, last_tier) == 0,
						 "the last tier of tier_history is \"%s\", not \"%s\"", last_tier, text);
		memmove(&args[3], &args[4], 7 * sizeof(NullableDatum));
		outcome = host_call(custmart_spend_to_next, args, 10, HOST_PLAIN);
		if (!has_ended(&outcome))
		{
			host_require(!outcome.raised, "spend_to_next: %s", outcome.message);
			if (!has_ended(&tier))
				host_require(outcome.is_null == (strcmp(text, "gold") == 0), "spend_to_next of %s", text);
		}
		outcome = host_call(custmart_tier_until, args, 10, HOST_PLAIN);
		if (!has_ended(&outcome))
		{
			host_require(!outcome.raised, "tier_until: %s", outcome.message);
			if (!has_ended(&tier))
			{
				/* A day in the zone, which is at most 24 hours from UTC, and ends after as_of. */
				DateADT		until = DatumGetDateADT(outcome.value);

				host_require(outcome.is_null == (text[0] == '\0') &&
							 (outcome.is_null || until == DATEVAL_NOEND ||
							  (int128) (until + 2) * USECS_PER_DAY > as_of),
							 "tier_until of \"%s\"", text);
			}
		}
	}
}

static void
use_spend(Datum value, Input *input)
{
	host_checks_end = WALK_CHECKS;
	check_spend(value, input);
	host_checks_end = LONG_MAX;
}

/* ---------- points ---------- */

static const Oid account_columns[] = {TIMESTAMPTZOID, NUMERICOID, NUMERICOID, TEXTOID};
static const Oid lapse_columns[] = {DATEOID, NUMERICOID};
static Decimal last_balance;
static bool is_wide;

/* Sums can have more digits than are read as an amount; then nothing is compared. */
static Decimal
decimal_in(Datum value)
{
	Decimal		d = {.scale = 0};
	DecimalStatus status = decimal_from_numeric((uint8 *) VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value)), &d);

	host_require(status == DECIMAL_OK || status == DECIMAL_OUT_OF_RANGE, "points are no number");
	is_wide |= status != DECIMAL_OK;
	return d;
}

static void
check_line(const Datum *values, const bool *nulls)
{
	Decimal		change = decimal_in(values[1]);
	char		reason[32];

	if (is_wide)
		return;
	text_of(values[3], reason, sizeof(reason));
	host_require(strcmp(reason, "earned") == 0 ? decimal_sign(&change) >= 0 : decimal_sign(&change) < 0, "%s", reason);
	host_require(members_seen == 0 || DatumGetTimestampTz(values[0]) >= last_seen, "lines do not follow one another");
	last_seen = DatumGetTimestampTz(values[0]);
	members_seen++;
	host_require(decimal_add(&last_balance, &change), "a balance");
	change = decimal_in(values[2]);
	host_require(is_wide || decimal_compare(&last_balance, &change) == 0, "the balance is not the sum of the lines");
}

static void
check_lapse(const Datum *values, const bool *nulls)
{
	Decimal		lapsing = decimal_in(values[1]);

	if (is_wide)
		return;
	host_require(decimal_sign(&lapsing) > 0 && (members_seen == 0 || DatumGetDateADT(values[0]) > last_seen), "what lapses");
	last_seen = DatumGetDateADT(values[0]);
	members_seen++;
	host_require(decimal_subtract(&last_balance, &lapsing) && decimal_sign(&last_balance) >= 0, "more lapses than there is");
}

/* Up to some time: earned = redeemed + lapsed + balance, and all lines. */
static void
use_points(Datum value, Input *input)
{
	static const Interval spans[] = {
		{.month = 12}, {.month = 0}, {.day = 30}, {.time = 1}, {.month = 1, .day = 1, .time = 1}, {.month = 120000}, {.month = PG_INT32_MAX, .day = PG_INT32_MAX, .time = PG_INT64_MAX}
	};
	uint8		number = take_byte(input);
	uint8		settings = take_byte(input);
	TimestampTz as_of = number < 0x80 ? LATEST : take_instant(input);
	NullableDatum zone = text_argument(zones[settings / 5 % lengthof(zones)]);
	NullableDatum args[] = {
		ARG(host_packed(value)), ARG(TimestampTzGetDatum(as_of)), ARG(IntervalPGetDatum(memcpy(palloc(sizeof(Interval)), &spans[number % lengthof(spans)], sizeof(Interval)))),
		text_argument(units[settings % lengthof(units)]), zone
	};
	Outcome		earned;
	Outcome		redeemed;
	Outcome		lapsed;
	Outcome		balance;
	Decimal		sum;
	Decimal		term;

	check_round_trips(&points.type, value);
	earned = CALL(custmart_points_earned, args[0], args[1], zone);
	redeemed = CALL(custmart_points_redeemed, args[0], args[1], zone);
	lapsed = host_call(custmart_points_lapsed, args, 5, HOST_PLAIN);
	balance = host_call(custmart_points_balance, args, 5, HOST_PLAIN);
	if (has_ended(&earned) || has_ended(&redeemed) || has_ended(&lapsed) || has_ended(&balance))
		return;
	is_wide = false;
	sum = decimal_in(must(balance, "points_balance"));
	term = decimal_in(must(redeemed, "points_redeemed"));
	host_require(decimal_add(&sum, &term), "a sum");
	term = decimal_in(must(lapsed, "points_lapsed"));
	host_require(decimal_add(&sum, &term), "a sum");
	term = decimal_in(must(earned, "points_earned"));
	host_require(is_wide || (decimal_compare(&sum, &term) == 0 && sum.scale == term.scale), "earned is not redeemed, lapsed and balance");

	last_balance = (Decimal) {.scale = 0};
	members_seen = 0;
	host_each_row = check_line;
	(void) host_rows(custmart_points_history, args, 5, account_columns, lengthof(account_columns));
	sum = decimal_in(balance.value);
	host_require(is_wide || decimal_compare(&sum, &last_balance) == 0, "the last balance");

	members_seen = 0;
	host_each_row = check_lapse;
	(void) host_rows(custmart_points_lapses, args, 5, lapse_columns, lengthof(lapse_columns));
	host_each_row = NULL;
	balance = host_call(custmart_points_until, args, 5, HOST_PLAIN);
	host_require(!balance.raised && (is_wide || balance.is_null == (decimal_sign(&sum) <= 0)), "points_until");
}

/* ---------- zones ---------- */

/* What the clocks show, from what is kept of a zone, is what its rules say. */
void
target_zone(Input *input)
{
	const char *name = zones[take_byte(input) % lengthof(zones)];
	Zone	   *zone = zone_find(name, strlen(name));

	begin();
	while (left(input) >= 4)
	{
		uint8		kind = take_byte(input);
		TimestampTz time = (TimestampTz) (kind % 4 == 0 ? take_number(input, 8) : kind % 4 == 1 ? take_number(input, 3) << 39 :
										  take_number(input, 4) * (kind % 4 == 2 ? USECS_PER_SEC : USECS_PER_HOUR));
		int64		seconds;

		if (!IS_VALID_TIMESTAMP(time) || ((kind & 0x80) && !IS_VALID_TIMESTAMP(-time)))
			continue;
		if (kind & 0x80)
			time = -time;
		seconds = time / USECS_PER_SEC - (time % USECS_PER_SEC < 0) + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (int64) SECS_PER_DAY;
		host_require(zone_local(zone, time) == time + host_zone_offset(zone->rules, seconds) * USECS_PER_SEC,
					 "%s: another time at %lld", name, (long long) time);
	}
}

/* ---------- seeds ---------- */

/* Rows as take_rows reads them, of some pattern, after settings. */
static uint8 *
seed_rows(const Signature *signature, int settings, int n, uint8 *p)
{
	*p++ = (uint8) (settings * 7);
	*p++ = (uint8) (settings * 3 + 1);
	*p++ = (uint8) ((n + 1) / 2);
	for (int i = 0; i < n; i++)
	{
		int			times = signature->arguments == ROW_ACTIVITIES ? 2 : 1;

		if (signature->member != 0)
			*p++ = (uint8) (i * 7 % 200);
		if (signature->arguments == ROW_INTERACTIONS)
			*p++ = (uint8) (i * 5 % 200);
		if (signature->arguments == ROW_ACTIVITIES)
			*p++ = (uint8) (times - 1);
		for (int k = 0; k < times; k++)
			*p++ = (uint8) ((i * 11 + k * 3) % 0xE0);
		if (signature->arguments == ROW_FUNNEL)
			*p++ = (uint8) (1 << i % 5);
		if (signature->arguments == ROW_AMOUNTS || signature->arguments == ROW_SPEND)
			*p++ = (uint8) (i * 13);
		*p++ = (uint8) i;
	}
	return p;
}

static int
signatures_of(const Kind *kind)
{
	int			n = 0;

	for (int i = 0; i < lengthof(signatures); i++)
		n += signatures[i].kind == kind;
	return n;
}

static void
seeds_forged(const Kind *kind)
{
	static uint8 bytes[256 + 8 * ROWS_MAX];

	for (int i = 0; i < signatures_of(kind); i++)
		for (int n = 1; n < ROWS_MAX; n = n < 125 ? n * 5 : n + 65)
			for (int changes = 0; changes < 4; changes++)
			{
				uint8	   *p = bytes;

				*p++ = (uint8) i;
				*p++ = (uint8) changes;
				for (int k = 0; k < changes; k++)
				{
					*p++ = (uint8) (k + n);
					*p++ = (uint8) (k * 5 + n);
					*p++ = (uint8) (k + 1);
					*p++ = 0;
				}
				p = seed_rows(signature_of(kind, i), n < ROWS_MAX - 10 ? i + n + changes : 25, n, p);
				seed(bytes, p - bytes);
			}
}

/* Values made of rows, as bytes or text. */
static void
seeds_stored(const Kind *kind, bool binary)
{
	static Row	rows[ROWS_MAX];
	static uint8 bytes[8 * ROWS_MAX];

	for (int i = 0; i < signatures_of(kind); i++)
		for (int n = 1; n < 60; n = 3 * n + 1)
		{
			const Signature *signature = signature_of(kind, i);
			Input		input = {bytes, seed_rows(signature, i + n, n, bytes)};
			int			made = take_rows(&input, signature, rows);
			Datum		value = add_rows(rows, made, signature, -1, false);

			if (value == (Datum) 0)
				continue;
			value = flat(value);
			if (binary)
				seed(VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
			else
				seed_text(base64(kind->type.name, VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value))));
		}
}

#define TARGETS_OF(kind) \
void target_##kind##_in(Input *input) { in_target(&kind, input); } \
void target_##kind##_recv(Input *input) { recv_target(&kind, input); } \
void target_##kind##_forged(Input *input) { forged_target(&kind, input); } \
void seeds_##kind##_in(void) { seeds_stored(&kind, false); } \
void seeds_##kind##_recv(void) { seeds_stored(&kind, true); } \
void seeds_##kind##_forged(void) { seeds_forged(&kind); }

TARGETS_OF(activity)
TARGETS_OF(retention_book)
TARGETS_OF(funnel)
TARGETS_OF(funnel_book)
TARGETS_OF(session_book)
TARGETS_OF(spend)
TARGETS_OF(points)

/* The others of interaction_book are in targets_interaction.c. */
void
target_interaction_book_forged(Input *input)
{
	forged_target(&interaction_book, input);
}

void
seeds_interaction_book_forged(void)
{
	seeds_forged(&interaction_book);
}

void
seeds_zone(void)
{
	seed("\1\1\2\0\1\2\3\2\4\5\6\7\x82\1\1\1\1", 17);
	seed("\3\3\3\0\1\0\0\1\1\2\3\x81\1\2\3\0\1\2\3\4\5\6\7\x08", 24);
	seed("\4\4\2\0\1\2\3\x82\4\5\6\7\2\1\1\1\1", 17);
}
