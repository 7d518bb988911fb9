/*
 * tag.c
 *	  Tags as they are hashed, read and written.
 */
#include "tagbloom/tag.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64
tag_hash64(const char *tag, Size length)
{
	return XXH64(tag, length, 0);
}

/* Says what is wrong with a tag of so many bytes, or returns NULL. */
const char *
tag_length_wrong(Size length)
{
	if (length == 0)
		return "a tag is empty";
	if (length > TAG_LENGTH_MAX)
		return "a tag has more than 1024 bytes";
	return NULL;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *
tag_skip_blanks(const char *text, const char *end)
{
	while (text < end && is_blank(*text))
		text++;
	return text;
}

/* Which character of a text in UTF-8 this is, from 1. */
int
tag_position(const char *text, const char *where)
{
	int			position = 1;

	for (; text < where; text++)
		position += (*text & 0xc0) != 0x80;
	return position;
}

static bool
ends_word(char c, TagSyntax syntax)
{
	if (syntax == TAG_IN_LIST)
		return c == ',' || c == '{' || c == '}' || c == '"';
	return c == '&' || c == '|' || c == '!' || c == '(' || c == ')' || c == '"' || is_blank(c);
}

/*
 * Reads the tag that begins at *text and moves *text behind it.  A tag in
 * double quotes may hold anything; a backslash makes the next byte an ordinary
 * one, inside quotes and outside.  Says what is wrong, with *text where it is,
 * or returns NULL.
 */
const char *
tag_read(const char **text, const char *end, TagSyntax syntax, TagWord *word)
{
	const char *start = *text;
	const char *p = start;
	uint32		kept = 0;		/* length without the blanks at the end */
	const char *wrong;
	bool		in_quotes = p < end && *p == '"';

	word->length = 0;
	word->is_quoted = in_quotes;
	if (in_quotes)
		p++;
	for (;; p++)
	{
		bool		is_escaped = false;

		if (p >= end)
		{
			if (!in_quotes)
				break;
			*text = start;
			return "a quote is not closed";
		}
		if (in_quotes ? *p == '"' : ends_word(*p, syntax))
			break;
		if (*p == '\\')
		{
			if (++p >= end)
			{
				*text = p - 1;
				return "nothing follows a backslash";
			}
			is_escaped = word->is_quoted = true;
		}
		/* Counted on, so that blanks at the end do not make a tag too long. */
		if (word->length < TAG_LENGTH_MAX)
			word->text[word->length] = *p;
		word->length++;
		if (in_quotes || is_escaped || !is_blank(*p))
			kept = word->length;
	}
	word->length = kept;
	wrong = tag_length_wrong(kept);
	*text = wrong != NULL ? start : p + in_quotes;
	return wrong;
}

/* Writes a tag as a query has it, in quotes if need be; returns the length. */
Size
tag_write(const char *tag, Size length, char *to)
{
	char	   *p = to;
	bool		needs_quotes = false;

	for (Size i = 0; i < length; i++)
		if (ends_word(tag[i], TAG_IN_QUERY) || tag[i] == '\\')
			needs_quotes = true;
	if (needs_quotes)
		*p++ = '"';
	for (Size i = 0; i < length; i++)
	{
		if (tag[i] == '"' || tag[i] == '\\')
			*p++ = '\\';
		*p++ = tag[i];
	}
	if (needs_quotes)
		*p++ = '"';
	return p - to;
}
