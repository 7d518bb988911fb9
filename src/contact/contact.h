/*
 * contact.h
 *	  What the SQL faces of contact share.
 */
#ifndef CUSTMART_CONTACT_H
#define CUSTMART_CONTACT_H

#include "custmart.h"

#include "contact/contact_core.h"
#include "datatype/timestamp.h"
#include "history/history_names.h"

/* How much channels disturb, by their names. */
typedef struct ContactWeights
{
	int			n;
	Datum	   *channels;		/* texts */
	float8	   *weights;
} ContactWeights;

#define CONTACT_NAME_NOUN "channel"

extern ContactKind contact_kind_argument(FunctionCallInfo fcinfo, int argument);
extern int64 contact_duration_argument(FunctionCallInfo fcinfo, int argument, const char *name, int64 least);
extern uint32 contact_responses_argument(FunctionCallInfo fcinfo, int argument);
extern ContactWeights contact_weights_arguments(FunctionCallInfo fcinfo, int channels);
extern void contact_weights_of(const ContactWeights *given, const uint8 *settings, Size size, float8 *weights);
extern float8 contact_prior_weight_argument(FunctionCallInfo fcinfo, int argument);
extern int	contact_channel_argument(FunctionCallInfo fcinfo, int argument, const uint8 *settings, Size size);
extern TimestampTz contact_next(const Event *events, Size n, TimestampTz as_of, int64 span, int64 within,
								int32 cap, int channel);

/* In place of a channel: no row has it. */
#define CONTACT_NO_CHANNEL (-2)

#endif							/* CUSTMART_CONTACT_H */
