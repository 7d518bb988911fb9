/*
 * tagbloom_gin.c
 *	  GIN support: which members have a tag, looked up instead of asked.
 *
 * The keys of a set are its hashes.  A filter has lost them: its only key is
 * the NULL key, which every search asks for beside its own, and whatever has it
 * is rechecked at the row.
 *
 * Of a query only the tags of its positive part are looked up, a & b of a & b & !c:
 * the list of a tag that is to be absent may be as long as the index, and to walk it
 * costs more than to ask the rows that a & b leaves, which are read in any case.
 */
#include "tagbloom/tagbloom.h"

#include "access/gin.h"
#include "access/stratnum.h"

StaticAssertDecl(GIN_FALSE == TRUTH_FALSE && GIN_TRUE == TRUTH_TRUE && GIN_MAYBE == TRUTH_MAYBE,
				 "GIN and tagquery_truth have the same three values");

#define NO_KEY (-1)				/* the tag is not looked up */

/* What a search needs to know of its query at every row. */
typedef struct Search
{
	bool		is_unsure;		/* the query's own tags are not known */
	TagQuery	query;			/* TAG_MATCHES: the rest */
	int		   *key;			/* of each tag of the query, or NO_KEY */
	TagTruth   *leaves;			/* scratch */
	TagTruth   *nodes;
} Search;

/* tagbloom_gin_value(tagbloom, internal, internal): the keys of a set. */
CUSTMART_FUNCTION(custmart_tagbloom_gin_value);
Datum
custmart_tagbloom_gin_value(PG_FUNCTION_ARGS)
{
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	bool	  **nulls = (bool **) PG_GETARG_POINTER(2);
	TagBloom	tags;
	Datum	   *keys;

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	if (tags.is_exact)
	{
		uint64		hashes[TAGBLOOM_EXACT_MAX];

		*nkeys = tagbloom_hashes(&tags, hashes);
		keys = palloc(sizeof(Datum) * Max(*nkeys, 1));
		for (int i = 0; i < *nkeys; i++)
			keys[i] = Int64GetDatum((int64) hashes[i]);
	}
	else
	{
		*nkeys = 1;
		keys = palloc0(sizeof(Datum));
		*nulls = palloc(sizeof(bool));
		(*nulls)[0] = true;
	}
	PG_RETURN_POINTER(keys);
}

/* Position of a hash in an ascending list, or NO_KEY. */
static int
position_of(uint64 hash, const uint64 *hashes, int count)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (hashes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && hashes[low] == hash ? low : NO_KEY;
}

/* The tags of a query to look up; sets up the search and how the index is to be used. */
static uint32
search_query(Datum value, Search *search, uint64 **hashes, int32 *search_mode)
{
	TagQuery   *query = &search->query;
	uint32		count = 0;
	bool	   *is_positive;
	bool		has_positive;

	tagquery_get(value, query);
	search->key = palloc(sizeof(int) * query->leaves);
	search->leaves = palloc(sizeof(TagTruth) * query->leaves);
	search->nodes = palloc(sizeof(TagTruth) * query->nodes);
	is_positive = palloc(sizeof(bool) * query->leaves);
	*hashes = palloc(sizeof(uint64) * query->leaves);

	/* Without a positive part sets that have none of the tags may answer: no tag to look up finds them. */
	has_positive = tagquery_positive_leaves(query, CurrentMemoryContext, is_positive);
	if (!has_positive)
		*search_mode = GIN_SEARCH_MODE_ALL;
	for (uint32 i = 0; i < query->nodes; i++)
		if (query->node[i].op == QUERY_TAG && (!has_positive || is_positive[query->node[i].leaf]))
			(*hashes)[count++] = query->node[i].hash;
	count = sort_hashes(*hashes, count);
	for (uint32 i = 0; i < query->nodes; i++)
		if (query->node[i].op == QUERY_TAG)
			search->key[query->node[i].leaf] = position_of(query->node[i].hash, *hashes, count);
	return count;
}

/*
 * tagbloom_gin_query(query, internal, smallint, internal, internal, internal,
 * internal): the keys to look up, the last of them the NULL key.
 */
CUSTMART_FUNCTION(custmart_tagbloom_gin_query);
Datum
custmart_tagbloom_gin_query(PG_FUNCTION_ARGS)
{
	Datum		value = PG_GETARG_DATUM(0);
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	Pointer   **extra_data = (Pointer **) PG_GETARG_POINTER(4);
	bool	  **nulls = (bool **) PG_GETARG_POINTER(5);
	int32	   *search_mode = (int32 *) PG_GETARG_POINTER(6);
	Search	   *search = palloc0(sizeof(Search));
	uint64	   *hashes = NULL;
	uint32		count = 0;
	TagBloom	tags;
	Datum	   *keys;

	switch (strategy)
	{
		case TAG_HAS:
			hashes = palloc(sizeof(uint64));
			hashes[count++] = tag_hash_text(DatumGetTextPP(value));
			break;
		case TAG_HAS_ANY:
		case TAG_HAS_ALL:
			count = tag_hash_array(DatumGetArrayTypeP(value), &hashes);
			break;
		case TAG_CONTAINS:
			tagbloom_get(value, &tags);
			hashes = palloc(sizeof(uint64) * TAGBLOOM_EXACT_MAX);
			count = tagbloom_hashes(&tags, hashes);
			search->is_unsure = !tags.is_exact;
			break;
		case TAG_MATCHES:
			count = search_query(value, search, &hashes, search_mode);
			break;
		default:
			elog(ERROR, "unknown strategy number: %d", strategy);
	}
	count = sort_hashes(hashes, count);

	/* Every set has all tags of none, and none has one of none. */
	if (count == 0)
	{
		*nkeys = 0;
		if (strategy != TAG_HAS_ANY)
			*search_mode = GIN_SEARCH_MODE_ALL;
		if (!search->is_unsure)
			PG_RETURN_POINTER(NULL);
	}
	keys = palloc(sizeof(Datum) * (count + 1));
	*nulls = palloc0(sizeof(bool) * (count + 1));
	*extra_data = palloc(sizeof(Pointer) * (count + 1));
	for (uint32 i = 0; i < count; i++)
	{
		keys[i] = Int64GetDatum((int64) hashes[i]);
		(*extra_data)[i] = (Pointer) search;
	}
	keys[count] = (Datum) 0;
	(*nulls)[count] = true;
	(*extra_data)[count] = (Pointer) search;
	*nkeys = count + 1;
	PG_RETURN_POINTER(keys);
}

/*
 * tagbloom_gin_consistent(internal, smallint, query, integer, internal,
 * internal, internal): whether a row with these keys answers the query.
 */
CUSTMART_FUNCTION(custmart_tagbloom_gin_consistent);
Datum
custmart_tagbloom_gin_consistent(PG_FUNCTION_ARGS)
{
	const GinTernaryValue *check = (const GinTernaryValue *) PG_GETARG_POINTER(0);
	StrategyNumber strategy = PG_GETARG_UINT16(1);
	int			tags = PG_GETARG_INT32(3) - 1;
	Pointer    *extra_data = (Pointer *) PG_GETARG_POINTER(4);
	Search	   *search;
	GinTernaryValue deciding = strategy == TAG_HAS_ANY ? GIN_TRUE : GIN_FALSE;
	GinTernaryValue result = strategy == TAG_HAS_ANY ? GIN_FALSE : GIN_TRUE;

	if (tags < 0)				/* no tag was asked for */
		PG_RETURN_GIN_TERNARY_VALUE(result);
	search = (Search *) extra_data[0];
	/* The row has, or may have, a filter: only the row itself can tell. */
	if (search->is_unsure || check[tags] != GIN_FALSE)
		PG_RETURN_GIN_TERNARY_VALUE(GIN_MAYBE);
	if (strategy == TAG_MATCHES)
	{
		for (uint32 i = 0; i < search->query.leaves; i++)
			search->leaves[i] = search->key[i] == NO_KEY ? TRUTH_MAYBE : (TagTruth) check[search->key[i]];
		PG_RETURN_GIN_TERNARY_VALUE((GinTernaryValue)
									tagquery_truth(&search->query, search->leaves, search->nodes));
	}
	for (int i = 0; i < tags && result != deciding; i++)
		if (check[i] != (deciding == GIN_TRUE ? GIN_FALSE : GIN_TRUE))
			result = check[i];
	PG_RETURN_GIN_TERNARY_VALUE(result);
}
