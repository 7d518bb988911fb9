/*
 * tagbloom_stats.c
 *	  Statistics of tagbloom columns, and what the planner makes of them.
 *
 * ANALYZE keeps what it keeps of any sortable type, and beside it the most
 * common tags: their hashes, with the share of rows that have each, in the slot
 * where PostgreSQL keeps the most common elements of arrays.  The three numbers
 * that follow the shares there are the smallest share, the largest, and the
 * share of rows whose elements are not known, here those that are filters.
 */
#include "tagbloom/tagbloom.h"

#include <math.h>

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "shared/compat.h"
#include "shared/keytable.h"
#include "tagbloom/tag.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"

/* Share of rows that have a tag of which nothing is known. */
#define DEFAULT_TAG_SHARE 0.005

/* Rows that are filters, in which the most common tags are looked for. */
#define FILTERS_LOOKED_AT 1000
/* Filters larger than this are counted, but not read. */
#define WIDTH_LIMIT 65536

/* ---------- ANALYZE ---------- */

/* What std_typanalyze has set up, run before ours. */
typedef struct StandardStats
{
	AnalyzeAttrComputeStatsFunc compute;
	void	   *extra_data;
} StandardStats;

/* How often a tag was met, and how often at most before it was first kept. */
typedef struct TagTally
{
	uint32		count;
	uint32		missed;
} TagTally;

typedef struct CommonTag
{
	uint64		hash;
	float8		rows;
} CommonTag;

/*
 * Lossy counting (Manku and Motwani 2002), as PostgreSQL does it for arrays:
 * after each bucket of so many tags, those are forgotten that cannot have been
 * met more than once in each bucket so far.
 */
typedef struct Counter
{
	KeyTable	table;
	MemoryContext context;		/* of the table */
	uint32		bucket;			/* number of the bucket, from 1 */
	uint32		bucket_size;
	uint64		seen;			/* tags */
} Counter;

static void
counter_start_table(Counter *counter)
{
	counter->context = AllocSetContextCreate(CurrentMemoryContext, "custmart tag statistics",
											 ALLOCSET_DEFAULT_SIZES);
	keytable_init(&counter->table, KEY_INT64, sizeof(TagTally), counter->context);
}

/* Forgets rare tags: a table without them takes the place of the table. */
static void
counter_forget(Counter *counter)
{
	KeyTable	old = counter->table;
	MemoryContext old_context = counter->context;

	counter_start_table(counter);
	for (uint32 i = 0; i < old.count; i++)
	{
		TagTally   *tally = keytable_payload(&old, i);

		check_interrupts(i);
		if (tally->count + tally->missed > counter->bucket)
		{
			Key			key = keytable_key(&old, i);
			uint32		entry;

			keytable_locate(&counter->table, &key, 1, &entry);
			*(TagTally *) keytable_payload(&counter->table, entry) = *tally;
		}
	}
	MemoryContextDelete(old_context);
}

static void
counter_add(Counter *counter, const uint64 *hashes, int count)
{
	Key			keys[TAGBLOOM_EXACT_MAX];
	uint32		entries[TAGBLOOM_EXACT_MAX];

	for (int i = 0; i < count; i++)
		keys[i].number = (int64) hashes[i];
	keytable_locate(&counter->table, keys, count, entries);
	for (int i = 0; i < count; i++)
	{
		TagTally   *tally = keytable_payload(&counter->table, entries[i]);

		if (tally->count++ == 0)
			tally->missed = counter->bucket - 1;
	}
	counter->seen += count;
	if (counter->seen / counter->bucket_size >= counter->bucket)
	{
		counter_forget(counter);
		counter->bucket = counter->seen / counter->bucket_size + 1;
	}
}

/* Most common first; equally common ones in an order that is always the same. */
static int
compare_rows(const void *a, const void *b)
{
	const CommonTag *x = a;
	const CommonTag *y = b;

	if (x->rows != y->rows)
		return x->rows > y->rows ? -1 : 1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* In the order of the keys as bigint, in which they are searched. */
static int
compare_hash(const void *a, const void *b)
{
	int64		x = (int64) ((const CommonTag *) a)->hash;
	int64		y = (int64) ((const CommonTag *) b)->hash;

	return (x > y) - (x < y);
}

/*
 * The tags that more rows have than chance would put into the sample; returns
 * how many, in *tags.
 */
static int
common_tags(Counter *counter, int exact_rows, int most, CommonTag **tags)
{
	/* As in array_typanalyze.c: below this count lossy counting may have missed some. */
	uint32		cutoff = 9 * counter->seen / counter->bucket_size;
	int			n = 0;
	CommonTag	best = {0};

	*tags = palloc(sizeof(CommonTag) * Max(counter->table.count, 1));
	for (uint32 i = 0; i < counter->table.count; i++)
	{
		TagTally   *tally = keytable_payload(&counter->table, i);
		uint64		hash = (uint64) keytable_key(&counter->table, i).number;

		/* A tag met once tells nothing, unless the sample is very small. */
		if (tally->count > cutoff && (tally->count > 1 || exact_rows < 100))
		{
			(*tags)[n].hash = hash;
			(*tags)[n++].rows = tally->count;
		}
		if (tally->count > best.rows)
		{
			best.hash = hash;
			best.rows = tally->count;
		}
	}
	/* That all tags are rare is worth knowing. */
	if (n == 0 && best.rows > 0)
		(*tags)[n++] = best;
	qsort(*tags, n, sizeof(CommonTag), compare_rows);
	return Min(n, most);
}

/* Adds the rows among the filters that have the common tags. */
static void
add_filters(CommonTag *tags, int n, bytea **filters, int looked_at, int filter_rows)
{
	for (int f = 0; f < looked_at; f++)
	{
		TagBloom	filter;

		CHECK_FOR_INTERRUPTS();
		tagbloom_view((const uint8 *) VARDATA_ANY(filters[f]), &filter);
		for (int i = 0; i < n; i++)
			if (tagbloom_has(&filter, tags[i].hash))
				tags[i].rows += (float8) filter_rows / looked_at;
	}
}

static void
store_tags(VacAttrStats *stats, CommonTag *tags, int n, float8 rows, float8 filter_share)
{
	MemoryContext old = MemoryContextSwitchTo(stats->anl_context);
	Datum	   *values = palloc(sizeof(Datum) * n);
	float4	   *numbers = palloc(sizeof(float4) * (n + 3));
	float8		least = rows;
	float8		most = 0;
	int			slot = 0;

	qsort(tags, n, sizeof(CommonTag), compare_hash);
	for (int i = 0; i < n; i++)
	{
		values[i] = Int64GetDatum((int64) tags[i].hash);
		numbers[i] = tags[i].rows / rows;
		least = Min(least, tags[i].rows);
		most = Max(most, tags[i].rows);
	}
	numbers[n] = least / rows;
	numbers[n + 1] = most / rows;
	numbers[n + 2] = filter_share;

	while (slot < STATISTIC_NUM_SLOTS - 1 && stats->stakind[slot] != 0)
		slot++;
	stats->stakind[slot] = STATISTIC_KIND_MCELEM;
	stats->staop[slot] = lookup_type_cache(INT8OID, TYPECACHE_EQ_OPR)->eq_opr;
	stats->stacoll[slot] = InvalidOid;
	stats->stanumbers[slot] = numbers;
	stats->numnumbers[slot] = n + 3;
	stats->stavalues[slot] = values;
	stats->numvalues[slot] = n;
	stats->statypid[slot] = INT8OID;
	stats->statyplen[slot] = sizeof(int64);
	stats->statypbyval[slot] = FLOAT8PASSBYVAL;
	stats->statypalign[slot] = TYPALIGN_DOUBLE;
	MemoryContextSwitchTo(old);
}

static void
compute_stats(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int sample_rows, double total_rows)
{
	StandardStats *standard = stats->extra_data;
	Counter		counter = {0};
	int			most = 10 * analyze_target(stats);
	int			exact_rows = 0;
	int			filter_rows = 0;
	bytea	   *filters[FILTERS_LOOKED_AT];
	int			looked_at = 0;
	CommonTag  *tags;
	int			n;

	stats->extra_data = standard->extra_data;
	standard->compute(stats, fetch, sample_rows, total_rows);
	stats->extra_data = standard;

	counter.bucket = 1;
	counter.bucket_size = (uint32) Min((uint64) most * 1000 / 7, PG_INT32_MAX);
	counter_start_table(&counter);
	for (int row = 0; row < sample_rows; row++)
	{
		bool		is_null;
		Datum		value = fetch(stats, row, &is_null);
		TagBloom	set;
		bytea	   *stored;

		analyze_delay_point();
		if (is_null)
			continue;
		if (toast_raw_datum_size(value) > WIDTH_LIMIT)
		{
			filter_rows++;
			continue;
		}
		stored = tagbloom_get(value, &set);
		if (set.is_exact)
		{
			uint64		hashes[TAGBLOOM_EXACT_MAX];

			exact_rows++;
			counter_add(&counter, hashes, tagbloom_hashes(&set, hashes));
		}
		else
		{
			filter_rows++;
			if (looked_at < FILTERS_LOOKED_AT)
			{
				filters[looked_at++] = stored;
				continue;
			}
		}
		if ((Pointer) stored != DatumGetPointer(value))
			pfree(stored);
	}
	if (exact_rows + filter_rows == 0)
		return;
	n = common_tags(&counter, exact_rows, most, &tags);
	if (n == 0)
		return;
	if (looked_at > 0)
		add_filters(tags, n, filters, looked_at, filter_rows);
	store_tags(stats, tags, n, exact_rows + filter_rows,
			   (float8) filter_rows / (exact_rows + filter_rows));
}

/* tagbloom_typanalyze(internal): sets ANALYZE up for a column of the type. */
CUSTMART_FUNCTION(custmart_tagbloom_typanalyze);
Datum
custmart_tagbloom_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	StandardStats *standard;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);
	standard = palloc(sizeof(StandardStats));
	standard->compute = stats->compute_stats;
	standard->extra_data = stats->extra_data;
	stats->compute_stats = compute_stats;
	stats->extra_data = standard;
	PG_RETURN_BOOL(true);
}

/* ---------- selectivity ---------- */

/* What is known of the tags of a column. */
typedef struct KnownTags
{
	const Datum *hashes;		/* ascending as bigint */
	const float4 *shares;
	int			count;
	float8		other_share;	/* of a tag that is not among them */
} KnownTags;

static float8
share_of(const KnownTags *known, uint64 hash)
{
	int			low = 0;
	int			high = known->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int64		there = DatumGetInt64(known->hashes[middle]);

		if (there == (int64) hash)
			return known->shares[middle];
		if (there < (int64) hash)
			low = middle + 1;
		else
			high = middle;
	}
	return known->other_share;
}

/* Share of rows that have all of the tags, or any of them. */
static float8
share_of_list(const KnownTags *known, uint64 *hashes, uint32 count, bool all)
{
	float8		product = 1;

	count = sort_hashes(hashes, count);
	for (uint32 i = 0; i < count; i++)
	{
		float8		share = share_of(known, hashes[i]);

		product *= all ? share : 1 - share;
	}
	return all ? product : 1 - product;
}

/*
 * Share of rows that have no tag but these: none of the common ones that are
 * not among them.  Of rarer tags nothing is known, so this is an upper limit.
 */
static float8
share_within(const KnownTags *known, uint64 *hashes, uint32 count)
{
	float8		product = 1;

	count = sort_hashes(hashes, count);
	for (int i = 0; i < known->count; i++)
	{
		uint64		hash = (uint64) DatumGetInt64(known->hashes[i]);
		bool		is_in = false;

		for (uint32 j = 0; j < count && !is_in; j++)
			is_in = hashes[j] == hash;
		if (!is_in)
			product *= 1 - known->shares[i];
	}
	return product;
}

/*
 * A constant query with one tag twice (vip | vip & app) is taken as if these
 * were two tags, and tags are taken to be independent of each other.
 */
static float8
share_of_query(const KnownTags *known, Datum value)
{
	TagQuery	query;
	float8	   *leaves;

	tagquery_get(value, &query);
	leaves = palloc(sizeof(float8) * query.leaves);
	for (uint32 i = 0; i < query.nodes; i++)
		if (query.node[i].op == QUERY_TAG)
			leaves[query.node[i].leaf] = share_of(known, query.node[i].hash);
	return tagquery_probability(&query, leaves, palloc(sizeof(float8) * query.nodes));
}

typedef enum Question
{
	HAS_ALL,					/* ?, ?&, @> */
	HAS_ANY,					/* ?| */
	IS_WITHIN,					/* <@ */
	MATCHES						/* @@ */
} Question;

static float8
share_of_constant(const KnownTags *known, Question question, Datum value, Oid type)
{
	uint64	   *hashes;
	uint32		count;

	if (question == MATCHES)
		return share_of_query(known, value);
	if (type == TEXTOID)
	{
		text	   *tag = DatumGetTextPP(value);

		/* An error, but only if a row is looked at. */
		if (tag_length_wrong(VARSIZE_ANY_EXHDR(tag)) != NULL)
			return 0;
		return share_of(known, tag_hash_text(tag));
	}
	if (type == TEXTARRAYOID)
		count = tag_hash_array(DatumGetArrayTypeP(value), &hashes);
	else
	{
		TagBloom	tags;

		tagbloom_get(value, &tags);
		if (!tags.is_exact)
			return DEFAULT_TAG_SHARE;
		hashes = palloc(sizeof(uint64) * TAGBLOOM_EXACT_MAX);
		count = tagbloom_hashes(&tags, hashes);
	}
	if (question == IS_WITHIN && known->count == 0)
		return DEFAULT_TAG_SHARE;
	if (question == IS_WITHIN)
		return share_within(known, hashes, count);
	return share_of_list(known, hashes, count, question == HAS_ALL);
}

static Datum
selectivity(FunctionCallInfo fcinfo, Question question)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	int			relation = PG_GETARG_INT32(3);
	VariableStatData column;
	Node	   *other;
	bool		is_left;
	KnownTags	known = {0};
	AttStatsSlot slot;
	bool		has_slot = false;
	float8		nulls = 0;
	float8		share = DEFAULT_TAG_SHARE;

	if (!get_restriction_variable(root, args, relation, &column, &other, &is_left))
		PG_RETURN_FLOAT8(share);
	if (IsA(other, Const) && ((Const *) other)->constisnull)
	{
		ReleaseVariableStats(column);
		PG_RETURN_FLOAT8(0);	/* the operators are strict */
	}
	known.other_share = DEFAULT_TAG_SHARE;
	if (HeapTupleIsValid(column.statsTuple))
	{
		nulls = ((Form_pg_statistic) GETSTRUCT(column.statsTuple))->stanullfrac;
		has_slot = get_attstatsslot(&slot, column.statsTuple, STATISTIC_KIND_MCELEM, InvalidOid,
									ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS);
		/* Another extension, or a restored table of statistics, may hold other things. */
		if (has_slot && slot.valuetype == INT8OID && slot.nnumbers == slot.nvalues + 3)
		{
			known.hashes = slot.values;
			known.shares = slot.numbers;
			known.count = slot.nvalues;
			known.other_share = Min(DEFAULT_TAG_SHARE, slot.numbers[slot.nvalues] / 2);
		}
	}
	/* A set on the left and the column on the right: @> is <@ from there. */
	if (IsA(other, Const) && !is_left && ((Const *) other)->consttype == column.vartype)
		question = question == HAS_ALL ? IS_WITHIN : HAS_ALL;
	else if (!is_left)
		other = NULL;
	if (other != NULL && IsA(other, Const))
		share = share_of_constant(&known, question, ((Const *) other)->constvalue,
								  ((Const *) other)->consttype);
	share *= 1 - nulls;
	if (has_slot)
		free_attstatsslot(&slot);
	ReleaseVariableStats(column);
	CLAMP_PROBABILITY(share);
	PG_RETURN_FLOAT8(share);
}

/* tagbloom_has_sel(internal, oid, internal, integer): of ?, ?& and @>. */
CUSTMART_FUNCTION(custmart_tagbloom_has_sel);
Datum
custmart_tagbloom_has_sel(PG_FUNCTION_ARGS)
{
	return selectivity(fcinfo, HAS_ALL);
}

/* tagbloom_has_any_sel(internal, oid, internal, integer): of ?|. */
CUSTMART_FUNCTION(custmart_tagbloom_has_any_sel);
Datum
custmart_tagbloom_has_any_sel(PG_FUNCTION_ARGS)
{
	return selectivity(fcinfo, HAS_ANY);
}

/* tagbloom_contained_sel(internal, oid, internal, integer): of <@. */
CUSTMART_FUNCTION(custmart_tagbloom_contained_sel);
Datum
custmart_tagbloom_contained_sel(PG_FUNCTION_ARGS)
{
	return selectivity(fcinfo, IS_WITHIN);
}

/* tagbloom_matches_sel(internal, oid, internal, integer): of @@. */
CUSTMART_FUNCTION(custmart_tagbloom_matches_sel);
Datum
custmart_tagbloom_matches_sel(PG_FUNCTION_ARGS)
{
	return selectivity(fcinfo, MATCHES);
}
