/*
 * history_names.c
 *	  The names of named events: in the order of arrival, sorted, united.
 */
#include "history/history_names.h"

#include "shared/bytes.h"

/* The names of settings; returns how many there are. */
int
names_list(const uint8 *settings, Size size, EventName *names)
{
	int			n = 0;

	for (Size at = 1; at < size; at += 1 + settings[at])
		names[n++] = (EventName) {settings + at + 1, settings[at]};
	return n;
}

/* Writes a name behind those that are there; returns the size of the settings. */
Size
names_append(uint8 *settings, Size size, const void *name, Size length)
{
	if (size == 0)
		settings[size++] = NAMES_MICROSECONDS;
	settings[size] = (uint8) length;
	if (length > 0)
		memcpy(settings + size + 1, name, length);
	return size + 1 + length;
}

/*
 * Writes settings as they are at rest, which are as long, and says what becomes of
 * the numbers.  Returns their size.
 */
Size
names_sort(const uint8 *settings, Size size, bool has_fractions, uint8 *sorted, NameMap *map)
{
	EventName		names[NAMES_MAX];
	int			order[NAMES_MAX];
	int			n = names_list(settings, size, names);
	Size		sorted_size = 0;

	map->is_identity = true;
	for (int i = 0; i < n; i++)
	{
		int			at = i;

		for (; at > 0 && compare_bytes(names[i].bytes, names[i].length,
									   names[order[at - 1]].bytes, names[order[at - 1]].length) < 0; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (int i = 0; i < n; i++)
	{
		sorted_size = names_append(sorted, sorted_size, names[order[i]].bytes, names[order[i]].length);
		map->to[order[i]] = (uint8) i;
		map->is_identity &= order[i] == i;
	}
	if (n > 0)
		sorted[0] = has_fractions ? NAMES_MICROSECONDS : NAMES_SECONDS;
	return sorted_size;
}

/*
 * Adds the names of settings at rest to others, of which *united_size is 0 if there
 * are none; both ascend.  There is room for NAMES_SIZE_MAX bytes.  The unit becomes
 * microseconds if either is.  False: there would be too many.
 */
bool
names_unite(uint8 *united, Size *united_size, const uint8 *settings, Size size)
{
	uint8		before[NAMES_SIZE_MAX];
	Size		before_size = *united_size;
	EventName		a[NAMES_MAX];
	EventName		b[NAMES_MAX];
	int			na;
	int			nb = names_list(settings, size, b);
	int			i = 0;
	int			k = 0;
	int			n = 0;

	if (size == 0)
		return true;
	if (before_size > 0)
		memcpy(before, united, before_size);
	na = names_list(before, before_size, a);
	*united_size = 0;
	while (i < na || k < nb)
	{
		int			order = i == na ? 1 : k == nb ? -1 :
			compare_bytes(a[i].bytes, a[i].length, b[k].bytes, b[k].length);
		const EventName *next = order <= 0 ? &a[i] : &b[k];

		if (n++ == NAMES_MAX)
			return false;
		*united_size = names_append(united, *united_size, next->bytes, next->length);
		i += order <= 0;
		k += order >= 0;
	}
	united[0] = (before_size == 0 || before[0] == NAMES_SECONDS) && settings[0] == NAMES_SECONDS ?
		NAMES_SECONDS : NAMES_MICROSECONDS;
	return true;
}

/* The numbers of names among others, which have them all. */
void
names_map(const uint8 *from, Size from_size, const uint8 *to, Size to_size, NameMap *map)
{
	EventName		names[NAMES_MAX];
	int			n = names_list(from, from_size, names);

	map->is_identity = true;
	for (int i = 0; i < n; i++)
	{
		int			number = names_find(to, to_size, names[i].bytes, names[i].length);

		Assert(number >= 0);
		map->to[i] = (uint8) number;
		map->is_identity &= number == i;
	}
}

/* Gives events the new numbers of their names. */
void
names_renumber(Event *events, Size n, const NameMap *map)
{
	if (map->is_identity)
		return;
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		events[i].tag = event_named_tag(map->to[event_name(&events[i])], event_kind(&events[i]));
	}
}

/* Checks stored settings; returns what is wrong, or NULL and what events may be. */
const char *
names_check(const uint8 *settings, Size size, uint32 kinds, EventLimits *limits)
{
	EventName		last = {NULL, 0};
	uint32		n = 0;

	if (size < 2)
		return "it has no names";
	if (settings[0] != NAMES_MICROSECONDS && settings[0] != NAMES_SECONDS)
		return "its unit of time is unknown";
	for (Size at = 1; at < size; n++)
	{
		EventName		name = {settings + at + 1, settings[at]};

		if (name.length > NAME_LENGTH_MAX || name.length > size - at - 1)
			return "a name is not valid";
		if (n == NAMES_MAX)
			return "it has too many names";
		if (n > 0 && compare_bytes(last.bytes, last.length, name.bytes, name.length) >= 0)
			return "its names do not ascend";
		last = name;
		at += 1 + name.length;
	}
	limits->tag_max = (n << EVENT_KIND_BITS) - 1;
	limits->kinds = kinds;
	return NULL;
}

/* Checks that events made use of what their settings say; returns what is wrong, or NULL. */
const char *
names_check_used(EventLayout layout, const EventLimits *limits)
{
	if (layout != EVENTS_NAMED && layout != EVENTS_NAMED_SECONDS)
		return NULL;
	if (limits->names_seen != (UINT32_C(1) << ((limits->tag_max + 1) >> EVENT_KIND_BITS)) - 1)
		return "a name has no event";
	return layout == EVENTS_NAMED && !limits->has_fractions ? "its times are whole seconds" : NULL;
}
