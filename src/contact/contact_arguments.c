/*
 * contact_arguments.c
 *	  Arguments that the functions of contact have in common.
 */
#include "contact/contact.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "shared/arguments.h"
#include "shared/duration.h"
#include "shared/time_range.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Above this a weight of a channel or of the average says nothing any more. */
#define WEIGHT_MAX 1e15

/* What a row is, by its name. */
ContactKind
contact_kind_argument(FunctionCallInfo fcinfo, int argument)
{
	text	   *name = PG_GETARG_TEXT_PP(argument);
	ContactKind kind;

	if (unlikely(!contact_kind_of_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &kind)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind must be sent, opened, clicked, converted, complained, unsubscribed or subscribed, not \"%.*s\"",
						pg_mbcliplen(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), 60), VARDATA_ANY(name)),
				 errhint("Translate the words of your log with CASE; rows with NULL are skipped.")));
	PG_FREE_IF_COPY(name, argument);
	return kind;
}

/* A length of time that is not NULL, in microseconds; 22023 if it is below the least. */
int64
contact_duration_argument(FunctionCallInfo fcinfo, int argument, const char *name, int64 least)
{
	int64		length;

	argument_check_not_null(fcinfo, argument, name);
	length = duration_argument(PG_GETARG_INTERVAL_P(argument), name);
	if (length < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(least > 0 ? "%s must be above 0, not \"%s\"" : "%s must not be below 0, not \"%s\"",
						name, duration_text(PG_GETARG_INTERVAL_P(argument))),
				 errhint("Give days and time, such as '7 days' or '36 hours'.")));
	return length;
}

static void
check_elements(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(argument)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not have NULL in it", name)));
}

/* The kinds that are answers, a bit for each. */
uint32
contact_responses_argument(FunctionCallInfo fcinfo, int argument)
{
	uint32		responses = 0;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	argument_check_not_null(fcinfo, argument, "responses");
	check_elements(fcinfo, argument, "responses");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		text	   *name = DatumGetTextPP(elements[i]);
		ContactKind kind;

		CHECK_FOR_INTERRUPTS();
		if (!contact_kind_of_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &kind) || kind == CONTACT_SENT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("responses must be of opened, clicked, converted, complained, unsubscribed and subscribed, not \"%.*s\"",
							pg_mbcliplen(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), 60), VARDATA_ANY(name)),
					 errhint("Name the kinds of rows that are an answer to a contact, such as '{clicked,converted}'.")));
		responses |= UINT32_C(1) << kind;
	}
	if (responses == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("responses must not be empty"),
				 errhint("Name the kinds of rows that are an answer to a contact, such as '{clicked,converted}'.")));
	return responses;
}

/* The arguments channels and weights, which may both be NULL. */
ContactWeights
contact_weights_arguments(FunctionCallInfo fcinfo, int channels)
{
	ContactWeights given = {0};
	Datum	   *weights;
	bool	   *nulls;
	int			n = 0;

	if (!PG_ARGISNULL(channels))
	{
		check_elements(fcinfo, channels, "channels");
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(channels), TEXTOID, -1, false, TYPALIGN_INT,
						  &given.channels, &nulls, &given.n);
	}
	if (!PG_ARGISNULL(channels + 1))
	{
		check_elements(fcinfo, channels + 1, "weights");
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(channels + 1), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
						  TYPALIGN_DOUBLE, &weights, &nulls, &n);
	}
	if (given.n != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("channels and weights must be equally many, not %d and %d", given.n, n),
				 errhint("Give a weight for each channel, such as '{email,sms}' and '{1,3}'; channels that are not named weigh 1.")));
	given.weights = palloc(Max(n, 1) * sizeof(float8));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		given.weights[i] = DatumGetFloat8(weights[i]);
		if (!(given.weights[i] >= 0 && given.weights[i] <= WEIGHT_MAX))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weights must be from 0 to %g, not %g", WEIGHT_MAX, given.weights[i]),
					 errhint("A weight is how much one contact of the channel disturbs, where 1 is usual.")));
	}
	return given;
}

/* The weight of each channel of some settings; 22023 if it was given twice. */
void
contact_weights_of(const ContactWeights *given, const uint8 *settings, Size size, float8 *weights)
{
	bool		is_given[NAMES_MAX] = {false};

	for (int c = 0; c < NAMES_MAX; c++)
		weights[c] = 1;
	for (int i = 0; i < given->n; i++)
	{
		text	   *name = DatumGetTextPP(given->channels[i]);
		int			channel = names_find(settings, size, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

		CHECK_FOR_INTERRUPTS();
		if (channel < 0)
			continue;
		if (is_given[channel])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("channels has \"%s\" twice", text_to_cstring(name)),
					 errhint("Give each channel one weight.")));
		is_given[channel] = true;
		weights[channel] = given->weights[i];
	}
}

/* The weight of the average in engagement; NAN if it is to be estimated. */
float8
contact_prior_weight_argument(FunctionCallInfo fcinfo, int argument)
{
	float8		weight;

	if (PG_ARGISNULL(argument))
		return NAN;
	weight = PG_GETARG_FLOAT8(argument);
	if (!(weight > 0 && weight <= WEIGHT_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("prior_weight must be above 0 and at most %g, not %g", WEIGHT_MAX, weight),
				 errhint("It is how many contacts of average success every member is given before their own; NULL estimates it.")));
	return weight;
}

/* The number of a channel; NULL is every channel. */
int
contact_channel_argument(FunctionCallInfo fcinfo, int argument, const uint8 *settings, Size size)
{
	text	   *name;
	int			channel;

	if (PG_ARGISNULL(argument))
		return CONTACT_EVERY_CHANNEL;
	name = PG_GETARG_TEXT_PP(argument);
	channel = names_find(settings, size, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	PG_FREE_IF_COPY(name, argument);
	return channel < 0 ? CONTACT_NO_CHANNEL : channel;
}

/*
 * When the next contact is allowed under a cap above 0, if there were `within` in the
 * span up to as_of: when the cap-th latest one leaves the span.
 */
TimestampTz
contact_next(const Event *events, Size n, TimestampTz as_of, int64 span, int64 within, int32 cap, int channel)
{
	TimestampTz next;

	if (within < cap)
		return as_of;
	if (pg_add_s64_overflow(contact_latest(events, n, cap, channel), span, &next) || !time_is_in_range(next))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the next contact is allowed after the end of time"),
				 errhint("Take a shorter span.")));
	return next;
}
