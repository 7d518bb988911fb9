/*
 * tagbloom_ops.c
 *	  The operators of tagbloom: what a set has, and sets made of sets.
 *
 * All of them work on the stored bytes as they lie in the table.
 */
#include "tagbloom/tagbloom.h"

#include "access/detoast.h"
#include "nodes/primnodes.h"

/* Frees what detoasting or converting an argument has allocated. */
static void
free_copy(void *used, Datum given)
{
	if ((Pointer) used != DatumGetPointer(given))
		pfree(used);
}

/*
 * A table's page is filled from its end, so the rows of a scan come at falling
 * addresses, which processors do not foresee well: testing a million sets is
 * waiting for memory, most of all.  So when a set is looked at, those some rows
 * further are asked for.  Where that guess is wrong nothing is lost; prefetching
 * touches nothing and cannot fail.
 */
static inline void
prefetch_rows_ahead(const bytea *stored)
{
	Size		row = VARSIZE_ANY(stored) + 40;	/* with its header and a key */

	if (row < 512)
		for (Size ahead = 4 * row; ahead < 5 * row; ahead += 64)
			__builtin_prefetch((const void *) ((uintptr_t) stored - ahead));
}

/*
 * tagbloom_get for asking about single tags, millions of times: the order of the
 * hashes does not matter to that, so only what keeps reads inside the value is
 * checked.
 */
static inline bytea *
get_unordered(Datum value, TagBloom *tags)
{
	bytea	   *stored = DatumGetByteaPP(value);
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(stored);
	const char *wrong = tagbloom_check_head(bytes, VARSIZE_ANY_EXHDR(stored));

	if (unlikely(wrong != NULL))
		stored_raise(&tagbloom_type, wrong);
	prefetch_rows_ahead(stored);
	tagbloom_view(bytes, tags);
	return stored;
}

/*
 * Of a filter that is stored out of line, one block is enough to answer; so
 * only the piece of it is fetched that has the block.
 */
static bool
has_out_of_line(struct varlena *pointer, uint64 hash, bool *answer)
{
	struct varatt_external external;
	Size		length;
	int			log2_blocks = 0;
	bytea	   *slice;

	if (!VARATT_IS_EXTERNAL_ONDISK(pointer))
		return false;
	VARATT_EXTERNAL_GET_POINTER(external, pointer);
	length = external.va_rawsize - VARHDRSZ;
	if (VARATT_EXTERNAL_GET_EXTSIZE(external) != length || length < 65536)
		return false;
	slice = (bytea *) detoast_attr_slice(pointer, 0, TAGBLOOM_HEADER);
	if (VARSIZE_ANY_EXHDR(slice) != TAGBLOOM_HEADER ||
		tagbloom_check_head((const uint8 *) VARDATA_ANY(slice), length) != NULL)
		return false;			/* to be complained of where it is read as a whole */
	log2_blocks = ((const uint8 *) VARDATA_ANY(slice))[2];
	pfree(slice);
	slice = (bytea *) detoast_attr_slice(pointer,
										 TAGBLOOM_HEADER + TAGBLOOM_BLOCK * filter_block(log2_blocks, hash),
										 TAGBLOOM_BLOCK);
	*answer = filter_test_block((const uint8 *) VARDATA_ANY(slice), hash);
	pfree(slice);
	return true;
}

/*
 * What was asked last, and what was made of it: a hash, hashes, a program.
 * Nearly always the question is the same at every row: as a constant of the query,
 * or as seen by its bytes.
 */
typedef struct Asked
{
	MemoryContext context;		/* of what follows; lives as long as the plan runs */
	struct varlena *given;
	void	   *prepared;
	bool		is_constant;
} Asked;

/*
 * True if argument 1 is a constant in the text of the query.  A parameter is not:
 * expressions of PL/pgSQL are evaluated again with other ones.
 */
static bool
question_is_constant(const FmgrInfo *function)
{
	const Node *call = function->fn_expr;
	const List *args = NIL;

	if (call != NULL && IsA(call, OpExpr))
		args = ((const OpExpr *) call)->args;
	else if (call != NULL && IsA(call, FuncExpr))
		args = ((const FuncExpr *) call)->args;
	return list_length(args) == 2 && IsA(lsecond(args), Const);
}

static const void *
get_asked(FunctionCallInfo fcinfo, void *(*prepare) (Datum given))
{
	Asked	   *asked = fcinfo->flinfo->fn_extra;
	Datum		value = PG_GETARG_DATUM(1);
	struct varlena *given;

	if (likely(asked != NULL && asked->is_constant && asked->prepared != NULL))
		return asked->prepared;
	given = PG_DETOAST_DATUM_PACKED(value);
	if (unlikely(asked == NULL))
	{
		asked = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Asked));
		asked->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "custmart tag question",
											   ALLOCSET_SMALL_SIZES);
		asked->is_constant = question_is_constant(fcinfo->flinfo);
		fcinfo->flinfo->fn_extra = asked;
	}
	if (asked->prepared == NULL ||
		VARSIZE_ANY_EXHDR(asked->given) != VARSIZE_ANY_EXHDR(given) ||
		memcmp(VARDATA_ANY(asked->given), VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given)) != 0)
	{
		MemoryContext old;

		asked->prepared = NULL;	/* in case of an error */
		MemoryContextReset(asked->context);
		old = MemoryContextSwitchTo(asked->context);
		asked->given = PG_DETOAST_DATUM_COPY(PointerGetDatum(given));
		asked->prepared = prepare(PointerGetDatum(asked->given));
		MemoryContextSwitchTo(old);
	}
	free_copy(given, value);
	return asked->prepared;
}

static void *
prepare_tag(Datum given)
{
	uint64	   *hash = palloc(sizeof(uint64));

	*hash = tag_hash_text(DatumGetTextPP(given));
	return hash;
}

/* tagbloom ? text: true if the set has the tag. */
CUSTMART_FUNCTION(custmart_tagbloom_has);
Datum
custmart_tagbloom_has(PG_FUNCTION_ARGS)
{
	Datum		value = PG_GETARG_DATUM(0);
	uint64		hash = *(const uint64 *) get_asked(fcinfo, prepare_tag);
	TagBloom	tags;
	bytea	   *stored;
	bool		answer;

	if (!has_out_of_line((struct varlena *) DatumGetPointer(value), hash, &answer))
	{
		stored = get_unordered(value, &tags);
		answer = tagbloom_has(&tags, hash);
		free_copy(stored, value);
	}
	PG_RETURN_BOOL(answer);
}

typedef struct AskedTags
{
	uint32		count;
	uint64	   *hashes;
} AskedTags;

static void *
prepare_tags(Datum given)
{
	AskedTags  *tags = palloc(sizeof(AskedTags));

	tags->count = tag_hash_array(DatumGetArrayTypeP(given), &tags->hashes);
	return tags;
}

static bool
has_of_array(FunctionCallInfo fcinfo, bool all)
{
	Datum		value = PG_GETARG_DATUM(0);
	const AskedTags *asked = get_asked(fcinfo, prepare_tags);
	TagBloom	tags;
	bytea	   *stored = get_unordered(value, &tags);
	uint32		i = 0;

	while (i < asked->count && tagbloom_has(&tags, asked->hashes[i]) == all)
		i++;
	free_copy(stored, value);
	return all == (i == asked->count);
}

/* tagbloom ?& text[]: true if the set has all the tags. */
CUSTMART_FUNCTION(custmart_tagbloom_has_all);
Datum
custmart_tagbloom_has_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_of_array(fcinfo, true));
}

/* tagbloom ?| text[]: true if the set has one of the tags. */
CUSTMART_FUNCTION(custmart_tagbloom_has_any);
Datum
custmart_tagbloom_has_any(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_of_array(fcinfo, false));
}

static void *
prepare_query(Datum given)
{
	TagQuery	query;

	tagquery_get(given, &query);
	return tagquery_compile(&query, CurrentMemoryContext);
}

/* tagbloom @@ tagquery: true if the set answers the query. */
CUSTMART_FUNCTION(custmart_tagbloom_matches);
Datum
custmart_tagbloom_matches(PG_FUNCTION_ARGS)
{
	Datum		value = PG_GETARG_DATUM(0);
	const TagProgram *program = get_asked(fcinfo, prepare_query);
	TagBloom	tags;
	bytea	   *stored = get_unordered(value, &tags);
	int32		next = 0;

	while (next >= 0)
		next = tagbloom_has(&tags, program->test[next].hash) ?
			program->test[next].if_true : program->test[next].if_false;
	free_copy(stored, value);
	PG_RETURN_BOOL(next == ANSWER_TRUE);
}

static bool
contains(Datum outer_value, Datum inner_value)
{
	TagBloom	outer;
	TagBloom	inner;
	bytea	   *outer_stored = tagbloom_get(outer_value, &outer);
	bytea	   *inner_stored = tagbloom_get(inner_value, &inner);
	bool		answer = tagbloom_contains(&outer, &inner);

	free_copy(outer_stored, outer_value);
	free_copy(inner_stored, inner_value);
	return answer;
}

/* tagbloom @> tagbloom: true if the first set has all tags of the second. */
CUSTMART_FUNCTION(custmart_tagbloom_contains);
Datum
custmart_tagbloom_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(contains(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/* tagbloom <@ tagbloom: true if the second set has all tags of the first. */
CUSTMART_FUNCTION(custmart_tagbloom_contained);
Datum
custmart_tagbloom_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(contains(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0)));
}

/* tagbloom | tagbloom: the union. */
CUSTMART_FUNCTION(custmart_tagbloom_union);
Datum
custmart_tagbloom_union(PG_FUNCTION_ARGS)
{
	TagBloom	a;
	TagBloom	b;
	Size		size;
	bytea	   *value;

	tagbloom_get(PG_GETARG_DATUM(0), &a);
	tagbloom_get(PG_GETARG_DATUM(1), &b);
	size = VARHDRSZ + tagbloom_union_size(&a, &b);
	value = palloc(size);
	SET_VARSIZE(value, size);
	tagbloom_union(&a, &b, (uint8 *) VARDATA(value));
	PG_RETURN_BYTEA_P(value);
}

/* tagbloom || text: the set with one more tag. */
CUSTMART_FUNCTION(custmart_tagbloom_add);
Datum
custmart_tagbloom_add(PG_FUNCTION_ARGS)
{
	TagBloom	tags;
	TagParts	parts = {0};
	uint64		hashes[TAGBLOOM_EXACT_MAX + 1];

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	if (!tags.is_exact)
	{
		parts.filter = tags.bytes;
		parts.log2_blocks = tags.log2_blocks;
		parts.log2_grain = tags.log2_grain;
	}
	parts.count = tagbloom_hashes(&tags, hashes);
	hashes[parts.count++] = tag_hash_text(PG_GETARG_TEXT_PP(1));
	parts.count = sort_hashes(hashes, parts.count);
	parts.hashes = hashes;
	PG_RETURN_BYTEA_P(tagbloom_make(&parts));
}

/* tagbloom - text: the set without the tag; 55000 if it is not exact. */
CUSTMART_FUNCTION(custmart_tagbloom_remove);
Datum
custmart_tagbloom_remove(PG_FUNCTION_ARGS)
{
	text	   *tag = PG_GETARG_TEXT_PP(1);
	uint64		hash = tag_hash_text(tag);
	TagBloom	tags;
	TagParts	parts = {0};
	uint64		hashes[TAGBLOOM_EXACT_MAX];
	int			n;

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	if (!tags.is_exact)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tag \"%.*s\" cannot be removed from a set that is not exact",
						(int) VARSIZE_ANY_EXHDR(tag), VARDATA_ANY(tag)),
				 errdetail("Of more than %d tags only a Bloom filter is kept; its bits may belong to other tags as well.",
						   TAGBLOOM_EXACT_MAX),
				 errhint("Rebuild the set from the table of tags: SELECT tag_agg(tag) ... WHERE tag <> ...")));
	n = tagbloom_hashes(&tags, hashes);
	for (int i = 0; i < n; i++)
		if (hashes[i] != hash)
			hashes[parts.count++] = hashes[i];
	parts.hashes = hashes;
	PG_RETURN_BYTEA_P(tagbloom_make(&parts));
}
