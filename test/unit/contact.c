/* needs: money/decimal.c shared/calendar_core.c history/history_core.c history/history_names.c statistics/distributions.c statistics/risk_ratio.c contact/contact_core.c */
#include "contact/contact_core.h"

#include <math.h>

#include "history/history_names.h"

#include "tap.h"

#define ROWS 24
#define CHANNELS 3

#define HOUR INT64_C(3600000000)

static bool
is_near(float8 a, float8 b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-12 * Max(1, fabs(b));
}

/* ---------- rows, and what they mean by definition ---------- */

typedef struct Row
{
	int64		time;
	int			channel;
	ContactKind kind;
} Row;

typedef struct Member
{
	Row			rows[ROWS];
	int			n;
	Event		events[ROWS];	/* the same in order, equal ones once */
	Size		count;
	int64		as_of;
} Member;

static Member
random_member(void)
{
	Member		member = {.n = 1 + (int) random_below(ROWS)};
	DecimalPool pool = {0};
	int			moments = 1 + (int) random_below(40);

	for (int i = 0; i < member.n; i++)
	{
		Row		   *row = &member.rows[i];

		row->time = (int64) random_below(moments) * HOUR;
		row->channel = (int) random_below(CHANNELS);
		row->kind = random_below(2) ? CONTACT_SENT : (ContactKind) random_below(CONTACT_KINDS);
		member.as_of = Max(member.as_of, row->time);
		member.events[i] = (Event) {.value = row->time, .tag = event_named_tag((uint32) row->channel, row->kind)};
	}
	if (random_below(2))
		member.as_of += (int64) random_below(10) * HOUR;
	member.count = (Size) member.n;
	if (!events_arrange(member.events, &member.count, EVENTS_NAMED, &pool))
		exit(1);
	return member;
}

/* True if a row is the first of its contact among the rows. */
static bool
is_contact(const Member *member, int i, int channel)
{
	const Row  *row = &member->rows[i];

	if (row->kind != CONTACT_SENT || (channel != CONTACT_EVERY_CHANNEL && row->channel != channel))
		return false;
	for (int k = 0; k < i; k++)
		if (member->rows[k].kind == CONTACT_SENT && member->rows[k].time == row->time && member->rows[k].channel == row->channel)
			return false;
	return true;
}

static int64
contacts_between(const Member *member, int64 after, int64 until, int channel)
{
	int64		contacts = 0;

	for (int i = 0; i < member->n; i++)
		contacts += is_contact(member, i, channel) && member->rows[i].time > after && member->rows[i].time <= until;
	return contacts;
}

/* True if a row of these kinds belongs to contact i: no later contact of the channel is at or before it. */
static bool
has_answer(const Member *member, int i, uint32 kinds, int64 within)
{
	const Row  *contact = &member->rows[i];

	for (int k = 0; k < member->n; k++)
	{
		const Row  *row = &member->rows[k];

		if ((kinds >> row->kind & 1) != 0 && row->channel == contact->channel && row->time >= contact->time &&
			row->time - contact->time <= within &&
			contacts_between(member, contact->time, row->time, contact->channel) == 0)
			return true;
	}
	return false;
}

static bool
has_opted_out(const Member *member, int channel)
{
	int64		out = -1;
	int64		in = -1;

	for (int i = 0; i < member->n; i++)
	{
		const Row  *row = &member->rows[i];

		if (channel != CONTACT_EVERY_CHANNEL && row->channel != channel)
			continue;
		if (row->kind == CONTACT_COMPLAINED || row->kind == CONTACT_UNSUBSCRIBED)
			out = Max(out, row->time);
		if (row->kind == CONTACT_SUBSCRIBED)
			in = Max(in, row->time);
	}
	return out >= 0 && out >= in;
}

static ContactRules
random_rules(const Member *member)
{
	ContactRules rules = {.as_of = member->as_of};

	rules.lookback = (int64) (1 + random_below(50)) * HOUR;
	rules.respond_within = (int64) random_below(8) * HOUR;
	do
		rules.responses = (uint32) random_below(1 << CONTACT_KINDS) & ~UINT32_C(1);
	while (rules.responses == 0);
	return rules;
}

/* ---------- the properties ---------- */

static void
test_windows(void)
{
	long		blocked = 0;

	property("pressure, windows and opt-outs are those of the definition");
	for (int run = 0; run < 20000; run++)
	{
		Member		member = random_member();
		int			channel = (int) random_below(CHANNELS + 1) - 1;
		int64		span = (int64) (1 + random_below(40)) * HOUR;
		int64		half_life = (int64) (1 + random_below(40)) * HOUR;
		int64		within = contacts_between(&member, member.as_of - span, member.as_of, channel);
		float8		weights[CHANNELS] = {1, 2.5, 0};
		float8		pressure = 0;
		int64		all = 0;
		int64		latest = -1;
		int64		contacts;
		int64		last = -1;
		float8		got;

		for (int i = 0; i < member.n; i++)
			if (is_contact(&member, i, CONTACT_EVERY_CHANNEL))
			{
				pressure += weights[member.rows[i].channel] * pow(0.5, (float8) (member.as_of - member.rows[i].time) / (float8) half_life);
				latest = Max(latest, member.rows[i].time);
				all++;
			}
		got = contact_pressure(member.events, member.count, member.as_of, half_life, weights, &contacts, &last);
		holds(is_near(got, pressure) && contacts == all && last == latest, "run %d: pressure %.17g, not %.17g", run, got, pressure);
		holds(contact_within(member.events, member.count, member.as_of, span, channel) == within, "run %d: not %" PRId64 " in the span", run, within);
		holds(contact_is_opted_out(member.events, member.count, channel) == has_opted_out(&member, channel), "run %d: opted out or not", run);

		/* A contact at the moment that is given is allowed, and a moment earlier it was not. */
		if (within > 0)
		{
			int64		cap = 1 + (int64) random_below((uint64) within);
			int64		next = contact_latest(member.events, member.count, cap, channel) + span;

			blocked++;
			holds(contacts_between(&member, next - span, next, channel) < cap, "run %d: at the next moment there are too many", run);
			holds(next > member.as_of && contacts_between(&member, next - 1 - span, next - 1, channel) >= cap, "run %d: it could be earlier", run);
		}
	}
	property_end();
	ok(blocked > 5000, "%ld were to wait", blocked);
}

static void
test_reading(void)
{
	long		answered = 0;

	property("contacts that enter rates and their answers are those of the definition");
	for (int run = 0; run < 20000; run++)
	{
		Member		member = random_member();
		ContactRules rules = random_rules(&member);
		int64		span = (int64) (1 + random_below(40)) * HOUR;
		ContactChannel channels[CHANNELS];

		contact_read(member.events, member.count, &rules, span, channels, CHANNELS);
		for (int c = 0; c < CHANNELS; c++)
		{
			int64		contacts = 0;
			int64		responses = 0;
			bool		has_rows = false;

			for (int i = 0; i < member.n; i++)
			{
				const Row  *row = &member.rows[i];

				has_rows |= row->channel == c;
				if (!is_contact(&member, i, c) || row->time + rules.respond_within > member.as_of ||
					row->time <= member.as_of - rules.lookback)
					continue;
				contacts++;
				responses += has_answer(&member, i, rules.responses, rules.respond_within);
			}
			answered += responses;
			holds(channels[c].has_rows == has_rows && channels[c].contacts == contacts && channels[c].responses == responses,
				  "run %d: %" PRId64 " of %" PRId64 ", not %" PRId64 " of %" PRId64, run, channels[c].responses, channels[c].contacts, responses, contacts);
			holds(channels[c].within == contacts_between(&member, member.as_of - span, member.as_of, c), "run %d: others in the span", run);
			holds(channels[c].is_opted_out == has_opted_out(&member, c), "run %d: opted out or not", run);
		}
	}
	property_end();
	ok(answered > 5000, "%ld answers", answered);
}

static void
test_fatigue(void)
{
	enum
	{
		MEMBERS = 6, MOST = 3
	};
	long		compared = 0;

	property("fatigue is that of the definition");
	for (int run = 0; run < 5000; run++)
	{
		int			channel = (int) random_below(CHANNELS + 1) - 1;
		int			max_prior = 1 + (int) random_below(MOST);
		int64		span = (int64) (1 + random_below(12)) * HOUR;
		ContactFatigue rows[MOST + 1] = {{0}};
		int64		contacts[MOST + 1] = {0};
		int64		responses[MOST + 1] = {0};
		int64		opt_outs[MOST + 1] = {0};
		int64		strata[MOST + 1] = {0};
		float8		over[MOST + 1] = {0};
		float8		under[MOST + 1] = {0};

		for (int m = 0; m < MEMBERS; m++)
		{
			Member		member = random_member();
			ContactRules rules = random_rules(&member);
			int64		n[MOST + 1] = {0};
			int64		x[MOST + 1] = {0};

			rules.responses = 1 << CONTACT_CLICKED | 1 << CONTACT_CONVERTED;
			for (int i = 0; i < member.n; i++)
			{
				const Row  *row = &member.rows[i];
				int			prior;

				if (!is_contact(&member, i, channel) || row->time + rules.respond_within > member.as_of)
					continue;
				prior = (int) Min(contacts_between(&member, row->time - span, row->time - 1, channel), max_prior);
				n[prior]++;
				x[prior] += has_answer(&member, i, rules.responses, rules.respond_within);
				opt_outs[prior] += has_answer(&member, i, 1 << CONTACT_COMPLAINED | 1 << CONTACT_UNSUBSCRIBED, rules.respond_within);
			}
			for (int prior = 0; prior <= max_prior; prior++)
			{
				float8		all = (float8) (n[prior] + n[0]);

				contacts[prior] += n[prior];
				responses[prior] += x[prior];
				if (prior == 0 || n[prior] == 0 || n[0] == 0)
					continue;
				strata[prior]++;
				over[prior] += (float8) (x[prior] * n[0]) / all;
				under[prior] += (float8) (x[0] * n[prior]) / all;
			}
			contact_fatigue_add(member.events, member.count, &rules, span, channel, rows, max_prior);
		}
		for (int prior = 0; prior <= max_prior; prior++)
		{
			const ContactFatigue *row = &rows[prior];

			holds(row->contacts == contacts[prior] && row->responses == responses[prior] && row->opt_outs == opt_outs[prior],
				  "run %d, prior %d: %" PRId64 " of %" PRId64 ", not %" PRId64 " of %" PRId64, run, prior,
				  row->responses, row->contacts, responses[prior], contacts[prior]);
			holds(row->ratio.strata == strata[prior] && is_near(row->ratio.numerator, over[prior]) &&
				  is_near(row->ratio.denominator, under[prior]), "run %d, prior %d: another ratio", run, prior);
			compared += strata[prior] > 0;
		}
	}
	property_end();
	ok(compared > 2000, "%ld ratios", compared);
}

/* ---------- shrinking ---------- */

static void
test_caps(void)
{
	/* p = 0.1, weight 20, base 4, 1 to 8: the specification's. */
	static const struct
	{
		int64		n;
		int64		x;
		int32		cap;
	}			examples[] = {{0, 0, 4}, {10, 0, 3}, {10, 2, 5}, {40, 12, 8}, {60, 0, 1}};
	const ContactPrior prior = {.members = 9, .contacts = 1000, .responses = 100};
	const ContactCaps caps = {4, 1, 8};
	long		halves = 0;

	for (size_t i = 0; i < LENGTH_OF(examples); i++)
	{
		ContactChannel channel = {.contacts = examples[i].n, .responses = examples[i].x};

		is_int(contact_cap(&caps, &prior, 20, &channel), examples[i].cap, "a cap of the specification");
	}
	property("a cap is rounded exactly, a half up");
	for (int run = 0; run < 100000; run++)
	{
		int64		weight = 1 + (int64) random_below(30);
		ContactPrior all = {.members = 5, .contacts = 1 + (int64) random_below(1000)};
		ContactChannel channel = {.contacts = (int64) random_below(60)};
		ContactCaps some = {(int32) random_below(9), (int32) random_below(3), 3 + (int32) random_below(9)};
		int64		over;
		int64		under;
		int64		cap;

		all.responses = 1 + (int64) random_below((uint64) all.contacts);
		channel.responses = (int64) random_below((uint64) channel.contacts + 1);
		over = some.base * (channel.responses * all.contacts + weight * all.responses);
		under = (channel.contacts + weight) * all.responses;
		cap = (2 * over + under) / (2 * under);
		halves += over % under * 2 == under;
		cap = Max(some.min, Min(some.max, cap));
		holds(contact_cap(&some, &all, (float8) weight, &channel) == cap, "run %d: not %" PRId64, run, cap);
	}
	property_end();
	ok(halves > 100, "%ld were halfway", halves);
}

static void
test_weights(void)
{
	property("the weight of the average is that of the definition");
	for (int run = 0; run < 20000; run++)
	{
		int			k = (int) random_below(12);
		int64		n[12];
		int64		x[12];
		ContactPrior prior = {0};
		float8		all = 0;
		float8		answers = 0;
		float8		squares = 0;
		float8		s = 0;
		float8		p;
		float8		rho;
		float8		weight = NAN;
		float8		got;
		int			members = 0;

		for (int i = 0; i < k; i++)
		{
			ContactChannel channel = {.contacts = n[i] = (int64) random_below(20)};

			x[i] = channel.responses = random_below(3) == 0 ? 0 : random_below(2) ? n[i] : (int64) random_below((uint64) n[i] + 1);
			contact_prior_add(&prior, &channel);
			members += n[i] > 0;
			all += (float8) n[i];
			answers += (float8) x[i];
			squares += (float8) (n[i] * n[i]);
		}
		p = answers / all;
		for (int i = 0; i < k; i++)
			if (n[i] > 0)
				s += (float8) n[i] * pow((float8) x[i] / (float8) n[i] - p, 2);
		rho = (s - p * (1 - p) * (members - 1)) / (p * (1 - p) * (all - squares / all - (members - 1)));
		if (members >= 2 && answers > 0 && answers < all && rho > 0 && !isinf(rho))
			weight = rho >= 1 ? 0.01 : Max(1 / rho - 1, 0.01);
		got = contact_prior_weight(&prior);

		/* Where members differ by chance and no more, rounding decides. */
		holds(fabs(rho) < 1e-9 || fabs(got - weight) <= 1e-6 * weight || (isnan(got) && isnan(weight)),
			  "run %d: %.17g, not %.17g", run, got, weight);
	}
	property_end();
}

static void
test_extremes(void)
{
	const ContactChannel none = {0};
	const ContactChannel some = {.contacts = 4, .responses = 1};
	const ContactPrior nobody = {0};
	const ContactPrior deaf = {.members = 3, .contacts = 9};
	Event		ends[] = {{.value = INT64_C(-211813488000000000), .tag = 0}, {.value = INT64_C(9223371331199999999), .tag = 0}};
	int64		as_of = ends[1].value;
	float8		weight = 1;
	int64		contacts;
	int64		last;

	ok(isnan(contact_prior_rate(&nobody)) && isnan(contact_prior_weight(&nobody)) && isnan(contact_engagement(&nobody, 5, &none)) &&
	   contact_ratio(&nobody, 5, &none) == 1, "without contacts nothing is known");
	ok(contact_prior_rate(&deaf) == 0 && isnan(contact_prior_weight(&deaf)) && contact_ratio(&deaf, 5, &none) == 1,
	   "if nobody answers all are alike");
	ok(contact_ratio(&(ContactPrior) {.members = 1, .contacts = 10, .responses = 5}, NAN, &some) == 1, "and so they are if they do not differ");
	is_int(contact_within(ends, 2, as_of, INT64_MAX, CONTACT_EVERY_CHANNEL), 1, "both ends of time are in no span");
	ok(contact_pressure(ends, 2, as_of, 1, &weight, &contacts, &last) == 1 && contacts == 2 && last == as_of, "what is long ago weighs nothing");
}

/* ---------- names ---------- */

static void
test_names(void)
{
	uint8		united[NAMES_SIZE_MAX];
	Size		united_size = 0;

	property("names are sorted, united and found again");
	for (int run = 0; run < 5000; run++)
	{
		uint8		settings[2][NAMES_SIZE_MAX];
		Size		size[2] = {0};
		uint8		sorted[2][NAMES_SIZE_MAX];
		NameMap		map[2];
		bool		has_fractions[2];
		EventLimits limits = {0};
		int			different = 0;
		bool		fits;

		for (int part = 0; part < 2; part++)
		{
			int			n = 1 + (int) random_below(NAMES_MAX);

			has_fractions[part] = random_below(2);
			for (int i = 0; i < n; i++)
			{
				char		name[NAME_LENGTH_MAX];
				Size		length = random_below(8) ? random_below(3) : random_below(NAME_LENGTH_MAX + 1);

				memset(name, 'a' + (int) random_below(3), length);
				if (names_find(settings[part], size[part], name, length) < 0)
					size[part] = names_append(settings[part], size[part], name, length);
			}
			holds(names_sort(settings[part], size[part], has_fractions[part], sorted[part], &map[part]) == size[part], "run %d: another size", run);
			holds(names_check(sorted[part], size[part], CONTACT_KINDS, &limits) == NULL, "run %d: refused", run);
			holds((sorted[part][0] == NAMES_SECONDS) == !has_fractions[part], "run %d: another unit", run);
		}
		for (int part = 0; part < 2; part++)
		{
			EventName	names[NAMES_MAX];
			int			n = names_list(settings[part], size[part], names);

			for (int i = 0; i < n; i++)
			{
				holds(names_find(sorted[part], size[part], names[i].bytes, names[i].length) == map[part].to[i], "run %d: elsewhere", run);
				different += part == 0 || names_find(settings[0], size[0], names[i].bytes, names[i].length) < 0;
			}
		}
		united_size = 0;
		fits = names_unite(united, &united_size, sorted[0], size[0]) && names_unite(united, &united_size, sorted[1], size[1]);
		holds(fits == (different <= NAMES_MAX), "run %d: %d names", run, different);
		if (!fits)
			continue;
		holds(names_check(united, united_size, CONTACT_KINDS, &limits) == NULL && limits.tag_max == (uint32) different * 8 - 1,
			  "run %d: names are lost", run);
		holds((united[0] == NAMES_SECONDS) == (!has_fractions[0] && !has_fractions[1]), "run %d: another unit", run);
		for (int part = 0; part < 2; part++)
		{
			NameMap		to;
			EventName	names[NAMES_MAX];
			int			n = names_list(sorted[part], size[part], names);

			names_map(sorted[part], size[part], united, united_size, &to);
			for (int i = 0; i < n; i++)
				holds(names_find(united, united_size, names[i].bytes, names[i].length) == to.to[i], "run %d: another number", run);
		}
	}
	property_end();
}

static void
test_kinds(void)
{
	ContactKind kind = CONTACT_SENT;

	ok(contact_kind_of_name("complained", 10, &kind) && kind == CONTACT_COMPLAINED, "a kind is known");
	ok(!contact_kind_of_name("complain", 8, &kind) && !contact_kind_of_name("Sent", 4, &kind) && !contact_kind_of_name("", 0, &kind),
	   "others are not");
}

int
main(void)
{
	test_kinds();
	test_names();
	test_windows();
	test_reading();
	test_fatigue();
	test_caps();
	test_weights();
	test_extremes();
	return done_testing();
}
