/*
 * series.c
 *	  Building, merging, flattening and reading the rows of one member.
 */
#include "series.h"

#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

static Size series_flat_size(ExpandedObjectHeader *header);
static void series_flatten(ExpandedObjectHeader *header, void *result, Size allocated);

const ExpandedObjectMethods series_methods = {series_flat_size, series_flatten};

#define FIRST_CAPACITY 8

/* As for books: what is larger could be made, but not dumped. */
#define SERIES_SIZE_MAX (MaxAllocSize / 16 * 11)

/* Below this many rows nothing comes near the limit. */
#define SMALL_COUNT 10000000

/* ---------- where series live ---------- */

static Series *
make_in(const SeriesKind *kind, MemoryContext context)
{
	Series	   *series = MemoryContextAllocZero(context, sizeof(Series));

	EOH_init_header(&series->hdr, &series_methods, context);
	series->kind = kind;
	series->is_arranged = true;
	series->pool.context = context;
	return series;
}

/* Makes an empty series in a memory context of its own below `parent`. */
Series *
series_make(const SeriesKind *kind, MemoryContext parent)
{
	return make_in(kind, AllocSetContextCreate(parent, "custmart series", ALLOCSET_SMALL_SIZES));
}

#define STATES_NAME "custmart series states"
#define STATES_LOOKED_AT 8

/*
 * Makes an empty series that is a state of an aggregate.  A context of its own
 * for each group would take much more memory and, worse, time that grows with
 * the square of the number of groups: hash aggregation adds up the memory of
 * all contexts at every new group.  So all states below one context of the
 * executor share one.  It is deleted as a whole with the executor's; one state
 * alone never is, for a transition function that was handed a state of its kind
 * returns that same one.
 */
static Series *
state_make(const SeriesKind *kind, MemoryContext parent)
{
	MemoryContext states = parent->firstchild;

	for (int i = 0; states != NULL && strcmp(states->name, STATES_NAME) != 0; i++)
		states = i < STATES_LOOKED_AT ? states->nextchild : NULL;
	if (states == NULL)
		states = AllocSetContextCreate(parent, STATES_NAME, ALLOCSET_DEFAULT_SIZES);
	return make_in(kind, states);
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("support function of aggregates over %s called outside of an aggregate", kind->type.name)));
	return context;
}

/* The expanded series of this kind that a value points to, or NULL. */
static Series *
expanded_series(Datum value, const SeriesKind *kind)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(value);

		if (header->eoh_methods == &series_methods && ((Series *) header)->kind == kind)
			return (Series *) header;
	}
	return NULL;
}

/* Whoever catches an error must not go on with half of the rows. */
static void
check_complete(const Series *series)
{
	if (unlikely(series->is_broken))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is not complete, because an error broke it off", series->kind->type.name),
				 errhint("Make it anew.")));
}

/* ---------- rows ---------- */

/*
 * Notes what the rows are made with; false if others were made with something
 * else.  While parts are being merged that is an error.
 */
bool
series_set(Series *series, const void *settings, Size size)
{
	if (series->settings_size == 0)
	{
		Assert(size > 0 && size <= SERIES_SETTINGS_MAX);
		series->settings = MemoryContextAlloc(series->hdr.eoh_context, size);
		memcpy(series->settings, settings, size);
		series->settings_size = size;
		return true;
	}
	if (likely(series->settings_size == size && memcmp(series->settings, settings, size) == 0))
		return true;
	if (series->is_broken)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge two %s made with different settings", series->kind->type.name),
				 errhint("%s", series->kind->settings_hint)));
	return false;
}

static void
arrange(Series *series)
{
	if (!series->is_arranged)
	{
		MemoryContext old = MemoryContextSwitchTo(series->hdr.eoh_context);
		bool		was_broken = series->is_broken;

		series->is_broken = true;	/* until no row is left half-way */
		series->kind->arrange(series);
		series->is_broken = was_broken;
		series->is_arranged = true;
		MemoryContextSwitchTo(old);
	}
}

/* What an arranged series takes at rest. */
static Size
check_size(const Series *series)
{
	Size		size = VARHDRSZ + series->kind->stored_size(series);

	if (unlikely(size > SERIES_SIZE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s cannot be larger than %zu MB", series->kind->type.name,
						((Size) SERIES_SIZE_MAX + 512 * 1024) / (1024 * 1024)),
				 errdetail("It has %zu rows.", series->count),
				 errhint("%s", series->kind->size_hint)));
	return size;
}

/*
 * Makes room for n more rows.  Those that are there are put in order first, where
 * it may be that many are one and the same.
 */
void
series_reserve(Series *series, Size n)
{
	Size		capacity;

	if (series->count > 0 && (!series->kind->keeps_all || series->count > SMALL_COUNT))
		arrange(series);
	if (series->count > SMALL_COUNT)
		(void) check_size(series);
	if (series->capacity > 0 && series->count + n <= series->capacity / 2)
		return;
	capacity = Max(Max(series->count + n, series->capacity * 2), FIRST_CAPACITY);
	if (series->rows == NULL)
		series->rows = MemoryContextAllocHuge(series->hdr.eoh_context, capacity * series->kind->row_size);
	else
		series->rows = repalloc_huge(series->rows, capacity * series->kind->row_size);
	series->capacity = capacity;
}

/* ---------- merging ---------- */

/* Adds all that a stored series, or an expanded one, says. */
static void
merge(Series *series, Datum source)
{
	bytea	   *stored = stored_get(source, &series->kind->type);
	bool		was_empty = series->count == 0;

	check_complete(series);
	series->is_broken = true;
	series->kind->load(series, (const uint8 *) VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored));
	series->is_arranged = was_empty;	/* what is stored is in order */
	series->is_broken = false;
	if ((Pointer) stored != DatumGetPointer(source))
		pfree(stored);
}

/* The rarer cases of series_of_state: no state yet, a flat one, one that does not fit. */
Series *
series_of_other_state(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	MemoryContext context = aggregate_context(fcinfo, kind);
	Series	   *series;

	if (!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		series = expanded_series(PG_GETARG_DATUM(0), kind);
		if (series != NULL)
		{
			check_complete(series);
			return series;
		}
	}
	series = state_make(kind, context);
	if (!PG_ARGISNULL(0))
		merge(series, PG_GETARG_DATUM(0));
	return series;
}

/* The state as it is, for a row that is left out. */
Datum
series_same_state(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	(void) aggregate_context(fcinfo, kind);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * The combine function of an aggregate that makes series, and the transition
 * function of rollup: merges argument 1 into the state, argument 0.
 */
Datum
series_combine(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	Series	   *series;

	if (PG_ARGISNULL(1))
		return series_same_state(fcinfo, kind);
	series = series_of_state(fcinfo, kind);
	merge(series, PG_GETARG_DATUM(1));
	PG_RETURN_DATUM(EOHPGetRWDatum(&series->hdr));
}

/* The operator +: a new series of two. */
Datum
series_add(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	Series	   *series = series_make(kind, CurrentMemoryContext);

	merge(series, PG_GETARG_DATUM(0));
	merge(series, PG_GETARG_DATUM(1));
	PG_RETURN_DATUM(EOHPGetRWDatum(&series->hdr));
}

/* ---------- at rest ---------- */

static Size
series_flat_size(ExpandedObjectHeader *header)
{
	Series	   *series = (Series *) header;

	check_complete(series);
	arrange(series);
	return check_size(series);
}

static void
series_flatten(ExpandedObjectHeader *header, void *result, Size allocated)
{
	Series	   *series = (Series *) header;

	/* Whoever flattens may be in a context in which nothing can be freed. */
	MemoryContext old = MemoryContextSwitchTo(series->hdr.eoh_context);

	SET_VARSIZE(result, allocated);
	series->kind->store(series, (uint8 *) VARDATA(result));
	MemoryContextSwitchTo(old);
}

/* Opens a series for reading: its rows are in order. */
const Series *
series_open(Datum value, const SeriesKind *kind)
{
	Series	   *series = expanded_series(value, kind);

	if (series == NULL)
	{
		series = series_make(kind, CurrentMemoryContext);
		merge(series, value);
	}
	check_complete(series);
	arrange(series);
	return series;
}

/* The input function of a series: the text form; soft errors. */
Datum
series_in(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	bytea	   *value = stored_from_base64(PG_GETARG_CSTRING(0), &kind->type, INPUT_ERROR_CONTEXT(fcinfo));

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(value);
}

/* The output function: the text form. */
Datum
series_out(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &kind->type), &kind->type));
}

/* The recv function: the stored bytes, checked. */
Datum
series_recv(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	PG_RETURN_BYTEA_P(stored_recv(fcinfo, &kind->type));
}
