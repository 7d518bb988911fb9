/*
 * history.c
 *	  Building, merging, flattening and reading histories of one member.
 */
#include "history/history.h"

#include "history/history_new_name.h"
#include "money/decimal_numeric.h"
#include "shared/growing_array.h"
#include "utils/memutils.h"

static Size history_flat_size(ExpandedObjectHeader *header);
static void history_flatten(ExpandedObjectHeader *header, void *result, Size allocated);

const ExpandedObjectMethods history_methods = {history_flat_size, history_flatten};

/* Below this many events nothing comes near the limit of size. */
#define SMALL_COUNT 10000000

/* ---------- where histories live ---------- */

static History *
make_history(const HistoryKind *kind, MemoryContext context)
{
	History	   *history = MemoryContextAlloc(context, sizeof(History));

	memset(history, 0, offsetof(History, first_events));
	EOH_init_header(&history->hdr, &history_methods, context);
	history->kind = kind;
	history->is_arranged = true;
	history->settings = history->near_settings;
	history->events = history->first_events;
	history->capacity = HISTORY_FIRST_EVENTS;
	history->pool.context = context;
	return history;
}

/* Makes an empty history in a memory context of its own below `parent`. */
History *
history_make(const HistoryKind *kind, MemoryContext parent)
{
	return make_history(kind, AllocSetContextCreate(parent, "custmart history", ALLOCSET_SMALL_SIZES));
}

/* The expanded history of this kind that a value points to, or NULL. */
static History *
expanded_history(Datum value, const HistoryKind *kind)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(value);

		if (header->eoh_methods == &history_methods && ((History *) header)->kind == kind)
			return (History *) header;
	}
	return NULL;
}

static inline void
check_complete(const History *history)
{
	aggregate_check_complete(history->is_broken, history->kind->type.name);
}

/* ---------- events ---------- */

/*
 * The rare cases of history_set: settings of the first row or part, and others,
 * which in a merge are an error.
 */
bool
history_set_other(History *history, const void *settings, Size size)
{
	if (history->settings_size == 0)
	{
		Assert(size > 0 && size <= HISTORY_SETTINGS_MAX);
		if (size > HISTORY_NEAR_SETTINGS)
			history->settings = MemoryContextAlloc(history->hdr.eoh_context, size);
		memcpy(history->settings, settings, size);
		history->settings_size = (uint16) size;
		return true;
	}
	if (history->is_broken)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge two %s made with different settings", history->kind->type.name),
				 errhint("%s", history->kind->settings_hint)));
	return false;
}

/* The rare case of history_name: a name that is new. */
uint32
history_add_name(History *history, const void *name, Size length)
{
	EventName		names[NAMES_MAX];
	uint8		settings[NAMES_SIZE_MAX];
	int			n = names_list(history->settings, history->settings_size, names);
	Size		size = history->settings_size;

	names_check_new(n, name, length, history->kind->name_noun, history->kind->type.name);
	if (size > 0)
		memcpy(settings, history->settings, size);
	size = names_append(settings, size, name, length);
	if (size > HISTORY_NEAR_SETTINGS)
	{
		uint8	   *longer = MemoryContextAlloc(history->hdr.eoh_context, size);

		if (history->settings != history->near_settings)
			pfree(history->settings);
		history->settings = longer;
	}
	memcpy(history->settings, settings, size);
	history->settings_size = (uint16) size;
	return (uint32) n;
}

/* Named events get the settings that they have at rest. */
static void
arrange_names(History *history)
{
	uint8		sorted[NAMES_SIZE_MAX];
	bool		has_fractions = false;
	NameMap		map;
	Size		size;

	for (uint32 i = 0; i < history->count && !has_fractions; i++)
	{
		check_interrupts(i);
		has_fractions = event_has_fraction(&history->events[i]);
	}
	size = names_sort(history->settings, history->settings_size, has_fractions, sorted, &map);
	names_renumber(history->events, history->count, &map);
	memcpy(history->settings, sorted, size);
}

static void
arrange(History *history)
{
	if (!history->is_arranged)
	{
		MemoryContext old = MemoryContextSwitchTo(history->hdr.eoh_context);
		bool		was_broken = history->is_broken;
		Size		count = history->count;

		history->is_broken = true;	/* until no event is half merged */
		if (history->kind->format.layout == EVENTS_NAMED)
			arrange_names(history);
		if (!events_arrange(history->events, &count, history->kind->format.layout, &history->pool))
			decimal_sum_error();
		history->count = (uint32) count;
		events_tidy_pool(history->events, history->count, history->kind->format.layout, &history->pool);
		history->is_broken = was_broken;
		history->is_arranged = true;
		MemoryContextSwitchTo(old);
	}
}

/* The stored size of an arranged history, which must not be too large. */
static Size
check_size(const History *history)
{
	Size		size = VARHDRSZ + history_stored_size(&history->kind->format, history->settings, history->settings_size,
													  history->events, history->count);

	if (unlikely(size > STORED_SIZE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s cannot be larger than %zu MB", history->kind->type.name,
						((Size) STORED_SIZE_MAX + 512 * 1024) / (1024 * 1024)),
				 errdetail("It has %u events.", history->count),
				 errhint("%s", history->kind->size_hint)));
	return size;
}

/*
 * Makes room for n more events.  If the layout keeps each event once, duplicates
 * are merged first, which may free enough.
 */
void
history_reserve(History *history, Size n)
{
	Event	   *events;
	Size		capacity;
	bool		first;

	if (history->count > 0 && (history->kind->format.layout != EVENTS_MOMENTS || history->count > SMALL_COUNT))
		arrange(history);
	if (history->count > SMALL_COUNT)
		(void) check_size(history);
	if (history->count + n <= history->capacity / 2)
		return;
	first = history->events == history->first_events;
	capacity = history->capacity;
	events = array_grow(first ? NULL : history->events, &capacity, history->count + n, sizeof(Event),
						history->hdr.eoh_context);
	if (first)
		memcpy(events, history->first_events, history->count * sizeof(Event));
	history->events = events;
	history->capacity = (uint32) capacity;
}

/* ---------- merging ---------- */

/* The numbers that the names of a stored history have, or get, in this one. */
static void
map_names(History *history, const StoredHistory *stored, NameMap *map)
{
	EventName		names[NAMES_MAX];
	int			n = names_list(stored->settings, stored->settings_size, names);

	for (int i = 0; i < n; i++)
		(void) history_name(history, names[i].bytes, names[i].length);
	names_map(stored->settings, stored->settings_size, history->settings, history->settings_size, map);
}

/* Adds the events of a stored or expanded history. */
static void
merge(History *history, Datum source)
{
	bytea	   *value = stored_get(source, &history->kind->type);
	StoredHistory stored = history_read((const uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	EventLayout layout = history->kind->format.layout;
	bool		was_empty = history->count == 0;
	NameMap		map = {.is_identity = true};
	Event	   *events;

	check_complete(history);
	history->is_broken = true;
	if (stored.count > history->capacity - history->count)
		history_reserve(history, stored.count);	/* which may give names other numbers */
	if (layout == EVENTS_NAMED && !was_empty)
		map_names(history, &stored, &map);
	else if (stored.settings_size > 0)
		(void) history_set(history, stored.settings, stored.settings_size);
	layout = names_layout(layout, stored.settings, stored.settings_size);
	events = history_append_events(history, stored.count);
	(void) events_load(stored.events, stored.end, stored.count, layout, &history->pool, events);
	names_renumber(events, stored.count, &map);
	history->is_arranged = was_empty;	/* what is stored is sorted */
	history->is_broken = false;
	if ((Pointer) value != DatumGetPointer(source))
		pfree(value);
}

/* The rarer cases of history_of_state: no state yet, a flat one, one that does not fit. */
History *
history_of_other_state(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	MemoryContext states = aggregate_states_context(fcinfo);
	History	   *history;

	if (!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		history = expanded_history(PG_GETARG_DATUM(0), kind);
		if (history != NULL)
		{
			check_complete(history);
			return history;
		}
	}
	history = make_history(kind, states);
	if (!PG_ARGISNULL(0))
		merge(history, PG_GETARG_DATUM(0));
	return history;
}

/*
 * The combine function of an aggregate that makes histories, and the transition
 * function of rollup: merges argument 1 into the state, argument 0.
 */
Datum
history_combine(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	History	   *history;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	history = history_of_state(fcinfo, kind);
	merge(history, PG_GETARG_DATUM(1));
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}

/* The operator +: both histories as a new one. */
Datum
history_add(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	History	   *history = history_make(kind, CurrentMemoryContext);

	merge(history, PG_GETARG_DATUM(0));
	merge(history, PG_GETARG_DATUM(1));
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}

/* ---------- at rest ---------- */

static Size
history_flat_size(ExpandedObjectHeader *header)
{
	History	   *history = (History *) header;

	check_complete(history);
	arrange(history);
	return check_size(history);
}

static void
history_flatten(ExpandedObjectHeader *header, void *result, Size allocated)
{
	History	   *history = (History *) header;

	/* The caller may be in a memory context in which nothing can be freed. */
	MemoryContext old = MemoryContextSwitchTo(history->hdr.eoh_context);

	SET_VARSIZE(result, allocated);
	history_store(&history->kind->format, history->settings, history->settings_size,
				  history->events, history->count, &history->pool, (uint8 *) VARDATA(result));
	MemoryContextSwitchTo(old);
}

/* Opens a history for reading: its events are sorted. */
const History *
history_open(Datum value, const HistoryKind *kind)
{
	History	   *history = expanded_history(value, kind);

	if (history == NULL)
	{
		history = history_make(kind, CurrentMemoryContext);
		merge(history, value);
	}
	check_complete(history);
	arrange(history);
	return history;
}

/* The input function of a history: the text form; soft errors. */
Datum
history_in(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	bytea	   *value = stored_from_base64(PG_GETARG_CSTRING(0), &kind->type, INPUT_ERROR_CONTEXT(fcinfo));

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(value);
}

/* The output function: the text form. */
Datum
history_out(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &kind->type), &kind->type));
}

/* The recv function: the stored bytes, checked. */
Datum
history_recv(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	PG_RETURN_BYTEA_P(stored_recv(fcinfo, &kind->type));
}
