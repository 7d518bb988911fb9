/*
 * history_names.h
 *	  The names of named events, which are learnt from the rows.
 *
 * Settings of named events are a unit of time and up to 16 names, each behind its
 * length.  An event's tag has the number of its name.  While rows are added, names
 * are in the order in which they came; at rest they ascend, each is the name of an
 * event, and the unit is seconds if all times are whole ones: so equal events have
 * equal bytes, whatever the order of the rows.
 */
#ifndef CUSTMART_HISTORY_NAMES_H
#define CUSTMART_HISTORY_NAMES_H

#include "history/history_core.h"

#define NAMES_MAX 16
#define NAME_LENGTH_MAX 63
#define NAMES_SIZE_MAX (1 + NAMES_MAX * (1 + NAME_LENGTH_MAX))

/* The first byte of the settings. */
#define NAMES_MICROSECONDS 0
#define NAMES_SECONDS 1

/* What becomes of the number of each name. */
typedef struct NameMap
{
	uint8		to[NAMES_MAX];
	bool		is_identity;
} NameMap;

typedef struct EventName
{
	const uint8 *bytes;
	Size		length;
} EventName;

extern int	names_list(const uint8 *settings, Size size, EventName *names);
extern Size names_append(uint8 *settings, Size size, const void *name, Size length);
extern Size names_sort(const uint8 *settings, Size size, bool has_fractions, uint8 *sorted, NameMap *map);
extern bool names_unite(uint8 *united, Size *united_size, const uint8 *settings, Size size);
extern void names_map(const uint8 *from, Size from_size, const uint8 *to, Size to_size, NameMap *map);
extern void names_renumber(Event *events, Size n, const NameMap *map);
extern const char *names_check(const uint8 *settings, Size size, uint32 kinds, EventLimits *limits);
extern const char *names_check_used(EventLayout layout, const EventLimits *limits);

/* The number of a name among those of settings, or -1. */
static inline int
names_find(const uint8 *settings, Size size, const void *name, Size length)
{
	int			number = 0;

	for (Size at = 1; at < size; at += 1 + settings[at], number++)
		if (settings[at] == length && memcmp(settings + at + 1, name, length) == 0)
			return number;
	return -1;
}

/* The layout in which the events of settings are stored. */
static inline EventLayout
names_layout(EventLayout layout, const uint8 *settings, Size size)
{
	return layout == EVENTS_NAMED && size > 0 && settings[0] == NAMES_SECONDS ? EVENTS_NAMED_SECONDS : layout;
}

static inline bool
event_has_fraction(const Event *event)
{
	return event->value % 1000000 != 0;
}

#endif							/* CUSTMART_HISTORY_NAMES_H */
