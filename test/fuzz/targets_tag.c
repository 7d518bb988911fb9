/*
 * targets_tag.c
 *	  Fuzzing of tagbloom and tagquery.
 *
 * Sets are compared with lists of tags, queries with a reader and an evaluator
 * that recurse, as textbooks have them.
 */
#include "targets.h"

#include <stdio.h>

#include "access/gin.h"
#include "common/hashfn.h"
#include "tagbloom/tagbloom.h"
#include "utils/array.h"

#undef snprintf

FUNCTION(custmart_tagbloom_in);
FUNCTION(custmart_tagbloom_out);
FUNCTION(custmart_tagbloom_recv);
FUNCTION(custmart_tagbloom_resize);
FUNCTION(custmart_tags);
FUNCTION(custmart_tag_agg_step);
FUNCTION(custmart_tagbloom_rollup_step);
FUNCTION(custmart_tag_agg_combine);
FUNCTION(custmart_tag_agg_final);
FUNCTION(custmart_tagbloom_has);
FUNCTION(custmart_tagbloom_has_all);
FUNCTION(custmart_tagbloom_has_any);
FUNCTION(custmart_tagbloom_contains);
FUNCTION(custmart_tagbloom_contained);
FUNCTION(custmart_tagbloom_union);
FUNCTION(custmart_tagbloom_add);
FUNCTION(custmart_tagbloom_remove);
FUNCTION(custmart_tagbloom_matches);
FUNCTION(custmart_tag_count);
FUNCTION(custmart_tagbloom_is_exact);
FUNCTION(custmart_tagbloom_false_positive_rate);
FUNCTION(custmart_tag_list);
FUNCTION(custmart_tagbloom_gin_value);
FUNCTION(custmart_tagbloom_gin_query);
FUNCTION(custmart_tagbloom_gin_consistent);
FUNCTION(custmart_tagquery_in);
FUNCTION(custmart_tagquery_out);
FUNCTION(custmart_tagquery_recv);
FUNCTION(custmart_tagquery_tree);
FUNCTION(custmart_tagquery_tag_list);

static const Type tagbloom = {
	"tagbloom", custmart_tagbloom_in, custmart_tagbloom_out, custmart_tagbloom_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};
static const Type tagquery = {
	"tagquery", custmart_tagquery_in, custmart_tagquery_out, custmart_tagquery_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

/* ---------- values ---------- */

static Datum
text_of(const char *string)
{
	return host_packed(host_varlena(string, strlen(string)));
}

/* A copy that nobody else changes. */
static Datum
copy(Datum value)
{
	return host_varlena(VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
}

static bool
call_bool(PGFunction function, Datum a, Datum b)
{
	FmgrInfo	plan = {0};

	return DatumGetBool(must(host_call_in_plan(&plan, function, (NullableDatum[]) {ARG(a), ARG(b)}, 2),
							 "an operator"));
}

static bool
has(Datum set, const char *tag)
{
	FmgrInfo	plan = {0};

	return DatumGetBool(must(host_call_in_plan(&plan, custmart_tagbloom_has,
											   (NullableDatum[]) {ARG(set), ARG(text_of(tag))}, 2), "?"));
}

static bool
matches(FmgrInfo *plan, Datum set, Datum query)
{
	return DatumGetBool(must(host_call_in_plan(plan, custmart_tagbloom_matches,
											   (NullableDatum[]) {ARG(set), ARG(query)}, 2), "@@"));
}

static bool
is_exact(Datum set)
{
	return DatumGetBool(must(CALL(custmart_tagbloom_is_exact, ARG(set)), "is_exact"));
}

static Datum
unite(Datum a, Datum b)
{
	return must(CALL(custmart_tagbloom_union, ARG(a), ARG(b)), "|");
}

static Datum
resize(Datum set, int tags, bool is_explicit)
{
	return must(CALL(custmart_tagbloom_resize, ARG(set), ARG(Int32GetDatum(tags)), ARG(BoolGetDatum(is_explicit))),
				"a cast");
}

static Datum
set_of(const char *const *tags, int n)
{
	return must(CALL(custmart_tags, ARG(host_text_array(tags, n))), "tags()");
}

/* ---------- the index ---------- */

/*
 * Asks as an index does: the keys of the query, which of them the row has, and
 * some of these withheld.  What it says must fit the answer of the operator.  It
 * may leave the question open of a set that has what a query with negated tags
 * needs, because it does not look these up.
 */
static void
check_index(Datum set, Datum query, TagStrategy strategy, bool answer, bool may_be_open, uint64 withheld)
{
	int32		set_keys = 0;
	bool	   *set_nulls = NULL;
	Datum	   *has_keys;
	int32		keys = 0;
	bool	   *partial = NULL;
	Pointer    *extra = NULL;
	bool	   *nulls = NULL;
	int32		mode = GIN_SEARCH_MODE_DEFAULT;
	Datum	   *key;
	GinTernaryValue *check;
	bool		is_candidate;
	Outcome		outcome;

	has_keys = (Datum *) DatumGetPointer(must(CALL(custmart_tagbloom_gin_value, ARG(set), ARG(PointerGetDatum(&set_keys)),
												   ARG(PointerGetDatum(&set_nulls))), "the keys of a set"));
	outcome = CALL(custmart_tagbloom_gin_query, ARG(query), ARG(PointerGetDatum(&keys)), ARG(UInt16GetDatum(strategy)),
				   ARG(PointerGetDatum(&partial)), ARG(PointerGetDatum(&extra)), ARG(PointerGetDatum(&nulls)),
				   ARG(PointerGetDatum(&mode)));
	host_require(!outcome.raised, "the keys of a query: %s", outcome.message);
	host_require(mode == GIN_SEARCH_MODE_DEFAULT || mode == GIN_SEARCH_MODE_ALL, "search mode %d", mode);
	key = (Datum *) DatumGetPointer(outcome.value);
	is_candidate = mode == GIN_SEARCH_MODE_ALL;
	check = palloc0(keys + 1);
	for (int i = 0; i < keys; i++)
		for (int k = 0; k < set_keys; k++)
		{
			bool		is_null = nulls != NULL && nulls[i];
			bool		set_is_null = set_nulls != NULL && set_nulls[k];

			if (is_null == set_is_null && (is_null || DatumGetInt64(key[i]) == DatumGetInt64(has_keys[k])))
			{
				check[i] = GIN_TRUE;
				is_candidate = true;
			}
		}
	host_require(is_candidate || !answer, "the index does not find a row that answers the query");
	if (keys == 0 && mode == GIN_SEARCH_MODE_DEFAULT)
		return;
	for (int round = 0; round < 3; round++)
	{
		GinTernaryValue result;

		/* What is withheld: nothing; a few keys; all of them. */
		for (int i = 0; i < keys; i++)
			if (round == 2 || (round == 1 && (withheld >> i % 64 & 1) != 0))
				check[i] = GIN_MAYBE;
		outcome = CALL(custmart_tagbloom_gin_consistent, ARG(PointerGetDatum(check)), ARG(UInt16GetDatum(strategy)),
					   ARG(query), ARG(Int32GetDatum(keys)), ARG(PointerGetDatum(extra)), ARG(PointerGetDatum(key)),
					   ARG(PointerGetDatum(nulls)));
		result = (GinTernaryValue) must(outcome, "consistent");
		host_require(result == GIN_MAYBE || result == (answer ? GIN_TRUE : GIN_FALSE),
					 "the index says %d, the operator %d", result, answer);
		/* Of exact sets all is known, unless the query is a filter itself. */
		host_require(round > 0 || result != GIN_MAYBE || set_nulls != NULL || may_be_open ||
					 (strategy == TAG_CONTAINS && !is_exact(query)), "the index is unsure of an exact set");
		host_require(round > 0 || set_nulls == NULL || result == GIN_MAYBE || keys == 0 || strategy == TAG_CONTAINS,
					 "the index is sure of a filter");
	}
}

/* ---------- tagbloom ---------- */

static const char *const dictionary[] = {
	"vip", "ios", "new friend", "t0", "t1", "t17", "t255", "T", "\xC3\xA4", NULL
};

/* All there is to do with one set. */
static void
use_tagbloom(Datum value)
{
	Datum		packed = host_packed(value);
	bool		exact = is_exact(packed);
	float8		count = DatumGetFloat8(must(CALL(custmart_tag_count, ARG(packed)), "tag_count"));
	float8		rate = DatumGetFloat8(must(CALL(custmart_tagbloom_false_positive_rate, ARG(packed)), "false_positive_rate"));
	Datum		words = host_text_array(dictionary, lengthof(dictionary));
	Datum		out_of_line = host_toasted(value);
	Datum		listed = must(CALL(custmart_tag_list, ARG(packed), ARG(words)), "tag_list");
	const char *had[lengthof(dictionary)];
	int			n = 0;
	Datum		more = packed;

	check_round_trips(&tagbloom, value);
	host_require(isfinite(count) && count >= 0, "tag_count %g", count);
	host_require(rate >= 0 && rate <= 1, "false_positive_rate %g", rate);
	host_require(!exact || (count == (VARSIZE_ANY_EXHDR(DatumGetPointer(value)) - 4) / 8.0 && rate == ldexp(count, -64)),
				 "tag_count %g and false_positive_rate %g of an exact set", count, rate);

	for (int i = 0; i < lengthof(dictionary) - 1; i++)
	{
		const char *tag = dictionary[i];
		bool		is_in = has(packed, tag);
		Outcome		removed;

		host_require(has(value, tag) == is_in && has(out_of_line, tag) == is_in, "? depends on where the set is stored");
		check_index(packed, text_of(tag), TAG_HAS, is_in, false, i);
		if (is_in)
			had[n++] = tag;
		more = must(CALL(custmart_tagbloom_add, ARG(more), ARG(text_of(tag))), "||");
		host_require(has(more, tag), "a tag is not there that was just added");

		removed = CALL(custmart_tagbloom_remove, ARG(packed), ARG(text_of(tag)));
		if (!exact)
		{
			host_require(removed.raised && removed.sqlstate == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "- of a filter");
			continue;
		}
		host_require(!has(must(removed, "-"), tag), "a tag is there that was just removed");
		if (is_in)
			host_require(same_bytes(must(CALL(custmart_tagbloom_add, ARG(removed.value), ARG(text_of(tag))), "||"), value),
						 "another set after - and ||");
	}
	host_require(same_bytes(listed, host_text_array(had, n)), "tag_list and ? differ");
	host_require(call_bool(custmart_tagbloom_has_all, packed, words) == (n == lengthof(dictionary) - 1), "?& and ? differ");
	host_require(call_bool(custmart_tagbloom_has_any, packed, words) == (n > 0), "?| and ? differ");
	host_require(call_bool(custmart_tagbloom_has_all, packed, listed), "?& and tag_list differ");
	check_index(packed, words, TAG_HAS_ALL, n == lengthof(dictionary) - 1, false, 5);
	check_index(packed, words, TAG_HAS_ANY, n > 0, false, 5);
	check_index(packed, listed, TAG_HAS_ALL, true, false, 6);
	check_index(packed, listed, TAG_HAS_ANY, n > 0, false, 6);
	check_round_trips(&tagbloom, more);
	host_require(call_bool(custmart_tagbloom_contains, more, packed) &&
				 call_bool(custmart_tagbloom_contained, packed, more), "a set of more tags does not contain the set");

	/* However a filter is resized, it has the same tags. */
	for (int i = 0; i < 6; i++)
	{
		int			tags = (int[]) {1, 17, 33, 100, 500, 3000}[i];
		Datum		assigned = resize(packed, tags, false);
		Datum		cast = resize(packed, tags, true);

		if (exact)
		{
			host_require(same_bytes(value, assigned) && same_bytes(value, cast), "an exact set is resized");
			break;
		}
		host_require(VARSIZE_ANY_EXHDR(DatumGetPointer(assigned)) >= VARSIZE_ANY_EXHDR(DatumGetPointer(value)),
					 "halved in an assignment");
		host_require(call_bool(custmart_tagbloom_contains, cast, value) &&
					 call_bool(custmart_tagbloom_contains, value, cast) &&
					 call_bool(custmart_tagbloom_contains, assigned, cast), "another set when resized");
		host_require(same_bytes(resize(assigned, tags, true), cast), "resized in two steps");
		for (int k = 0; k < n; k++)
			host_require(has(assigned, had[k]) && has(cast, had[k]), "a tag is lost when resized");
		check_round_trips(&tagbloom, cast);
		count = DatumGetFloat8(must(CALL(custmart_tag_count, ARG(cast)), "tag_count"));
		host_require(isfinite(count) && count >= 0, "tag_count %g when resized", count);
	}
}

/* ---------- aggregates of tagbloom ---------- */

static Datum
rollup_step(Datum state, Datum set)
{
	NullableDatum args[] = {{state, state == (Datum) 0}, ARG(set)};

	return must(host_call(custmart_tagbloom_rollup_step, args, 2, HOST_AGGREGATE), "rollup");
}

static Datum
combine(Datum a, Datum b)
{
	NullableDatum args[] = {{a, a == (Datum) 0}, {b, b == (Datum) 0}};

	return must(host_call(custmart_tag_agg_combine, args, 2, HOST_AGGREGATE), "combine");
}

/* The set of a state, which is left as it is. */
static Datum
final(Datum state)
{
	Datum		before = copy(state);
	Datum		set = must(CALL_IN_AGGREGATE(custmart_tag_agg_final, ARG(state)), "the last step");

	host_require(same_bytes(before, state), "the last step changes the state");
	return set;
}

/* The union of sets must be the same however they come; returns it. */
static Datum
check_rollup(const Datum *sets, int n)
{
	Datum		forwards = 0;
	Datum		backwards = 0;
	Datum		parts[2] = {0, 0};
	Datum		set;

	for (int i = 0; i < n; i++)
	{
		forwards = rollup_step(forwards, sets[i]);
		/* Between any two rows a state may be sent elsewhere. */
		backwards = rollup_step(backwards == (Datum) 0 ? backwards : host_packed(copy(backwards)), sets[n - 1 - i]);
		parts[i % 2] = rollup_step(parts[i % 2], sets[i]);
	}
	set = final(forwards);
	host_require(same_bytes(set, final(backwards)), "another set in another order");
	host_require(same_bytes(set, final(combine(copy(parts[0]), host_packed(copy(parts[1] == (Datum) 0 ? parts[0] : parts[1]))))),
				 "another set when two parts are combined");
	if (parts[1] != (Datum) 0)
		host_require(same_bytes(set, final(combine(combine((Datum) 0, parts[1]), parts[0]))),
					 "another set when two parts are combined the other way round");
	return set;
}

/* Two sets that were taken, brought together in all ways that there are. */
static void
merge_sets(Datum a, Datum b)
{
	Datum		sum = unite(host_packed(a), b);
	Datum		sets[] = {a, host_packed(b), a};

	host_require(same_bytes(sum, unite(b, host_packed(a))), "a | b <> b | a");
	host_require(same_bytes(sum, unite(sum, a)) && same_bytes(sum, unite(sum, b)), "a | b changes when it is added to");
	host_require(same_bytes(a, unite(a, a)), "a | a <> a");
	host_require(call_bool(custmart_tagbloom_contains, sum, a) && call_bool(custmart_tagbloom_contains, sum, b),
				 "a union does not contain its parts");
	check_round_trips(&tagbloom, sum);
	check_index(a, b, TAG_CONTAINS, call_bool(custmart_tagbloom_contains, a, b), false, 3);
	check_index(sum, b, TAG_CONTAINS, true, false, 3);
	host_require(same_bytes(sum, check_rollup(sets, 3)), "| and rollup differ");
}

static void
target_of_bytes(Datum value)
{
	static const char *const some[] = {"vip", "t17", "T"};
	Datum		others[3];
	const char *many[60];
	char		names[60][8];

	for (int i = 0; i < lengthof(many); i++)
	{
		snprintf(names[i], sizeof(names[i]), "t%d", i);
		many[i] = names[i];
	}
	use_tagbloom(value);
	others[0] = set_of(some, lengthof(some));
	others[1] = set_of(many, lengthof(many));
	others[2] = resize(others[1], 500, false);
	merge_sets(value, value);
	for (int i = 0; i < lengthof(others); i++)
		merge_sets(value, others[i]);
}

void
target_tagbloom_in(Input *input)
{
	struct varlena *value;

	/* The server hands over nothing else. */
	if (!host_is_utf8((const char *) input->at, strnlen((const char *) input->at, left(input))))
		return;
	value = from_text(&tagbloom, input->at, left(input));
	if (value != NULL)
		target_of_bytes(PointerGetDatum(value));
}

void
target_tagbloom_recv(Input *input)
{
	struct varlena *value = receive_both(&tagbloom, input);

	if (value == NULL)
		return;
	target_of_bytes(PointerGetDatum(value));
}

/* ---------- sets with a list of what is in them ---------- */

#define TAGS 256
#define SETS_MAX 6

typedef struct Listed
{
	Datum		set;
	bool		is_in[TAGS];
	int			count;
} Listed;

static char names[TAGS][8];

static int
names_of(const Listed *listed, const char **tags)
{
	int			n = 0;

	for (int i = 0; i < TAGS; i++)
		if (listed->is_in[i])
			tags[n++] = names[i];
	return n;
}

static void
put_in(Listed *listed, int tag)
{
	listed->count += !listed->is_in[tag];
	listed->is_in[tag] = true;
}

static void
put_all_in(Listed *listed, const Listed *others)
{
	for (int i = 0; i < TAGS; i++)
		if (others->is_in[i])
			put_in(listed, i);
}

/* No tag is ever lost, and exact sets are exact. */
static void
check_listed(const Listed *listed)
{
	const char *tags[TAGS];
	int			n = names_of(listed, tags);
	bool		exact = is_exact(listed->set);

	host_require(!exact || DatumGetFloat8(must(CALL(custmart_tag_count, ARG(listed->set)), "tag_count")) == n,
				 "an exact set has not all its tags");
	for (int i = 0; i < TAGS; i++)
		if (exact || listed->is_in[i])
			host_require(has(listed->set, names[i]) == listed->is_in[i], "a tag is lost, or another one found: %s", names[i]);
	host_require(call_bool(custmart_tagbloom_has_all, listed->set, host_text_array(tags, n)), "a tag is lost");
	host_require(call_bool(custmart_tagbloom_contains, listed->set, set_of(tags, n)), "the set of the tags is not in the set");
	if (n <= 32 && exact)
		host_require(same_bytes(listed->set, set_of(tags, n)), "the same tags, another set");
}

/* Makes one more set, perhaps of those there are. */
static void
take_set(Input *input, Listed *sets, int count)
{
	Listed	   *to = &sets[count];
	int			how = take_byte(input) % 8;
	int			n = take_byte(input) % 100;
	int			first = take_byte(input);
	int			step = take_byte(input);
	const Listed *a = &sets[first % Max(count, 1)];
	const Listed *b = &sets[step % Max(count, 1)];
	const char *tags[TAGS];
	Datum		state = 0;

	memset(to, 0, sizeof(Listed));
	if (count > 0 && how >= 5)
	{
		put_all_in(to, a);
		if (how == 5)
		{
			put_all_in(to, b);
			to->set = unite(a->set, b->set);
		}
		else if (how == 6)
			to->set = resize(a->set, 1 + n * step, (first & 1) != 0);
		else
		{
			put_in(to, n);
			to->set = must(CALL(custmart_tagbloom_add, ARG(host_packed(a->set)), ARG(text_of(names[n]))), "||");
		}
		return;
	}
	for (int i = 0; i < n; i++)
		put_in(to, (first + i * step) % TAGS);
	if (how < 2 || n == 0)
		to->set = set_of(tags, names_of(to, tags));
	else
	{
		/* Each tag twice, now and then with the state sent elsewhere. */
		for (int i = 0; i < 2 * n; i++)
		{
			NullableDatum args[] = {
				{state, state == (Datum) 0}, ARG(text_of(names[(first + i % n * step) % TAGS])), ARG(Int32GetDatum(1 + how * step))
			};

			state = must(host_call(custmart_tag_agg_step, args, how < 4 ? 2 : 3, HOST_AGGREGATE), "tag_agg");
			if (i % 16 == how)
				state = host_packed(copy(state));
		}
		to->set = final(state);
		if (how < 4)
			host_require(same_bytes(to->set, set_of(tags, names_of(to, tags))), "tags() and tag_agg differ");
	}
}

/* Sets of known tags, made and merged in ways that the input chooses. */
void
target_tagbloom_sets(Input *input)
{
	static Listed sets[SETS_MAX];
	Listed		all = {0};
	Datum		values[SETS_MAX];
	int			n = 0;
	bool		all_exact = true;
	const char *tags[TAGS];

	for (int i = 0; i < TAGS; i++)
		snprintf(names[i], sizeof(names[i]), "t%d", i);
	while (n < SETS_MAX && left(input) > 0)
	{
		take_set(input, sets, n);
		check_listed(&sets[n]);
		put_all_in(&all, &sets[n]);
		values[n] = n % 2 == 0 ? sets[n].set : host_packed(sets[n].set);
		all_exact = all_exact && is_exact(values[n]);
		n++;
	}
	if (n == 0)
		return;
	use_tagbloom(sets[n - 1].set);
	for (int i = 0; i + 1 < n; i++)
		merge_sets(sets[i].set, sets[n - 1].set);
	all.set = check_rollup(values, n);
	check_listed(&all);
	if (all_exact)
		host_require(same_bytes(all.set, set_of(tags, names_of(&all, tags))), "rollup of exact sets and tags() differ");
}

/* ---------- states of the aggregates, forged ---------- */

/* An error of a support function over a state of anybody's making, or a good set. */
static void
check_forged(Outcome outcome, bool is_state)
{
	if (outcome.raised)
	{
		host_require(outcome.sqlstate == ERRCODE_DATA_CORRUPTED || outcome.sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
					 outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE,
					 "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
		return;
	}
	if (is_state)
		outcome = CALL_IN_AGGREGATE(custmart_tag_agg_final, ARG(must(outcome, "a state")));
	host_require(!outcome.raised, "a state that was made has no set: %s", outcome.message);
	use_tagbloom(outcome.value);
}

void
target_tagbloom_state(Input *input)
{
	static const char *const tags[] = {"vip", "t17", "T"};
	int			rows = take_byte(input);
	int			changes = take_byte(input) % 8;
	Datum		set = set_of(tags, lengthof(tags));
	Datum		state = 0;
	uint8	   *bytes;
	Size		length;
	uint32		expected;
	Datum		forged;

	for (int i = 0; i < rows; i++)
	{
		char		name[8];
		NullableDatum args[] = {{state, state == (Datum) 0}, ARG((Datum) 0)};

		snprintf(name, sizeof(name), "t%d", i);
		args[1].value = text_of(name);
		state = must(host_call(custmart_tag_agg_step, args, 2, HOST_AGGREGATE), "tag_agg");
	}
	if (rows % 4 == 1)
		state = rollup_step(state, resize(final(state), 100, true));
	length = state == (Datum) 0 ? left(input) : VARSIZE_ANY_EXHDR(DatumGetPointer(state));
	bytes = palloc(length + 8);
	if (length > 0)
		memcpy(bytes, state == (Datum) 0 ? (const char *) input->at : VARDATA_ANY(DatumGetPointer(state)), length);
	for (int i = 0; i < changes && length > 0 && state != (Datum) 0; i++)
	{
		Size		at = take_number(input, 2);
		uint8		value = take_byte(input);

		switch (take_byte(input) % 4)
		{
			case 0:
				bytes[at % length] = value;
				break;
			case 1:				/* the header */
				bytes[at % Min(length, 16)] = value;
				break;
			case 2:
				length -= Min(length, value);
				break;
			case 3:
				bytes[at % length] ^= 1 << value % 8;
				break;
		}
	}
	/* A large filter that was asked for would be made, and be too large here. */
	if (length >= 8)
	{
		expected = (uint32) bytes[4] << 24 | bytes[5] << 16 | bytes[6] << 8 | bytes[7];
		if (expected > 100000 && expected <= tagbloom_capacity(TAGBLOOM_LOG2_MAX))
			bytes[4] = bytes[5] = 0;
	}
	forged = host_varlena(bytes, length);
	check_forged(CALL_IN_AGGREGATE(custmart_tag_agg_final, ARG(host_packed(forged))), false);
	check_forged(CALL_IN_AGGREGATE(custmart_tag_agg_combine, NULL_ARG, ARG(host_packed(forged))), true);
	check_forged(CALL_IN_AGGREGATE(custmart_tag_agg_combine, ARG(copy(forged)), ARG(forged)), true);
	check_forged(CALL_IN_AGGREGATE(custmart_tag_agg_combine, ARG(rollup_step((Datum) 0, set)), ARG(forged)), true);
	check_forged(CALL_IN_AGGREGATE(custmart_tag_agg_combine, ARG(copy(forged)), ARG(rollup_step((Datum) 0, set))), true);
	check_forged(CALL_IN_AGGREGATE(custmart_tag_agg_step, ARG(copy(forged)), ARG(text_of("vip"))), true);
	check_forged(CALL_IN_AGGREGATE(custmart_tagbloom_rollup_step, ARG(copy(forged)), ARG(set)), true);
}

/* ---------- tagquery ---------- */

/* Some of the tags of a query: those in the set that it is asked of. */
typedef struct Chosen
{
	Datum		set;
	bool		ask_set;		/* the set says what is in it, not the list */
	const char *tags[32];
	uint32		lengths[32];
	int			count;
} Chosen;

static bool
is_chosen(const Chosen *chosen, const char *tag, uint32 length)
{
	if (chosen->ask_set)
		return has(chosen->set, memcpy(palloc0(length + 1), tag, length));
	for (int i = 0; i < chosen->count; i++)
		if (chosen->lengths[i] == length && memcmp(chosen->tags[i], tag, length) == 0)
			return true;
	return false;
}

/* The answer to the node at *p, which is moved behind it. */
static bool
evaluate(const uint8 **p, const Chosen *chosen)
{
	uint8		op = *(*p)++;
	uint32		children = 1;
	bool		answer;

	if (op == QUERY_TAG)
	{
		uint32		length = (*p)[0] << 8 | (*p)[1];

		answer = is_chosen(chosen, (const char *) *p + 2, length);
		*p += 2 + length;
		return answer;
	}
	if (op == QUERY_NOT)
		return !evaluate(p, chosen);
	for (int i = 0; i < 4; i++)
		children = children << 8 | *(*p)++;
	answer = op == QUERY_AND;
	for (uint32 i = 0; i < children; i++)
	{
		bool		child = evaluate(p, chosen);

		answer = op == QUERY_AND ? answer && child : answer || child;
	}
	return answer;
}

/* Some tags of a query, each if the hash of its bytes and a number says so. */
static void
choose(Datum query, uint32 number, Chosen *chosen)
{
	const uint8 *p = (const uint8 *) VARDATA_ANY(DatumGetPointer(query)) + 8;
	const uint8 *end = p - 8 + VARSIZE_ANY_EXHDR(DatumGetPointer(query));
	const char *tags[32];

	memset(chosen, 0, sizeof(*chosen));
	while (p < end)
	{
		uint8		op = *p++;
		uint32		length;

		if (op == QUERY_AND || op == QUERY_OR)
			p += 4;
		if (op != QUERY_TAG)
			continue;
		length = p[0] << 8 | p[1];
		if (((hash_bytes(p + 2, length) ^ number) * 0x9E3779B1 >> 31) != 0 && chosen->count < 32 &&
			!is_chosen(chosen, (const char *) p + 2, length))
		{
			tags[chosen->count] = memcpy(palloc0(length + 1), p + 2, length);
			chosen->tags[chosen->count] = (const char *) p + 2;
			chosen->lengths[chosen->count++] = length;
		}
		p += 2 + length;
	}
	chosen->set = set_of(tags, chosen->count);
}

/* ---------- a reader of queries that recurses ---------- */

typedef struct Text
{
	const char *at;
	const char *end;
	const Chosen *chosen;
	bool		is_wrong;
} Text;

static void
skip_blanks(Text *text)
{
	while (text->at < text->end && memchr(" \t\n\v\f\r", *text->at, 6) != NULL)
		text->at++;
}

static bool
says_next(Text *text, char c)
{
	skip_blanks(text);
	if (text->at >= text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

static bool
read_tag(Text *text)
{
	char	   *tag = palloc(text->end - text->at + 1);
	uint32		length = 0;
	bool		is_quoted = says_next(text, '"');

	for (;; text->at++)
	{
		if (text->at >= text->end)
		{
			text->is_wrong = text->is_wrong || is_quoted;
			break;
		}
		if (is_quoted ? *text->at == '"' : memchr("&|!()\" \t\n\v\f\r", *text->at, 12) != NULL)
			break;
		if (*text->at == '\\' && ++text->at >= text->end)
		{
			text->is_wrong = true;
			break;
		}
		tag[length++] = *text->at;
	}
	if (is_quoted && !text->is_wrong)
		text->at++;
	if (length == 0 || length > 1024)
		text->is_wrong = true;
	return !text->is_wrong && is_chosen(text->chosen, tag, length);
}

static bool
read_or(Text *text)
{
	bool		any = false;

	do
	{
		bool		all = true;

		do
		{
			bool		negated = false;
			bool		operand;

			while (says_next(text, '!'))
				negated = !negated;
			if (says_next(text, '('))
			{
				operand = read_or(text);
				if (!text->is_wrong && !says_next(text, ')'))
					text->is_wrong = true;
			}
			else
				operand = read_tag(text);
			if (operand == negated)
				all = false;
		} while (!text->is_wrong && says_next(text, '&'));
		if (all)
			any = true;
	} while (!text->is_wrong && says_next(text, '|'));
	return any;
}

/* The answer that a text gives; *is_wrong if it is no query. */
static bool
answer_of_text(const char *bytes, Size length, const Chosen *chosen, bool *is_wrong)
{
	Text		text = {bytes, bytes + length, chosen, false};
	bool		answer = read_or(&text);

	skip_blanks(&text);
	*is_wrong = text.is_wrong || text.at < text.end;
	return answer;
}

static void
use_tagquery(Datum value)
{
	Datum		packed = host_packed(value);
	char	   *canonical = DatumGetCString(must(CALL(custmart_tagquery_out, ARG(packed)), "out"));
	Datum		tree = must(CALL(custmart_tagquery_tree, ARG(packed)), "tagquery_tree");
	char	   *positive = memcpy(palloc0(VARSIZE_ANY_EXHDR(tree) + 1), VARDATA_ANY(tree), VARSIZE_ANY_EXHDR(tree));
	Datum		needed = 0;
	FmgrInfo	plan = {0};
	FmgrInfo	needed_plan = {0};
	const uint8 *p;
	Chosen		chosen;
	bool		is_wrong;

	host_require(ARR_NDIM(DatumGetArrayTypeP(must(CALL(custmart_tagquery_tag_list, ARG(packed)), "tag_list"))) == 1,
				 "a query without tags");
	check_round_trips(&tagquery, value);
	chosen = (Chosen) {0};
	p = (const uint8 *) VARDATA_ANY(DatumGetPointer(value)) + 8;
	host_require((strcmp(positive, "T") == 0) == evaluate(&p, &chosen), "of \"%s\" an index can look up \"%s\"", canonical, positive);
	if (strcmp(positive, "T") != 0)
	{
		needed = PointerGetDatum(from_text(&tagquery, positive, strlen(positive)));
		host_require(needed != (Datum) 0, "tagquery_tree gives no query: %s", positive);
		/* A tag T alone is in quotes, because T without them says that nothing is needed. */
		host_require(strcmp(positive, "\"T\"") == 0 ||
					 strcmp(positive, DatumGetCString(must(CALL(custmart_tagquery_out, ARG(needed)), "out"))) == 0,
					 "tagquery_tree gives no canonical text: %s", positive);
	}
	for (uint32 number = 0; number < 5; number++)
	{
		bool		answer;

		choose(value, number * 0x01234567, &chosen);
		/* The last set is a filter; it has tags that were not put in. */
		if (number == 4)
		{
			static const char *const others[] = {
				"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
				"18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33"
			};

			chosen.set = resize(unite(chosen.set, set_of(others, lengthof(others))), 1, true);
			chosen.ask_set = true;
		}
		p = (const uint8 *) VARDATA_ANY(DatumGetPointer(value)) + 8;
		answer = evaluate(&p, &chosen);
		host_require(matches(&plan, host_packed(chosen.set), packed) == answer, "@@ says %d of \"%s\"", !answer, canonical);
		host_require(answer_of_text(canonical, strlen(canonical), &chosen, &is_wrong) == answer && !is_wrong,
					 "another answer of the canonical text: %s", canonical);
		host_require(!answer || needed == (Datum) 0 || matches(&needed_plan, chosen.set, needed),
					 "\"%s\" is true where \"%s\" is not", canonical, positive);
		check_index(chosen.set, packed, TAG_MATCHES, answer,
					needed != (Datum) 0 && strcmp(positive, canonical) != 0 && matches(&needed_plan, chosen.set, needed),
					hash_bytes_uint32(number));
	}
}

void
target_tagquery_in(Input *input)
{
	Size		length = strnlen((const char *) input->at, left(input));
	Chosen		chosen = {0};
	struct varlena *value;
	bool		is_wrong;

	if (!host_is_utf8((const char *) input->at, length))
		return;
	value = from_text(&tagquery, input->at, left(input));
	(void) answer_of_text((const char *) input->at, length, &chosen, &is_wrong);
	host_require((value == NULL) == is_wrong, "takes what is no query, or refuses one");
	if (value == NULL)
		return;
	for (uint32 number = 0; number < 3; number++)
	{
		FmgrInfo	plan = {0};

		choose(PointerGetDatum(value), number, &chosen);
		host_require(matches(&plan, chosen.set, PointerGetDatum(value)) ==
					 answer_of_text((const char *) input->at, length, &chosen, &is_wrong), "@@ and the text differ");
	}
	use_tagquery(PointerGetDatum(value));
}

void
target_tagquery_recv(Input *input)
{
	struct varlena *value = from_binary(&tagquery, input->at, left(input));

	if (value != NULL)
		use_tagquery(PointerGetDatum(value));
}

/* ---------- seeds ---------- */

static const char *const set_texts[] = {
	"{}", "{vip}", "{vip,\"new friend\",NULL}", "{ a , \"b\\\"c\" , d\\,e, \"null\" }",
	"{0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z}"
};

static const char *const query_texts[] = {
	"vip & (ios | \"new friend\") & !lapsed", "!(a & !(b | c)) | !!d", "T", "a\\&b|\"\\\"\\\\\"",
	"!a & !b", "((a | b) & (c | !d)) | (e & f & !(g | h))", "\xC3\xA4 & !(x)"
};

void
seeds_tagbloom_in(void)
{
	static const int sizes[] = {1, 40, 100};

	seed_values(&tagbloom, set_texts, lengthof(set_texts), false);
	for (int i = 0; i < lengthof(set_texts); i++)
	{
		Datum		set = PointerGetDatum(from_text(&tagbloom, set_texts[i], strlen(set_texts[i])));

		for (int k = 0; k < lengthof(sizes); k++)
			seed_text(DatumGetCString(must(CALL(custmart_tagbloom_out, ARG(resize(set, sizes[k], true))), "out")));
	}
}

void
seeds_tagbloom_recv(void)
{
	static const int sizes[] = {1, 40, 100, 400};

	seed_values(&tagbloom, set_texts, lengthof(set_texts), true);
	for (int k = 0; k < lengthof(sizes); k++)
	{
		Datum		set = PointerGetDatum(from_text(&tagbloom, set_texts[4], strlen(set_texts[4])));

		set = resize(set, sizes[k], true);
		seed(VARDATA_ANY(DatumGetPointer(set)), VARSIZE_ANY_EXHDR(DatumGetPointer(set)));
		set = resize(set, 500, true);
		seed(VARDATA_ANY(DatumGetPointer(set)), VARSIZE_ANY_EXHDR(DatumGetPointer(set)));
	}
	/* All bits set, at every grain. */
	for (int grain = 0; grain <= 5; grain++)
	{
		uint8		bytes[4 + 32 * 32];

		memset(bytes, 0xFF, sizeof(bytes));
		bytes[0] = 4;
		bytes[1] = 1;
		bytes[2] = 5;
		bytes[3] = 0x80 | grain;
		seed(bytes, sizeof(bytes));
	}
}

void
seeds_tagbloom_sets(void)
{
	for (int how = 0; how < 8; how++)
	{
		uint8		bytes[] = {
			0, 20, 0, 1, how, 40, 10, 3, how + 1, 90, 7, 9, 6, 99, 1, 99, how + 5, 12, 0, 1, 5, 0, 2, 3
		};

		seed(bytes, sizeof(bytes));
	}
	/* A filter of more than 64 kB. */
	seed("\0\x63\0\1\6\x63\1\xFF\6\x63\2\x30\5\0\1\2", 16);
}

void
seeds_tagbloom_state(void)
{
	for (int rows = 1; rows < 256; rows += 23)
	{
		uint8		bytes[] = {rows, rows % 8, 0, 9, 1, 1, 0, 3, 0x81, 1, 0, 2, 3, 1, 0, 17, 200, 3};

		seed(bytes, sizeof(bytes));
	}
}

void
seeds_tagquery_in(void)
{
	seed_values(&tagquery, query_texts, lengthof(query_texts), false);
}

void
seeds_tagquery_recv(void)
{
	seed_values(&tagquery, query_texts, lengthof(query_texts), true);
}
