/*
 * contact_core.h
 *	  Contact pressure: how often members are written to, what they do then, and how
 *	  often they may be written to.
 *
 * A contact is one member, one channel and one moment at which something was sent.
 * What a member does is credited to the latest contact of the same channel at or
 * before it, if that is not too long ago; a contact is answered once or not.  Only
 * mature contacts, which had all of that time, enter rates.
 *
 * A member's rate is drawn towards the rate of the channel, p, as if they had got
 * `weight` more contacts of that rate:
 *
 *		engagement = (x + weight p) / (n + weight), x answers to n contacts.
 *
 * The weight is given or comes from how much the rates of members differ beyond
 * chance, by moments: with S = sum of n (x/n - p)^2 over k members and N contacts,
 *
 *		rho = (S - p(1-p)(k-1)) / (p(1-p) (N - sum of n^2 / N - (k-1))), weight = 1/rho - 1.
 */
#ifndef CUSTMART_CONTACT_CORE_H
#define CUSTMART_CONTACT_CORE_H

#include "history/history_core.h"
#include "statistics/risk_ratio.h"

/* Stored in values, as kinds of named events: never renumber.  At one moment what was sent comes first. */
typedef enum ContactKind
{
	CONTACT_SENT = 0,
	CONTACT_OPENED = 1,
	CONTACT_CLICKED = 2,
	CONTACT_CONVERTED = 3,
	CONTACT_COMPLAINED = 4,
	CONTACT_UNSUBSCRIBED = 5,
	CONTACT_SUBSCRIBED = 6
} ContactKind;

#define CONTACT_KINDS 7

/* In place of a channel. */
#define CONTACT_EVERY_CHANNEL (-1)

/* A weight that is estimated is never less: no member's rate is taken as it is. */
#define CONTACT_WEIGHT_MIN 0.01

/* Which contacts and answers enter rates. */
typedef struct ContactRules
{
	int64		as_of;
	int64		lookback;		/* microseconds, above 0 */
	int64		respond_within; /* microseconds, 0 or more */
	uint32		responses;		/* a bit for each kind that is an answer */
} ContactRules;

/* One member and one channel. */
typedef struct ContactChannel
{
	bool		has_rows;
	bool		is_opted_out;	/* the last of unsubscribed and complained is not before the last of subscribed */
	bool		is_counted;		/* while reading: the last contact enters rates, and has no answer yet */
	int64		last_contact;	/* while reading */
	int64		last_opt_out;	/* while reading */
	int64		within;			/* contacts in the span */
	int64		contacts;		/* that enter rates */
	int64		responses;		/* to them */
} ContactChannel;

/* All members of one channel. */
typedef struct ContactPrior
{
	int64		members;		/* with contacts */
	int64		contacts;
	int64		responses;
	float8		shares;			/* sum of x^2 / n */
	float8		squares;		/* sum of n^2 */
} ContactPrior;

typedef struct ContactCaps
{
	int32		base;			/* of a member with the average engagement */
	int32		min;
	int32		max;
} ContactCaps;

/* The contacts that had so many others shortly before them. */
typedef struct ContactFatigue
{
	int64		contacts;
	int64		responses;
	int64		opt_outs;
	RiskRatio	ratio;			/* of answers, against contacts with none before, inside members */
	int64		member_contacts;	/* of the member being read */
	int64		member_responses;
} ContactFatigue;

extern bool contact_kind_of_name(const char *name, Size length, ContactKind *kind);
extern float8 contact_pressure(const Event *events, Size n, int64 as_of, int64 half_life,
							   const float8 *weights, int64 *contacts, int64 *last_contact);
extern int64 contact_within(const Event *events, Size n, int64 as_of, int64 span, int channel);
extern int64 contact_latest(const Event *events, Size n, int64 cap, int channel);
extern bool contact_is_opted_out(const Event *events, Size n, int channel);
extern void contact_read(const Event *events, Size n, const ContactRules *rules, int64 span,
						 ContactChannel *channels, int nchannels);
extern void contact_prior_add(ContactPrior *prior, const ContactChannel *channel);
extern float8 contact_prior_rate(const ContactPrior *prior);
extern float8 contact_prior_weight(const ContactPrior *prior);
extern float8 contact_engagement(const ContactPrior *prior, float8 weight, const ContactChannel *channel);
extern float8 contact_ratio(const ContactPrior *prior, float8 weight, const ContactChannel *channel);
extern int32 contact_cap(const ContactCaps *caps, const ContactPrior *prior, float8 weight,
						 const ContactChannel *channel);
extern void contact_fatigue_add(Event *events, Size n, const ContactRules *rules, int64 span, int channel,
								ContactFatigue *rows, int max_prior);

#endif							/* CUSTMART_CONTACT_CORE_H */
