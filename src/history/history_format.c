/*
 * history_format.c
 *	  Writing, checking and reading the stored form of a history.
 */
#include "history/history_format.h"

#include "shared/bytes.h"

#define HEADER_SIZE 2			/* kind, version */
#define SETTINGS_HEADER_SIZE 2	/* their size */

/* Bytes that history_store will write. */
Size
history_stored_size(const HistoryFormat *format, const uint8 *settings, Size settings_size,
					const Event *events, Size n)
{
	return HEADER_SIZE + SETTINGS_HEADER_SIZE + settings_size + varint_size(n) +
		events_size(events, n, names_layout(format->layout, settings, settings_size));
}

/* Writes settings and arranged events. */
void
history_store(const HistoryFormat *format, const uint8 *settings, Size settings_size,
			  const Event *events, Size n, const DecimalPool *pool, uint8 *bytes)
{
	bytes[0] = format->kind;
	bytes[1] = format->version;
	bytes = history_store_settings(settings, settings_size, bytes + HEADER_SIZE);
	bytes = store_varint(bytes, n);
	(void) events_store(events, n, names_layout(format->layout, settings, settings_size), pool, bytes);
}

/* Checks a value from outside; returns what is wrong with it, or NULL. */
const char *
history_check(const HistoryFormat *format, const uint8 *bytes, Size length)
{
	const uint8 *end = bytes + length;
	EventLimits limits = {.unit = UNIT_DAY};
	const uint8 *settings;
	Size		settings_size;
	EventLayout layout;
	const char *wrong;
	int64		last;

	if (length < HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != format->kind)
		return "it is of another type";
	if (bytes[1] != format->version)
		return "its version is unknown";
	bytes += HEADER_SIZE;
	if (!history_read_settings(&bytes, end, &settings, &settings_size))
		return "it is truncated";
	if (format->check_settings == NULL && settings_size > 0)
		return "it has settings";
	if (format->check_settings != NULL &&
		(wrong = format->check_settings(settings, settings_size, &limits)) != NULL)
		return wrong;
	layout = names_layout(format->layout, settings, settings_size);
	if ((wrong = history_check_events(&bytes, end, layout, &limits, &last)) != NULL ||
		(wrong = names_check_used(layout, &limits)) != NULL)
		return wrong;
	return bytes == end ? NULL : "its length is wrong";
}

/* Takes a checked value apart; events_load reads its events. */
StoredHistory
history_read(const uint8 *bytes, Size length)
{
	StoredHistory stored = {.end = bytes + length};
	uint64		n;

	bytes += HEADER_SIZE;
	(void) history_read_settings(&bytes, stored.end, &stored.settings, &stored.settings_size);
	stored.events = load_varint(bytes, &n);
	stored.count = n;
	return stored;
}

/* ---------- what books store as well ---------- */

/* Writes settings behind their size; returns the end. */
uint8 *
history_store_settings(const uint8 *settings, Size size, uint8 *bytes)
{
	Assert(size <= HISTORY_SETTINGS_MAX);
	*bytes++ = (uint8) (size >> 8);
	*bytes++ = (uint8) size;
	if (size > 0)
		memcpy(bytes, settings, size);
	return bytes + size;
}

/* Finds the settings and moves *bytes behind them; false if they do not end before `end`. */
bool
history_read_settings(const uint8 **bytes, const uint8 *end, const uint8 **settings, Size *size)
{
	if (end - *bytes < SETTINGS_HEADER_SIZE)
		return false;
	*size = (Size) (*bytes)[0] << 8 | (*bytes)[1];
	*settings = *bytes + SETTINGS_HEADER_SIZE;
	if (*size > HISTORY_SETTINGS_MAX || *size > (Size) (end - *settings))
		return false;
	*bytes = *settings + *size;
	return true;
}

/*
 * Checks a number of events and the events from outside and moves *bytes behind
 * them; returns what is wrong, or NULL.  *last becomes the last time or period.
 */
const char *
history_check_events(const uint8 **bytes, const uint8 *end, EventLayout layout,
					 EventLimits *limits, int64 *last)
{
	uint64		n;

	/* Each event takes a byte at least, so no reader allocates for more than there can be. */
	if (!check_varint(bytes, end, &n) || n == 0 || n > (uint64) (end - *bytes))
		return "a number of events is not valid";
	return events_check(bytes, end, n, layout, limits, last);
}
