/*
 * tagquery.c
 *	  The type tagquery: text, binary, and what an index can do for a query.
 *
 * A query is stored in UTF-8 whatever the encoding of the database, as its tags
 * are hashed.
 */
#include "tagbloom/tagbloom.h"

#include "shared/bytes.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "tagbloom/tag.h"
#include "utils/builtins.h"

static const char *
check(const uint8 *bytes, Size length)
{
	TagQuery	query;

	return tagquery_load(bytes, length, CurrentMemoryContext, &query);
}

const StoredType tagquery_type = {"tagquery", check};

/* Fetches a stored query for reading, checked; its tags stay where they are. */
void
tagquery_get(Datum value, TagQuery *query)
{
	bytea	   *stored = DatumGetByteaPP(value);
	const char *wrong = tagquery_load((const uint8 *) VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored),
									  CurrentMemoryContext, query);

	if (wrong != NULL)
		stored_raise(&tagquery_type, wrong);
}

/* Reads UTF-8; NULL after a soft error.  given is what the user wrote. */
static bytea *
query_from_utf8(const char *utf8, int length, const char *given, Node *escontext)
{
	uint8	   *bytes;
	Size		size;
	TagQueryError error;
	bytea	   *value;

	if (!tagquery_parse(utf8, length, CurrentMemoryContext, &bytes, &size, &error))
	{
		int			position = tag_position(utf8, error.where);

		if (error.is_limit)
			ereturn(escontext, NULL,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("tagquery is too large: %s", error.wrong),
					 errhint("For one of many tags, ask tags ?| array_of_tags.")));
		(void) stored_input_error(given, &tagquery_type,
								  psprintf("%s, at character %d", error.wrong, position),
								  "Write & for and, | for or, ! for not, and a tag with blanks in double quotes: vip & (ios | \"new friend\") & !lapsed.",
								  escontext);
		return NULL;
	}
	value = palloc(VARHDRSZ + size);
	SET_VARSIZE(value, VARHDRSZ + size);
	memcpy(VARDATA(value), bytes, size);
	return value;
}

/* tagquery_in(cstring): a query such as vip & (ios | android) & !lapsed; soft errors. */
CUSTMART_FUNCTION(custmart_tagquery_in);
Datum
custmart_tagquery_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Node	   *escontext = INPUT_ERROR_CONTEXT(fcinfo);
	int			length;
	char	   *utf8 = tag_utf8(text, (int) strlen(text), &length, escontext);
	bytea	   *value = utf8 == NULL ? NULL : query_from_utf8(utf8, length, text, escontext);

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(value);
}

/* tagquery_out(tagquery): the canonical text. */
CUSTMART_FUNCTION(custmart_tagquery_out);
Datum
custmart_tagquery_out(PG_FUNCTION_ARGS)
{
	TagQuery	query;
	char	   *text;
	Size		size;

	tagquery_get(PG_GETARG_DATUM(0), &query);
	text = tagquery_write(&query, CurrentMemoryContext, &size);
	PG_RETURN_CSTRING(pg_any_to_server(text, (int) size, PG_UTF8));
}

/* tagquery_recv(internal): the stored bytes, checked. */
CUSTMART_FUNCTION(custmart_tagquery_recv);
Datum
custmart_tagquery_recv(PG_FUNCTION_ARGS)
{
	bytea	   *value = stored_recv(fcinfo, &tagquery_type);
	TagQuery	query;

	tagquery_get(PointerGetDatum(value), &query);
	for (uint32 i = 0; i < query.nodes; i++)
	{
		const TagQueryNode *node = &query.node[i];

		if (node->op == QUERY_TAG && !pg_verify_mbstr(PG_UTF8, node->tag, node->length, true))
			ereport(ERROR,
					(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
					 errmsg("binary tagquery is not valid: a tag is not valid UTF-8"),
					 errhint("The binary form is the one that the type's send function gives; see docs/storage-format.md.")));
	}
	PG_RETURN_BYTEA_P(value);
}

static int
compare_tags(const void *a, const void *b)
{
	const TagQueryNode *x = *(const TagQueryNode *const *) a;
	const TagQueryNode *y = *(const TagQueryNode *const *) b;

	return compare_bytes(x->tag, x->length, y->tag, y->length);
}

/* tag_list(tagquery): the tags that a query asks about, in the order of their bytes. */
CUSTMART_FUNCTION(custmart_tagquery_tag_list);
Datum
custmart_tagquery_tag_list(PG_FUNCTION_ARGS)
{
	TagQuery	query;
	const TagQueryNode **nodes;
	Datum	   *tags;
	int			n = 0;

	tagquery_get(PG_GETARG_DATUM(0), &query);
	nodes = palloc(sizeof(TagQueryNode *) * query.leaves);
	tags = palloc(sizeof(Datum) * query.leaves);
	for (uint32 i = 0; i < query.nodes; i++)
		if (query.node[i].op == QUERY_TAG)
			nodes[query.node[i].leaf] = &query.node[i];
	qsort(nodes, query.leaves, sizeof(TagQueryNode *), compare_tags);
	for (uint32 i = 0; i < query.leaves; i++)
		if (i == 0 || compare_tags(&nodes[i - 1], &nodes[i]) != 0)
		{
			char	   *tag = pnstrdup(nodes[i]->tag, nodes[i]->length);

			tags[n++] = CStringGetTextDatum(pg_any_to_server(tag, nodes[i]->length, PG_UTF8));
		}
	PG_RETURN_ARRAYTYPE_P(construct_array(tags, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* tagquery_tree(tagquery): the part that an index can look up, or "T". */
CUSTMART_FUNCTION(custmart_tagquery_tree);
Datum
custmart_tagquery_tree(PG_FUNCTION_ARGS)
{
	TagQuery	query;
	TagQuery	positive;
	char	   *text;
	Size		size;
	bytea	   *canonical;

	tagquery_get(PG_GETARG_DATUM(0), &query);
	text = tagquery_write_positive(&query, CurrentMemoryContext, &size);
	if (text == NULL)
		PG_RETURN_TEXT_P(cstring_to_text("T"));
	/* Without its negations, an "and" may be an operand of an "and": parse it again. */
	canonical = query_from_utf8(text, (int) size, text, NULL);
	tagquery_get(PointerGetDatum(canonical), &positive);
	text = tagquery_write(&positive, CurrentMemoryContext, &size);
	if (strcmp(text, "T") == 0)
		text = "\"T\"", size = 3;	/* a tag of this name */
	PG_RETURN_TEXT_P(cstring_to_text(pg_any_to_server(text, (int) size, PG_UTF8)));
}
