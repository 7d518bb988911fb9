/*
 * tag.h
 *	  A tag: a label of 1 to 1024 bytes of UTF-8, known by its hash.
 *
 * The hash is XXH64 with seed 0, as the Parquet format hashes what it puts into
 * its Bloom filters, so a filter of tags is a filter that others can read.
 */
#ifndef CUSTMART_TAG_H
#define CUSTMART_TAG_H

#include "shared/core.h"

#define TAG_LENGTH_MAX 1024

/* Where a tag is written: '{vip,new friend}' or 'vip & "new friend"'. */
typedef enum TagSyntax
{
	TAG_IN_LIST,				/* ends at a comma or brace; blanks inside are kept */
	TAG_IN_QUERY				/* ends at an operator, a parenthesis or a blank */
} TagSyntax;

/* A tag just read. */
typedef struct TagWord
{
	char		text[TAG_LENGTH_MAX];
	uint32		length;
	bool		is_quoted;		/* or has a backslash: not a word of the language */
} TagWord;

extern uint64 tag_hash64(const char *tag, Size length);
extern const char *tag_length_wrong(Size length);
extern const char *tag_read(const char **text, const char *end, TagSyntax syntax, TagWord *word);
extern Size tag_write(const char *tag, Size length, char *to);
extern const char *tag_skip_blanks(const char *text, const char *end);
extern int	tag_position(const char *text, const char *where);

/* Room that tag_write may need. */
#define TAG_WRITTEN_SIZE(length) (2 * (Size) (length) + 2)

#endif							/* CUSTMART_TAG_H */
