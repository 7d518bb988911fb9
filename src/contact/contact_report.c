/*
 * contact_report.c
 *	  The reports of contact_book: pressure, engagement, what may be sent, and fatigue.
 */
#include "contact/contact_book.h"

#include <math.h>

#include "shared/arguments.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "statistics/proportions.h"
#include "utils/builtins.h"

/* A number that may not be defined. */
static void
put_number(float8 number, Datum *value, bool *null)
{
	*null = isnan(number);
	if (!*null)
		*value = Float8GetDatum(number);
}

/* Opens the book, whose members must be of the type that the report returns. */
static void
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int book, const char *function, HistoryReader *events)
{
	history_book_open(events, PG_GETARG_DATUM(book), &contact_book_format);
	book_check_key_type(&events->reader, &contact_book_format.book,
						TupleDescAttr(columns, 0)->atttypid, "members", function, "book");
}

/* ---------- pressures ---------- */

typedef struct PressuresReport
{
	HistoryReader events;
	TimestampTz as_of;
	int64		half_life;
	float8		weights[NAMES_MAX];
} PressuresReport;

/* The variant is the argument with the book. */
static void *
open_pressures(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	PressuresReport *report;
	ContactWeights given;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc(sizeof(PressuresReport));
	report->half_life = contact_duration_argument(fcinfo, book + 2, "half_life", 1);
	given = contact_weights_arguments(fcinfo, book + 3);
	open_members(fcinfo, columns, book, "contact_pressures", &report->events);
	contact_weights_of(&given, report->events.settings, report->events.settings_size, report->weights);
	report->as_of = history_book_as_of(fcinfo, book + 1, &report->events);
	return report;
}

static bool
next_pressure(void *state, Datum *values, bool *nulls)
{
	PressuresReport *report = state;
	HistoryReader *events = &report->events;
	int64		contacts;
	int64		last_contact = 0;

	if (!history_book_next(events))
		return false;
	values[0] = book_key_datum(events->reader.key_type, &events->key);
	values[1] = Float8GetDatum(contact_pressure(events->events, events->count, report->as_of, report->half_life,
												report->weights, &contacts, &last_contact));
	values[2] = Int64GetDatum(contacts);
	nulls[3] = contacts == 0;
	values[3] = TimestampTzGetDatum(last_contact);
	return true;
}

static const Report pressures = {open_pressures, next_pressure, 4};

/* contact_pressures(contact_book, as_of, half_life, channels, weights): one row per member, members bigint. */
CUSTMART_REPORT(custmart_contact_pressures, pressures, 0)

/* contact_pressures(anyelement, contact_book, ...): members of the given type. */
CUSTMART_REPORT(custmart_contact_pressures_typed, pressures, 1)

/* ---------- engagement ---------- */

/* Rows of members and channels, or of channels. */
typedef struct EngagementReport
{
	HistoryReader events;
	ContactRules rules;
	int64		span;
	ContactCaps caps;
	int			nchannels;
	Datum		names[NAMES_MAX];
	ContactPrior priors[NAMES_MAX];
	float8		weights[NAMES_MAX]; /* of the prior */
	ContactChannel channels[NAMES_MAX]; /* of the member being reported */
	int			next;			/* channel */
} EngagementReport;

/* Reads lookback, respond_within, responses and prior_weight, the first of which is an argument. */
static void
get_rules(FunctionCallInfo fcinfo, int lookback, EngagementReport *report)
{
	float8		weight;

	report->rules.lookback = contact_duration_argument(fcinfo, lookback, "lookback", 1);
	report->rules.respond_within = contact_duration_argument(fcinfo, lookback + 1, "respond_within", 0);
	report->rules.responses = contact_responses_argument(fcinfo, lookback + 2);
	weight = contact_prior_weight_argument(fcinfo, lookback + 3);
	for (int c = 0; c < NAMES_MAX; c++)
		report->weights[c] = weight;
}

static void
read_member(EngagementReport *report)
{
	contact_read(report->events.events, report->events.count, &report->rules, report->span,
				 report->channels, report->nchannels);
}

/* Reads the whole book, which is open, to find what everybody does; then it is before its first member again. */
static void
find_priors(FunctionCallInfo fcinfo, int as_of, EngagementReport *report)
{
	HistoryReader *events = &report->events;
	HistoryReader start = *events;
	EventName	names[NAMES_MAX];

	report->rules.as_of = history_book_as_of(fcinfo, as_of, events);
	report->nchannels = names_list(events->settings, events->settings_size, names);
	for (int c = 0; c < report->nchannels; c++)
		report->names[c] = PointerGetDatum(cstring_to_text_with_len((const char *) names[c].bytes, (int) names[c].length));
	while (history_book_next(events))
	{
		read_member(report);
		for (int c = 0; c < report->nchannels; c++)
			contact_prior_add(&report->priors[c], &report->channels[c]);
	}
	for (int c = 0; c < report->nchannels; c++)
		if (isnan(report->weights[c]))
			report->weights[c] = contact_prior_weight(&report->priors[c]);
	start.events = events->events;
	start.capacity = events->capacity;
	*events = start;
	report->next = report->nchannels;
}

/* The next channel of which a member has rows; -1 behind the last one of the last member. */
static int
next_channel(EngagementReport *report)
{
	for (;;)
	{
		while (report->next < report->nchannels)
		{
			int			channel = report->next++;

			if (report->channels[channel].has_rows)
				return channel;
		}
		if (!history_book_next(&report->events))
			return -1;
		read_member(report);
		report->next = 0;
	}
}

/* The variant is the argument with the book. */
static void *
open_engagements(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	EngagementReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(EngagementReport));
	report->span = 1;
	get_rules(fcinfo, book + 2, report);
	open_members(fcinfo, columns, book, "contact_engagements", &report->events);
	find_priors(fcinfo, book + 1, report);
	return report;
}

static bool
next_engagement(void *state, Datum *values, bool *nulls)
{
	EngagementReport *report = state;
	int			c = next_channel(report);
	const ContactChannel *channel;

	if (c < 0)
		return false;
	channel = &report->channels[c];
	values[0] = book_key_datum(report->events.reader.key_type, &report->events.key);
	values[1] = report->names[c];
	values[2] = Int64GetDatum(channel->contacts);
	values[3] = Int64GetDatum(channel->responses);
	put_number(channel->contacts == 0 ? NAN : (float8) channel->responses / (float8) channel->contacts,
			   &values[4], &nulls[4]);
	put_number(contact_engagement(&report->priors[c], report->weights[c], channel), &values[5], &nulls[5]);
	values[6] = Float8GetDatum(contact_ratio(&report->priors[c], report->weights[c], channel));
	return true;
}

static const Report engagements = {open_engagements, next_engagement, 7};

/* contact_engagements(contact_book, as_of, lookback, respond_within, responses, prior_weight): a row per member and channel. */
CUSTMART_REPORT(custmart_contact_engagements, engagements, 0)

/* contact_engagements(anyelement, contact_book, ...): members of the given type. */
CUSTMART_REPORT(custmart_contact_engagements_typed, engagements, 1)

static void *
open_priors(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	EngagementReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(EngagementReport));
	report->span = 1;
	get_rules(fcinfo, book + 2, report);
	history_book_open(&report->events, PG_GETARG_DATUM(book), &contact_book_format);
	find_priors(fcinfo, book + 1, report);
	report->next = 0;
	return report;
}

static bool
next_prior(void *state, Datum *values, bool *nulls)
{
	EngagementReport *report = state;
	int			c = report->next;
	const ContactPrior *prior = &report->priors[c];

	if (c == report->nchannels)
		return false;
	report->next++;
	values[0] = report->names[c];
	values[1] = Int64GetDatum(prior->members);
	values[2] = Int64GetDatum(prior->contacts);
	values[3] = Int64GetDatum(prior->responses);
	put_number(contact_prior_rate(prior), &values[4], &nulls[4]);
	put_number(report->weights[c], &values[5], &nulls[5]);
	return true;
}

static const Report priors = {open_priors, next_prior, 6};

/* contact_priors(contact_book, as_of, lookback, respond_within, responses, prior_weight): a row per channel. */
CUSTMART_REPORT(custmart_contact_priors, priors, 0)

/* ---------- allowances ---------- */

/* A cap or what it is made of. */
static int32
get_cap(FunctionCallInfo fcinfo, int argument, const char *name)
{
	argument_check_not_null(fcinfo, argument, name);
	if (PG_GETARG_INT32(argument) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be below 0, not %d", name, PG_GETARG_INT32(argument)),
				 errhint("It is how many contacts are allowed in the span.")));
	return PG_GETARG_INT32(argument);
}

/* The variant is the argument with the book. */
static void *
open_allowances(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	EngagementReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(EngagementReport));
	report->span = contact_duration_argument(fcinfo, book + 2, "span", 1);
	report->caps.base = get_cap(fcinfo, book + 3, "base_cap");
	report->caps.min = get_cap(fcinfo, book + 4, "min_cap");
	report->caps.max = get_cap(fcinfo, book + 5, "max_cap");
	if (report->caps.min > report->caps.max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_cap must not be above max_cap, not %d and %d", report->caps.min, report->caps.max),
				 errhint("Caps are kept between both.")));
	get_rules(fcinfo, book + 6, report);
	open_members(fcinfo, columns, book, "contact_allowances", &report->events);
	find_priors(fcinfo, book + 1, report);
	return report;
}

static bool
next_allowance(void *state, Datum *values, bool *nulls)
{
	EngagementReport *report = state;
	int			c = next_channel(report);
	const HistoryReader *events = &report->events;
	const ContactChannel *channel;
	TimestampTz as_of = report->rules.as_of;
	int32		cap;

	if (c < 0)
		return false;
	channel = &report->channels[c];
	cap = channel->is_opted_out ? 0 : contact_cap(&report->caps, &report->priors[c], report->weights[c], channel);
	values[0] = book_key_datum(events->reader.key_type, &events->key);
	values[1] = report->names[c];
	values[2] = Int64GetDatum(channel->within);
	values[3] = Float8GetDatum(contact_ratio(&report->priors[c], report->weights[c], channel));
	values[4] = Int32GetDatum(cap);
	values[5] = BoolGetDatum(channel->within < cap);
	nulls[6] = cap == 0;
	if (cap > 0)
		values[6] = TimestampTzGetDatum(contact_next(events->events, events->count, as_of, report->span,
													 channel->within, cap, c));
	values[7] = BoolGetDatum(channel->is_opted_out);
	return true;
}

static const Report allowances = {open_allowances, next_allowance, 8};

/* contact_allowances(contact_book, as_of, span, base_cap, min_cap, max_cap, lookback, ...): a row per member and channel. */
CUSTMART_REPORT(custmart_contact_allowances, allowances, 0)

/* contact_allowances(anyelement, contact_book, ...): members of the given type. */
CUSTMART_REPORT(custmart_contact_allowances_typed, allowances, 1)

/* ---------- fatigue ---------- */

/* The most rows: more contacts than this in one span are no plan for anybody. */
#define MAX_PRIOR 1000

typedef struct FatigueReport
{
	ContactFatigue *rows;
	int			max_prior;
	int			next;
	float8		alpha;
} FatigueReport;

static void *
open_fatigue(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	FatigueReport *report;
	HistoryReader events;
	ContactRules rules = {0};
	int64		span;
	int			channel;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc0(sizeof(FatigueReport));
	span = contact_duration_argument(fcinfo, 2, "span", 1);
	rules.respond_within = contact_duration_argument(fcinfo, 3, "respond_within", 0);
	rules.responses = contact_responses_argument(fcinfo, 4);
	argument_check_not_null(fcinfo, 5, "max_prior");
	report->max_prior = PG_GETARG_INT32(5);
	if (report->max_prior < 1 || report->max_prior > MAX_PRIOR)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_prior must be from 1 to %d, not %d", MAX_PRIOR, report->max_prior),
				 errhint("It is the last row, of contacts with so many or more before them in the span.")));
	report->alpha = argument_alpha(fcinfo, 6);
	history_book_open(&events, PG_GETARG_DATUM(0), &contact_book_format);
	rules.as_of = history_book_as_of(fcinfo, 1, &events);
	channel = contact_channel_argument(fcinfo, 7, events.settings, events.settings_size);
	report->rows = palloc0((report->max_prior + 1) * sizeof(ContactFatigue));
	while (history_book_next(&events))
		contact_fatigue_add(events.events, events.count, &rules, span, channel, report->rows, report->max_prior);
	return report;
}

static bool
next_fatigue(void *state, Datum *values, bool *nulls)
{
	FatigueReport *report = state;
	const ContactFatigue *row;
	Proportion	answered;
	float8		low;
	float8		high;
	float8		ratio = 1;
	float8		ratio_low = NAN;
	float8		ratio_high = NAN;
	int			prior;

	while (report->next <= report->max_prior && report->rows[report->next].contacts == 0)
		report->next++;
	if (report->next > report->max_prior)
		return false;
	prior = report->next++;
	row = &report->rows[prior];
	answered.count = (float8) row->responses;
	answered.n = (float8) row->contacts;
	proportion_interval(&answered, report->alpha, &low, &high);
	if (prior > 0)
		(void) risk_ratio_estimate(&row->ratio, report->alpha, &ratio, &ratio_low, &ratio_high);
	values[0] = Int32GetDatum(prior);
	values[1] = Int64GetDatum(row->contacts);
	values[2] = Int64GetDatum(row->responses);
	values[3] = Float8GetDatum(answered.count / answered.n);
	values[4] = Float8GetDatum(low);
	values[5] = Float8GetDatum(high);
	values[6] = Int64GetDatum(row->opt_outs);
	values[7] = Float8GetDatum((float8) row->opt_outs / answered.n);
	nulls[8] = prior == 0;
	values[8] = Int64GetDatum(row->ratio.strata);
	put_number(ratio, &values[9], &nulls[9]);
	put_number(ratio_low, &values[10], &nulls[10]);
	put_number(ratio_high, &values[11], &nulls[11]);
	values[12] = BoolGetDatum(ratio_high < 1);
	return true;
}

static const Report fatigue = {open_fatigue, next_fatigue, 13};

/* contact_fatigue(contact_book, as_of, span, respond_within, responses, max_prior, alpha, channel): a row per number of contacts before. */
CUSTMART_REPORT(custmart_contact_fatigue, fatigue, 0)
