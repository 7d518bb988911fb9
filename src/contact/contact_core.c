/*
 * contact_core.c
 *	  Pressure, windows, engagement, caps and fatigue, of one member's events.
 */
#include "contact/contact_core.h"

#include <math.h>

static const char *const kind_names[CONTACT_KINDS] =
{"sent", "opened", "clicked", "converted", "complained", "unsubscribed", "subscribed"};

bool
contact_kind_of_name(const char *name, Size length, ContactKind *kind)
{
	for (int i = 0; i < CONTACT_KINDS; i++)
		if (length == strlen(kind_names[i]) && memcmp(name, kind_names[i], length) == 0)
		{
			*kind = (ContactKind) i;
			return true;
		}
	return false;
}

/* ---------- windows ---------- */

/* How long before a moment a time lies, which may need 64 unsigned bits. */
static inline uint64
distance(int64 from, int64 to)
{
	return (uint64) to - (uint64) from;
}

static inline bool
is_contact(const Event *event, int channel)
{
	return event_kind(event) == CONTACT_SENT &&
		(channel == CONTACT_EVERY_CHANNEL || (int) event_name(event) == channel);
}

/*
 * The sum of weight * 2^(-age / half_life) over all contacts; how many they are, and
 * the time of the last one.
 */
float8
contact_pressure(const Event *events, Size n, int64 as_of, int64 half_life,
				 const float8 *weights, int64 *contacts, int64 *last_contact)
{
	float8		pressure = 0;

	*contacts = 0;
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (!is_contact(&events[i], CONTACT_EVERY_CHANNEL))
			continue;
		pressure += weights[event_name(&events[i])] *
			exp2(-((float8) distance(events[i].value, as_of) / (float8) half_life));
		*last_contact = events[i].value;
		++*contacts;
	}
	return pressure;
}

/* Contacts of a channel with as_of - span < time <= as_of. */
int64
contact_within(const Event *events, Size n, int64 as_of, int64 span, int channel)
{
	int64		contacts = 0;

	for (Size i = n; i > 0 && distance(events[i - 1].value, as_of) < (uint64) span; i--)
	{
		check_interrupts(i);
		contacts += is_contact(&events[i - 1], channel);
	}
	return contacts;
}

/* The time of the cap-th latest contact of a channel; there are so many. */
int64
contact_latest(const Event *events, Size n, int64 cap, int channel)
{
	Size		i = n;

	Assert(cap > 0);
	while (cap > 0)
	{
		Assert(i > 0);
		check_interrupts(i--);
		cap -= is_contact(&events[i], channel);
	}
	return events[i].value;
}

/* Notes one event in what is known of a member's consent; at one moment, subscribed comes last. */
static inline void
note_consent(const Event *event, bool *is_opted_out, int64 *last_opt_out)
{
	switch (event_kind(event))
	{
		case CONTACT_COMPLAINED:
		case CONTACT_UNSUBSCRIBED:
			*is_opted_out = true;
			*last_opt_out = event->value;
			break;
		case CONTACT_SUBSCRIBED:
			if (event->value > *last_opt_out)
				*is_opted_out = false;
			break;
		default:
			break;
	}
}

/*
 * True if a member has opted out of a channel.  Of every channel: all rows count as
 * if they were of one.
 */
bool
contact_is_opted_out(const Event *events, Size n, int channel)
{
	bool		is_opted_out = false;
	int64		last_opt_out = PG_INT64_MIN;
	int64		last_subscribed = PG_INT64_MIN;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (channel != CONTACT_EVERY_CHANNEL && (int) event_name(&events[i]) != channel)
			continue;
		switch (event_kind(&events[i]))
		{
			case CONTACT_COMPLAINED:
			case CONTACT_UNSUBSCRIBED:
				is_opted_out = true;
				last_opt_out = events[i].value;
				break;
			case CONTACT_SUBSCRIBED:
				last_subscribed = events[i].value;
				break;
		}
	}
	return is_opted_out && last_opt_out >= last_subscribed;
}

/* ---------- engagement ---------- */

/* What a member's events, of which none is after as_of, say of each channel. */
void
contact_read(const Event *events, Size n, const ContactRules *rules, int64 span,
			 ContactChannel *channels, int nchannels)
{
	memset(channels, 0, nchannels * sizeof(ContactChannel));
	for (int c = 0; c < nchannels; c++)
		channels[c].last_opt_out = PG_INT64_MIN;
	for (Size i = 0; i < n; i++)
	{
		const Event *event = &events[i];
		ContactChannel *channel = &channels[event_name(event)];

		check_interrupts(i);
		channel->has_rows = true;
		if (event_kind(event) == CONTACT_SENT)
		{
			uint64		age = distance(event->value, rules->as_of);

			channel->within += age < (uint64) span;
			channel->is_counted = age < (uint64) rules->lookback && age >= (uint64) rules->respond_within;
			channel->contacts += channel->is_counted;
			channel->last_contact = event->value;
			continue;
		}
		if (channel->is_counted && (rules->responses >> event_kind(event) & 1) != 0)
		{
			channel->responses += distance(channel->last_contact, event->value) <= (uint64) rules->respond_within;
			channel->is_counted = false;	/* later ones are further away */
		}
		note_consent(event, &channel->is_opted_out, &channel->last_opt_out);
	}
}

/* Adds one member. */
void
contact_prior_add(ContactPrior *prior, const ContactChannel *channel)
{
	float8		n = (float8) channel->contacts;
	float8		x = (float8) channel->responses;

	if (channel->contacts == 0)
		return;
	prior->members++;
	prior->contacts += channel->contacts;
	prior->responses += channel->responses;
	prior->shares += x * x / n;
	prior->squares += n * n;
}

/* The rate of everybody; NAN without contacts. */
float8
contact_prior_rate(const ContactPrior *prior)
{
	return prior->contacts == 0 ? NAN : (float8) prior->responses / (float8) prior->contacts;
}

/* What a sum of rates may be off by, of itself. */
#define ROUNDING 1e-12

/* How many contacts of the average rate everybody is given; NAN: members do not differ, or too little is known. */
float8
contact_prior_weight(const ContactPrior *prior)
{
	float8		n = (float8) prior->contacts;
	float8		between = (float8) prior->members - 1;
	float8		p = contact_prior_rate(prior);
	float8		chance = p * (1 - p);
	float8		spread;
	float8		rho;

	if (prior->members < 2 || prior->responses == 0 || prior->responses == prior->contacts)
		return NAN;
	spread = chance * (n - prior->squares / n - between);
	if (!(spread > 0))
		return NAN;
	rho = (prior->shares - p * (float8) prior->responses - chance * between) / spread;

	/* Where members differ just as chance has it, what is left of the sums is rounding. */
	if (!(rho * spread > ROUNDING * prior->shares))
		return NAN;
	return Max(1 / rho - 1, CONTACT_WEIGHT_MIN);
}

/* The rate of a member, drawn towards that of everybody; NAN if nothing is known of anybody. */
float8
contact_engagement(const ContactPrior *prior, float8 weight, const ContactChannel *channel)
{
	float8		all = (float8) prior->contacts;

	if (prior->contacts == 0 || isnan(weight))
		return contact_prior_rate(prior);
	return ((float8) channel->responses * all + weight * (float8) prior->responses) /
		(((float8) channel->contacts + weight) * all);
}

/*
 * `times` the engagement of a member by that of everybody.  p is responses of
 * contacts: with both there is one division, and what is halfway between two caps
 * comes out as just that.
 */
static float8
times_ratio(float8 times, const ContactPrior *prior, float8 weight, const ContactChannel *channel)
{
	if (prior->responses == 0 || isnan(weight))
		return times;
	return times * ((float8) channel->responses * (float8) prior->contacts + weight * (float8) prior->responses) /
		(((float8) channel->contacts + weight) * (float8) prior->responses);
}

float8
contact_ratio(const ContactPrior *prior, float8 weight, const ContactChannel *channel)
{
	return times_ratio(1, prior, weight, channel);
}

/* base * ratio, rounded, a half up, and not below min or above max. */
int32
contact_cap(const ContactCaps *caps, const ContactPrior *prior, float8 weight, const ContactChannel *channel)
{
	float8		cap = times_ratio(caps->base, prior, weight, channel);
	float8		whole = floor(cap);

	whole += cap - whole >= 0.5;	/* cap + 0.5 might be rounded itself */
	return whole <= caps->min ? caps->min : whole >= caps->max ? caps->max : (int32) whole;
}

/* ---------- fatigue ---------- */

/* What the tag of a contact becomes while fatigue is found; its owner becomes the number of those before. */
#define IS_ANSWERED 1
#define IS_OPT_OUT 2

/* Adds up the contacts of one member; rows are 0 to max_prior. */
static void
add_contacts(const Event *contacts, Size n, const ContactRules *rules, ContactFatigue *rows, int max_prior)
{
	const ContactFatigue *rested = &rows[0];
	int			most = 0;

	for (Size i = 0; i < n; i++)
	{
		int			prior = (int) Min(contacts[i].owner, (uint32) max_prior);
		ContactFatigue *row = &rows[prior];

		check_interrupts(i);
		if (distance(contacts[i].value, rules->as_of) < (uint64) rules->respond_within)
			break;
		row->member_contacts++;
		row->member_responses += (contacts[i].tag & IS_ANSWERED) != 0;
		row->opt_outs += (contacts[i].tag & IS_OPT_OUT) != 0;
		most = Max(most, prior);
	}
	for (int prior = most; prior >= 0; prior--)
	{
		ContactFatigue *row = &rows[prior];

		if (row->member_contacts == 0)
			continue;
		if (prior > 0 && rested->member_contacts > 0)
			risk_ratio_add(&row->ratio, (float8) row->member_responses, (float8) row->member_contacts,
						   (float8) rested->member_responses, (float8) rested->member_contacts);
		row->contacts += row->member_contacts;
		row->responses += row->member_responses;
		row->member_contacts = 0;
		row->member_responses = 0;
	}
}

/*
 * Adds one member: for each mature contact of a channel, how many others there were
 * in the span before it, and whether it was answered.  The events are overwritten.
 */
void
contact_fatigue_add(Event *events, Size n, const ContactRules *rules, int64 span, int channel,
					ContactFatigue *rows, int max_prior)
{
	Size		last[1 << (8 - EVENT_KIND_BITS)] = {0};	/* contact of each channel + 1 */
	Size		contacts = 0;
	Size		first = 0;		/* contact in the span */
	Size		same = 0;		/* first contact of the same moment */

	for (Size i = 0; i < n; i++)
	{
		Event		event = events[i];
		Size	   *latest = &last[event_name(&event)];

		check_interrupts(i);
		if (channel != CONTACT_EVERY_CHANNEL && (int) event_name(&event) != channel)
			continue;
		if (event_kind(&event) == CONTACT_SENT)
		{
			if (contacts > 0 && events[contacts - 1].value != event.value)
				same = contacts;
			while (first < same && distance(events[first].value, event.value) >= (uint64) span)
				first++;
			events[contacts] = (Event) {.value = event.value, .owner = (uint32) (same - first)};
			*latest = ++contacts;
		}
		else if (*latest > 0 &&
				 distance(events[*latest - 1].value, event.value) <= (uint64) rules->respond_within)
		{
			Event	   *contact = &events[*latest - 1];

			if ((rules->responses >> event_kind(&event) & 1) != 0)
				contact->tag |= IS_ANSWERED;
			if (event_kind(&event) == CONTACT_COMPLAINED || event_kind(&event) == CONTACT_UNSUBSCRIBED)
				contact->tag |= IS_OPT_OUT;
		}
	}
	add_contacts(events, contacts, rules, rows, max_prior);
}
