/* needs: tagbloom/tag.c tagbloom/tagquery_core.c */
#include "tagbloom/tagquery_core.h"

#include <math.h>

#include "tagbloom/tag.h"
#include "tap.h"

/* ---------- memory ---------- */

/*
 * The core allocates in a memory context and frees nothing: the server does that
 * when the context ends.  So must the test, or it would run out of memory: the
 * sanitizer says what is allocated, and all of it is freed at the end of a case.
 */
extern int	__sanitizer_install_malloc_and_free_hooks(void (*on_malloc) (const volatile void *, size_t),
													  void (*on_free) (const volatile void *));

static void *context[256];
static int	context_count;
static bool is_in_core;

static void
on_malloc(const volatile void *memory, size_t size)
{
	if (!is_in_core)
		return;
	if (context_count == LENGTH_OF(context))
		abort();
	context[context_count++] = (void *) memory;
}

static void
on_free(const volatile void *memory)
{
}

static void
end_context(void)
{
	while (context_count > 0)
		free(context[--context_count]);
}

#define IN_CORE(call) (is_in_core = true, (call), is_in_core = false)

/* ---------- queries by their core ---------- */

typedef struct Bytes
{
	uint8	   *bytes;
	Size		length;
} Bytes;

static bool
parse(const char *text, Size length, Bytes *query, TagQueryError *error)
{
	bool		is_good;

	IN_CORE(is_good = tagquery_parse(text, length, NULL, &query->bytes, &query->length, error));
	return is_good;
}

/* Loads bytes; what is wrong with them, or NULL. */
static const char *
load(const Bytes *from, TagQuery *query)
{
	const char *wrong;

	IN_CORE(wrong = tagquery_load(from->bytes, from->length, NULL, query));
	return wrong;
}

/* A text that must be good. */
static bool
read_query(const char *text, Size length, Bytes *bytes, TagQuery *query)
{
	TagQueryError error;
	uint8	   *exact;

	if (!parse(text, length, bytes, &error))
	{
		diag("<%.*s> is refused: %s", (int) Min(length, 200), text, error.wrong);
		return false;
	}
	/* With nothing behind them, but to be freed with the rest. */
	IN_CORE(exact = exact_copy(bytes->bytes, bytes->length));
	bytes->bytes = exact;
	return load(bytes, query) == NULL;
}

static const char *
written(const TagQuery *query, Size *length)
{
	const char *text;

	IN_CORE(text = tagquery_write(query, NULL, length));
	return text;
}

static const char *
written_positive(const TagQuery *query, Size *length)
{
	const char *text;

	IN_CORE(text = tagquery_write_positive(query, NULL, length));
	return text;
}

static const TagProgram *
compiled(const TagQuery *query)
{
	const TagProgram *program;

	IN_CORE(program = tagquery_compile(query, NULL));
	return program;
}

/* ---------- tags ---------- */

#define TAGS 6

static const char *const tag_names[TAGS] = {
	"vip", "new friend", "a&b|!(c)", "say \"hi\"\\", "gr\xc3\xbcn", "T"
};

/* As the canonical text has them: quoted only if need be. */
static const char *const tags_written[TAGS] = {
	"vip", "\"new friend\"", "\"a&b|!(c)\"", "\"say \\\"hi\\\"\\\\\"", "gr\xc3\xbcn", "T"
};

static uint64 tag_hashes[TAGS];

static int
tag_of_hash(uint64 hash)
{
	for (int i = 0; i < TAGS; i++)
		if (tag_hashes[i] == hash)
			return i;
	return -1;
}

/* What the program says of a set of tags, given as bits. */
static bool
run_program(const TagProgram *program, unsigned set)
{
	int32		at = 0;

	while (at >= 0)
	{
		const TagTest *test = &program->test[at];
		int			tag = tag_of_hash(test->hash);
		int32		next = set >> tag & 1 ? test->if_true : test->if_false;

		if (tag < 0 || (next >= 0 && (next <= at || next >= (int32) program->count)))
		{
			diag("test %d is of tag %d and goes on at %d", at, tag, next);
			exit(1);
		}
		at = next;
	}
	return at == ANSWER_TRUE;
}

/* ---------- the same by recursion ---------- */

typedef struct Expr
{
	TagQueryOp	op;
	int			tag;
	int			leaf;			/* its number in the text */
	int			children;
	struct Expr *first;
	struct Expr *last;
	struct Expr *next;			/* sibling */
} Expr;

static Expr exprs[40000];
static int	expr_count;

static Expr *
new_expr(TagQueryOp op)
{
	if (expr_count == LENGTH_OF(exprs))
		abort();
	exprs[expr_count] = (Expr) {.op = op};
	return &exprs[expr_count++];
}

static void
adopt(Expr *parent, Expr *child)
{
	child->next = NULL;
	if (parent->first == NULL)
		parent->first = child;
	else
		parent->last->next = child;
	parent->last = child;
	parent->children++;
}

/* A tree of so many tags; slim ones are as deep as can be. */
static Expr *
random_expr(int tags, bool is_slim)
{
	Expr	   *expr;

	if (random_below(5) == 0)
	{
		expr = new_expr(QUERY_NOT);
		adopt(expr, random_expr(tags, is_slim));
		return expr;
	}
	if (tags == 1)
	{
		expr = new_expr(QUERY_TAG);
		expr->tag = (int) random_below(TAGS);
		return expr;
	}
	expr = new_expr(random_below(2) == 0 ? QUERY_AND : QUERY_OR);
	while (tags > 0)
	{
		int			part = expr->first == NULL ? 1 + (int) random_below(tags - 1) : 1 + (int) random_below(tags);

		if (is_slim)
			part = expr->first != NULL ? tags : random_below(2) == 0 ? 1 : tags - 1;
		adopt(expr, random_expr(part, is_slim));
		tags -= part;
	}
	return expr;
}

/* Numbers the leaves as the text has them; returns how many there are. */
static int
number_leaves(Expr *expr, int from)
{
	if (expr->op == QUERY_TAG)
		expr->leaf = from++;
	for (Expr *child = expr->first; child != NULL; child = child->next)
		from = number_leaves(child, from);
	return from;
}

static bool
eval(const Expr *expr, unsigned set)
{
	bool		value = expr->op == QUERY_AND;

	if (expr->op == QUERY_TAG)
		return set >> expr->tag & 1;
	if (expr->op == QUERY_NOT)
		return !eval(expr->first, set);
	for (const Expr *child = expr->first; child != NULL; child = child->next)
		value = expr->op == QUERY_AND ? value & eval(child, set) : value | eval(child, set);
	return value;
}

/* Kleene: false < maybe < true, "and" is the least, "or" the greatest. */
static int
kleene(const Expr *expr, const TagTruth *leaves)
{
	int			value = expr->op == QUERY_AND ? 2 : 0;

	if (expr->op == QUERY_TAG)
		return leaves[expr->leaf] == TRUTH_FALSE ? 0 : leaves[expr->leaf] == TRUTH_MAYBE ? 1 : 2;
	if (expr->op == QUERY_NOT)
		return 2 - kleene(expr->first, leaves);
	for (const Expr *child = expr->first; child != NULL; child = child->next)
	{
		int			other = kleene(child, leaves);

		value = expr->op == QUERY_AND ? Min(value, other) : Max(value, other);
	}
	return value;
}

/* The query with every tag that stands under an odd number of "not" taken for true. */
static bool
eval_positive(const Expr *expr, bool is_negated, unsigned set)
{
	bool		is_and = (expr->op == QUERY_AND) != is_negated;
	bool		value = is_and;

	if (expr->op == QUERY_TAG)
		return is_negated || (set >> expr->tag & 1);
	if (expr->op == QUERY_NOT)
		return eval_positive(expr->first, !is_negated, set);
	for (const Expr *child = expr->first; child != NULL; child = child->next)
		value = is_and ? value & eval_positive(child, is_negated, set) : value | eval_positive(child, is_negated, set);
	return value;
}

/* The probability by definition: all sets of tags, each of them in one leaf only. */
static double
probability_by_sum(const Expr *expr, const double *by_tag, int tags)
{
	double		sum = 0;

	for (unsigned set = 0; set < 1u << tags; set++)
	{
		double		product = 1;

		for (int i = 0; i < tags; i++)
			product *= set >> i & 1 ? by_tag[i] : 1 - by_tag[i];
		if (eval(expr, set))
			sum += product;
	}
	return sum;
}

/* The canonical tree: no "not" of a "not", no "and" in an "and", no "or" in an "or". */
static Expr *
canonical(const Expr *expr)
{
	Expr	   *result = new_expr(expr->op);

	if (expr->op == QUERY_TAG)
		*result = *expr;
	else if (expr->op == QUERY_NOT)
	{
		Expr	   *child = canonical(expr->first);

		if (child->op == QUERY_NOT)
			return child->first;
		adopt(result, child);
	}
	else
		for (const Expr *child = expr->first; child != NULL; child = child->next)
		{
			Expr	   *other = canonical(child);

			if (other->op != expr->op)
				adopt(result, other);
			else
				for (Expr *grandchild = other->first, *next; grandchild != NULL; grandchild = next)
				{
					next = grandchild->next;
					adopt(result, grandchild);
				}
		}
	return result;
}

static char text_room[1 << 20];

/* The canonical text of a canonical tree. */
static char *
write_canonical(const Expr *expr, TagQueryOp outer, char *p)
{
	bool		has_parentheses = (expr->op == QUERY_AND || expr->op == QUERY_OR) &&
		(outer == QUERY_NOT || (outer == QUERY_AND && expr->op == QUERY_OR));

	if (expr->op == QUERY_TAG)
		return p + sprintf(p, "%s", tags_written[expr->tag]);
	if (expr->op == QUERY_NOT)
		*p++ = '!';
	if (has_parentheses)
		*p++ = '(';
	for (const Expr *child = expr->first; child != NULL; child = child->next)
	{
		if (child != expr->first)
			p += sprintf(p, expr->op == QUERY_AND ? " & " : " | ");
		p = write_canonical(child, expr->op, p);
	}
	if (has_parentheses)
		*p++ = ')';
	*p = '\0';
	return p;
}

static char *
write_blanks(char *p)
{
	while (random_below(4) == 0)
		*p++ = " \t\n\v\f\r"[random_below(6)];
	return p;
}

/* A tag in any of the ways that it can be written. */
static char *
write_tag(int tag, char *p)
{
	bool		is_quoted = random_below(3) == 0;

	if (is_quoted)
		*p++ = '"';
	for (const char *c = tag_names[tag]; *c != '\0'; c++)
	{
		if (*c == '"' || *c == '\\' || (!is_quoted && strchr("&|!() ", *c) != NULL) || random_below(20) == 0)
			*p++ = '\\';
		*p++ = *c;
	}
	if (is_quoted)
		*p++ = '"';
	return p;
}

/* The text of any tree: with blanks and with more parentheses than are needed. */
static char *
write_freely(const Expr *expr, TagQueryOp outer, char *p)
{
	int			parentheses = random_below(6) == 0 ? (int) random_below(3) : 0;

	if ((expr->op == QUERY_AND || expr->op == QUERY_OR) &&
		(outer == QUERY_NOT || (outer == QUERY_AND && expr->op == QUERY_OR)))
		parentheses++;
	p = write_blanks(p);
	for (int i = 0; i < parentheses; i++)
	{
		*p++ = '(';
		p = write_blanks(p);
	}
	if (expr->op == QUERY_TAG)
		p = write_tag(expr->tag, p);
	else
	{
		if (expr->op == QUERY_NOT)
			*p++ = '!';
		for (const Expr *child = expr->first; child != NULL; child = child->next)
		{
			if (child != expr->first)
				*p++ = expr->op == QUERY_AND ? '&' : '|';
			p = write_freely(child, expr->op, p);
		}
	}
	for (int i = 0; i < parentheses; i++)
	{
		p = write_blanks(p);
		*p++ = ')';
	}
	p = write_blanks(p);
	*p = '\0';
	return p;
}

/* The stored form: each node's kind, with a tag's length and bytes or a number of children. */
static uint8 *
store_canonical(const Expr *expr, uint8 *p, uint32 *nodes)
{
	++*nodes;
	*p++ = expr->op == QUERY_TAG ? 1 : expr->op == QUERY_NOT ? 2 : expr->op == QUERY_AND ? 3 : 4;
	if (expr->op == QUERY_TAG)
	{
		size_t		length = strlen(tag_names[expr->tag]);

		*p++ = length / 256;
		*p++ = length % 256;
		memcpy(p, tag_names[expr->tag], length);
		return p + length;
	}
	if (expr->op != QUERY_NOT)
		for (int shift = 24; shift >= 0; shift -= 8)
			*p++ = expr->children >> shift & 0xFF;
	for (const Expr *child = expr->first; child != NULL; child = child->next)
		p = store_canonical(child, p, nodes);
	return p;
}

static Size
store_by_recursion(const Expr *expr, uint8 *to)
{
	uint32		nodes = 0;
	uint8	   *end = store_canonical(expr, to + 8, &nodes);

	memcpy(to, "\x05\x01\0\0", 4);
	for (int i = 0; i < 4; i++)
		to[4 + i] = nodes >> (24 - 8 * i) & 0xFF;
	return end - to;
}

/* ---------- trees ---------- */

/*
 * What an index looks up: no set answers that it would not find, and one without
 * any of the tags that are looked up is not found.
 */
static bool
check_positive_leaves(const TagQuery *query, const Expr *expr)
{
	bool	   *is_positive = malloc(query->leaves);
	TagTruth   *truths = malloc(query->leaves * sizeof(TagTruth));
	TagTruth   *scratch = malloc(query->nodes * sizeof(TagTruth));
	bool		has_positive;
	bool		is_right = true;

	IN_CORE(has_positive = tagquery_positive_leaves(query, NULL, is_positive));
	for (unsigned set = 0; set < 1u << TAGS; set++)
	{
		TagTruth	found;

		for (uint32 i = 0; i < query->nodes; i++)
			if (query->node[i].op == QUERY_TAG)
			{
				uint32		leaf = query->node[i].leaf;

				truths[leaf] = !is_positive[leaf] ? TRUTH_MAYBE :
					set >> tag_of_hash(query->node[i].hash) & 1 ? TRUTH_TRUE : TRUTH_FALSE;
				is_right &= has_positive || !is_positive[leaf];
			}
		found = tagquery_truth(query, truths, scratch);
		is_right &= found == TRUTH_MAYBE || (found == TRUTH_TRUE) == eval(expr, set);
		if (has_positive && !eval_positive(expr, false, set))
			is_right &= found == TRUTH_FALSE;
	}
	is_right &= has_positive != eval(expr, 0);
	free(is_positive);
	free(truths);
	free(scratch);
	return is_right;
}

static bool
check_positive(const TagQuery *query, const Expr *expr)
{
	Size		length;
	const char *text = written_positive(query, &length);
	bool		is_true_of_none = eval(expr, 0);
	Bytes		bytes;
	TagQuery	positive;
	const TagProgram *program;

	if (text == NULL || is_true_of_none)
		return text == NULL && is_true_of_none;
	text = exact_copy(text, length);
	if (!read_query(text, length, &bytes, &positive))
	{
		free((char *) text);
		return false;
	}
	free((char *) text);
	for (uint32 i = 0; i < positive.nodes; i++)
		if (positive.node[i].op == QUERY_NOT)
			return false;
	program = compiled(&positive);
	for (unsigned set = 0; set < 1u << TAGS; set++)
	{
		bool		is_true = run_program(program, set);

		if ((eval(expr, set) && !is_true) || is_true != eval_positive(expr, false, set))
			return false;
	}
	return true;
}

static void
check_tree(int run, Expr *expr)
{
	static uint8 stored[1 << 20];
	int			leaves = number_leaves(expr, 0);
	Expr	   *simple = canonical(expr);
	Size		length = write_freely(expr, 0, text_room) - text_room;
	char	   *text = exact_copy(text_room, length);
	TagTruth   *truths = malloc(leaves * sizeof(TagTruth));
	TagTruth   *scratch = NULL;
	const TagProgram *program;
	Bytes		bytes;
	Bytes		again;
	TagQuery	query;
	TagQuery	reread;
	const char *back;
	Size		back_length;
	bool		is_same = true;

	if (!holds(read_query(text, length, &bytes, &query), "run %d: read", run))
		goto end;

	/* What is stored, byte by byte, and what is written. */
	holds(bytes.length == store_by_recursion(simple, stored) && memcmp(bytes.bytes, stored, bytes.length) == 0,
		  "run %d: the bytes of <%.*s>", run, (int) Min(length, 300), text);
	back = written(&query, &back_length);
	write_canonical(simple, 0, text_room);
	holds(strcmp(back, text_room) == 0 && strlen(back) == back_length, "run %d: <%.*s> is written <%.300s>, not <%.300s>",
		  run, (int) Min(length, 300), text, back, text_room);
	holds(read_query(back, back_length, &again, &reread) && again.length == bytes.length &&
		  memcmp(again.bytes, bytes.bytes, bytes.length) == 0, "run %d: <%.300s> is read differently", run, back);

	/* What it says of sets. */
	scratch = malloc(query.nodes * sizeof(TagTruth));
	program = compiled(&query);
	holds((int) query.leaves == leaves && (int) program->count == leaves, "run %d: %u tags, not %d", run,
		  query.leaves, leaves);
	for (unsigned set = 0; set < 1u << TAGS; set++)
	{
		bool		expected = eval(expr, set);

		for (uint32 i = 0; i < query.nodes; i++)
			if (query.node[i].op == QUERY_TAG)
				truths[query.node[i].leaf] = set >> tag_of_hash(query.node[i].hash) & 1 ? TRUTH_TRUE : TRUTH_FALSE;
		is_same &= run_program(program, set) == expected &&
			tagquery_truth(&query, truths, scratch) == (expected ? TRUTH_TRUE : TRUTH_FALSE);
		if (leaves > 50)
			set += (unsigned) random_below(8);
	}
	holds(is_same, "run %d: <%.*s> is answered differently", run, (int) Min(length, 300), text);

	/* Tags that occur twice may be certain in one place and not in the other. */
	for (int i = 0; i < 20; i++)
	{
		static const TagTruth by_kleene[] = {TRUTH_FALSE, TRUTH_MAYBE, TRUTH_TRUE};

		for (int j = 0; j < leaves; j++)
			truths[j] = (TagTruth) (i < 10 ? random_below(3) : random_below(4) == 0 ? TRUTH_MAYBE : random_below(2));
		is_same &= tagquery_truth(&query, truths, scratch) == by_kleene[kleene(expr, truths)];
	}
	holds(is_same, "run %d: <%.*s> with maybes", run, (int) Min(length, 300), text);
	holds(check_positive(&query, expr), "run %d: positive part of <%.*s>", run, (int) Min(length, 300), text);
	holds(check_positive_leaves(&query, expr), "run %d: tags to look up of <%.*s>", run, (int) Min(length, 300), text);
end:
	free(scratch);
	free(truths);
	free(text);
	end_context();
	expr_count = 0;
}

static void
test_trees(void)
{
	property("random trees: bytes, text and answers are those of a plain recursive reader");
	for (int run = 0; run < 60000; run++)
		check_tree(run, random_expr(1 + (int) random_below(run % 10 == 0 ? 30 : 8), run % 3 == 0));
	property_end();

	property("large trees, flat and deep");
	for (int run = 0; run < 60; run++)
		check_tree(run, random_expr(1000 + (int) random_below(2000), run % 2 == 0));
	property_end();

	property("probabilities are sums over all sets of tags");
	for (int run = 0; run < 20000; run++)
	{
		int			tags = 1 + (int) random_below(TAGS);
		Expr	   *expr = random_expr(tags, run % 2 == 0);
		double		by_tag[TAGS];
		double		by_leaf[TAGS];
		double	   *scratch;
		Bytes		bytes;
		TagQuery	query;

		/* Every leaf a tag of its own. */
		number_leaves(expr, 0);
		for (int i = 0, shift = (int) random_below(TAGS); i < expr_count; i++)
			exprs[i].tag = (exprs[i].leaf + shift) % TAGS;
		for (int i = 0; i < TAGS; i++)
			by_tag[i] = random_below(10) == 0 ? (double) random_below(2) : ldexp((double) (random_u64() >> 11), -53);
		if (!holds(read_query(text_room, write_freely(expr, 0, text_room) - text_room, &bytes, &query), "run %d", run))
			break;
		for (uint32 i = 0; i < query.nodes; i++)
			if (query.node[i].op == QUERY_TAG)
				by_leaf[query.node[i].leaf] = by_tag[tag_of_hash(query.node[i].hash)];
		scratch = malloc(query.nodes * sizeof(double));
		holds(fabs(tagquery_probability(&query, by_leaf, scratch) - probability_by_sum(expr, by_tag, TAGS)) < 1e-12,
			  "run %d: %g, not %g", run, tagquery_probability(&query, by_leaf, scratch),
			  probability_by_sum(expr, by_tag, TAGS));
		free(scratch);
		end_context();
		expr_count = 0;
	}
	property_end();
}

/* ---------- texts ---------- */

static void
test_texts(void)
{
	/* Written out by hand: the text, the canonical one, the positive part. */
	static const struct
	{
		const char *text;
		const char *written;
		const char *positive;
	}			cases[] = {
		{"vip", "vip", "vip"},
		{" vip ", "vip", "vip"},
		{"(((vip)))", "vip", "vip"},
		{"!vip", "!vip", NULL},
		{"!!vip", "vip", "vip"},
		{"! ! ! vip", "!vip", NULL},
		{"!(!(vip))", "vip", "vip"},
		{"vip&(ios|android)&!lapsed", "vip & (ios | android) & !lapsed", "vip & (ios | android)"},
		{"a&b|c", "a & b | c", "a & b | c"},
		{"a|b&c", "a | b & c", "a | b & c"},
		{"(a&b)|c", "a & b | c", "a & b | c"},
		{"a&(b|c)", "a & (b | c)", "a & (b | c)"},
		{"a&(b&c)", "a & b & c", "a & b & c"},
		{"(a|b)|(c|d)", "a | b | c | d", "a | b | c | d"},
		{"a&!!(b&c)", "a & b & c", "a & b & c"},
		{"!a&b", "!a & b", "b"},
		{"!(a&b)", "!(a & b)", NULL},
		{"a|!b", "a | !b", NULL},
		{"a&(b|!c)", "a & (b | !c)", "a"},
		{"!(a|!b)", "!(a | !b)", "b"},
		{"!(!a&!b)", "!(!a & !b)", "a | b"},
		{"!(!a|!b)&c", "!(!a | !b) & c", "a & b & c"},
		{"!(!a&!b)|c", "!(!a & !b) | c", "a | b | c"},
		{"a&!(!b&c)", "a & !(!b & c)", "a"},
		{"a|a", "a | a", "a | a"},
		{"\"vip\"", "vip", "vip"},
		{"\"new friend\"", "\"new friend\"", "\"new friend\""},
		{"new\\ friend&b", "\"new friend\" & b", "\"new friend\" & b"},
		{"a'b:*,{c}", "a'b:*,{c}", "a'b:*,{c}"},
		{"T", "T", "T"},
		{"\"\\\"\"", "\"\\\"\"", "\"\\\"\""}
	};

	property("texts with their canonical forms and positive parts");
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		char	   *text = exact_copy(cases[i].text, strlen(cases[i].text));
		Bytes		bytes;
		TagQuery	query;
		Size		length;

		if (holds(read_query(text, strlen(cases[i].text), &bytes, &query), "<%s>", cases[i].text))
		{
			const char *back = written(&query, &length);
			const char *positive = written_positive(&query, &length);

			holds(strcmp(back, cases[i].written) == 0, "<%s> is written <%s>", cases[i].text, back);
			/* An "and" may stand in an "and" now, until it is read again. */
			if (positive != NULL && holds(read_query(positive, length, &bytes, &query), "<%s>", positive))
				positive = written(&query, &length);
			holds(cases[i].positive == NULL ? positive == NULL :
				  positive != NULL && strcmp(positive, cases[i].positive) == 0, "<%s>: positive part <%s>",
				  cases[i].text, positive);
		}
		free(text);
		end_context();
	}
	property_end();
}

static void
test_errors(void)
{
	static const char none[] = "it has no tag";
	static const char at_end[] = "a tag is missing at the end";
	static const char operand[] = "a tag, \"!\" or \"(\" is missing before this";
	static const char operator[] = "\"&\" or \"|\" is missing before this";
	static const char not_opened[] = "this parenthesis was not opened";
	static const char not_closed[] = "a parenthesis is not closed";
	static const char quote[] = "a quote is not closed";
	static const char backslash[] = "nothing follows a backslash";
	static const char empty[] = "a tag is empty";
	static const struct
	{
		const char *text;
		int			position;	/* in characters, from 1 */
		const char *wrong;
	}			cases[] = {
		{"", 1, none}, {" ", 2, none}, {" \t\n", 4, none},
		{"!", 2, at_end}, {"! ! !", 6, at_end}, {"(", 2, at_end}, {"((", 3, at_end}, {"a &", 4, at_end},
		{"a | ", 5, at_end}, {"a & !", 6, at_end}, {"a & (", 6, at_end}, {"(a) |", 6, at_end}, {"(a &", 5, at_end},
		{"&", 1, operand}, {"| a", 1, operand}, {"()", 2, operand}, {"( )", 3, operand}, {")", 1, operand},
		{"!)", 2, operand}, {"(!)", 3, operand}, {"!&a", 2, operand}, {"a & & b", 5, operand}, {"a && b", 4, operand},
		{"a || b", 4, operand}, {"a | & b", 5, operand}, {"(a & ) & b", 6, operand}, {"(| a)", 2, operand},
		{"gr\xc3\xbcn & \xe6\x97\xa5 && b", 11, operand},
		{"a b", 3, operator}, {"a !b", 3, operator}, {"a!b", 2, operator}, {"a (b)", 3, operator}, {"a(b)", 2, operator},
		{"(a)(b)", 4, operator}, {"(a) b", 5, operator}, {"a\"b\"", 2, operator}, {"\"a\"b", 4, operator},
		{"\"a\" \"b\"", 5, operator}, {"a,b c", 5, operator}, {"new friend & b", 5, operator},
		{"\xf0\x9f\x8e\x81 b", 3, operator}, {"a\nb", 3, operator},
		{"a)", 2, not_opened}, {"(a))", 4, not_opened}, {"(a | b))) & c", 8, not_opened}, {"a & b )", 7, not_opened},
		{"(a", 3, not_closed}, {"((a)", 5, not_closed}, {"a & (b | c", 11, not_closed}, {"!(a ", 5, not_closed},
		{"\"a", 1, quote}, {"a & \"b", 5, quote}, {"a & \"b\\\"", 5, quote}, {"\"", 1, quote},
		{"\\", 1, backslash}, {"a & b\\", 6, backslash}, {"\"a\\", 3, backslash},
		{"\"\"", 1, empty}, {"a & \"\" | b", 5, empty}, {"(\"\")", 2, empty}
	};
	char		text[2000];
	TagQueryError error;
	Bytes		bytes;

	property("bad texts: what is wrong, and where");
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		size_t		length = strlen(cases[i].text);
		char	   *copy = exact_copy(cases[i].text, length);

		if (holds(!parse(copy, length, &bytes, &error), "<%s> is taken", copy))
			holds(strcmp(error.wrong, cases[i].wrong) == 0 && !error.is_limit &&
				  tag_position(copy, error.where) == cases[i].position, "<%s>: %s, at %d", cases[i].text, error.wrong,
				  tag_position(copy, error.where));
		free(copy);
		end_context();
	}
	property_end();

	strcpy(text, "vip & ");
	memset(text + 6, 'a', 1024);
	ok(parse(text, 6 + 1024, &bytes, &error), "a tag of 1024 bytes in a query");
	text[6 + 1024] = 'a';
	ok(!parse(text, 6 + 1025, &bytes, &error) && strcmp(error.wrong, "a tag has more than 1024 bytes") == 0 &&
	   error.where == text + 6, "one of 1025 bytes is refused where it begins");
	end_context();

	/* Errors may stand anywhere; none may lead out of the text. */
	property("any text is refused within it, or taken and written so that it is read the same");
	for (int run = 0; run < 400000; run++)
	{
		static const char some[] = "ab&|!()&|!() \"\\";
		int			length = (int) random_below(run % 20 == 0 ? 60 : 12);
		char	   *copy;

		for (int i = 0; i < length; i++)
			text[i] = random_below(50) == 0 ? (char) random_u64() : some[random_below(sizeof(some) - 1)];
		copy = exact_copy(text, length);
		if (!parse(copy, length, &bytes, &error))
			holds(error.wrong != NULL && error.where >= copy && error.where <= copy + length, "run %d: <%.*s>", run,
				  length, copy);
		else
		{
			TagQuery	query;
			Bytes		again;
			Size		size;
			const char *back;

			if (holds(load(&bytes, &query) == NULL, "run %d: <%.*s> cannot be loaded", run, length, copy))
			{
				back = written(&query, &size);
				holds(parse(back, size, &again, &error) && again.length == bytes.length &&
					  memcmp(again.bytes, bytes.bytes, bytes.length) == 0, "run %d: <%.*s> is written <%s>", run, length,
					  copy, back);
			}
		}
		free(copy);
		end_context();
	}
	property_end();
}

/* ---------- depth and size ---------- */

static char *
repeat(char *p, const char *text, int times)
{
	size_t		length = strlen(text);

	for (int i = 0; i < times; i++, p += length)
		memcpy(p, text, length);
	*p = '\0';
	return p;
}

static bool
is_read_as(const char *text, const char *expected)
{
	Bytes		bytes;
	TagQuery	query;
	Size		length;
	bool		is_good = read_query(text, strlen(text), &bytes, &query) &&
		strcmp(written(&query, &length), expected) == 0;

	end_context();
	return is_good;
}

static bool
is_beyond_limit(const char *text, const char *wrong, size_t at)
{
	Bytes		bytes;
	TagQueryError error;
	bool		is_right = !parse(text, strlen(text), &bytes, &error) && error.is_limit &&
		strcmp(error.wrong, wrong) == 0 && error.where == text + at;

	end_context();
	return is_right;
}

/*
 * vip & (T | (vip & (T | ...))), or the same with a "not" before every
 * parenthesis: what it says is computed from the innermost tag outwards.
 */
static bool
check_chain(int tags, bool with_not)
{
	char	   *text = malloc((size_t) tags * 10);
	char	   *simple = malloc((size_t) tags * 10);	/* without what is not needed */
	char	   *p = text;
	char	   *q = simple;
	int			needed = 0;
	Bytes		bytes;
	TagQuery	query;
	Size		length;
	const TagProgram *program;
	TagTruth   *leaves = malloc(tags * sizeof(TagTruth));
	TagTruth   *scratch;
	double	   *shares = malloc(tags * sizeof(double));
	double	   *products;
	double		share = 0.5;
	bool		is_right;

	for (int i = 0; i < tags - 1; i++)
	{
		bool		is_needed = i < tags - 2 && (with_not || i % 2 == 0);

		p += sprintf(p, "%s%s(", i % 2 == 0 ? "vip&" : "T|", with_not ? "!" : "");
		q += sprintf(q, "%s%s%s", i % 2 == 0 ? "vip & " : "T | ", with_not ? "!" : "", is_needed ? "(" : "");
		needed += is_needed;
	}
	p += sprintf(p, "vip");
	p = repeat(p, ")", tags - 1);
	q += sprintf(q, "vip");
	repeat(q, ")", needed);
	if (!read_query(text, p - text, &bytes, &query))
		return false;
	is_right = strcmp(written(&query, &length), simple) == 0 && (int) query.leaves == tags;
	(void) written_positive(&query, &length);
	program = compiled(&query);
	scratch = malloc(query.nodes * sizeof(TagTruth));
	products = malloc(query.nodes * sizeof(double));
	for (unsigned set = 0; set < 4; set++)
	{
		bool		has_vip = set & 1;
		bool		has_t = set >> 1;
		bool		expected = has_vip;

		for (int i = tags - 2; i >= 0; i--)
		{
			expected ^= with_not;
			expected = i % 2 == 0 ? has_vip && expected : has_t || expected;
		}
		for (int i = 0; i < tags; i++)
			leaves[i] = (i % 2 == 0 || i == tags - 1 ? has_vip : has_t) ? TRUTH_TRUE : TRUTH_FALSE;
		is_right &= run_program(program, has_vip << 0 | has_t << 5) == expected &&
			tagquery_truth(&query, leaves, scratch) == (expected ? TRUTH_TRUE : TRUTH_FALSE);
	}
	for (int i = 0; i < tags; i++)
		shares[i] = 0.5;
	for (int i = tags - 2; i >= 0; i--)
	{
		share = with_not ? 1 - share : share;
		share = i % 2 == 0 ? 0.5 * share : 0.5 + 0.5 * share;
	}
	is_right &= fabs(tagquery_probability(&query, shares, products) - share) < 1e-12;
	free(text);
	free(simple);
	free(leaves);
	free(scratch);
	free(shares);
	free(products);
	end_context();
	return is_right;
}

static void
test_limits(void)
{
	char	   *text = malloc(2000000);
	char	   *canonical_text = malloc(2000000);
	char	   *p;
	TagQueryError error;
	Bytes		bytes;

	for (int depth = 10000; depth <= 65536; depth += 55536)
	{
		p = repeat(text, "(", depth);
		*p++ = 'a';
		repeat(p, ")", depth);
		ok(is_read_as(text, "a"), "%d parentheses around a tag", depth);

		p = repeat(text, "!(", depth);
		p += sprintf(p, "a|b");
		repeat(p, ")", depth);
		ok(is_read_as(text, "a | b"), "%d times \"not\" around two tags", depth);
		p = repeat(text, "!(", depth - 1);
		p += sprintf(p, "a|b");
		repeat(p, ")", depth - 1);
		ok(is_read_as(text, "!(a | b)"), "and once less");

		ok(check_chain(depth, false), "%d tags, each in parentheses of its own", depth);
		ok(check_chain(depth, true), "%d tags, each in negated parentheses of its own", depth);
	}

	p = repeat(text, "(", 65537);
	*p++ = 'a';
	repeat(p, ")", 65537);
	ok(is_beyond_limit(text, "parentheses are nested deeper than 65536", 65536), "65537 parentheses");
	repeat(text, "(", 65537);
	ok(is_beyond_limit(text, "parentheses are nested deeper than 65536", 65536), "65537 parentheses and nothing else");
	p = repeat(text, "(", 65536);
	ok(!parse(text, p - text, &bytes, &error) && !error.is_limit && error.where == p &&
	   strcmp(error.wrong, "a tag is missing at the end") == 0, "65536 parentheses and nothing else");
	end_context();
	p = repeat(text, "(a)&", 100000 - 1);
	sprintf(p, "(a)");
	ok(is_beyond_limit(text, "a query has more than 65536 tags", 4 * 65536 + 1), "100000 times parentheses side by side");

	p = repeat(text, "a|", 65536 - 1);
	sprintf(p, "a");
	p = repeat(canonical_text, "a | ", 65536 - 1);
	sprintf(p, "a");
	ok(is_read_as(text, canonical_text), "65536 tags");
	p = repeat(text, "a|", 65536);
	sprintf(p, "b");
	ok(is_beyond_limit(text, "a query has more than 65536 tags", 2 * 65536), "65537 tags");
	p = repeat(text, "!a&!b|", 32768 - 1);
	sprintf(p, "!a&!b");
	p = repeat(canonical_text, "!a & !b | ", 32768 - 1);
	sprintf(p, "!a & !b");
	ok(is_read_as(text, canonical_text), "65536 tags, each negated");

	p = text;
	for (int i = 0; i < 100; i++)
	{
		p += sprintf(p, i == 0 ? "!\"" : i % 2 == 0 ? " | !\"" : " & !\"");
		p = repeat(p, i % 3 == 0 ? "\\\\" : "\\\"", 1024);
		p += sprintf(p, "\"");
	}
	ok(is_read_as(text, text), "100 tags of 1024 bytes, each of them to be escaped");
	p = repeat(text, "!", 1000001);
	sprintf(p, "a");
	ok(is_read_as(text, "!a"), "1000001 times \"not\"");
	p = repeat(text, " ", 1000000);
	sprintf(p, "a");
	ok(is_read_as(text, "a"), "a tag behind 1000000 blanks");
	p = repeat(text, "&", 1000000);
	ok(!parse(text, p - text, &bytes, &error) && error.where == text && !error.is_limit, "1000000 operators without a tag");
	end_context();
	free(text);
	free(canonical_text);
}

/* ---------- bytes from elsewhere ---------- */

/* Bytes that are taken must be those of their own text. */
static bool
try_bytes(const uint8 *from, size_t length)
{
	Bytes		bytes = {exact_copy(from, length), length};
	TagQuery	query;
	bool		is_taken = load(&bytes, &query) == NULL;

	if (is_taken)
	{
		TagTruth   *truths = calloc(query.leaves, sizeof(TagTruth));
		TagTruth   *scratch = malloc(query.nodes * sizeof(TagTruth));
		const TagProgram *program = compiled(&query);
		TagQueryError error;
		Size		size;
		const char *text = written(&query, &size);
		Bytes		again;
		int32		at = 0;
		bool		is_true_of_none;

		holds(parse(text, size, &again, &error) && again.length == length && memcmp(again.bytes, from, length) == 0,
			  "<%s> is stored differently", text);
		is_true_of_none = tagquery_truth(&query, truths, scratch) == TRUTH_TRUE;
		while (at >= 0)
			at = program->test[at].if_false;
		holds((at == ANSWER_TRUE) == is_true_of_none, "<%s> is answered differently", text);
		holds((written_positive(&query, &size) == NULL) == is_true_of_none, "<%s> has a positive part", text);
		free(truths);
		free(scratch);
	}
	free(bytes.bytes);
	end_context();
	return is_taken;
}

static void
test_check(void)
{
	static const struct
	{
		const char *bytes;
		size_t		length;
		const char *wrong;
	}			wrong[] = {
		{"", 0, "it is truncated"},
		{"\x05\x01\0\0\0\0\0", 7, "it is truncated"},
		{"\x04\x01\0\0\0\0\0\x01\x01\0\x01" "a", 12, "its first byte is not that of a tagquery"},
		{"\x05\0\0\0\0\0\0\x01\x01\0\x01" "a", 12, "its version is not known"},
		{"\x05\x02\0\0\0\0\0\x01\x01\0\x01" "a", 12, "its version is not known"},
		{"\x05\x01\x01\0\0\0\0\x01\x01\0\x01" "a", 12, "a reserved byte is not 0"},
		{"\x05\x01\0\x80\0\0\0\x01\x01\0\x01" "a", 12, "a reserved byte is not 0"},
		{"\x05\x01\0\0\0\0\0\0", 8, "its number of nodes does not fit its length"},
		{"\x05\x01\0\0\0\0\0\x01", 8, "its number of nodes does not fit its length"},
		{"\x05\x01\0\0\xff\xff\xff\xff\x01\0\x01" "a", 12, "its number of nodes does not fit its length"},
		{"\x05\x01\0\0\0\0\0\x01\x01\0\x02" "a", 12, "it is truncated"},
		{"\x05\x01\0\0\0\0\0\x01\x01\0", 10, "it is truncated"},
		{"\x05\x01\0\0\0\0\0\x01\x03\0\0\0", 12, "it is truncated"},
		{"\x05\x01\0\0\0\0\0\x01\x01\0\0" "a", 12, "a tag has not 1 to 1024 bytes"},
		{"\x05\x01\0\0\0\0\0\x01\0\0\x01" "a", 12, "it has a node of an unknown kind"},
		{"\x05\x01\0\0\0\0\0\x01\x05\0\x01" "a", 12, "it has a node of an unknown kind"},
		{"\x05\x01\0\0\0\0\0\x01\x01\0\x01" "ab", 13, "something follows its last node"},
		{"\x05\x01\0\0\0\0\0\x02\x01\0\x01" "a\x01\0\x01" "b", 16, "something follows its last node"},
		{"\x05\x01\0\0\0\0\0\x01\x02\x01\0\x01" "a", 13, "an operand is missing"},
		{"\x05\x01\0\0\0\0\0\x02\x03\0\0\0\x02\x01\0\x01" "a", 17, "an operand is missing"},
		{"\x05\x01\0\0\0\0\0\x02\x03\0\0\0\x01\x01\0\x01" "a", 17, "an operator has less than two operands"},
		{"\x05\x01\0\0\0\0\0\x02\x04\0\0\0\0\x01\0\x01" "a", 17, "an operator has less than two operands"},
		{"\x05\x01\0\0\0\0\0\x03\x02\x02\x01\0\x01" "a", 14, "an operator is an operand of the same operator"},
		{"\x05\x01\0\0\0\0\0\x05\x03\0\0\0\x02\x03\0\0\0\x02\x01\0\x01" "a\x01\0\x01" "a\x01\0\x01" "a", 30,
		"an operator is an operand of the same operator"}
	};
	static const char *const texts[] = {
		"a", "!a", "a & b", "a | b | c", "vip & (ios | android) & !lapsed", "!(a & !(b | c)) | \"new friend\"",
		"!(!a & (b | !(c & d)) & e) | f & !g"
	};
	long		taken = 0;
	long		cut = 0;

	property("what is wrong with stored bytes is said");
	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
	{
		Bytes		bytes = {exact_copy(wrong[i].bytes, wrong[i].length), wrong[i].length};
		TagQuery	query;
		const char *said = load(&bytes, &query);

		holds(said != NULL && strcmp(said, wrong[i].wrong) == 0, "case %zu: %s", i, said);
		free(bytes.bytes);
		end_context();
	}
	property_end();

	property("bytes with any one changed are refused, or are another query's; cut ones are refused");
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
	{
		Bytes		parsed;
		TagQueryError error;
		uint8	   *bytes;
		size_t		length;

		if (!parse(texts[i], strlen(texts[i]), &parsed, &error))
			abort();
		length = parsed.length;
		bytes = calloc(1, length + 20);
		memcpy(bytes, parsed.bytes, length);
		end_context();
		holds(try_bytes(bytes, length), "<%s> itself", texts[i]);
		for (size_t at = 0; at < length; at++)
			for (int change = 1; change < 256; change++)
			{
				bytes[at] ^= change;
				taken += try_bytes(bytes, length);
				bytes[at] ^= change;
			}
		for (size_t shorter = 0; shorter < length; shorter++)
			cut += try_bytes(bytes, shorter);
		for (size_t longer = length + 1; longer <= length + 20; longer++)
			cut += try_bytes(bytes, longer);
		/* Two bytes at once, and bytes left out. */
		for (int run = 0; run < 20000; run++)
		{
			uint8	   *other = exact_copy(bytes, length);
			size_t		from = random_below(length);
			size_t		gone = random_below(2) == 0 ? 0 : random_below(length - from);

			memmove(other + from, other + from + gone, length - from - gone);
			for (int changes = 1 + (int) random_below(2); changes > 0; changes--)
				other[4 + random_below(length - 4)] = random_below(2) == 0 ? random_below(6) : (uint8) random_u64();
			taken += try_bytes(other, length - gone);
			free(other);
		}
		free(bytes);
	}
	holds(cut == 0, "%ld queries were taken although cut or too long", cut);
	property_end();
	ok(taken > 10000, "of all these, many are queries");

	/* Trees with any node in any place, most of them not canonical. */
	taken = 0;
	property("random nodes are refused, or a canonical query");
	for (int run = 0; run < 300000; run++)
	{
		uint8		bytes[128] = {5, 1};
		int			nodes = 1 + (int) random_below(8);
		size_t		length = 8;

		bytes[7] = nodes;
		for (int i = 0; i < nodes; i++)
		{
			int			kind = random_below(2) == 0 ? 1 : 1 + (int) random_below(4);

			bytes[length++] = kind;
			if (kind == 1)
			{
				bytes[length + 1] = 1 + random_below(2);
				length += 2 + bytes[length + 1];
				bytes[length - 1] = 'a';
			}
			else if (kind > 2)
			{
				bytes[length + 3] = random_below(4);
				length += 4;
			}
		}
		taken += try_bytes(bytes, length);
	}
	property_end();
	ok(taken > 10000, "of these, too");

	{
		uint8		bytes[8 + 3 + 1025] = {5, 1, 0, 0, 0, 0, 0, 1, 1, 4, 0};
		Bytes		value = {bytes, sizeof(bytes)};
		TagQuery	query;
		const char *said;

		memset(bytes + 11, 'a', 1025);
		ok(try_bytes(bytes, sizeof(bytes) - 1), "a value with a tag of 1024 bytes");
		bytes[10] = 1;
		said = load(&value, &query);
		is_text(said, "a tag has not 1 to 1024 bytes", "a value with a tag of 1025 bytes");
		end_context();
	}

	/* The most that a value may have, and one more. */
	{
		size_t		length = 8 + 5 + 65537 * 4;
		uint8	   *bytes = calloc(1, length);
		Bytes		value = {bytes, length};
		TagQuery	query;
		const char *said;

		memcpy(bytes, "\x05\x01\0\0\0\x01\0\x01\x03\0\x01\0\0", 13);
		for (int i = 0; i < 65537; i++)
			memcpy(bytes + 13 + 4 * i, "\x01\0\x01" "a", 4);
		ok(try_bytes(bytes, length - 4), "a value of 65536 tags");
		memcpy(bytes + 4, "\0\x01\0\x02\x03\0\x01\0\x01", 9);
		said = load(&value, &query);
		is_text(said, "it has more than 65536 tags", "a value of 65537 tags");
		end_context();
		free(bytes);
		bytes = calloc(1, length = 8 + 262145);
		value = (Bytes) {bytes, length};
		memcpy(bytes, "\x05\x01\0\0\0\x04\0\x01", 8);
		said = load(&value, &query);
		is_text(said, "it has too many nodes", "a value of 262145 nodes");
		end_context();
		free(bytes);
	}
}

int
main(void)
{
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	for (int i = 0; i < TAGS; i++)
		tag_hashes[i] = tag_hash64(tag_names[i], strlen(tag_names[i]));
	test_trees();
	test_texts();
	test_errors();
	test_limits();
	test_check();
	return done_testing();
}
