/*
 * tagbloom.c
 *	  The type tagbloom: text, binary, type modifier, and facts about a set.
 *
 * Tags are hashed in UTF-8 whatever the encoding of the database, so a tag has
 * the same hash everywhere.
 */
#include "tagbloom/tagbloom.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "tagbloom/tag.h"
#include "utils/builtins.h"

const StoredType tagbloom_type = {"tagbloom", tagbloom_check};

#define LITERAL_HINT "Write tags as '{vip,\"new friend\"}', or the text that custmart itself wrote."

/* ---------- shared by the files of tagbloom ---------- */

/* Fetches a stored set for reading, checked; frees nothing, see stored_get. */
bytea *
tagbloom_get(Datum value, TagBloom *tags)
{
	bytea	   *stored = stored_get(value, &tagbloom_type);

	tagbloom_view((const uint8 *) VARDATA_ANY(stored), tags);
	return stored;
}

/* Raises 54000 if there are more tags than the largest filter takes. */
void
tagbloom_check_count(uint32 count)
{
	uint32		most = tagbloom_capacity(TAGBLOOM_LOG2_MAX);

	if (count > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a set cannot have more than %u tags", most),
				 errhint("Make sets of parts of the tags, and keep them apart.")));
}

/* The set of these parts as a value. */
bytea *
tagbloom_make(const TagParts *parts)
{
	Size		size = VARHDRSZ + tagbloom_size(parts);
	bytea	   *value;

	tagbloom_check_count(parts->count);
	value = palloc(size);
	SET_VARSIZE(value, size);
	tagbloom_store(parts, (uint8 *) VARDATA(value));
	return value;
}

/* The set of tags with these hashes, which it sorts. */
bytea *
tagbloom_of_hashes(uint64 *hashes, uint32 count)
{
	TagParts	parts = {0};

	parts.hashes = hashes;
	parts.count = sort_hashes(hashes, count);
	return tagbloom_make(&parts);
}

/*
 * A text of the database in UTF-8, which is the text itself where the database
 * is in UTF-8.  A character that UTF-8 does not have is an error, a soft one
 * where there is a context for it; then NULL is returned.
 */
char *
tag_utf8(const char *text, int length, int *utf8_length, Node *escontext)
{
	unsigned char *converted;
	Size		room;
	Oid			conversion;

	*utf8_length = length;
	if (GetDatabaseEncoding() == PG_UTF8 || length == 0)
		return unconstify(char *, text);
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		if (!pg_verify_mbstr(PG_UTF8, text, length, true))
			ereturn(escontext, NULL,
					(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
					 errmsg("a tag is not valid UTF-8"),
					 errhint("Tags are hashed as UTF-8. In a database of the encoding SQL_ASCII they must be stored as UTF-8.")));
		return unconstify(char *, text);
	}
	if (length > PG_INT32_MAX / MAX_CONVERSION_GROWTH)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a text of %d bytes is too long to be converted to UTF-8", length),
				 errhint("Tags are hashed as UTF-8; give them in shorter texts.")));
	conversion = FindDefaultConversionProc(GetDatabaseEncoding(), PG_UTF8);
	if (!OidIsValid(conversion))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("there is no conversion from encoding \"%s\" to UTF8", GetDatabaseEncodingName()),
				 errhint("Tags are hashed as UTF-8.")));
	room = (Size) length * MAX_CONVERSION_GROWTH + 1;
	converted = large_alloc(CurrentMemoryContext, room);
	if (pg_do_encoding_conversion_buf(conversion, GetDatabaseEncoding(), PG_UTF8,
									  (unsigned char *) text, length, converted,
									  (int) Min(room, PG_INT32_MAX), true) != length)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("a tag has a character without an equivalent in UTF-8"),
				 errhint("Tags are hashed as UTF-8, so that they are the same in databases of any encoding.")));
	*utf8_length = (int) strlen((char *) converted);
	return (char *) converted;
}

/* The hash of a tag given as text; 22023 if it is empty or too long. */
uint64
tag_hash_text(text *tag)
{
	int			length = VARSIZE_ANY_EXHDR(tag);
	char	   *utf8 = VARDATA_ANY(tag);
	uint64		hash;

	/* No encoding takes more than four bytes for one of UTF-8. */
	if (length <= 4 * TAG_LENGTH_MAX)
		utf8 = tag_utf8(VARDATA_ANY(tag), length, &length, NULL);
	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tag \"\" is empty"),
				 errhint("Use NULL for no tag.")));
	if (length > TAG_LENGTH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tag \"%.*s...\" has %d bytes",
						pg_mbcliplen(VARDATA_ANY(tag), VARSIZE_ANY_EXHDR(tag), 60), VARDATA_ANY(tag), length),
				 errhint("A tag has at most %d bytes of UTF-8.", TAG_LENGTH_MAX)));
	hash = tag_hash64(utf8, length);
	if (utf8 != VARDATA_ANY(tag))
		pfree(utf8);
	return hash;
}

/* The hashes of the tags of an array without its NULLs; returns how many. */
uint32
tag_hash_array(ArrayType *tags, uint64 **hashes)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	uint32		count = 0;

	deconstruct_array(tags, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	*hashes = palloc(sizeof(uint64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (!nulls[i])
			(*hashes)[count++] = tag_hash_text(DatumGetTextPP(elements[i]));
	}
	pfree(elements);
	pfree(nulls);
	return count;
}

/* ---------- the type modifier ---------- */

/*
 * A set as a column of type tagbloom(n) has it.  Exact sets stay as they are; a
 * filter is raised to the size for n tags, and, where the cast was asked for
 * (exactly), a larger one is halved to it.
 */
static bytea *
apply_typmod(bytea *value, int32 typmod, bool exactly)
{
	TagBloom	tags;
	int			log2_blocks;
	Size		size;
	bytea	   *resized;

	tagbloom_view((const uint8 *) VARDATA_ANY(value), &tags);
	if (typmod < 0 || tags.is_exact)
		return value;
	log2_blocks = tagbloom_log2_blocks(typmod);
	if (log2_blocks == tags.log2_blocks || (log2_blocks < tags.log2_blocks && !exactly))
		return value;
	size = VARHDRSZ + TAGBLOOM_HEADER + FILTER_SIZE(log2_blocks);
	resized = palloc(size);
	SET_VARSIZE(resized, size);
	tagbloom_resize(&tags, log2_blocks, (uint8 *) VARDATA(resized));
	return resized;
}

/* tagbloom_typmod_in(cstring[]): the n of tagbloom(n). */
CUSTMART_FUNCTION(custmart_tagbloom_typmod_in);
Datum
custmart_tagbloom_typmod_in(PG_FUNCTION_ARGS)
{
	int			n;
	int32	   *typmods = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &n);
	int			most = (int) tagbloom_capacity(TAGBLOOM_LOG2_MAX);

	if (n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type tagbloom takes one modifier, not %d", n),
				 errhint("tagbloom(1000) is for sets of up to 1000 tags.")));
	if (typmods[0] < 1 || typmods[0] > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("modifier of type tagbloom must be from 1 to %d, not %d", most, typmods[0]),
				 errhint("It is the number of tags that a set is expected to have.")));
	PG_RETURN_INT32(typmods[0]);
}

/* tagbloom_typmod_out(integer): "(n)". */
CUSTMART_FUNCTION(custmart_tagbloom_typmod_out);
Datum
custmart_tagbloom_typmod_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf("(%d)", PG_GETARG_INT32(0)));
}

/* tagbloom(tagbloom, typmod, is_explicit): the cast to tagbloom(n). */
CUSTMART_FUNCTION(custmart_tagbloom_resize);
Datum
custmart_tagbloom_resize(PG_FUNCTION_ARGS)
{
	TagBloom	tags;

	PG_RETURN_BYTEA_P(apply_typmod(tagbloom_get(PG_GETARG_DATUM(0), &tags),
								   PG_GETARG_INT32(1), PG_GETARG_BOOL(2)));
}

/* ---------- text and binary ---------- */

/* Reads {tag,tag}, in UTF-8; says what is wrong, or returns NULL. */
static const char *
tags_from_list(const char *text, const char *end, uint64 **hashes, uint32 *count)
{
	const char *p = tag_skip_blanks(text, end);
	const char *wrong = NULL;
	Size		room = 16;

	*hashes = palloc(room * sizeof(uint64));
	*count = 0;
	if (p >= end || *p++ != '{')
		return "it does not begin with \"{\"";
	p = tag_skip_blanks(p, end);
	if (p < end && *p == '}')
		p++;
	else
		for (Size step = 0;; step++)
		{
			TagWord		word;

			check_interrupts(step);
			if (*count == room)
				*hashes = array_grow(*hashes, &room, room + 1, sizeof(uint64), CurrentMemoryContext);
			p = tag_skip_blanks(p, end);
			wrong = p < end && *p == '{' ? "a list is nested in a list" :
				tag_read(&p, end, TAG_IN_LIST, &word);
			if (wrong != NULL)
				break;
			/* As in an array: NULL is no tag, "NULL" is one. */
			if (word.is_quoted || word.length != 4 || pg_strncasecmp(word.text, "null", 4) != 0)
				(*hashes)[(*count)++] = tag_hash64(word.text, word.length);
			p = tag_skip_blanks(p, end);
			if (p < end && *p == '}')
			{
				p++;
				break;
			}
			if (p >= end || *p != ',')
			{
				wrong = "a comma or \"}\" is missing";
				break;
			}
			p++;
		}
	if (wrong == NULL && tag_skip_blanks(p, end) < end)
		wrong = "something follows the closing \"}\"";
	if (wrong != NULL)
		return psprintf("%s, at character %d", wrong, tag_position(text, p));
	return NULL;
}

/* tagbloom_in(cstring, oid, typmod): a list of tags or the text form; soft errors. */
CUSTMART_FUNCTION(custmart_tagbloom_in);
Datum
custmart_tagbloom_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	Node	   *escontext = INPUT_ERROR_CONTEXT(fcinfo);
	bytea	   *value;

	if (strncmp(text, "tagbloom:", 9) == 0)
	{
		value = stored_from_base64(text, &tagbloom_type, escontext);
		if (value == NULL)
			PG_RETURN_NULL();
	}
	else
	{
		int			length;
		char	   *utf8 = tag_utf8(text, (int) strlen(text), &length, escontext);
		uint64	   *hashes;
		uint32		count;
		const char *wrong;

		if (utf8 == NULL)
			PG_RETURN_NULL();
		wrong = tags_from_list(utf8, utf8 + length, &hashes, &count);
		if (wrong != NULL)
			return stored_input_error(text, &tagbloom_type, wrong, LITERAL_HINT, escontext);
		value = tagbloom_of_hashes(hashes, count);
	}
	PG_RETURN_BYTEA_P(apply_typmod(value, typmod, false));
}

/* tagbloom_out(tagbloom): "tagbloom:" and the stored bytes in base64. */
CUSTMART_FUNCTION(custmart_tagbloom_out);
Datum
custmart_tagbloom_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &tagbloom_type), &tagbloom_type));
}

/* tagbloom_recv(internal, oid, typmod): the stored bytes, checked. */
CUSTMART_FUNCTION(custmart_tagbloom_recv);
Datum
custmart_tagbloom_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(apply_typmod(stored_recv(fcinfo, &tagbloom_type), PG_GETARG_INT32(2), false));
}

/* ---------- facts about a set ---------- */

/* tag_count(tagbloom): number of tags, an estimate if the set is not exact. */
CUSTMART_FUNCTION(custmart_tag_count);
Datum
custmart_tag_count(PG_FUNCTION_ARGS)
{
	TagBloom	tags;

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	PG_RETURN_FLOAT8(tagbloom_count(&tags));
}

/* is_exact(tagbloom): true if the hashes themselves are kept. */
CUSTMART_FUNCTION(custmart_tagbloom_is_exact);
Datum
custmart_tagbloom_is_exact(PG_FUNCTION_ARGS)
{
	TagBloom	tags;

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	PG_RETURN_BOOL(tags.is_exact);
}

/* false_positive_rate(tagbloom): how often a tag that is not there seems to be. */
CUSTMART_FUNCTION(custmart_tagbloom_false_positive_rate);
Datum
custmart_tagbloom_false_positive_rate(PG_FUNCTION_ARGS)
{
	TagBloom	tags;

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	PG_RETURN_FLOAT8(tagbloom_false_positive_rate(&tags));
}

/* tag_list(tagbloom) and unnest(tagbloom): an error that says what to call instead. */
CUSTMART_FUNCTION(custmart_tagbloom_no_names);
Datum
custmart_tagbloom_no_names(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a tagbloom does not keep the names of its tags"),
			 errhint("Say which tags to look for: tag_list(tags, dictionary) returns those of an array that the set has.")));
}

/* tag_list(tagbloom, dictionary): the tags of a dictionary that the set has. */
CUSTMART_FUNCTION(custmart_tag_list);
Datum
custmart_tag_list(PG_FUNCTION_ARGS)
{
	TagBloom	tags;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			kept = 0;

	tagbloom_get(PG_GETARG_DATUM(0), &tags);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (!nulls[i] && tagbloom_has(&tags, tag_hash_text(DatumGetTextPP(elements[i]))))
			elements[kept++] = elements[i];
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, kept, TEXTOID, -1, false, TYPALIGN_INT));
}
