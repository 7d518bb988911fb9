/*
 * tagquery_core.c
 *	  Queries over tags: read, stored, compiled, evaluated, written.
 */
#include "tagbloom/tagquery_core.h"

#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "shared/stored_kind.h"
#include "tagbloom/tag.h"

static void *
allocate(MemoryContext context, Size count, Size size)
{
	return large_alloc(context, Max(count, 1) * size);
}

/* ---------- reading ---------- */

#define NONE PG_UINT32_MAX

/* A node while a text is read: a list of children, so that lists can be joined. */
typedef struct Draft
{
	TagQueryOp	op;
	uint32		first;			/* child, or NONE */
	uint32		last;
	uint32		children;
	uint32		sibling;		/* next child of the same node, or NONE */
	uint32		length;			/* QUERY_TAG */
	const char *tag;
} Draft;

/* What has been read since a parenthesis was opened. */
typedef struct Frame
{
	uint32		any;			/* draft of an "or" that is growing, or NONE */
	uint32		all;			/* draft of an "and" that is growing, or NONE */
	bool		is_negated;		/* by what stood before the parenthesis */
} Frame;

typedef struct Reader
{
	Draft	   *draft;
	uint32		drafts;
	Frame	   *frame;
	uint32		depth;			/* open parentheses */
	uint32		unused_not;		/* a "not" that was taken back, or NONE */
	char	   *tags;			/* free end of the tags' bytes */
} Reader;

static uint32
add_draft(Reader *reader, TagQueryOp op)
{
	Draft	   *draft = &reader->draft[reader->drafts];

	draft->op = op;
	draft->first = draft->last = draft->sibling = NONE;
	draft->children = 0;
	return reader->drafts++;
}

/* Adds a child to a list; a child of the list's own kind gives its children. */
static void
add_child(Reader *reader, uint32 list, uint32 child)
{
	Draft	   *to = &reader->draft[list];
	Draft	   *from = &reader->draft[child];
	bool		is_same = to->op == from->op;
	uint32		first = is_same ? from->first : child;

	if (to->first == NONE)
		to->first = first;
	else
		reader->draft[to->last].sibling = first;
	to->last = is_same ? from->last : child;
	to->children += is_same ? from->children : 1;
}

/*
 * Adds an operand to the list of an operator.  A list begins with its first
 * operand alone, so that what has one operand does not become a list.
 */
static void
add_operand(Reader *reader, uint32 *list, TagQueryOp op, uint32 operand)
{
	if (*list == NONE)
		*list = operand;
	else
	{
		if (reader->draft[*list].op != op)
		{
			uint32		first = *list;

			*list = add_draft(reader, op);
			add_child(reader, *list, first);
		}
		add_child(reader, *list, operand);
	}
}

static uint32
negate(Reader *reader, uint32 operand)
{
	uint32		not = reader->unused_not;

	if (reader->draft[operand].op == QUERY_NOT)
	{
		reader->unused_not = operand;
		return reader->draft[operand].first;
	}
	if (not == NONE)
		not = add_draft(reader, QUERY_NOT);
	reader->unused_not = NONE;
	reader->draft[not].first = NONE;
	reader->draft[not].children = 0;
	add_child(reader, not, operand);
	return not;
}

/* What has been read in the innermost parentheses, as one operand. */
static uint32
close_frame(Reader *reader)
{
	Frame	   *frame = &reader->frame[reader->depth];

	add_operand(reader, &frame->any, QUERY_OR, frame->all);
	return frame->is_negated ? negate(reader, frame->any) : frame->any;
}

static void
open_frame(Reader *reader, bool is_negated)
{
	Frame	   *frame = &reader->frame[reader->depth];

	frame->any = frame->all = NONE;
	frame->is_negated = is_negated;
}

/* Reads a text into drafts; returns the root, or NONE after an error. */
static uint32
read_drafts(Reader *reader, const char *text, const char *end, TagQueryError *error)
{
	const char *p = text;
	bool		wants_operand = true;
	bool		is_negated = false;
	uint32		tags = 0;
	Size		steps = 0;

	open_frame(reader, false);
	for (;;)
	{
		uint32		operand = NONE;

		check_interrupts(steps++);
		p = tag_skip_blanks(p, end);
		error->where = p;
		error->is_limit = false;
		if (p >= end)
			break;
		if (wants_operand)
		{
			if (*p == '!')
			{
				is_negated = !is_negated;
				p++;
				continue;
			}
			if (*p == '(')
			{
				if (++reader->depth > TAGQUERY_DEPTH_MAX)
				{
					error->wrong = "parentheses are nested deeper than 65536";
					error->is_limit = true;
					return NONE;
				}
				open_frame(reader, is_negated);
				is_negated = false;
				p++;
				continue;
			}
			if (*p == '&' || *p == '|' || *p == ')')
			{
				error->wrong = "a tag, \"!\" or \"(\" is missing before this";
				return NONE;
			}
			if (tags++ == TAGQUERY_TAGS_MAX)
			{
				error->wrong = "a query has more than 65536 tags";
				error->is_limit = true;
				return NONE;
			}
			else
			{
				TagWord		word;

				error->wrong = tag_read(&p, end, TAG_IN_QUERY, &word);
				if (error->wrong != NULL)
				{
					error->where = p;
					return NONE;
				}
				operand = add_draft(reader, QUERY_TAG);
				reader->draft[operand].length = word.length;
				reader->draft[operand].tag = memcpy(reader->tags, word.text, word.length);
				reader->tags += word.length;
				if (is_negated)
					operand = negate(reader, operand);
				is_negated = false;
			}
		}
		else if (*p == ')')
		{
			if (reader->depth == 0)
			{
				error->wrong = "this parenthesis was not opened";
				return NONE;
			}
			operand = close_frame(reader);
			reader->depth--;
			p++;
		}
		else if (*p == '&' || *p == '|')
		{
			Frame	   *frame = &reader->frame[reader->depth];

			if (*p++ == '|')
			{
				add_operand(reader, &frame->any, QUERY_OR, frame->all);
				frame->all = NONE;
			}
			wants_operand = true;
			continue;
		}
		else
		{
			error->wrong = "\"&\" or \"|\" is missing before this";
			return NONE;
		}
		add_operand(reader, &reader->frame[reader->depth].all, QUERY_AND, operand);
		wants_operand = false;
	}
	if (wants_operand)
		error->wrong = tag_skip_blanks(text, end) >= end ? "it has no tag" : "a tag is missing at the end";
	else if (reader->depth > 0)
		error->wrong = "a parenthesis is not closed";
	else
		return close_frame(reader);
	return NONE;
}

/* Writes drafts as stored bytes, in prefix order; returns their size. */
static Size
store_drafts(const Reader *reader, uint32 root, uint32 *pending, uint8 *to)
{
	uint8	   *p = to;
	uint32		depth = 0;
	uint32		nodes = 0;

	*p++ = STORED_TAGQUERY;
	*p++ = TAGQUERY_VERSION;
	*p++ = 0;
	*p++ = 0;
	p += sizeof(uint32);
	/* The pending nodes are those whose siblings are still to come. */
	pending[depth++] = root;
	while (depth > 0)
	{
		const Draft *draft = &reader->draft[pending[--depth]];

		check_interrupts(nodes++);
		if (draft->sibling != NONE)
			pending[depth++] = draft->sibling;
		if (draft->first != NONE)
			pending[depth++] = draft->first;
		*p++ = draft->op;
		if (draft->op == QUERY_TAG)
		{
			*p++ = draft->length >> 8;
			*p++ = draft->length & 0xff;
			memcpy(p, draft->tag, draft->length);
			p += draft->length;
		}
		else if (draft->op != QUERY_NOT)
			p = store_u32(p, draft->children);
	}
	store_u32(to + 4, nodes);
	return p - to;
}

/*
 * Reads a query, in UTF-8, into newly allocated bytes of the stored form; false,
 * with what is wrong, if it is none.
 */
bool
tagquery_parse(const char *text, Size length, MemoryContext context,
			   uint8 **bytes, Size *size, TagQueryError *error)
{
	Reader		reader = {0};
	Size		operators = 0;
	Size		parentheses = 0;
	Size		drafts;
	uint32		root;

	/*
	 * Room for the worst case: tags, one more than the operators between them, a
	 * list for each of these, and over any of all these a "not".
	 */
	for (Size i = 0; i < length; i++)
	{
		check_interrupts(i);
		operators += text[i] == '&' || text[i] == '|';
		parentheses += text[i] == '(';
	}
	drafts = 4 * Min(operators + 1, TAGQUERY_TAGS_MAX);
	reader.unused_not = NONE;
	reader.draft = allocate(context, drafts, sizeof(Draft));
	reader.frame = allocate(context, Min(parentheses, TAGQUERY_DEPTH_MAX) + 1, sizeof(Frame));
	reader.tags = allocate(context, length, 1);

	root = read_drafts(&reader, text, text + length, error);
	if (root == NONE)
		return false;
	/* A tag takes 3 bytes more than its text, an operator at most 5. */
	*bytes = allocate(context, TAGQUERY_HEADER + length + 5 * (Size) reader.drafts, 1);
	*size = store_drafts(&reader, root, allocate(context, reader.drafts, sizeof(uint32)), *bytes);
	return true;
}

/* ---------- the stored form ---------- */

/*
 * The checker of the type, and the way to read it: builds the query from its
 * bytes, in which its tags stay; or says what is wrong with them.
 */
const char *
tagquery_load(const uint8 *bytes, Size length, MemoryContext context, TagQuery *query)
{
	const uint8 *p = bytes + TAGQUERY_HEADER;
	const uint8 *end = bytes + length;
	uint32	   *missing;		/* children still to come, of each node */
	uint32		open = 0;		/* the node that the next one is a child of */
	bool		is_whole = false;

	if (length < TAGQUERY_HEADER)
		return "it is truncated";
	if (bytes[0] != STORED_TAGQUERY)
		return "its first byte is not that of a tagquery";
	if (bytes[1] != TAGQUERY_VERSION)
		return "its version is not known";
	if (bytes[2] != 0 || bytes[3] != 0)
		return "a reserved byte is not 0";
	query->nodes = load_u32(bytes + 4);
	if (query->nodes == 0 || query->nodes > length - TAGQUERY_HEADER)
		return "its number of nodes does not fit its length";
	if (query->nodes > 4 * TAGQUERY_TAGS_MAX)
		return "it has too many nodes";
	query->leaves = 0;
	query->node = allocate(context, query->nodes, sizeof(TagQueryNode));
	missing = allocate(context, query->nodes, sizeof(uint32));

	for (uint32 i = 0; i < query->nodes; i++)
	{
		TagQueryNode *node = &query->node[i];

		check_interrupts(i);
		if (is_whole)
			return "something follows its last node";
		if (p >= end)
			return "it is truncated";
		node->op = *p++;
		node->parent = open;
		node->leaf = query->leaves;
		missing[i] = 0;
		if (node->op == QUERY_TAG)
		{
			if (end - p < 2 || end - p - 2 < (node->length = p[0] << 8 | p[1]))
				return "it is truncated";
			if (node->length == 0 || node->length > TAG_LENGTH_MAX)
				return "a tag has not 1 to 1024 bytes";
			if (query->leaves++ == TAGQUERY_TAGS_MAX)
				return "it has more than 65536 tags";
			node->tag = (const char *) p + 2;
			node->hash = tag_hash64(node->tag, node->length);
			p += 2 + node->length;
		}
		else if (node->op == QUERY_NOT)
			missing[i] = 1;
		else if (node->op == QUERY_AND || node->op == QUERY_OR)
		{
			if (end - p < 4)
				return "it is truncated";
			missing[i] = load_u32(p);
			p += 4;
			if (missing[i] < 2)
				return "an operator has less than two operands";
		}
		else
			return "it has a node of an unknown kind";
		if (i > 0 && node->op != QUERY_TAG && query->node[open].op == node->op)
			return "an operator is an operand of the same operator";

		/* A node is whole when its children are, and its parent perhaps with it. */
		if (node->op != QUERY_TAG)
			open = i;
		else
		{
			uint32		whole = i;

			for (;;)
			{
				query->node[whole].next = i + 1;
				if (whole == 0)
				{
					is_whole = true;
					break;
				}
				whole = query->node[whole].parent;
				if (--missing[whole] > 0)
				{
					open = whole;
					break;
				}
			}
		}
	}
	if (!is_whole)
		return "an operand is missing";
	if (p != end)
		return "something follows its last node";
	return NULL;
}

/* ---------- asking ---------- */

/*
 * Turns a query into tests.  Every node is given where to go on if it is true
 * and if it is false, and hands that down to its children: of "and", a child
 * that is true leads to the next child, whose first tag is the first one after
 * it in the text.
 */
TagProgram *
tagquery_compile(const TagQuery *query, MemoryContext context)
{
	TagProgram *program = allocate(context, 1, offsetof(TagProgram, test) + sizeof(TagTest) * query->leaves);
	int32	   *if_true = allocate(context, query->nodes, sizeof(int32));
	int32	   *if_false = allocate(context, query->nodes, sizeof(int32));

	program->count = query->leaves;
	if_true[0] = ANSWER_TRUE;
	if_false[0] = ANSWER_FALSE;
	for (uint32 i = 0; i < query->nodes; i++)
	{
		const TagQueryNode *node = &query->node[i];

		check_interrupts(i);
		if (node->op == QUERY_TAG)
		{
			TagTest    *test = &program->test[node->leaf];

			test->hash = node->hash;
			test->if_true = if_true[i];
			test->if_false = if_false[i];
		}
		else
			for (uint32 child = i + 1; child < node->next; child = query->node[child].next)
			{
				uint32		sibling = query->node[child].next;
				bool		is_last = sibling >= node->next;

				if_true[child] = node->op == QUERY_NOT ? if_false[i] :
					node->op == QUERY_AND && !is_last ? (int32) query->node[sibling].leaf : if_true[i];
				if_false[child] = node->op == QUERY_NOT ? if_true[i] :
					node->op == QUERY_OR && !is_last ? (int32) query->node[sibling].leaf : if_false[i];
			}
	}
	return program;
}

/*
 * The query's truth by those of its tags, in the order of the text (Kleene's
 * three-valued logic); scratch has room for all nodes.
 */
TagTruth
tagquery_truth(const TagQuery *query, const TagTruth *leaves, TagTruth *scratch)
{
	static const TagTruth not[] = {TRUTH_TRUE, TRUTH_FALSE, TRUTH_MAYBE};

	for (uint32 i = query->nodes; i-- > 0;)
	{
		const TagQueryNode *node = &query->node[i];
		TagTruth	truth;

		check_interrupts(i);
		if (node->op == QUERY_TAG)
			truth = leaves[node->leaf];
		else if (node->op == QUERY_NOT)
			truth = not[scratch[i + 1]];
		else
		{
			/* One child of this value decides; else, one that may have it. */
			TagTruth	deciding = node->op == QUERY_AND ? TRUTH_FALSE : TRUTH_TRUE;

			truth = not[deciding];
			for (uint32 child = i + 1; child < node->next && truth != deciding;
				 child = query->node[child].next)
				if (scratch[child] == deciding || scratch[child] == TRUTH_MAYBE)
					truth = scratch[child];
		}
		scratch[i] = truth;
	}
	return scratch[0];
}

/*
 * The query's probability by those of its tags, taken to be independent of each
 * other; scratch has room for all nodes.
 */
float8
tagquery_probability(const TagQuery *query, const float8 *leaves, float8 *scratch)
{
	for (uint32 i = query->nodes; i-- > 0;)
	{
		const TagQueryNode *node = &query->node[i];
		float8		product = 1;

		check_interrupts(i);
		if (node->op == QUERY_TAG)
			product = leaves[node->leaf];
		else if (node->op == QUERY_NOT)
			product = 1 - scratch[i + 1];
		else
			for (uint32 child = i + 1; child < node->next; child = query->node[child].next)
				product *= node->op == QUERY_AND ? scratch[child] : 1 - scratch[child];
		scratch[i] = node->op == QUERY_OR ? 1 - product : product;
	}
	return scratch[0];
}

/* ---------- writing ---------- */

/* How a node is written. */
typedef enum Written
{
	WRITTEN = 0,
	LEFT_OUT,					/* it and all below it */
	AS_CHILD					/* what is below it stands for it */
} Written;

/*
 * Writes the nodes that are to be written, each as the operator given for it,
 * with parentheses only where they are needed.
 */
static char *
write_nodes(const TagQuery *query, const TagQueryOp *op, const Written *how,
			MemoryContext context, Size *size)
{
	uint32	   *written = allocate(context, query->nodes, sizeof(uint32));	/* children so far */
	bool	   *has_parentheses = allocate(context, query->nodes, sizeof(bool));
	uint32	   *around = allocate(context, query->nodes, sizeof(uint32));	/* node written around it */
	Size		room = 1;
	char	   *text;
	char	   *p;

	for (uint32 i = 0; i < query->nodes; i++)
		room += query->node[i].op == QUERY_TAG ? TAG_WRITTEN_SIZE(query->node[i].length) + 6 : 6;
	p = text = allocate(context, room, 1);

	for (uint32 i = 0; i < query->nodes;)
	{
		const TagQueryNode *node = &query->node[i];
		uint32		outer = NONE;	/* the operator that it is an operand of */

		check_interrupts(i);
		written[i] = 0;
		has_parentheses[i] = false;
		if (i > 0)
			outer = how[node->parent] == AS_CHILD ? around[node->parent] : node->parent;
		around[i] = outer;
		if (how[i] == WRITTEN)
		{
			if (outer != NONE)
			{
				if (written[outer]++ > 0)
				{
					memcpy(p, op[outer] == QUERY_AND ? " & " : " | ", 3);
					p += 3;
				}
				has_parentheses[i] = op[i] != QUERY_TAG && op[i] != QUERY_NOT &&
					!(op[i] == QUERY_AND && op[outer] == QUERY_OR);
			}
			if (has_parentheses[i])
				*p++ = '(';
			if (op[i] == QUERY_TAG)
				p += tag_write(node->tag, node->length, p);
			else if (op[i] == QUERY_NOT)
				*p++ = '!';
		}
		i = how[i] == LEFT_OUT ? node->next : i + 1;
		/* Close what ended here: all open nodes that go no further. */
		for (uint32 whole = node - query->node;; whole = query->node[whole].parent)
		{
			if (query->node[whole].next > i)
				break;
			if (has_parentheses[whole])
				*p++ = ')';
			if (whole == 0)
				break;
		}
	}
	*p = '\0';
	*size = p - text;
	return text;
}

/* The canonical text of a query, in UTF-8, terminated. */
char *
tagquery_write(const TagQuery *query, MemoryContext context, Size *size)
{
	TagQueryOp *op = allocate(context, query->nodes, sizeof(TagQueryOp));
	Written    *how = allocate(context, query->nodes, sizeof(Written));

	for (uint32 i = 0; i < query->nodes; i++)
	{
		op[i] = query->node[i].op;
		how[i] = WRITTEN;
	}
	return write_nodes(query, op, how, context, size);
}

/*
 * How to write the part of a query that asks for tags that a set has; false if the
 * query is true of a set without any of its tags, so that no such part exists.
 *
 * Negations are moved down to the tags (De Morgan), and negated tags taken for
 * true.
 */
static bool
find_positive(const TagQuery *query, TagQueryOp *op, Written *how, MemoryContext context)
{
	bool	   *is_negated = allocate(context, query->nodes, sizeof(bool));

	for (uint32 i = 0; i < query->nodes; i++)
	{
		const TagQueryNode *node = &query->node[i];
		const TagQueryNode *parent = &query->node[node->parent];

		check_interrupts(i);
		is_negated[i] = i > 0 && is_negated[node->parent] != (parent->op == QUERY_NOT);
		op[i] = node->op;
		if (is_negated[i] && node->op == QUERY_AND)
			op[i] = QUERY_OR;
		else if (is_negated[i] && node->op == QUERY_OR)
			op[i] = QUERY_AND;
	}
	for (uint32 i = query->nodes; i-- > 0;)
	{
		const TagQueryNode *node = &query->node[i];
		uint32		children = 0;
		uint32		kept = 0;

		check_interrupts(i);
		for (uint32 child = i + 1; child < node->next; child = query->node[child].next)
		{
			children++;
			kept += how[child] != LEFT_OUT;
		}
		if (node->op == QUERY_TAG)
			how[i] = is_negated[i] ? LEFT_OUT : WRITTEN;
		else if (kept == 0 || (op[i] == QUERY_OR && kept < children))
			how[i] = LEFT_OUT;
		else
			how[i] = kept == 1 ? AS_CHILD : WRITTEN;
	}
	return how[0] != LEFT_OUT;
}

/* The part of a query that asks for tags that a set has, as text; NULL if there is none. */
char *
tagquery_write_positive(const TagQuery *query, MemoryContext context, Size *size)
{
	TagQueryOp *op = allocate(context, query->nodes, sizeof(TagQueryOp));
	Written    *how = allocate(context, query->nodes, sizeof(Written));

	return find_positive(query, op, how, context) ? write_nodes(query, op, how, context, size) : NULL;
}

/*
 * Which tags of a query, in the order of the text, its positive part asks for: no
 * set answers the query that answers not at least this part.  False if there is none.
 */
bool
tagquery_positive_leaves(const TagQuery *query, MemoryContext context, bool *leaves)
{
	TagQueryOp *op = allocate(context, query->nodes, sizeof(TagQueryOp));
	Written    *how = allocate(context, query->nodes, sizeof(Written));

	memset(leaves, false, query->leaves * sizeof(bool));
	if (!find_positive(query, op, how, context))
		return false;
	for (uint32 i = 0; i < query->nodes;)
	{
		const TagQueryNode *node = &query->node[i];

		check_interrupts(i);
		if (node->op == QUERY_TAG)
			leaves[node->leaf] = how[i] != LEFT_OUT;
		i = how[i] == LEFT_OUT ? node->next : i + 1;
	}
	return true;
}
