/*
 * retention_book_format.c
 *	  The stored form of retention_book: its layouts, settings and checker.
 */
#include "history/retention_book_format.h"

#include "shared/calendar.h"

#define RETENTION_BOOK_VERSION 1

static const char *retention_book_check(const uint8 *bytes, Size length);
static const char *check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits);

static const EventLayout layouts[] = {
	[RETENTION_PERIODS] = EVENTS_PERIODS,
	[RETENTION_AMOUNTS] = EVENTS_AMOUNTS,
	[RETENTION_TIMES] = EVENTS_TIMES,
	[RETENTION_JOINED_PERIODS] = EVENTS_PERIODS,
	[RETENTION_JOINED_AMOUNTS] = EVENTS_AMOUNTS,
	[RETENTION_JOINED_TIMES] = EVENTS_TIMES
};

const HistoryBookFormat retention_book_format = {
	HISTORY_BOOK_FORMAT("retention_book", retention_book_check, STORED_RETENTION_BOOK, RETENTION_BOOK_VERSION,
			   "Make all parts with the same arguments: all of periods, all of periods and amounts, or all of times; all by retention_book or all by retention_book_since.",
			   "Take a longer unit, or make one book per slice of the members, for example WHERE hashint8(member) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid)."),
	.layouts = layouts,
	.forms = lengthof(layouts),
	.forms_with_start = 1 << RETENTION_JOINED_PERIODS | 1 << RETENTION_JOINED_AMOUNTS | 1 << RETENTION_JOINED_TIMES,
	.check_settings = check_settings,
	.settings_hint = "Make all parts with the same unit and timezone."
};

static const char *
check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits)
{
	if (layouts[form] == EVENTS_TIMES)
		return size == 0 ? NULL : "it has settings";
	return calendar_check_settings(settings, size, &limits->unit);
}

static const char *
retention_book_check(const uint8 *bytes, Size length)
{
	return history_book_check(&retention_book_format, bytes, length);
}
