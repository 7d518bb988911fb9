/*
 * tagbloom_make.c
 *	  Sets of tags made of texts, of conditions, of jsonb.
 */
#include "tagbloom/tagbloom.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "shared/growing_array.h"
#include "tagbloom/tag.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

/* tags(VARIADIC text[]): the set of these tags; NULLs are skipped. */
CUSTMART_FUNCTION(custmart_tags);
Datum
custmart_tags(PG_FUNCTION_ARGS)
{
	uint64	   *hashes;
	uint32		count = tag_hash_array(PG_GETARG_ARRAYTYPE_P(0), &hashes);

	PG_RETURN_BYTEA_P(tagbloom_of_hashes(hashes, count));
}

static bool
is_text(Oid type)
{
	if (type != TEXTOID && type != VARCHAROID)
		type = getBaseType(type);
	return type == TEXTOID || type == VARCHAROID;
}

/* tags_if(tag, condition, tag, condition, ...): the tags whose condition is true. */
CUSTMART_FUNCTION(custmart_tags_if);
Datum
custmart_tags_if(PG_FUNCTION_ARGS)
{
	Datum	   *values;
	bool	   *nulls;
	Oid		   *types;
	int			n = extract_variadic_args(fcinfo, 0, true, &values, &types, &nulls);
	uint64	   *hashes;
	uint32		count = 0;

	if (n < 0)
		PG_RETURN_NULL();
	if (n % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tags_if takes pairs of a tag and a condition, not %d arguments", n),
				 errhint("Write tags_if('vip', revenue > 1000, 'lapsed', last_order < '2026-01-01').")));
	hashes = palloc(sizeof(uint64) * Max(n, 1));
	for (int i = 0; i < n; i += 2)
	{
		if (!is_text(types[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("argument %d of tags_if must be a tag, of type text, not %s",
							i + 1, format_type_be(types[i])),
					 errhint("A tag comes first, then its condition. Cast other types: code::text.")));
		/* A literal NULL has come as text. */
		if (types[i + 1] != BOOLOID && getBaseType(types[i + 1]) != BOOLOID &&
			!(types[i + 1] == TEXTOID && nulls[i + 1]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("argument %d of tags_if must be a condition, of type boolean, not %s",
							i + 2, format_type_be(types[i + 1])),
					 errhint("A tag comes first, then its condition.")));
		if (!nulls[i] && !nulls[i + 1] && DatumGetBool(values[i + 1]))
			hashes[count++] = tag_hash_text(DatumGetTextPP(values[i]));
	}
	PG_RETURN_BYTEA_P(tagbloom_of_hashes(hashes, count));
}

/* ---------- tags(jsonb) ---------- */

static void
raise_jsonb(Jsonb *json, const char *wrong)
{
	char	   *text = JsonbToCString(NULL, &json->root, VARSIZE(json));
	int			quoted = pg_mbcliplen(text, strlen(text), 60);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("tags cannot be made of the jsonb %.*s%s", quoted, text, text[quoted] == '\0' ? "" : "..."),
			 errdetail("%s.", wrong),
			 errhint("Give an array of tags, [\"vip\", \"ios\"], or an object whose values are such arrays or single values, {\"channel\": \"app\"}.")));
}

/* Appends a string, number or boolean; false if it is null. */
static bool
append_scalar(StringInfo to, const JsonbValue *value)
{
	if (value->type == jbvString)
		appendBinaryStringInfo(to, value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
	{
		char	   *number = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));

		appendStringInfoString(to, number);
		pfree(number);
	}
	else if (value->type == jbvBool)
		appendStringInfoString(to, value->val.boolean ? "true" : "false");
	return value->type != jbvNull;
}

/* tags(jsonb): elements of an array, key=value of an object; nulls are skipped. */
CUSTMART_FUNCTION(custmart_tags_jsonb);
Datum
custmart_tags_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = PG_GETARG_JSONB_P(0);
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	StringInfoData tag;			/* a text, that is, with its header */
	Size		room = 16;
	uint64	   *hashes = palloc(sizeof(uint64) * room);
	uint32		count = 0;
	int			prefix = VARHDRSZ;	/* length of the header and "key=" */
	int			depth = 0;
	bool		is_object = JB_ROOT_IS_OBJECT(json);

	if (JB_ROOT_IS_SCALAR(json))
		raise_jsonb(json, "It is neither an array nor an object");
	initStringInfo(&tag);
	appendStringInfoSpaces(&tag, VARHDRSZ);
	for (Size step = 0; (token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE; step++)
	{
		check_interrupts(step);
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
		{
			if (++depth > 1 && (token == WJB_BEGIN_OBJECT || !is_object || depth > 2))
				raise_jsonb(json, "An array or object is nested in another");
		}
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		else
		{
			/* The key stays for all elements of an array that is its value. */
			if (token == WJB_KEY)
				prefix = VARHDRSZ;
			tag.len = prefix;
			if (!append_scalar(&tag, &value))
				continue;
			if (token == WJB_KEY)
			{
				appendStringInfoChar(&tag, '=');
				prefix = tag.len;
				continue;
			}
			if (count == room)
				hashes = array_grow(hashes, &room, room + 1, sizeof(uint64), CurrentMemoryContext);
			SET_VARSIZE(tag.data, tag.len);
			hashes[count++] = tag_hash_text((text *) tag.data);
		}
	}
	PG_RETURN_BYTEA_P(tagbloom_of_hashes(hashes, count));
}
