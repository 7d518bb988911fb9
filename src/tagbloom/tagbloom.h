/*
 * tagbloom.h
 *	  What the SQL faces of tagbloom and tagquery share.
 */
#ifndef CUSTMART_TAGBLOOM_H
#define CUSTMART_TAGBLOOM_H

#include "custmart.h"

#include "shared/stored_value.h"
#include "tagbloom/tagbloom_core.h"
#include "tagbloom/tagquery_core.h"
#include "utils/array.h"

extern const StoredType tagbloom_type;
extern const StoredType tagquery_type;

/* tagbloom.c */
extern bytea *tagbloom_get(Datum value, TagBloom *tags);
extern void tagbloom_check_count(uint32 count);
extern bytea *tagbloom_make(const TagParts *parts);
extern bytea *tagbloom_of_hashes(uint64 *hashes, uint32 count);
extern char *tag_utf8(const char *text, int length, int *utf8_length, Node *escontext);
extern uint64 tag_hash_text(text *tag);
extern uint32 tag_hash_array(ArrayType *tags, uint64 **hashes);

/* tagquery.c */
extern void tagquery_get(Datum value, TagQuery *query);

/* Operators as the index and the statistics know them. */
typedef enum TagStrategy
{
	TAG_HAS = 1,				/* ? text */
	TAG_HAS_ANY = 2,			/* ?| text[] */
	TAG_HAS_ALL = 3,			/* ?& text[] */
	TAG_CONTAINS = 4,			/* @> tagbloom */
	TAG_MATCHES = 5				/* @@ tagquery */
} TagStrategy;

#endif							/* CUSTMART_TAGBLOOM_H */
