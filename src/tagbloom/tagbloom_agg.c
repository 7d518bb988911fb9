/*
 * tagbloom_agg.c
 *	  The aggregates of tagbloom: tag_agg(text) and rollup(tagbloom).
 *
 * The size of a set depends on its number of different tags, which is only known
 * at the end.  So the state keeps all hashes and becomes a set in the last step:
 * the set is the same whatever the order of rows and however they were split.
 * Sets that are filters already are merged at the size of the largest, and raised
 * at the end if the hashes call for more.
 *
 * The state is a bytea, changed in place: a fixed part, the filter if there is
 * one, and the hashes, with room for more behind them:
 *
 *		0	kind, version, log2 of the filter's blocks, 0x80 | its grain or 0
 *		4	u32	number of tags expected, or 0
 *		8	u32	number of hashes
 *		12	u32	reserved
 *		16	filter, then hashes in network order, not sorted
 *
 * Up to LINEAR hashes are compared with each new one, so that each is kept once.
 * Above, hashes are appended, and sorted to drop duplicates whenever the room is
 * used up; the room is doubled if that leaves more than half of it in use.
 */
#include "tagbloom/tagbloom.h"

#include "shared/bytes.h"
#include "shared/aggregate.h"
#include "shared/large_memory.h"
#include "utils/memutils.h"

#define STATE_VERSION 1
#define STATE_HEADER 16
#define STATE_HAS_FILTER 0x80
#define LINEAR 64

/*
 * A small state, header of the varlena and all, is a power of two of bytes, as memory is
 * given anyway.  A larger one is not, as a filter is one, and would make it twice as large.
 */
#define STATE_SMALLEST 64
#define STATE_SMALL 8192
#define STATE_LARGEST ((Size) 1 << 29)

typedef struct State
{
	bytea	   *value;
	bool		has_filter;
	int			log2_blocks;
	int			log2_grain;
	uint32		expected;
	uint32		count;
	uint32		room;
	uint8	   *filter;
	uint8	   *hashes;
} State;

static Size
filter_size(bool has_filter, int log2_blocks)
{
	return has_filter ? FILTER_SIZE(log2_blocks) : 0;
}

/* Reads a state, whose bytes may have come from anywhere. */
static void
state_view(bytea *value, State *state)
{
	uint8	   *bytes = (uint8 *) VARDATA(value);
	Size		length = VARSIZE(value) - VARHDRSZ;
	Size		filter;

	if (length < STATE_HEADER || bytes[0] != STORED_TAG_STATE || bytes[1] != STATE_VERSION ||
		bytes[2] > TAGBLOOM_LOG2_MAX || load_u32(bytes + 12) != 0)
		goto invalid;
	state->value = value;
	state->has_filter = (bytes[3] & STATE_HAS_FILTER) != 0;
	state->log2_blocks = bytes[2];
	state->log2_grain = bytes[3] & ~STATE_HAS_FILTER;
	if (state->log2_grain > state->log2_blocks || (!state->has_filter && state->log2_blocks != 0))
		goto invalid;
	state->expected = load_u32(bytes + 4);
	state->count = load_u32(bytes + 8);
	state->filter = bytes + STATE_HEADER;
	filter = filter_size(state->has_filter, state->log2_blocks);
	if (state->expected > tagbloom_capacity(TAGBLOOM_LOG2_MAX) || length - STATE_HEADER < filter)
		goto invalid;
	state->hashes = state->filter + filter;
	state->room = (length - STATE_HEADER - filter) / sizeof(uint64);
	if (state->count > state->room)
		goto invalid;
	return;

invalid:
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("state of an aggregate is not valid")));
}

/* A new state with a filter, zeroed, and room for so many hashes. */
static void
state_create(State *state, bool has_filter, int log2_blocks, Size hashes)
{
	Size		needed = VARHDRSZ + STATE_HEADER + filter_size(has_filter, log2_blocks) +
		hashes * sizeof(uint64);
	Size		size = STATE_SMALLEST;
	bytea	   *value;
	uint8	   *bytes;

	while (size < needed && size < STATE_SMALL)
		size *= 2;
	if (size < needed)
	{
		/* Above the largest size there is room for the largest filter and the largest number of tags. */
		needed += LINEAR * sizeof(uint64);
		size = needed <= STATE_LARGEST ? needed : MaxAllocSize;
	}
	value = large_alloc_zeroed(CurrentMemoryContext, size);
	SET_VARSIZE(value, size);
	bytes = (uint8 *) VARDATA(value);
	bytes[0] = STORED_TAG_STATE;
	bytes[1] = STATE_VERSION;
	bytes[2] = has_filter ? log2_blocks : 0;
	bytes[3] = has_filter ? STATE_HAS_FILTER | log2_blocks : 0;
	state_view(value, state);
}

static void
set_expected(State *state, uint32 expected)
{
	state->expected = expected;
	store_u32((uint8 *) VARDATA(state->value) + 4, expected);
}

static void
set_count(State *state, uint32 count)
{
	state->count = count;
	store_u32((uint8 *) VARDATA(state->value) + 8, count);
}

static void
set_grain(State *state, int log2_grain)
{
	state->log2_grain = log2_grain;
	((uint8 *) VARDATA(state->value))[3] = STATE_HAS_FILTER | log2_grain;
}

/* Replaces the state by one of another size with the same content. */
static void
state_rebuild(State *state, bool has_filter, int log2_blocks, Size hashes)
{
	State		old = *state;

	state_create(state, has_filter, log2_blocks, hashes);
	if (old.has_filter)
	{
		filter_merge(state->filter, log2_blocks, old.filter, old.log2_blocks);
		set_grain(state, old.log2_grain);
	}
	large_copy(state->hashes, old.hashes, old.count * sizeof(uint64));
	set_count(state, old.count);
	set_expected(state, old.expected);
}

/* The different hashes of a state, ascending; returns how many. */
static uint32
state_hashes(const State *state, uint64 **hashes)
{
	*hashes = large_alloc(CurrentMemoryContext, Max(state->count, 1) * sizeof(uint64));
	for (uint32 i = 0; i < state->count; i++)
	{
		check_interrupts(i);
		(*hashes)[i] = load_u64(state->hashes + sizeof(uint64) * i);
	}
	return sort_hashes(*hashes, state->count);
}

/* Makes room for one more hash at least. */
static void
state_make_room(State *state)
{
	if (state->count > LINEAR)
	{
		uint64	   *hashes;
		uint32		count = state_hashes(state, &hashes);

		tagbloom_check_count(count);
		for (uint32 i = 0; i < count; i++)
		{
			check_interrupts(i);
			store_u64(state->hashes + sizeof(uint64) * i, hashes[i]);
		}
		set_count(state, count);
		pfree(hashes);
		if (count <= state->room / 2 || VARSIZE(state->value) == MaxAllocSize)
			return;
	}
	state_rebuild(state, state->has_filter, state->log2_blocks, 2 * (Size) state->count);
}

static void
state_add(State *state, uint64 hash)
{
	uint8		bytes[sizeof(uint64)];

	store_u64(bytes, hash);
	if (state->count <= LINEAR)
		for (uint32 i = 0; i < state->count; i++)
			if (memcmp(state->hashes + sizeof(uint64) * i, bytes, sizeof(uint64)) == 0)
				return;
	if (state->count == state->room)
		state_make_room(state);
	memcpy(state->hashes + sizeof(uint64) * state->count, bytes, sizeof(uint64));
	set_count(state, state->count + 1);
}

static void
state_add_filter(State *state, const uint8 *filter, int log2_blocks, int log2_grain)
{
	if (!state->has_filter || log2_blocks > state->log2_blocks)
		state_rebuild(state, true, log2_blocks, state->count);
	filter_merge(state->filter, state->log2_blocks, filter, log2_blocks);
	set_grain(state, Min(state->log2_grain, log2_grain));
}

/*
 * The aggregate's state, to be changed; false, with a new one, if there is none.
 * One that comes from elsewhere may have a short header: then it is copied, and
 * the executor keeps the copy.
 */
static bool
get_state(FunctionCallInfo fcinfo, State *state)
{
	if (PG_ARGISNULL(0))
	{
		state_create(state, false, 0, 0);
		return false;
	}
	state_view(PG_GETARG_BYTEA_P(0), state);
	return true;
}

/* Raises 22023 unless all rows give the same number of tags to expect. */
static void
check_expected(uint32 a, uint32 b)
{
	if (a != b)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expected must be the same for all rows, not %u and %u", Min(a, b), Max(a, b)),
				 errhint("Write it as a constant, or group by what it depends on.")));
}

/* tag_agg_step(bytea, tag [, expected]): one more tag. */
CUSTMART_FUNCTION(custmart_tag_agg_step);
Datum
custmart_tag_agg_step(PG_FUNCTION_ARGS)
{
	State		state;
	uint32		expected = 0;

	if (PG_ARGISNULL(1) || (PG_NARGS() > 2 && PG_ARGISNULL(2)))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	if (PG_NARGS() > 2)
	{
		int32		given = PG_GETARG_INT32(2);
		uint32		most = tagbloom_capacity(TAGBLOOM_LOG2_MAX);

		if (given < 1 || given > (int32) most)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("expected must be from 1 to %u, not %d", most, given),
					 errhint("It is the number of different tags that the set will have in the end.")));
		expected = given;
	}
	if (!get_state(fcinfo, &state))
		set_expected(&state, expected);
	else
		check_expected(state.expected, expected);
	state_add(&state, tag_hash_text(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_BYTEA_P(state.value);
}

/* tagbloom_rollup_step(bytea, tagbloom): one more set. */
CUSTMART_FUNCTION(custmart_tagbloom_rollup_step);
Datum
custmart_tagbloom_rollup_step(PG_FUNCTION_ARGS)
{
	State		state;
	TagBloom	tags;
	bytea	   *stored;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	(void) get_state(fcinfo, &state);
	stored = tagbloom_get(PG_GETARG_DATUM(1), &tags);
	if (!tags.is_exact)
		state_add_filter(&state, tags.bytes, tags.log2_blocks, tags.log2_grain);
	for (int i = 0; i < tags.count; i++)
		state_add(&state, load_u64(tags.bytes + sizeof(uint64) * i));
	if ((Pointer) stored != DatumGetPointer(PG_GETARG_DATUM(1)))
		pfree(stored);
	PG_RETURN_BYTEA_P(state.value);
}

/* tag_agg_combine(bytea, bytea): both states as one. */
CUSTMART_FUNCTION(custmart_tag_agg_combine);
Datum
custmart_tag_agg_combine(PG_FUNCTION_ARGS)
{
	State		state;
	State		other;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	state_view(PG_GETARG_BYTEA_P(1), &other);
	if (!get_state(fcinfo, &state))
		set_expected(&state, other.expected);
	else
		check_expected(state.expected, other.expected);
	if (other.has_filter)
		state_add_filter(&state, other.filter, other.log2_blocks, other.log2_grain);
	for (uint32 i = 0; i < other.count; i++)
	{
		check_interrupts(i);
		state_add(&state, load_u64(other.hashes + sizeof(uint64) * i));
	}
	PG_RETURN_BYTEA_P(state.value);
}

/* tag_agg_final(bytea): the set; NULL if there was no tag and no set. */
CUSTMART_FUNCTION(custmart_tag_agg_final);
Datum
custmart_tag_agg_final(PG_FUNCTION_ARGS)
{
	State		state;
	TagParts	parts = {0};
	uint64	   *hashes;
	bytea	   *value;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state_view(PG_GETARG_BYTEA_P(0), &state);
	if (state.has_filter)
	{
		parts.filter = state.filter;
		parts.log2_blocks = state.log2_blocks;
		parts.log2_grain = state.log2_grain;
	}
	parts.count = state_hashes(&state, &hashes);
	parts.hashes = hashes;
	parts.expected = state.expected;
	value = tagbloom_make(&parts);
	pfree(hashes);
	PG_RETURN_BYTEA_P(value);
}
