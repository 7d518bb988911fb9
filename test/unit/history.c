/* needs: shared/calendar_core.c money/decimal.c history/history_core.c */
#include "history/history_core.h"

#include "shared/bytes.h"

#include "tap.h"
#include "plain_decimal.h"

#define EVENTS 60
#define BYTES (EVENTS * (20 + 1 + DECIMAL_STORED_SIZE))

#define TIME_FIRST INT64_C(-211813488000000000)	/* 4714-11-24 BC, 2451545 days before 2000-01-01 */
#define TIME_LAST INT64_C(9223371331199999999)	/* the last microsecond of 294276, 106751983 days on */

#define LAST_LAYOUT EVENTS_NAMED_SECONDS

static const char *const layout_names[] = {"moments", "times", "periods", "amounts", "payments",
"named events", "named events of whole seconds"};

static bool
is_named(EventLayout layout)
{
	return layout == EVENTS_NAMED || layout == EVENTS_NAMED_SECONDS;
}

static bool
has_tag(EventLayout layout)
{
	return layout == EVENTS_MOMENTS || is_named(layout);
}

static bool
has_time(EventLayout layout)
{
	return has_tag(layout) || layout == EVENTS_TIMES || layout == EVENTS_PAYMENTS;
}

/* What a place is to the event: places of seconds are stored, microseconds are not. */
static int64
microseconds(EventLayout layout, int64 place)
{
	return layout == EVENTS_NAMED_SECONDS ? place * 1000000 : place;
}

static bool
has_money(EventLayout layout)
{
	return layout == EVENTS_AMOUNTS || layout == EVENTS_PAYMENTS;
}

/* ---------- events as they come ---------- */

/* An event in plain terms, its amount as text. */
typedef struct Plainly
{
	int64		place;			/* time or period */
	uint32		tag;
	bool		is_active;
	char		amount[DECIMAL_TEXT_SIZE];
} Plainly;

typedef struct Events
{
	EventLayout layout;
	CalendarUnit unit;
	Event		event[EVENTS];
	Size		n;
	DecimalPool pool;
} Events;

static void
free_events(Events *events)
{
	free(events->pool.item);
	memset(&events->pool, 0, sizeof(events->pool));
}

/* What was made with one pool, with another. */
static Events
make_events(EventLayout layout, CalendarUnit unit, const Plainly *plain, Size n)
{
	Events		events = {.layout = layout, .unit = unit, .n = n};

	for (Size i = 0; i < n; i++)
	{
		Event	   *event = &events.event[i];

		event->owner = (uint32) random_u64();
		if (has_time(layout))
		{
			event->value = microseconds(layout, plain[i].place);
			event->tag = plain[i].tag;
		}
		else
			event->tag = event_period_tag((int32) plain[i].place, plain[i].is_active);
		if (has_money(layout))
		{
			Decimal		d;

			if (!decimal_from_text(plain[i].amount, strlen(plain[i].amount), &d))
			{
				diag("%s is refused", plain[i].amount);
				exit(1);
			}
			*(layout == EVENTS_PAYMENTS ? &event->amount : &event->value) = decimal_pack(&d, &events.pool);
		}
	}
	return events;
}

/* Some are close together, some far, some at the ends. */
static int64
random_place(EventLayout layout, CalendarUnit unit, int kind)
{
	int64		low = TIME_FIRST;
	int64		high = TIME_LAST;

	if (layout == EVENTS_NAMED_SECONDS)
	{
		low /= 1000000;
		high /= 1000000;
	}
	if (!has_time(layout))
	{
		/* The unit's first period that begins on a day there is. */
		low = calendar_period_of_day(unit, CALENDAR_DAY_MIN - 1) + 1;
		high = calendar_period_of_day(unit, CALENDAR_DAY_MAX);
	}
	switch (kind)
	{
		case 0:
			return (int64) random_below(20) - 10;
		case 1:
			return low + (int64) random_below(5);
		case 2:
			return high - (int64) random_below(5);
		case 3:
			return random_below(2) ? low + (int64) random_below(3) : high - (int64) random_below(3);
		case 4:
			return has_time(layout) ?
				(INT64_C(820000000000000) + (int64) random_below(1000) * 3600000000) / microseconds(layout, 1) : 300 + (int64) random_below(40);
		default:
			return (int64) ((uint64) low + random_u64() % ((uint64) high - (uint64) low + 1));
	}
}

static Size
random_plain(EventLayout layout, CalendarUnit unit, uint32 tag_max, Plainly *plain)
{
	int			kind = (int) random_below(6);
	Size		n = 1 + random_below(random_below(3) ? 6 : EVENTS);

	for (Size i = 0; i < n; i++)
	{
		plain[i].place = random_place(layout, unit, kind);
		plain[i].tag = !has_tag(layout) ? 0 : (uint32) (random_below(2) ? random_below(3) : random_u64()) & tag_max;
		random_amount(plain[i].amount, random_below(4) ? 7 : DECIMAL_MAX_DIGITS, random_below(4) ? 3 : DECIMAL_MAX_SCALE);

		/* As the book has it: a refund is no activity, all else is.  Payments do not tell. */
		plain[i].is_active = layout == EVENTS_AMOUNTS ? plain[i].amount[0] != '-' : layout != EVENTS_PAYMENTS;
	}
	return n;
}

static void
shuffle(Plainly *plain, Size n)
{
	for (Size i = n; i-- > 1;)
	{
		Size		j = random_below(i + 1);
		Plainly		swap = plain[i];

		plain[i] = plain[j];
		plain[j] = swap;
	}
}

/* ---------- the format, written by another hand ---------- */

static uint8 *
plain_varint(uint8 *p, uint128 number)
{
	do
	{
		*p = (uint8) (number % 128);
		number /= 128;
		if (number > 0)
			*p += 128;
		p++;
	} while (number > 0);
	return p;
}

/* 0, -1, 1, -2 ... */
static uint128
plain_signed(int128 number)
{
	return number >= 0 ? 2 * (uint128) number : 2 * (uint128) -number - 1;
}

static int
compare_plain(EventLayout layout, const Plainly *a, const Plainly *b)
{
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return has_tag(layout) ? (a->tag > b->tag) - (a->tag < b->tag) : 0;
}

/* Sums digit by digit. */
static void
add_plain(Plainly *to, const Plainly *from)
{
	Plain		a = plain_from_text(to->amount);
	Plain		b = plain_from_text(from->amount);
	Plain		sum = plain_add(&a, &b);

	plain_to_text(&sum, to->amount);
	to->is_active |= from->is_active;
}

/* Puts a copy in order and stores it, as docs/storage-format.md says. */
static Size
plain_store(EventLayout layout, const Plainly *source, Size n, uint8 *bytes, Size *count)
{
	Plainly		plain[EVENTS];
	Size		kept = 0;
	uint8	   *p = bytes;

	for (Size i = 0; i < n; i++)
	{
		Size		at = kept;

		while (at > 0 && compare_plain(layout, &source[i], &plain[at - 1]) < 0)
			at--;
		if (at > 0 && layout != EVENTS_MOMENTS && compare_plain(layout, &source[i], &plain[at - 1]) == 0)
		{
			if (has_money(layout))
				add_plain(&plain[at - 1], &source[i]);
			continue;
		}
		memmove(plain + at + 1, plain + at, (kept - at) * sizeof(Plainly));
		plain[at] = source[i];
		kept++;
	}
	for (Size i = 0; i < kept; i++)
	{
		p = plain_varint(p, i == 0 ? plain_signed(plain[0].place) : (uint128) ((int128) plain[i].place - plain[i - 1].place));
		if (has_tag(layout))
			p = plain_varint(p, plain[i].tag);
		else if (has_money(layout))
		{
			Decimal		d;
			int64		packed;

			if (!decimal_from_text(plain[i].amount, strlen(plain[i].amount), &d))
				exit(1);
			if (decimal_fits_packed(&d, &packed))
			{
				*p++ = (uint8) (d.scale | (plain[i].is_active ? 0x80 : 0));
				p = plain_varint(p, plain_signed(packed >> 8));
			}
			else
			{
				*p++ = 0x1F | (plain[i].is_active ? 0x80 : 0);
				decimal_store(&d, p);
				p += DECIMAL_STORED_SIZE;
			}
		}
	}
	*count = kept;
	return p - bytes;
}

/* ---------- round trips ---------- */

static uint32
random_tag_max(void)
{
	static const uint32 maxima[] = {0, 1, 7, 0x1FF, UINT32_MAX};

	return maxima[random_below(LENGTH_OF(maxima))];
}

/* Named events have up to 16 names, and here 8 kinds of each. */
static EventLimits
random_limits(EventLayout layout, CalendarUnit unit)
{
	EventLimits limits = {.tag_max = random_tag_max(), .unit = unit, .kinds = 8};

	if (is_named(layout))
		limits.tag_max = limits.tag_max & 127;
	return limits;
}

static Size
store(Events *events, uint8 *bytes)
{
	Size		size = events_size(events->event, events->n, events->layout);
	uint8	   *exact = malloc(size);
	uint8	   *end = events_store(events->event, events->n, events->layout, &events->pool, exact);

	holds((Size) (end - exact) == size, "%s: %zu bytes, not %zu", layout_names[events->layout], end - exact, size);
	memcpy(bytes, exact, size);
	free(exact);
	return size;
}

static Events
load(EventLayout layout, CalendarUnit unit, const uint8 *bytes, Size n, Size size)
{
	Events		events = {.layout = layout, .unit = unit, .n = n};

	/* What lay there before is not to be seen. */
	memset(events.event, 0x5A, sizeof(events.event));
	holds(events_load(bytes, bytes + size, n, layout, &events.pool, events.event) == bytes + size, "%s: loads more or less than there is",
		  layout_names[layout]);
	return events;
}

/* A check says which names there were, and whether all times were whole seconds. */
static void
test_noted(EventLayout layout, const EventLimits *limits, const Plainly *plain, Size n, int run)
{
	uint32		names = 0;
	bool		has_fractions = false;

	if (!is_named(layout))
		return;
	for (Size i = 0; i < n; i++)
	{
		names |= UINT32_C(1) << plain[i].tag / 8;
		has_fractions |= layout == EVENTS_NAMED && plain[i].place % 1000000 != 0;
	}
	holds(limits->names_seen == names && limits->has_fractions == has_fractions, "run %d: names %x, fractions %d", run,
		  (unsigned) limits->names_seen, limits->has_fractions);
}

static void
test_round_trips(EventLayout layout)
{
	char		name[200];
	long		wide = 0;
	long		merged = 0;

	snprintf(name, sizeof(name), "%s: any order of rows gives the bytes of the format, which are taken and read back", layout_names[layout]);
	property(name);
	for (int run = 0; run < 8000; run++)
	{
		CalendarUnit unit = 1 + (int) random_below(UNIT_LAST);
		EventLimits limits = random_limits(layout, unit);
		Plainly		plain[EVENTS];
		Size		n = random_plain(layout, unit, limits.tag_max, plain);
		uint8		expected[BYTES];
		uint8		bytes[BYTES];
		Size		count;
		Size		length = plain_store(layout, plain, n, expected, &count);
		const uint8 *at;
		uint8	   *exact;
		const char *wrong;
		int64		last = 0;
		int64		greatest = plain[0].place;
		Events		again;

		for (int order = 0; order < 3; order++)
		{
			Events		events = make_events(layout, unit, plain, n);
			Size		parts = random_below(n + 1);

			/* In one go, or a part of it earlier. */
			if (order == 2)
			{
				Size		kept = parts;

				holds(events_arrange(events.event, &kept, layout, &events.pool), "run %d: a sum out of range", run);
				memmove(events.event + kept, events.event + parts, (n - parts) * sizeof(Event));
				events.n = kept + n - parts;
			}
			holds(events_arrange(events.event, &events.n, layout, &events.pool), "run %d: a sum out of range", run);
			holds(events.n == count, "%s, run %d: %zu events, not %zu", layout_names[layout], run, events.n, count);
			holds(store(&events, bytes) == length && memcmp(bytes, expected, length) == 0,
				  "%s, run %d, order %d: other bytes", layout_names[layout], run, order);
			free_events(&events);
			shuffle(plain, n);
		}
		merged += count < n;

		at = exact = exact_copy(expected, length);
		wrong = events_check(&at, exact + length, count, layout, &limits, &last);
		holds(wrong == NULL && at == exact + length, "%s, run %d: refused: %s", layout_names[layout], run, wrong ? wrong : "its end");
		for (Size i = 0; i < n; i++)
			greatest = Max(greatest, plain[i].place);
		greatest = microseconds(layout, greatest);
		holds(last == greatest, "%s, run %d: last %" PRId64 ", not %" PRId64, layout_names[layout], run, last, greatest);
		test_noted(layout, &limits, plain, n, run);
		again = load(layout, unit, exact, count, length);
		for (Size i = 0; i < count; i++)
		{
			wide += has_money(layout) && decimal_is_pooled(layout == EVENTS_PAYMENTS ? again.event[i].amount : again.event[i].value);
			holds(layout == EVENTS_PAYMENTS || again.event[i].owner == 0, "an owner");
		}
		holds(store(&again, bytes) == length && memcmp(bytes, expected, length) == 0, "%s, run %d: other bytes when read and stored",
			  layout_names[layout], run);
		holds(events_arrange(again.event, &again.n, layout, &again.pool) && again.n == count, "%s, run %d: not in order",
			  layout_names[layout], run);
		free_events(&again);
		free(exact);
	}
	property_end();
	if (layout != EVENTS_MOMENTS)
		ok(merged > 2000, "%s: %ld of them had repetitions", layout_names[layout], merged);
	if (has_money(layout))
		ok(wide > 2000, "and %ld sums were wide", wide);
}

/* ---------- damaged bytes ---------- */

/* What is taken is what would be written, so no value has two forms. */
static bool
is_canonical(EventLayout layout, CalendarUnit unit, const uint8 *bytes, Size n, Size length)
{
	uint8		again[BYTES + 64];
	Events		events = load(layout, unit, bytes, n, length);
	Size		count = n;
	bool		same;

	same = events_arrange(events.event, &count, layout, &events.pool) && count == n &&
		events_size(events.event, n, layout) == length &&
		events_store(events.event, n, layout, &events.pool, again) == again + length && memcmp(bytes, again, length) == 0;
	free_events(&events);
	return same;
}

/* Parts of a member's rows, each stored, and joined as a merge of books does it. */
static void
test_joined(EventLayout layout)
{
	char		name[200];
	long		already = 0;

	snprintf(name, sizeof(name), "%s: parts that are joined give the bytes of all rows", layout_names[layout]);
	property(name);
	for (int run = 0; run < 8000; run++)
	{
		CalendarUnit unit = 1 + (int) random_below(UNIT_LAST);
		Plainly		plain[EVENTS];
		Size		n = random_plain(layout, unit, random_limits(layout, unit).tag_max, plain);
		uint8		expected[BYTES];
		Size		count;
		Size		length = plain_store(layout, plain, n, expected, &count);
		Events		joined = {.layout = layout, .unit = unit};
		Event		spare[EVENTS];
		ByteBuffer	buffer;
		uint64		stored_count = 0;
		const uint8 *begin;

		for (Size from = 0; from < n;)
		{
			Size		some = 1 + random_below(1 + random_below(EVENTS));
			Size		m = Min(n - from, some);
			Events		part = make_events(layout, unit, plain + from, m);
			uint8		bytes[BYTES];
			Size		size;
			uint8	   *exact;

			holds(events_arrange(part.event, &part.n, layout, &part.pool), "%s: a sum is out of range", name);
			size = store(&part, bytes);
			exact = malloc(size);
			memcpy(exact, bytes, size);
			holds(events_end(exact, exact + size, part.n, layout) == exact + size, "%s, run %d: the end is elsewhere", name, run);
			holds(events_load(exact, exact + size, part.n, layout, &joined.pool, joined.event + joined.n) == exact + size,
				  "%s, run %d: loads more or less than there is", name, run);
			if (joined.n > 0 && (layout == EVENTS_PAYMENTS || joined.event[joined.n - 1].tag <= joined.event[joined.n].tag) &&
				joined.event[joined.n - 1].value <= joined.event[joined.n].value)
				already++;
			events_join(joined.event, joined.n, part.n, layout, spare);
			joined.n += part.n;
			for (Size i = 1; i < joined.n; i++)
				holds(has_time(layout) ?
					  joined.event[i - 1].value < joined.event[i].value ||
					  (joined.event[i - 1].value == joined.event[i].value &&
					   (layout == EVENTS_PAYMENTS || joined.event[i - 1].tag <= joined.event[i].tag)) :
					  joined.event[i - 1].tag <= joined.event[i].tag, "%s, run %d: not in order", name, run);
			free(exact);
			free_events(&part);
			from += m;
		}
		holds(events_arrange(joined.event, &joined.n, layout, &joined.pool) && joined.n == count,
			  "%s, run %d: %zu events, not %zu", name, run, joined.n, count);
		buffer_init(&buffer, 1, NULL);
		events_append(joined.event, joined.n, layout, &joined.pool, &buffer);
		begin = load_varint(buffer.data, &stored_count);
		holds(stored_count == count && buffer.size - (begin - buffer.data) == length && memcmp(begin, expected, length) == 0,
			  "%s, run %d: other bytes", name, run);
		free(buffer.data);
		free_events(&joined);
	}
	property_end();
	ok(already > 100, "%s: %ld parts behind the one before", layout_names[layout], already);
}

static void
test_damage(EventLayout layout)
{
	char		name[200];
	long		taken = 0;
	long		refused = 0;

	snprintf(name, sizeof(name), "%s: changed or cut bytes are refused, or are those of another value", layout_names[layout]);
	property(name);
	for (int run = 0; run < 100; run++)
	{
		CalendarUnit unit = 1 + (int) random_below(UNIT_LAST);
		EventLimits limits = random_limits(layout, unit);
		Plainly		plain[EVENTS];
		Size		n = Min(random_plain(layout, unit, limits.tag_max, plain), 8);
		uint8		bytes[BYTES];
		Size		count;
		Size		length = plain_store(layout, plain, n, bytes, &count);
		int64		last;

		for (Size cut = 0; cut < length; cut++)
		{
			uint8	   *exact = exact_copy(bytes, cut);
			const uint8 *at = exact;

			holds(events_check(&at, exact + cut, count, layout, &limits, &last) != NULL, "%s, run %d: taken though cut at %zu",
				  layout_names[layout], run, cut);
			free(exact);
		}
		for (Size i = 0; i < length; i++)
			for (int value = 0; value < 256; value++)
			{
				uint8	   *exact;
				const uint8 *at;

				/* In wide amounts not all, for time's sake. */
				if (length > 60 && value % 7 != 0 && value != (bytes[i] ^ 0x80))
					continue;
				if (value == bytes[i])
					continue;
				at = exact = exact_copy(bytes, length);
				exact[i] = (uint8) value;
				if (events_check(&at, exact + length, count, layout, &limits, &last) != NULL)
					refused++;
				else
				{
					taken++;
					holds(is_canonical(layout, unit, exact, count, at - exact), "%s, run %d: byte %zu as %d is taken, but stored differently",
						  layout_names[layout], run, i, value);
				}
				free(exact);
			}
	}
	property_end();
	ok(taken > 1000 && refused > 1000, "%s: %ld taken, %ld refused", layout_names[layout], taken, refused);
}

/* One fault each. */
static void
test_faults(void)
{
#define BYTES_OF(...) (const uint8[]) {__VA_ARGS__}, sizeof((const uint8[]) {__VA_ARGS__})
#define ZEROS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	const struct
	{
		EventLayout layout;
		Size		n;
		const uint8 *bytes;
		Size		length;
		const char *wrong;
		const char *what;
	}			cases[] = {
		{EVENTS_TIMES, 2, BYTES_OF(5, 1), NULL, "two times are taken"},
		{EVENTS_TIMES, 2, BYTES_OF(5, 0), "an event appears twice", "the same time twice is not"},
		{EVENTS_TIMES, 1, BYTES_OF(0x85, 0), "a time is not valid", "nor is a time with a byte too many"},
		{EVENTS_TIMES, 1, BYTES_OF(0x85), "a time is not valid", "nor one that breaks off"},
		{EVENTS_TIMES, 2, BYTES_OF(5), "a time is not valid", "nor one time of two"},
		{EVENTS_TIMES, 1, BYTES_OF(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2), "a time is not valid", "nor one of 65 bits"},
		/* 9223371331199999999 * 2 = 18446742662399999998 */
		{EVENTS_TIMES, 1, BYTES_OF(0xFE, 0xFF, 0x94, 0xBB, 0xF6, 0xD6, 0xFF, 0xFF, 0xFF, 1), NULL, "the last microsecond is"},
		{EVENTS_TIMES, 1, BYTES_OF(0x80, 0x80, 0x95, 0xBB, 0xF6, 0xD6, 0xFF, 0xFF, 0xFF, 1), "a time is out of range", "and none behind it"},
		{EVENTS_TIMES, 2, BYTES_OF(0xFE, 0xFF, 0x94, 0xBB, 0xF6, 0xD6, 0xFF, 0xFF, 0xFF, 1, 1), "a time is out of range", "by a distance, either"},
		{EVENTS_TIMES, 2, BYTES_OF(2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1), "a time is out of range", "nor beyond all numbers"},
		/* 211813488000000000 * 2 - 1 = 423626975999999999 */
		{EVENTS_TIMES, 1, BYTES_OF(0xFF, 0xFF, 0x82, 0xEE, 0xD7, 0xCF, 0xC1, 0xF0, 5), NULL, "the first microsecond is"},
		{EVENTS_TIMES, 1, BYTES_OF(0x81, 0x80, 0x83, 0xEE, 0xD7, 0xCF, 0xC1, 0xF0, 5), "a time is out of range", "and none before it"},
		{EVENTS_MOMENTS, 3, BYTES_OF(5, 1, 0, 1, 0, 7), NULL, "moments may come twice"},
		{EVENTS_MOMENTS, 2, BYTES_OF(5, 2, 0, 1), "its events do not ascend", "but not descend"},
		{EVENTS_MOMENTS, 2, BYTES_OF(5, 2, 1, 1), NULL, "unless time went on"},
		{EVENTS_MOMENTS, 1, BYTES_OF(5, 8), "a tag is not valid", "a tag above the greatest is refused"},
		{EVENTS_MOMENTS, 1, BYTES_OF(5, 0x83, 0x80, 0x80, 0x80, 0x10), "a tag is not valid", "even if its lower 32 bits are not"},
		{EVENTS_MOMENTS, 1, BYTES_OF(5), "a tag is not valid", "and so is one that is missing"},
		{EVENTS_PERIODS, 2, BYTES_OF(5, 1), NULL, "periods"},
		{EVENTS_PERIODS, 2, BYTES_OF(5, 0), "an event appears twice", "are taken once"},
		/* Year 294277 is period 292277; times 2 is 584554. */
		{EVENTS_PERIODS, 1, BYTES_OF(0xEA, 0xD6, 0x23), NULL, "the last year"},
		{EVENTS_PERIODS, 1, BYTES_OF(0xEC, 0xD6, 0x23), "a time is out of range", "and not the one after"},
		/* 4713 BC is the year -4712, period -6712; times 2 less 1 is 13423. */
		{EVENTS_PERIODS, 1, BYTES_OF(0xEF, 0x68), NULL, "the first year that begins on a day there is"},
		{EVENTS_PERIODS, 1, BYTES_OF(0xF1, 0x68), "a time is out of range", "and not the one before"},
		{EVENTS_PERIODS, 2, BYTES_OF(5, 0x80, 0x80, 0x80, 0x80, 0x80, 1), "a time is out of range", "nor one far off"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x82, 2), NULL, "an amount with two decimals"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5), "an amount is truncated", "not without it"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x82), "an amount is not valid", "nor with half of it"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x80, 0), NULL, "0 is activity"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0, 0), "a period without activity has no refunds", "and never none"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 2, 1), NULL, "a refund is none"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 2, 2), "a period without activity has no refunds", "and what is none is a refund"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x82, 1), NULL, "both in one period may be below 0"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0xA2, 2), "its reserved bits are not zero", "bit 5 is reserved"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0xC2, 2), "its reserved bits are not zero", "and bit 6"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x9C, 2), NULL, "28 decimals"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x9D, 2), "an amount has too large a scale", "are the most"},
		/* 2^55 - 1 and 2^55, times 2. */
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x80, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), NULL, "an amount of 56 bits"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1), "an amount is not valid", "is the widest that is not wide"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), NULL, "-2^55 is, too"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x80, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1), "an amount is not valid", "and one less is not"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x9F, 2, ZEROS, 0, 0x80, 0, 0, 0, 0, 0, 0), NULL, "2^55 hundredths are wide"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x9F, 2, ZEROS, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), "a wide sum is not wide", "and one less is not"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x9F, 29, ZEROS, 0, 0x80, 0, 0, 0, 0, 0, 0), "a sum has too large a scale", "wide ones have 28 decimals, too"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x1F, 2, ZEROS, 0, 0x80, 0, 0, 0, 0, 0, 0), "a period without activity has no refunds", "and are refunds without activity"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0xBF, 2, ZEROS, 0, 0x80, 0, 0, 0, 0, 0, 0), "its reserved bits are not zero", "and have reserved bits"},
		{EVENTS_AMOUNTS, 1, BYTES_OF(5, 0x9F, 2, ZEROS, 0, 0x80, 0, 0, 0, 0, 0), "an amount is truncated", "and 33 bytes"},
		{EVENTS_NAMED, 3, BYTES_OF(5, 1, 0, 2, 1, 1), NULL, "named events"},
		{EVENTS_NAMED, 2, BYTES_OF(5, 1, 0, 1), "an event appears twice", "are taken once"},
		{EVENTS_NAMED, 2, BYTES_OF(5, 2, 0, 1), "its events do not ascend", "and in order"},
		{EVENTS_NAMED, 1, BYTES_OF(5, 7), "a tag is not valid", "of a kind that there is"},
		{EVENTS_NAMED, 1, BYTES_OF(5, 8), "a tag is not valid", "and of a name that there is"},
		{EVENTS_NAMED_SECONDS, 1, BYTES_OF(0xFE, 0xD9, 0xAC, 0xBC, 0xEF, 0x98, 0x04, 0), NULL, "the last second is taken"},
		{EVENTS_NAMED_SECONDS, 1, BYTES_OF(0x80, 0xDA, 0xAC, 0xBC, 0xEF, 0x98, 0x04, 0), "a time is out of range", "and none after it"},
		{EVENTS_NAMED_SECONDS, 2, BYTES_OF(0xFE, 0xD9, 0xAC, 0xBC, 0xEF, 0x98, 0x04, 0, 1, 0), "a time is out of range", "not as a second one either"},
		{EVENTS_PAYMENTS, 2, BYTES_OF(2, 2, 100, 2, 0, 3), NULL, "payments of two times"},
		{EVENTS_PAYMENTS, 2, BYTES_OF(2, 2, 100, 0, 0, 3), "an event appears twice", "not of the same time"},
		{EVENTS_PAYMENTS, 1, BYTES_OF(2, 0, 0), NULL, "one that came to nothing"},
		{EVENTS_PAYMENTS, 1, BYTES_OF(2, 0x80, 2), "its reserved bits are not zero", "is not active or inactive"},
		{EVENTS_PAYMENTS, 1, BYTES_OF(2, 0x20, 2), "its reserved bits are not zero", "bit 5 is reserved, too"},
		{EVENTS_PAYMENTS, 1, BYTES_OF(2), "an amount is truncated", "an amount that is missing"},
		{EVENTS_PAYMENTS, 2, BYTES_OF(2, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 3), "a time is out of range", "a time beyond all numbers"},
	};


	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		uint8	   *exact = exact_copy(cases[i].bytes, cases[i].length);
		const uint8 *at = exact;
		EventLimits limits = {.tag_max = 7, .unit = UNIT_YEAR, .kinds = 7};
		int64		last;
		const char *wrong = events_check(&at, exact + cases[i].length, cases[i].n, cases[i].layout, &limits, &last);

		is_text(wrong, cases[i].wrong, cases[i].what);
		if (wrong == NULL && cases[i].wrong == NULL && at != exact + cases[i].length)
			ok(false, "%s: not all of it", cases[i].what);
		free(exact);
	}
}

/* Sums that do not fit are told of, and only those. */
static void
test_range(void)
{
	/* The widest mantissa has 77 digits, 2^255 - 1. */
	static const char *const most = "57896044618658097711785492504343953926634992332820282019728792003956564819967";

	for (int scale = 0; scale < 2; scale++)
	{
		DecimalPool pool = {0};
		Decimal		d;
		Event		events[3] = {{0}};
		Size		n = 2;
		bool		fits;

		if (!decimal_from_text(most, strlen(most), &d))
			exit(1);
		for (int i = 0; i < 3; i++)
		{
			events[i].tag = event_period_tag(i == 2 && scale == 0 ? 8 : 7, true);
			events[i].value = i == 1 ? decimal_pack_small(scale, 0) : decimal_pack(&d, &pool);
		}
		fits = events_arrange(events, &n, EVENTS_AMOUNTS, &pool);
		ok(fits == (scale == 0), "the largest sum and %d", scale);
		n = 2;
		for (int i = 0; i < 2; i++)
			events[i] = (Event) {.value = 5, .amount = i == 1 ? decimal_pack_small(scale, 0) : decimal_pack(&d, &pool)};
		ok(events_arrange(events, &n, EVENTS_PAYMENTS, &pool) == (scale == 0), "and of one time");
		free(pool.item);
	}
}

/* Wide amounts that became one sum leave nothing behind. */
static void
test_tidy_pool(EventLayout layout)
{
	Events		events = {.layout = layout};
	Plainly		plain[EVENTS];

	for (int i = 0; i < EVENTS; i++)
	{
		plain[i] = (Plainly) {.place = i % 2, .is_active = layout == EVENTS_AMOUNTS};
		strcpy(plain[i].amount, i == 1 ? "1000000000000000000000000" : i % 2 ? "0" : "100000000000000000000.5");
	}
	events = make_events(layout, UNIT_DAY, plain, EVENTS);
	ok(events.pool.count == EVENTS / 2 + 1 && events_arrange(events.event, &events.n, layout, &events.pool) && events.n == 2,
	   "%d wide %s become two", EVENTS / 2 + 1, layout_names[layout]);
	events_tidy_pool(events.event, events.n, layout, &events.pool);
	ok(events.pool.count == 2, "and leave two in the pool");
	for (int i = 0; i < 2; i++)
	{
		Decimal		sum = decimal_unpack(layout == EVENTS_PAYMENTS ? events.event[i].amount : events.event[i].value, &events.pool);
		char		text[DECIMAL_TEXT_SIZE];

		decimal_to_text(&sum, text);
		is_text(text, i == 0 ? "3000000000000000000015.0" : "1000000000000000000000000", "which are the sums");
	}
	free_events(&events);
}

/* Nothing is in order. */
static void
test_nothing(void)
{
	for (EventLayout layout = EVENTS_MOMENTS; layout <= LAST_LAYOUT; layout++)
	{
		Size		n = 0;
		const uint8 *at = NULL;
		int64		last = 42;

		DecimalPool pool = {0};

		ok(events_arrange(NULL, &n, layout, &pool) && n == 0 && events_size(NULL, 0, layout) == 0 &&
		   events_check(&at, NULL, 0, layout, &(EventLimits) {0, UNIT_DAY}, &last) == NULL && at == NULL && last == 42,
		   "no %s", layout_names[layout]);
	}
}

int
main(void)
{
	test_faults();
	test_range();
	test_nothing();
	test_tidy_pool(EVENTS_AMOUNTS);
	test_tidy_pool(EVENTS_PAYMENTS);
	for (EventLayout layout = EVENTS_MOMENTS; layout <= LAST_LAYOUT; layout++)
	{
		test_round_trips(layout);
		test_joined(layout);
		test_damage(layout);
	}
	return done_testing();
}
