/* needs: shared/calendar_core.c money/decimal.c history/history_core.c history/history_names.c history/history_format.c */
#include "history/history_format.h"

#include "shared/bytes.h"

#include "tap.h"

#define MOST 400

/* What settings of these tests may be: the greatest tag, as often as one likes. */
static const char *
check_settings(const uint8 *settings, Size size, EventLimits *limits)
{
	if (size == 0)
		return "a tag is missing";
	for (Size i = 1; i < size; i++)
		if (settings[i] != settings[0])
			return "two tags";
	limits->tag_max = settings[0];
	return NULL;
}

/* Any kind and version will do, so those of no type are taken. */
static const HistoryFormat with_settings = {77, 5, EVENTS_MOMENTS, check_settings};
static const HistoryFormat without_settings = {78, 6, EVENTS_TIMES};

typedef struct Value
{
	const HistoryFormat *format;
	uint8		settings[HISTORY_SETTINGS_MAX];
	Size		settings_size;
	Event		events[MOST];
	Size		n;
} Value;

static Value
random_value(void)
{
	Value		value = {.format = random_below(2) ? &with_settings : &without_settings};
	DecimalPool pool = {0};

	if (value.format == &with_settings)
	{
		/* One byte, any number of them, and as many as may be. */
		value.settings_size = random_below(3) == 0 ? 1 : random_below(2) ? 1 + random_below(HISTORY_SETTINGS_MAX) : HISTORY_SETTINGS_MAX;
		memset(value.settings, (int) random_below(256), value.settings_size);
	}
	value.n = 1 + random_below(random_below(2) ? 5 : MOST);
	for (Size i = 0; i < value.n; i++)
	{
		value.events[i].value = (int64) random_below(1000) - 500;
		if (value.format == &with_settings)
			value.events[i].tag = (uint32) random_below((uint64) value.settings[0] + 1);
	}
	(void) events_arrange(value.events, &value.n, value.format->layout, &pool);
	return value;
}

/* The bytes as docs/storage-format.md has them, in a buffer of just that size. */
static uint8 *
plain_bytes(const Value *value, Size *length)
{
	uint8	   *bytes = malloc(8 + value->settings_size + value->n * 30);
	uint8	   *p = bytes;
	uint8	   *exact;

	*p++ = (uint8) value->format->kind;
	*p++ = value->format->version;
	*p++ = (uint8) (value->settings_size / 256);
	*p++ = (uint8) (value->settings_size % 256);
	for (Size i = 0; i < value->settings_size; i++)
		*p++ = value->settings[i];
	if (value->n >= 128)
		*p++ = (uint8) (value->n % 128 + 128);
	*p++ = (uint8) (value->n >= 128 ? value->n / 128 : value->n);
	p = events_store(value->events, value->n, value->format->layout, NULL, p);
	*length = p - bytes;
	exact = exact_copy(bytes, *length);
	free(bytes);
	return exact;
}

static bool
is_read_back(const Value *value, const uint8 *bytes, Size length)
{
	StoredHistory stored = history_read(bytes, length);
	Event		events[MOST];
	DecimalPool pool = {0};

	if (stored.settings_size != value->settings_size || memcmp(stored.settings, value->settings, value->settings_size) != 0 ||
		stored.count != value->n || stored.end != bytes + length)
		return false;
	if (events_load(stored.events, stored.end, stored.count, value->format->layout, &pool, events) != stored.end)
		return false;
	for (Size i = 0; i < value->n; i++)
		if (events[i].value != value->events[i].value || events[i].tag != value->events[i].tag)
			return false;
	return true;
}

static void
test_round_trips(void)
{
	long		with = 0;
	long		long_ones = 0;

	property("values are stored as specified, taken and read back; cut or longer ones are refused");
	for (int run = 0; run < 3000; run++)
	{
		Value		value = random_value();
		Size		length;
		uint8	   *expected = plain_bytes(&value, &length);
		Size		size = history_stored_size(value.format, value.settings, value.settings_size, value.events, value.n);
		uint8	   *bytes = malloc(size);
		const HistoryFormat *other = value.format == &with_settings ? &without_settings : &with_settings;
		uint8	   *longer;

		holds(size == length, "run %d: %zu bytes, not %zu", run, size, length);
		history_store(value.format, value.settings, value.settings_size, value.events, value.n, NULL, bytes);
		holds(memcmp(bytes, expected, length) == 0, "run %d: other bytes", run);
		holds(history_check(value.format, bytes, length) == NULL, "run %d: %s", run, history_check(value.format, bytes, length));
		holds(is_read_back(&value, bytes, length), "run %d: read back as another value", run);
		holds(history_check(other, bytes, length) != NULL, "run %d: taken for another type", run);
		for (Size cut = 0; cut < length; cut += length > 300 ? 1 + random_below(40) : 1)
		{
			uint8	   *copy = exact_copy(bytes, cut);

			holds(history_check(value.format, copy, cut) != NULL, "run %d: taken though cut at %zu", run, cut);
			free(copy);
		}
		longer = malloc(length + 1);
		memcpy(longer, bytes, length);
		longer[length] = 0;
		holds(history_check(value.format, longer, length + 1) != NULL, "run %d: a byte too many is taken", run);
		free(longer);
		with += value.settings_size > 0;
		long_ones += value.n >= 128;
		free(bytes);
		free(expected);
	}
	property_end();
	ok(with > 1000 && with < 2000 && long_ones > 200, "%ld had settings, %ld many events", with, long_ones);
}

#define BYTES_OF(...) {__VA_ARGS__}, sizeof((uint8[]) {__VA_ARGS__})

static void
test_faults(void)
{
	static const struct
	{
		const HistoryFormat *format;
		uint8		bytes[20];
		Size		length;
		const char *wrong;
		const char *what;
	}			cases[] = {
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 2, 10, 9, 3, 0), NULL, "two moments"},
		{&with_settings, BYTES_OF(77), "it is too short", "one byte"},
		{&with_settings, BYTES_OF(76, 5, 0, 1, 9, 1, 10, 9), "it is of another type", "another kind"},
		{&with_settings, BYTES_OF(77, 4, 0, 1, 9, 1, 10, 9), "its version is unknown", "another version"},
		{&with_settings, BYTES_OF(77, 5), "it is truncated", "nothing but a kind and a version"},
		{&with_settings, BYTES_OF(77, 5, 0), "it is truncated", "half a size of settings"},
		{&with_settings, BYTES_OF(77, 5, 0, 1), "it is truncated", "no settings"},
		{&with_settings, BYTES_OF(77, 5, 0, 5, 9, 1, 10, 9), "it is truncated", "settings that go on behind the end"},
		{&with_settings, BYTES_OF(77, 5, 0, 4, 9, 9, 9, 9), "a number of events is not valid", "settings up to the end"},
		{&with_settings, BYTES_OF(77, 5, 0, 0, 1, 10, 9), "a tag is missing", "settings of no bytes"},
		{&with_settings, BYTES_OF(77, 5, 0, 2, 9, 8, 1, 10, 9), "two tags", "settings that are refused"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 8, 1, 10, 9), "a tag is not valid", "settings that do not allow the event"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 0), "a number of events is not valid", "no events"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 0x81, 0, 10, 9), "a number of events is not valid", "a longer number than need be"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 3, 10, 9), "a number of events is not valid", "more events than bytes"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 10, 9), "a number of events is not valid", "far more"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 2, 10, 9), "a time is not valid", "one event too few"},
		{&with_settings, BYTES_OF(77, 5, 0, 1, 9, 1, 10, 9, 0), "its length is wrong", "a byte too many"},
		{&without_settings, BYTES_OF(78, 6, 0, 0, 1, 10), NULL, "a time"},
		{&without_settings, BYTES_OF(78, 6, 0, 1, 9, 1, 10), "it has settings", "with settings that mean nothing"},
		{&without_settings, BYTES_OF(78, 6, 1, 0, 1, 10), "it is truncated", "with settings that are not there"},
	};

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		uint8	   *exact = exact_copy(cases[i].bytes, cases[i].length);

		is_text(history_check(cases[i].format, exact, cases[i].length), cases[i].wrong, cases[i].what);
		free(exact);
	}
}

/* Settings are as long as a History has room for, and no longer. */
static void
test_longest_settings(void)
{
	uint8		bytes[2 + 2 + HISTORY_SETTINGS_MAX + 1 + 3] = {77, 5};

	for (Size size = HISTORY_SETTINGS_MAX; size <= HISTORY_SETTINGS_MAX + 1; size++)
	{
		uint8	   *p = bytes + 2;
		uint8	   *exact;

		*p++ = (uint8) (size >> 8);
		*p++ = (uint8) size;
		memset(p, 9, size);
		p += size;
		*p++ = 1;
		*p++ = 10;
		*p++ = 9;
		exact = exact_copy(bytes, p - bytes);
		is_text(history_check(&with_settings, exact, p - bytes), size == HISTORY_SETTINGS_MAX ? NULL : "it is truncated",
				size == HISTORY_SETTINGS_MAX ? "the longest settings" : "longer ones");
		free(exact);
	}
}

int
main(void)
{
	test_faults();
	test_longest_settings();
	test_round_trips();
	return done_testing();
}
