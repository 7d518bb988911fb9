/*
 * basket_report.c
 *	  Reports on a basket_book: which items go together, and how many baskets are large.
 */
#include "basket/basket.h"

#include "shared/arguments.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "statistics/distributions.h"
#include "utils/builtins.h"

#define NO_LIMIT PG_UINT32_MAX

typedef struct AffinitiesReport
{
	BasketReader book;
	Datum	   *names;			/* of the items */
	Baskets		baskets;
	uint32	   *having;			/* of each item: counted baskets that have it */
	BasketPairs pairs;
	float8	   *p;				/* of each pair */
	float8	   *q;
	uint32	   *mirror;			/* pairs by their second item */
	uint32	   *mirror_item;	/* and their first */
	Size	   *mirror_first;
	int64		top_k;
	BasketRank	rank_by;

	MemoryContext context;		/* of all of this, which outlives a row */

	/* The item at hand. */
	uint32		item;			/* its number + 1 */
	BasketCompanion *companions;
	Size		room;
	Size		count;
	Size		next;
	int64		rank;
} AffinitiesReport;

#define ST_SORT sort_companions
#define ST_ELEMENT_TYPE BasketCompanion
#define ST_COMPARE(a, b) compare_companions(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DECLARE
#include "lib/sort_template.h"

/* The greater first, of equal ones that of the lower item. */
static inline int
compare_companions(const BasketCompanion *a, const BasketCompanion *b)
{
	int			order = basket_compare_fractions(a, b);

	return order != 0 ? order : (a->other > b->other) - (a->other < b->other);
}

#define ST_SORT sort_companions
#define ST_ELEMENT_TYPE BasketCompanion
#define ST_COMPARE(a, b) compare_companions(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---------- arguments ---------- */

static uint32
min_together_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		least;

	argument_check_not_null(fcinfo, argument, "min_together");
	least = PG_GETARG_INT32(argument);
	if (least < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_together must be at least 1, not %d", least),
				 errhint("It is in how many baskets two items must be together to be a pair.")));
	return (uint32) least;
}

/* The largest basket that counts; NULL is no limit. */
static uint32
max_basket_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		most;

	if (PG_ARGISNULL(argument))
		return NO_LIMIT;
	most = PG_GETARG_INT32(argument);
	if (most < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_basket must be at least 1, not %d", most),
				 errhint("It is the largest number of different items that a basket may have.")));
	return (uint32) most;
}

/* The last rank that is listed; NULL is no limit. */
static int64
top_k_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		top_k;

	if (PG_ARGISNULL(argument))
		return PG_INT64_MAX;
	top_k = PG_GETARG_INT32(argument);
	if (top_k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("top_k must be at least 1, not %d", top_k),
				 errhint("It is the last rank that is listed for each item; NULL is no limit.")));
	return top_k;
}

static BasketRank
rank_by_argument(FunctionCallInfo fcinfo, int argument)
{
	static const struct
	{
		const char *name;
		BasketRank	by;
	}			names[] = {
		{"together", BASKET_BY_TOGETHER}, {"support", BASKET_BY_TOGETHER}, {"confidence", BASKET_BY_TOGETHER},
		{"lift", BASKET_BY_LIFT}, {"jaccard", BASKET_BY_JACCARD}, {"cosine", BASKET_BY_COSINE}
	};
	char	   *by;

	argument_check_not_null(fcinfo, argument, "rank_by");
	by = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	for (Size i = 0; i < lengthof(names); i++)
		if (strcmp(by, names[i].name) == 0)
			return names[i].by;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rank_by is not known: \"%s\"", by),
			 errhint("It is together, support, confidence, lift, jaccard or cosine.")));
}

/* ---------- reading the book ---------- */

/* Counts the baskets of each item, those that are not too large. */
static void
count_items(AffinitiesReport *report, uint32 max_basket, uint32 *items)
{
	uint32		nitems = report->book.items.count;
	uint32		size;

	report->having = large_alloc(CurrentMemoryContext, Max((Size) nitems, 1) * sizeof(uint32));
	memset(report->having, 0, Max((Size) nitems, 1) * sizeof(uint32));
	while (basket_next(&report->book, &size))
	{
		check_interrupts(report->baskets.n);
		if (size > max_basket)
		{
			basket_skip_items(&report->book, size);
			continue;
		}
		basket_read_items(&report->book, items, size);
		for (uint32 i = 0; i < size; i++)
			report->having[items[i]]++;
		report->baskets.n++;
		report->baskets.nentries += size;
	}
	basket_reader_init(&report->book);
}

/*
 * Lists the baskets that can have pairs.  An item in fewer baskets than a pair must
 * be in has no pair, so it is left out, and a basket with a single item left as well.
 */
static void
list_baskets(AffinitiesReport *report, uint32 max_basket, uint32 min_together, uint32 *items)
{
	uint32	   *entries = large_alloc(CurrentMemoryContext, Max(report->baskets.nentries, 1) * sizeof(uint32));
	Size		n = 0;
	Size		step = 0;
	uint32		size;

	while (basket_next(&report->book, &size))
	{
		Size		begin = n;

		check_interrupts(step++);
		if (size > max_basket)
		{
			basket_skip_items(&report->book, size);
			continue;
		}
		basket_read_items(&report->book, items, size);
		for (uint32 i = 0; i < size; i++)
		{
			entries[n] = items[i];
			n += report->having[items[i]] >= min_together;
		}
		if (n - begin < 2)
			n = begin;
		else
			entries[n - 1] |= BASKET_LAST;
	}
	report->baskets.entries = entries;
	report->baskets.nentries = n;
	report->baskets.nitems = report->book.items.count;
	report->baskets.having = report->having;

	/* A basket of two or more takes a byte for each of them when stored. */
	Assert(n <= PG_UINT32_MAX);
}

/* Lists the pairs by their second item, so that those of any item are at hand. */
static void
list_mirror(AffinitiesReport *report)
{
	const BasketPairs *pairs = &report->pairs;
	uint32		nitems = report->baskets.nitems;
	Size	   *first = large_alloc(CurrentMemoryContext, ((Size) nitems + 2) * sizeof(Size));

	report->mirror = large_alloc(CurrentMemoryContext, Max(pairs->count, 1) * sizeof(uint32));
	report->mirror_item = large_alloc(CurrentMemoryContext, Max(pairs->count, 1) * sizeof(uint32));
	memset(first, 0, ((Size) nitems + 2) * sizeof(Size));
	for (Size i = 0; i < pairs->count; i++)
	{
		check_interrupts(i);
		first[pairs->pair[i].other + 2]++;
	}
	for (Size item = 0; item < nitems; item++)
		first[item + 2] += first[item + 1];
	for (uint32 item = 0; item < nitems; item++)
		for (Size i = pairs->first[item]; i < pairs->first[item + 1]; i++)
		{
			Size		place = first[pairs->pair[i].other + 1]++;

			check_interrupts(i);
			report->mirror[place] = (uint32) i;
			report->mirror_item[place] = item;
		}
	report->mirror_first = first;
}

/* The p-values and q-values of all pairs. */
static void
test_pairs(AffinitiesReport *report)
{
	Size		n = Max(report->pairs.count, 1);
	uint32	   *order = large_alloc(CurrentMemoryContext, n * sizeof(uint32));

	report->p = large_alloc(CurrentMemoryContext, n * sizeof(float8));
	report->q = large_alloc(CurrentMemoryContext, n * sizeof(float8));
	basket_p_values(&report->baskets, &report->pairs, report->p);
	statistics_benjamini_hochberg(report->p, order, report->pairs.count, report->q);
	pfree(order);
}

static void
read_names(AffinitiesReport *report)
{
	const BookReader *items = &report->book.items;
	BookKeyCursor cursor;

	report->names = large_alloc(CurrentMemoryContext, Max((Size) items->count, 1) * sizeof(Datum));
	book_key_cursor(&cursor, items);
	for (uint32 i = 0; i < items->count; i++)
	{
		Key			key = book_next_key(&cursor);

		check_interrupts(i);
		report->names[i] = book_key_datum(items->key_type, &key);
	}
}

/* ---------- affinities ---------- */

/* The variant is the argument with the book. */
static void *
open_affinities(FunctionCallInfo fcinfo, TupleDesc columns, int argument)
{
	AffinitiesReport *report;
	uint32		min_together;
	uint32		max_basket;
	uint32	   *items;

	if (PG_ARGISNULL(argument))
		return NULL;
	report = palloc0(sizeof(AffinitiesReport));
	report->context = CurrentMemoryContext;
	basket_book_open(&report->book, PG_GETARG_DATUM(argument));
	book_check_key_type(&report->book.items, &basket_book_format, TupleDescAttr(columns, 0)->atttypid,
						"items", "item_affinities", "book");
	min_together = min_together_argument(fcinfo, argument + 1);
	max_basket = max_basket_argument(fcinfo, argument + 2);
	report->top_k = top_k_argument(fcinfo, argument + 3);
	report->rank_by = rank_by_argument(fcinfo, argument + 4);

	items = large_alloc(CurrentMemoryContext, Max((Size) report->book.items.count, 1) * sizeof(uint32));
	count_items(report, max_basket, items);
	list_baskets(report, max_basket, min_together, items);
	pfree(items);
	if (!basket_count_pairs(&report->baskets, min_together, &report->pairs))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d pairs of items are together in at least %u baskets", BASKET_PAIRS_MAX, min_together),
				 errhint("Raise min_together.")));
	pfree((void *) report->baskets.entries);
	report->baskets.entries = NULL;
	test_pairs(report);
	list_mirror(report);
	read_names(report);
	return report;
}

/* Ranks the companions of the next item. */
static void
rank_companions(AffinitiesReport *report)
{
	uint32		item = report->item++;
	const BasketPairs *pairs = &report->pairs;
	Size		own = pairs->first[item + 1] - pairs->first[item];
	Size		mirrored = report->mirror_first[item + 1] - report->mirror_first[item];

	report->count = own + mirrored;
	report->next = 0;
	if (report->count > report->room)
		report->companions = array_grow(report->companions, &report->room, report->count, sizeof(BasketCompanion),
										report->context);
	for (Size i = 0; i < report->count; i++)
	{
		Size		place = report->mirror_first[item] + i - own;
		Size		pair = i < own ? pairs->first[item] + i : report->mirror[place];
		uint32		other = i < own ? pairs->pair[pair].other : report->mirror_item[place];

		check_interrupts(i);
		report->companions[i] = basket_companion(report->rank_by, report->having[item], report->having[other], pairs->pair[pair].together);
		report->companions[i].other = other;
		report->companions[i].pair = (uint32) pair;
	}
	if (report->count > 1)
		sort_companions(report->companions, report->count);
}

static bool
next_affinity(void *state, Datum *values, bool *nulls)
{
	AffinitiesReport *report = state;
	const BasketCompanion *companion;
	BasketMeasures measures;
	uint32		together;
	uint32		item;

	for (;;)
	{
		while (report->next == report->count)
		{
			check_interrupts(report->item);
			if (report->item == report->baskets.nitems)
				return false;
			rank_companions(report);
		}
		companion = &report->companions[report->next];
		if (report->next == 0 || basket_compare_fractions(companion - 1, companion) != 0)
			report->rank = (int64) report->next + 1;
		if (report->rank <= report->top_k)
			break;
		report->next = report->count;
	}
	report->next++;
	item = report->item - 1;
	together = report->pairs.pair[companion->pair].together;
	basket_measure(report->baskets.n, report->having[item], report->having[companion->other], together, &measures);
	values[0] = report->names[item];
	values[1] = report->names[companion->other];
	values[2] = Int64GetDatum(report->rank);
	values[3] = Int64GetDatum(together);
	values[4] = Int64GetDatum(report->having[item]);
	values[5] = Int64GetDatum(report->having[companion->other]);
	values[6] = Float8GetDatum(measures.support);
	values[7] = Float8GetDatum(measures.confidence);
	values[8] = Float8GetDatum(measures.lift);
	values[9] = Float8GetDatum(measures.jaccard);
	values[10] = Float8GetDatum(measures.cosine);
	values[11] = Float8GetDatum(report->p[companion->pair]);
	values[12] = Float8GetDatum(report->q[companion->pair]);
	return true;
}

static const Report affinities = {open_affinities, next_affinity, 13};

/* item_affinities(book, min_together, max_basket, top_k, rank_by): one row per ordered pair of items that are bigint. */
CUSTMART_REPORT(custmart_item_affinities, affinities, 0)

/* item_affinities(anyelement, book, …): items of the given type. */
CUSTMART_REPORT(custmart_item_affinities_typed, affinities, 1)

/* ---------- large baskets ---------- */

/* baskets_over(book, max_basket): how many baskets have more items than that. */
CUSTMART_FUNCTION(custmart_baskets_over);
Datum
custmart_baskets_over(PG_FUNCTION_ARGS)
{
	BasketReader *book = palloc(sizeof(BasketReader));
	uint32		max_basket = max_basket_argument(fcinfo, 1);
	int64		over = 0;
	uint32		size;

	basket_book_open(book, PG_GETARG_DATUM(0));
	for (Size i = 0; basket_next(book, &size); i++)
	{
		check_interrupts(i);
		over += size > max_basket;
	}
	PG_RETURN_INT64(over);
}
