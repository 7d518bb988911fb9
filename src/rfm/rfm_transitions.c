/*
 * rfm_transitions.c
 *	  Who moved from which segment to which between two books.
 *
 * A book knows of each member the sums and the last order, not what was before:
 * so two dates are two books.  Both are in the order of their members, and are
 * walked side by side.
 */
#include "rfm/rfm_population.h"

#include "shared/arguments.h"
#include "shared/large_memory.h"
#include "shared/report.h"

#include "utils/builtins.h"

/* The members who went from one segment to another, and their money in both books. */
typedef struct Cell
{
	int64		members;
	int64		earlier;
	int64		later;
} Cell;

/* A book that is walked. */
typedef struct Walk
{
	Population	population;
	BookKeyCursor keys;
	RfmMemberCursor members;
	uint32		left;			/* the one at hand and those behind it */
	Key			key;
	const RfmMember *member;
} Walk;

typedef struct TransitionsReport
{
	Walk		earlier;
	Walk		later;
	Segments	segments;
	int			size;			/* of the matrix: all segments, and no segment */
	Cell	   *cells;			/* by row: all that went from one segment */
	DecimalPool pool;			/* of their money */
	int64	   *went_from;		/* members, by segment */
	int			next;
} TransitionsReport;

/* Positions a walk at its next member. */
static void
step(Walk *walk)
{
	if (walk->left == 0)
		return;
	walk->key = book_next_key(&walk->keys);
	walk->member = rfm_next_member(&walk->members);
}

static void
begin_walk(Walk *walk)
{
	book_key_cursor(&walk->keys, &walk->population.reader);
	rfm_member_cursor(&walk->members, &walk->population.tail, walk->population.reader.count);
	walk->left = walk->population.reader.count;
	step(walk);
}

static void
add_money(int64 *sum, DecimalPool *pool, const Walk *walk)
{
	if (!decimal_add_packed(sum, pool, walk->member->money, &walk->population.pool))
		rfm_raise(RFM_SUM_OUT_OF_RANGE);
}

/* Below, at or above 0: the next member is in the earlier book, in both, or in the later one. */
static int
compare_walks(const Walk *earlier, const Walk *later)
{
	if (earlier->left == 0 || later->left == 0)
		return (earlier->left == 0) - (later->left == 0);
	return keytable_compare_keys(earlier->population.reader.key_type, &earlier->key, &later->key);
}

/* Counts every member of either book in its cell. */
static void
fill_cells(TransitionsReport *report)
{
	Walk	   *earlier = &report->earlier;
	Walk	   *later = &report->later;
	const Segments *segments = &report->segments;

	begin_walk(earlier);
	begin_walk(later);
	for (Size i = 0; earlier->left > 0 || later->left > 0; i++)
	{
		int			order = compare_walks(earlier, later);
		int			from = segments->count;
		int			to = segments->count;
		Cell	   *cell;

		check_interrupts(i);
		if (order <= 0)
			from = rfm_member_segment(segments, &earlier->population, earlier->member);
		if (order >= 0)
			to = rfm_member_segment(segments, &later->population, later->member);
		cell = &report->cells[from * report->size + to];
		cell->members++;
		report->went_from[from]++;
		if (order <= 0)
		{
			add_money(&cell->earlier, &report->pool, earlier);
			earlier->left--;
			step(earlier);
		}
		if (order >= 0)
		{
			add_money(&cell->later, &report->pool, later);
			later->left--;
			step(later);
		}
	}
}

/*
 * Takes the limits of the earlier book for the later one.  Those of recency move
 * with as_of: they are points in time, and shall be as many days from it.
 */
static void
move_cuts(const RfmCuts *earlier, TimestampTz from_as_of, RfmCuts *later, TimestampTz to_as_of)
{
	*later = *earlier;
	for (int i = 0; i < later->bins - 1; i++)
	{
		int128		moved = (int128) later->last_order[i] + to_as_of - from_as_of;

		later->last_order[i] = (int64) Min(moved, PG_INT64_MAX);
	}
}

/* Chooses the limits of both books from the arguments bins, from_cuts, to_cuts and same_cuts. */
static void
choose_both_cuts(FunctionCallInfo fcinfo, TransitionsReport *report, TimestampTz from_as_of,
				 TimestampTz to_as_of)
{
	Population *earlier = &report->earlier.population;
	Population *later = &report->later.population;
	bool		has_cuts = rfm_choose_cuts(fcinfo, 4, 5, "from_cuts", earlier);

	argument_check_not_null(fcinfo, 7, "same_cuts");
	if (!PG_GETARG_BOOL(7))
		(void) rfm_choose_cuts(fcinfo, 4, 6, "to_cuts", later);
	else if (!PG_ARGISNULL(6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("to_cuts must not be given where same_cuts is true"),
				 errhint("The limits are those of from_cuts or, if these are omitted, of the members of from_book.")));
	else if (!has_cuts)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_book has no member who has orders, and so no limits for to_book"),
				 errhint("Give from_cuts, or leave same_cuts out.")));
	else
		move_cuts(&earlier->cuts, from_as_of, &later->cuts, to_as_of);
	if (earlier->cuts.bins != later->cuts.bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the limits of both books must be for the same number of bins, not %d and %d",
						earlier->cuts.bins, later->cuts.bins),
				 errhint("Give bins, or both from_cuts and to_cuts.")));
}

/* Refuses books in the wrong order, in which everybody would move backwards. */
static void
check_order(TimestampTz from_as_of, TimestampTz to_as_of)
{
	char		text[2][TIME_TEXT_SIZE];

	if (from_as_of <= to_as_of)
		return;
	time_to_text(from_as_of, text[0]);
	time_to_text(to_as_of, text[1]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("from_as_of \"%s\" is after to_as_of \"%s\"", text[0], text[1]),
			 errhint("Give the earlier book first; an as_of that is omitted is the time of the latest row.")));
}

static void *
open_transitions(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	TransitionsReport *report;
	Population *earlier;
	Population *later;
	TimestampTz from_as_of;
	TimestampTz to_as_of;
	Size		size;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return NULL;
	report = palloc0(sizeof(TransitionsReport));
	earlier = &report->earlier.population;
	later = &report->later.population;
	rfm_open_population(earlier, PG_GETARG_DATUM(0));
	rfm_open_population(later, PG_GETARG_DATUM(1));
	if (earlier->reader.key_type != later->reader.key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("members of from_book are %s, those of to_book %s",
						format_type_be(book_key_oid(earlier->reader.key_type)),
						format_type_be(book_key_oid(later->reader.key_type))),
				 errhint("Make both books with the same type of member.")));

	from_as_of = rfm_get_as_of(fcinfo, 2, "from_as_of", earlier);
	to_as_of = rfm_get_as_of(fcinfo, 3, "to_as_of", later);

	/* An empty book has no latest row. */
	if (PG_ARGISNULL(2) && earlier->reader.count == 0)
		from_as_of = to_as_of;
	else if (PG_ARGISNULL(3) && later->reader.count == 0)
		to_as_of = from_as_of;
	check_order(from_as_of, to_as_of);
	choose_both_cuts(fcinfo, report, from_as_of, to_as_of);
	rfm_get_segments(fcinfo, 8, earlier->cuts.bins, &report->segments);

	report->size = report->segments.count + 1;
	size = (Size) report->size * report->size * sizeof(Cell);
	report->cells = large_alloc_zeroed(CurrentMemoryContext, size);
	report->went_from = palloc0(report->size * sizeof(int64));
	report->pool.context = CurrentMemoryContext;
	fill_cells(report);
	return report;
}

static bool
next_transition(void *state, Datum *values, bool *nulls)
{
	TransitionsReport *report = state;
	int			from;
	int			to;
	const Cell *cell;

	while (report->next < report->size * report->size && report->cells[report->next].members == 0)
		report->next++;
	if (report->next == report->size * report->size)
		return false;
	cell = &report->cells[report->next];
	from = report->next / report->size;
	to = report->next % report->size;
	report->next++;
	nulls[0] = from == report->segments.count;
	if (!nulls[0])
		values[0] = report->segments.names[from];
	nulls[1] = to == report->segments.count;
	if (!nulls[1])
		values[1] = report->segments.names[to];
	values[2] = Int64GetDatum(cell->members);
	values[3] = Float8GetDatum((float8) cell->members / (float8) report->went_from[from]);
	values[4] = numeric_from_packed(cell->earlier, &report->pool);
	values[5] = numeric_from_packed(cell->later, &report->pool);
	return true;
}

static const Report transitions_report = {open_transitions, next_transition, 6};

/*
 * rfm_transitions(from_book, to_book, from_as_of, to_as_of, bins, from_cuts, to_cuts, same_cuts, segments):
 * one row per pair of segments that members went from and to, in the order of the segments.
 */
CUSTMART_REPORT(custmart_rfm_transitions, transitions_report, 0)
