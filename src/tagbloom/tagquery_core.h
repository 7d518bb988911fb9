/*
 * tagquery_core.h
 *	  Boolean questions about a set of tags: vip & (ios | android) & !lapsed.
 *
 * A query is a tree, kept as an array in prefix order: a node, then its
 * children one after the other.  Every node knows where the one behind its
 * last descendant stands, so all that is done with a query is a loop over the
 * array, forwards from parents to children or backwards from children to
 * parents.  Nothing recurses, so no depth of nesting can be too much.
 *
 * The tree is canonical: "and" and "or" have two or more children and none of
 * their own kind, and no "not" follows another.
 */
#ifndef CUSTMART_TAGQUERY_CORE_H
#define CUSTMART_TAGQUERY_CORE_H

#include "shared/core.h"

#define TAGQUERY_VERSION 1
#define TAGQUERY_HEADER 8
#define TAGQUERY_TAGS_MAX 65536
#define TAGQUERY_DEPTH_MAX 65536	/* of parentheses */

typedef enum TagQueryOp
{
	QUERY_TAG = 1,
	QUERY_NOT = 2,
	QUERY_AND = 3,
	QUERY_OR = 4
} TagQueryOp;

typedef struct TagQueryNode
{
	TagQueryOp	op;
	uint32		parent;			/* of the root: itself */
	uint32		next;			/* the node behind the last descendant */
	uint32		leaf;			/* tags before this node */
	uint32		length;			/* QUERY_TAG: UTF-8, not terminated */
	const char *tag;
	uint64		hash;
} TagQueryNode;

typedef struct TagQuery
{
	uint32		nodes;
	uint32		leaves;
	TagQueryNode *node;
} TagQuery;

/*
 * A query ready to be asked: its tags in the order of the text, each with what
 * to ask next if the set has it and if not.  Most sets are decided after one
 * or two tags.
 */
#define ANSWER_TRUE (-1)
#define ANSWER_FALSE (-2)

typedef struct TagTest
{
	uint64		hash;
	int32		if_true;		/* number of a test, or an answer */
	int32		if_false;
} TagTest;

typedef struct TagProgram
{
	uint32		count;
	TagTest		test[FLEXIBLE_ARRAY_MEMBER];
} TagProgram;

/* The three values of "is the tag in the set", as GIN has them. */
typedef enum TagTruth
{
	TRUTH_FALSE = 0,
	TRUTH_TRUE = 1,
	TRUTH_MAYBE = 2
} TagTruth;

/* Where in a text a query goes wrong, and how. */
typedef struct TagQueryError
{
	const char *wrong;
	const char *where;
	bool		is_limit;		/* too large, not misspelt */
} TagQueryError;

extern bool tagquery_parse(const char *text, Size length, MemoryContext context,
						   uint8 **bytes, Size *size, TagQueryError *error);
extern const char *tagquery_load(const uint8 *bytes, Size length, MemoryContext context,
								 TagQuery *query);
extern TagProgram *tagquery_compile(const TagQuery *query, MemoryContext context);
extern TagTruth tagquery_truth(const TagQuery *query, const TagTruth *leaves, TagTruth *scratch);
extern float8 tagquery_probability(const TagQuery *query, const float8 *leaves, float8 *scratch);
extern char *tagquery_write(const TagQuery *query, MemoryContext context, Size *size);
extern char *tagquery_write_positive(const TagQuery *query, MemoryContext context, Size *size);
extern bool tagquery_positive_leaves(const TagQuery *query, MemoryContext context, bool *leaves);

#endif							/* CUSTMART_TAGQUERY_CORE_H */
