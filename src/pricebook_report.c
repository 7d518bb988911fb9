/*
 * pricebook_report.c
 *	  What a pricebook says: gaps between groups, over all items and item by item,
 *	  the part that the mix of baskets plays, fair prices.
 *
 * Items are taken in their stored order and everything about an item is done
 * before the next, so that sums of floating point numbers have one order.
 */
#include "pricebook.h"

#include <math.h>

#include "arguments.h"
#include "bytes.h"
#include "fixed_effect.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "statistics.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"

/* A group in an error message is cut after so many bytes, a list of them after so many. */
#define NAME_SHOWN 60
#define NAMES_SHOWN 10

/* A gap that is just min_premium is not above it, though it may be off by so many percent. */
#define PERCENT_ROUNDING 1e-9

/* The arguments that price_gaps and price_gap_items share. */
typedef struct GapArguments
{
	float8		alpha;
	float8		min_premium;
	int32		min_rows;
} GapArguments;

/* A book opened with one group as the reference. */
typedef struct Report
{
	PriceReader prices;
	DecimalPool pool;			/* wide prices and quantities; results are added */
	uint32		reference;
	Datum	   *groups;			/* their names */
	MemoryContext row_context;	/* for one result row */

	PricePoint *points;			/* of the item in hand */
	uint32		npoints;
	uint32		room;
	uint32		next_row;
} Report;

/* A group in a cell that it shares with the reference. */
typedef struct CommonCell
{
	uint32		first;			/* points */
	uint32		npoints;
	uint32		reference_first;
	uint32		reference_npoints;
	uint32		next;			/* of the same group; UINT32_MAX: none */
} CommonCell;

#define NO_CELL PG_UINT32_MAX

/* A group in the item in hand. */
typedef struct ItemGroup
{
	uint32		group;
	uint32		first_cell;
	PriceGap	gap;
	int64		median;			/* in its last cell; in all, if that is wanted */
	int64		reference_median;
} ItemGroup;

/* One group's result for one item. */
typedef struct ItemGap
{
	uint32		item;
	uint32		group;
	int64		n;
	int64		reference_n;
	int64		sum;			/* packed, as all money here */
	int64		reference_sum;
	int64		median;
	int64		reference_median;
	int64		overcharge;
	float8		gap_pct;
	float8		hedges_g;
	float8		z;
	float8		p;
	float8		q;
	FixedEffectCluster cluster;
	bool		is_flagged;
} ItemGap;

/* One group's result over all items. */
typedef struct GroupGap
{
	PriceGap	gap;			/* common cells */
	DecimalTotal sum;			/* of prices, all rows */
	int64		rows;
	float8		revenue;
	float8		common_revenue;
	uint32		items;
	uint32		first;			/* its items in ItemGaps.order */
	uint32		items_flagged;
} GroupGap;

typedef struct ItemGaps
{
	ItemGap    *item;
	uint32		count;
	uint32		capacity;
	GroupGap   *group;
	uint32	   *order;			/* positions of items, those of a group together */
} ItemGaps;

#define ST_SORT sort_points
#define ST_ELEMENT_TYPE PricePoint
#define ST_COMPARE_ARG_TYPE const DecimalPool
#define ST_COMPARE(a, b, pool) decimal_packed_compare((a)->price, (b)->price, pool)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
raise_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("sums of prices and quantities need more than 76 digits"),
			 errhint("Leave out prices or quantities that cannot be meant, or round them.")));
}

/* ---------- arguments ---------- */

static GapArguments
get_gap_arguments(FunctionCallInfo fcinfo, int argument)
{
	GapArguments arguments;

	arguments.alpha = argument_alpha(fcinfo, argument);
	argument_check_not_null(fcinfo, argument + 1, "min_premium");
	argument_check_not_null(fcinfo, argument + 2, "min_rows");
	arguments.min_premium = PG_GETARG_FLOAT8(argument + 1);
	arguments.min_rows = PG_GETARG_INT32(argument + 2);
	if (!(arguments.min_premium >= 0) || isinf(arguments.min_premium))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_premium must be 0 or a finite number above, not %g", arguments.min_premium),
				 errhint("It is a share: 0.01 stands for 1 %%.")));
	if (arguments.min_rows < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_rows must be at least 1, not %d", arguments.min_rows)));
	return arguments;
}

/* The groups there are, for a message; the first few of them. */
static char *
list_groups(const Report *report)
{
	StringInfoData list;

	initStringInfo(&list);
	for (uint32 i = 0; i < report->prices.group_count; i++)
	{
		char	   *name = TextDatumGetCString(report->groups[i]);

		if (i == NAMES_SHOWN)
		{
			appendStringInfo(&list, " and %u more", report->prices.group_count - i);
			break;
		}
		appendStringInfo(&list, "%s\"%.*s\"", i == 0 ? "" : ", ",
						 pg_mbcliplen(name, (int) strlen(name), NAME_SHOWN), name);
	}
	return list.data;
}

/*
 * Opens the book, argument `argument`, and looks for the group that the next
 * argument names.  False if the book holds no prices at all.
 */
static bool
open_report(Report *report, FunctionCallInfo fcinfo, int argument)
{
	const uint8 *name;
	text	   *reference;

	memset(report, 0, sizeof(*report));
	argument_check_not_null(fcinfo, argument + 1, "reference");
	reference = PG_GETARG_TEXT_PP(argument + 1);
	pricebook_open(&report->prices, PG_GETARG_DATUM(argument));
	if (report->prices.group_count == 0)
		return false;

	report->pool = pricebook_load_wide(&report->prices);
	report->row_context = AllocSetContextCreate(CurrentMemoryContext, "custmart price report",
												ALLOCSET_DEFAULT_SIZES);
	report->groups = MemoryContextAllocHuge(CurrentMemoryContext,
											report->prices.group_count * sizeof(Datum));
	report->reference = report->prices.group_count;
	name = report->prices.group_bytes;
	for (uint32 i = 0; i < report->prices.group_count; i++)
	{
		uint32		length = load_u32(report->prices.group_lengths + (Size) i * 4);

		check_interrupts(i);
		report->groups[i] = PointerGetDatum(cstring_to_text_with_len((const char *) name, (int) length));
		if (length == VARSIZE_ANY_EXHDR(reference) &&
			memcmp(name, VARDATA_ANY(reference), length) == 0)
			report->reference = i;
		name += length;
	}
	if (report->reference == report->prices.group_count)
	{
		char	   *asked = text_to_cstring(reference);

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("reference \"%.*s\" is not a group of this pricebook",
						pg_mbcliplen(asked, (int) strlen(asked), NAME_SHOWN), asked),
				 errhint("Its groups are %s.", list_groups(report))));
	}
	return true;
}

/* ---------- going through the book ---------- */

/* Takes the next item in hand. */
static void
load_item(Report *report, uint32 item)
{
	report->npoints = load_u32(report->prices.item_rows + (Size) item * 4);
	if (report->npoints > report->room)
	{
		if (report->points != NULL)
			pfree(report->points);
		report->room = report->npoints;
		report->points = MemoryContextAllocHuge(CurrentMemoryContext,
												report->room * sizeof(PricePoint));
	}
	for (uint32 i = 0; i < report->npoints; i++)
	{
		check_interrupts(i);
		report->points[i] = pricebook_get_row(&report->prices, report->next_row++);
	}
}

/* Where the points of this point's group in its period end. */
static uint32
end_of_group(const Report *report, uint32 i)
{
	const PricePoint *first = &report->points[i];

	while (++i < report->npoints && report->points[i].group == first->group &&
		   report->points[i].period == first->period)
		;
	return i;
}

/* Where the points of this point's period end. */
static uint32
end_of_cell(const Report *report, uint32 i)
{
	const PricePoint *first = &report->points[i];

	while (++i < report->npoints && report->points[i].period == first->period)
		;
	return i;
}

/* The reference's points among those of a cell; false if there are none. */
static bool
find_reference(const Report *report, uint32 begin, uint32 end, uint32 *first, uint32 *npoints)
{
	while (begin < end && report->points[begin].group < report->reference)
		begin++;
	if (begin == end || report->points[begin].group != report->reference)
		return false;
	*first = begin;
	*npoints = end_of_group(report, begin) - begin;
	return true;
}

static float8
revenue_of(const Report *report, uint32 first, uint32 end)
{
	float8		revenue = 0;

	for (uint32 i = first; i < end; i++)
		revenue += decimal_packed_to_double(report->points[i].price, &report->pool) *
			decimal_packed_to_double(report->points[i].quantity, &report->pool);
	return revenue;
}

/* ---------- comparing ---------- */

static ItemGap *
add_item_gap(ItemGaps *gaps)
{
	if (gaps->count == gaps->capacity)
	{
		Size		capacity = Max((Size) gaps->capacity * 2, 1024);

		if (gaps->item == NULL)
			gaps->item = MemoryContextAllocHuge(CurrentMemoryContext, capacity * sizeof(ItemGap));
		else
			gaps->item = repalloc_huge(gaps->item, capacity * sizeof(ItemGap));
		gaps->capacity = (uint32) Min(capacity, PG_UINT32_MAX);
	}
	return &gaps->item[gaps->count++];
}

static int64
pack_total(const DecimalTotal *total, DecimalPool *pool)
{
	Decimal		d;

	if (!decimal_total_get(total, &d))
		raise_out_of_range();
	return decimal_pack(&d, pool);
}

/* Median of points from several cells, which are copied and sorted for it. */
typedef struct PointList
{
	PricePoint *point;
	Size		count;
	Size		room;
	int64		rows;
} PointList;

static void
append_points(PointList *list, const PricePoint *points, uint32 n)
{
	if (list->count + n > list->room)
	{
		Size		room = Max(list->count + n, list->room * 2);

		list->point = list->point == NULL ?
			MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(PricePoint)) :
			repalloc_huge(list->point, room * sizeof(PricePoint));
		list->room = room;
	}
	memcpy(list->point + list->count, points, n * sizeof(PricePoint));
	list->count += n;
	for (uint32 i = 0; i < n; i++)
		list->rows += points[i].count;
}

static int64
median_of_list(PointList *list, DecimalPool *pool)
{
	int64		median;

	sort_points(list->point, list->count, pool);
	median = price_median(list->point, (uint32) list->count, list->rows, pool);
	list->count = 0;
	list->rows = 0;
	return median;
}

/* The reference's median over all of its cells in an item, made when first asked for. */
typedef struct ReferenceMedian
{
	uint32		cells;
	bool		is_known;
	int64		median;
} ReferenceMedian;

/*
 * Medians of a group and of the reference over the group's common cells.  Most
 * groups share all of the reference's cells, so that its points are not gone
 * through again for each of them.
 */
static void
pool_medians(Report *report, ItemGroup *mine, const CommonCell *cells,
			 PointList *own, PointList *reference, ReferenceMedian *all)
{
	bool		has_all = mine->gap.cells == all->cells;

	for (uint32 i = mine->first_cell; i != NO_CELL; i = cells[i].next)
	{
		CHECK_FOR_INTERRUPTS();
		append_points(own, report->points + cells[i].first, cells[i].npoints);
		if (!(has_all && all->is_known))
			append_points(reference, report->points + cells[i].reference_first,
						  cells[i].reference_npoints);
	}
	mine->median = median_of_list(own, &report->pool);
	mine->reference_median = has_all && all->is_known ? all->median :
		median_of_list(reference, &report->pool);
	if (has_all)
	{
		all->is_known = true;
		all->median = mine->reference_median;
	}
}

static int
compare_item_groups(const void *a, const void *b, void *unused)
{
	uint32		x = ((const ItemGroup *) a)->group;
	uint32		y = ((const ItemGroup *) b)->group;

	return (x > y) - (x < y);
}

/* Takes down what an item says of a group. */
static void
finish_item(Report *report, ItemGaps *gaps, uint32 item, const ItemGroup *mine)
{
	const PriceGap *gap = &mine->gap;
	GroupGap   *group = &gaps->group[mine->group];
	ItemGap    *result = add_item_gap(gaps);
	float8		difference;

	result->item = item;
	result->group = mine->group;
	result->n = gap->n;
	result->reference_n = gap->reference_n;
	result->sum = pack_total(&gap->sum, &report->pool);
	result->reference_sum = pack_total(&gap->reference_sum, &report->pool);
	result->median = mine->median;
	result->reference_median = mine->reference_median;
	result->overcharge = pack_total(&gap->above, &report->pool);
	if (!price_compare_means(&gap->sum, gap->n, &gap->reference_sum, gap->reference_n,
							 &difference, &result->gap_pct))
		raise_out_of_range();
	result->hedges_g = price_gap_hedges(gap, difference);
	result->z = price_gap_z(gap);
	result->p = statistics_normal_p(result->z);
	result->cluster.product = gap->log_product;
	result->cluster.square = gap->log_square;

	group->items++;
	if (!price_gap_merge(&group->gap, gap))
		raise_out_of_range();
}

/*
 * Compares all groups with the reference, item by item.  Medians over several
 * cells are made only if they are wanted.
 */
static void
compare_items(Report *report, ItemGaps *gaps, bool want_medians)
{
	uint32		ngroups = report->prices.group_count;
	uint32	   *place = MemoryContextAllocHuge(CurrentMemoryContext, ngroups * sizeof(uint32));
	ItemGroup  *mine = NULL;
	CommonCell *cells = NULL;
	int64	   *below = NULL;
	uint32		room = 0;
	PointList	own = {0};
	PointList	reference_list = {0};

	memset(gaps, 0, sizeof(*gaps));
	gaps->group = MemoryContextAllocExtended(CurrentMemoryContext, ngroups * sizeof(GroupGap),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memset(place, 0xFF, ngroups * sizeof(uint32));
	for (uint32 item = 0; item < report->prices.reader.count; item++)
	{
		uint32		nmine = 0;
		uint32		ncells = 0;
		ReferenceMedian all = {0};

		CHECK_FOR_INTERRUPTS();
		load_item(report, item);
		if (report->npoints > room)
		{
			/* An item has no more groups or cells than it has points. */
			if (room > 0)
			{
				pfree(mine);
				pfree(cells);
				pfree(below);
			}
			room = report->npoints;
			mine = MemoryContextAllocHuge(CurrentMemoryContext,
										  Min(room, ngroups) * sizeof(ItemGroup));
			cells = MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(CommonCell));
			below = MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(int64));
		}
		price_relate(report->points, report->npoints, &report->pool);
		for (uint32 begin = 0, end; begin < report->npoints; begin = end)
		{
			PriceReference reference = {.below = below};
			uint32		reference_first;
			uint32		reference_npoints;
			bool		is_common;

			end = end_of_cell(report, begin);
			is_common = find_reference(report, begin, end, &reference_first, &reference_npoints);
			if (is_common &&
				!price_reference_open(&reference, report->points + reference_first,
									  reference_npoints, &report->pool))
				raise_out_of_range();
			all.cells += is_common;

			for (uint32 first = begin, next; first < end; first = next)
			{
				uint32		group = report->points[first].group;
				GroupGap   *total = &gaps->group[group];
				float8		revenue;
				PriceSide	side;

				CHECK_FOR_INTERRUPTS();
				next = end_of_group(report, first);
				if (!price_side_open(&side, report->points + first, next - first,
									 reference.base, &report->pool) ||
					!decimal_total_merge(&total->sum, &side.sum))
					raise_out_of_range();
				total->rows += side.rows;
				revenue = revenue_of(report, first, next);
				total->revenue += revenue;
				if (!is_common || group == report->reference)
					continue;

				total->common_revenue += revenue;
				if (place[group] == PG_UINT32_MAX)
				{
					place[group] = nmine;
					memset(&mine[nmine], 0, sizeof(ItemGroup));
					mine[nmine].group = group;
					mine[nmine].first_cell = NO_CELL;
					nmine++;
				}
				if (!price_gap_add_cell(&mine[place[group]].gap, &reference, &side, &report->pool))
					raise_out_of_range();
				if (want_medians)
				{
					CommonCell *cell = &cells[ncells];

					cell->first = first;
					cell->npoints = next - first;
					cell->reference_first = reference_first;
					cell->reference_npoints = reference_npoints;
					cell->next = mine[place[group]].first_cell;
					mine[place[group]].first_cell = ncells++;
					mine[place[group]].median = price_median(side.points, side.npoints,
															 side.rows, &report->pool);
					mine[place[group]].reference_median = reference.median;
				}
			}
		}
		for (uint32 i = 0; i < nmine; i++)
			place[mine[i].group] = PG_UINT32_MAX;
		qsort_interruptible(mine, nmine, sizeof(ItemGroup), compare_item_groups, NULL);
		for (uint32 i = 0; i < nmine; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (want_medians && mine[i].gap.cells > 1)
				pool_medians(report, &mine[i], cells, &own, &reference_list, &all);
			finish_item(report, gaps, item, &mine[i]);
		}
	}
}

/*
 * Puts the items of each group together and corrects their p-values for their
 * number.  Who is flagged pays more by the test, too: means over several periods
 * may say otherwise than each period does.
 */
static void
judge_items(ItemGaps *gaps, uint32 ngroups, const GapArguments *arguments)
{
	Size		n = Max((Size) gaps->count, 1);
	uint32	   *scratch = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32));
	float8	   *p = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(float8));
	float8	   *q = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(float8));
	uint32		first = 0;

	gaps->order = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32));
	for (uint32 i = 0; i < ngroups; i++)
	{
		gaps->group[i].first = first;
		first += gaps->group[i].items;
	}
	for (uint32 i = 0; i < gaps->count; i++)
	{
		check_interrupts(i);
		gaps->order[gaps->group[gaps->item[i].group].first++] = i;
	}
	for (uint32 i = 0; i < ngroups; i++)
	{
		GroupGap   *group = &gaps->group[i];
		const uint32 *mine;

		check_interrupts(i);
		group->first -= group->items;
		mine = gaps->order + group->first;
		for (uint32 j = 0; j < group->items; j++)
		{
			check_interrupts(j);
			p[j] = gaps->item[mine[j]].p;
		}
		statistics_benjamini_hochberg(p, scratch, group->items, q);
		for (uint32 j = 0; j < group->items; j++)
		{
			ItemGap    *item = &gaps->item[mine[j]];

			check_interrupts(j);
			item->q = q[j];
			item->is_flagged = item->q < arguments->alpha && item->z > 0 &&
				item->gap_pct > 100 * arguments->min_premium + PERCENT_ROUNDING &&
				item->n >= arguments->min_rows && item->reference_n >= arguments->min_rows;
			group->items_flagged += item->is_flagged;
		}
	}
	pfree(scratch);
	pfree(p);
	pfree(q);
}

/* ---------- results ---------- */

/* A sum of money with the decimals that prices are given with, or more if it has more. */
static Datum
money_datum(const Decimal *money, const Report *report)
{
	Decimal		d = *money;
	NumericBuffer *buffer = palloc(sizeof(NumericBuffer));
	Size		size;

	if (!decimal_set_scale(&d, report->prices.decimals))
		d = *money;
	size = decimal_to_numeric(&d, (uint8 *) VARDATA(buffer->bytes));
	SET_VARSIZE(buffer->bytes, VARHDRSZ + size);
	return PointerGetDatum(buffer->bytes);
}

static Datum
packed_money_datum(int64 packed, const Report *report)
{
	Decimal		d = decimal_unpack(packed, &report->pool);

	return money_datum(&d, report);
}

/* above - below, or above alone. */
static Datum
overcharge_datum(const PriceGap *gap, bool is_net, const Report *report)
{
	Decimal		money;
	Decimal		saved;

	if (!decimal_total_get(&gap->above, &money) || !decimal_total_get(&gap->below, &saved))
		raise_out_of_range();
	if (is_net && !decimal_subtract(&money, &saved))
		raise_out_of_range();
	return money_datum(&money, report);
}

static Datum
mean_datum(int64 sum, int64 n, const Report *report)
{
	return DirectFunctionCall2(numeric_div, packed_money_datum(sum, report),
							   DirectFunctionCall1(int8_numeric, Int64GetDatum(n)));
}

/* A float8 that is NULL where it is not a number. */
static void
set_float(Datum *values, bool *nulls, int column, float8 value)
{
	nulls[column] = isnan(value);
	values[column] = Float8GetDatum(value);
}

static float8
percent_of_log(float8 difference)
{
	return 100 * expm1(difference);
}

static const char *
verdict_on(const PriceGap *gap, float8 z, float8 p, float8 premium_pct,
		   const GapArguments *arguments)
{
	if (gap->cells == 0 || gap->n < arguments->min_rows || gap->reference_n < arguments->min_rows)
		return "not comparable";
	if (p < arguments->alpha && z > 0 && premium_pct > 100 * arguments->min_premium + PERCENT_ROUNDING)
		return "unfair";
	if (p < arguments->alpha && z < 0 && premium_pct < -100 * arguments->min_premium - PERCENT_ROUNDING)
		return "favoured";
	return "fair";
}

/* price_gaps(pricebook, reference, alpha, min_premium, min_rows): one row per other group. */
CUSTMART_FUNCTION(custmart_price_gaps);
Datum
custmart_price_gaps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GapArguments arguments;
	Report		report;
	ItemGaps	gaps;
	FixedEffectCluster *clusters;
	const GroupGap *reference;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	arguments = get_gap_arguments(fcinfo, 2);
	if (!open_report(&report, fcinfo, 0))
		return (Datum) 0;
	compare_items(&report, &gaps, false);
	judge_items(&gaps, report.prices.group_count, &arguments);
	clusters = MemoryContextAllocHuge(CurrentMemoryContext,
									  Max((Size) gaps.count, 1) * sizeof(FixedEffectCluster));
	reference = &gaps.group[report.reference];

	for (uint32 i = 0; i < report.prices.group_count; i++)
	{
		const GroupGap *group = &gaps.group[i];
		const PriceGap *gap = &group->gap;
		FixedEffect effect = {NAN, NAN, NAN, NAN};
		float8		z = NAN;
		float8		p = NAN;
		float8		difference;
		float8		naive;
		Datum		values[17];
		bool		nulls[17] = {0};
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (i == report.reference)
			continue;
		MemoryContextReset(report.row_context);
		old = MemoryContextSwitchTo(report.row_context);
		if (!price_compare_means(&group->sum, group->rows, &reference->sum, reference->rows,
								 &difference, &naive))
			raise_out_of_range();
		if (group->items > 0)
		{
			for (uint32 j = 0; j < group->items; j++)
				clusters[j] = gaps.item[gaps.order[group->first + j]].cluster;
			effect = fixed_effect(clusters, group->items, arguments.alpha);
			z = price_gap_z(gap);
			p = statistics_normal_p(z);
		}
		values[0] = report.groups[i];
		values[1] = report.groups[report.reference];
		values[2] = Int64GetDatum(group->items);
		values[3] = Int64GetDatum(gap->cells);
		values[4] = Int64GetDatum(gap->n);
		values[5] = Int64GetDatum(gap->reference_n);
		values[6] = Float8GetDatum(group->common_revenue / group->revenue);
		values[7] = Float8GetDatum(naive);
		set_float(values, nulls, 8, percent_of_log(effect.slope));
		set_float(values, nulls, 9, percent_of_log(effect.low));
		set_float(values, nulls, 10, percent_of_log(effect.high));
		set_float(values, nulls, 11, z);
		set_float(values, nulls, 12, p);
		values[13] = overcharge_datum(gap, false, &report);
		values[14] = overcharge_datum(gap, true, &report);
		values[15] = Int64GetDatum(group->items_flagged);
		values[16] = CStringGetTextDatum(verdict_on(gap, z, p, percent_of_log(effect.slope), &arguments));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
	}
	return (Datum) 0;
}

static Datum
price_gap_items(FunctionCallInfo fcinfo, int book_argument)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GapArguments arguments;
	Report		report;
	ItemGaps	gaps;
	BookKeyCursor cursor;
	Key			key = {0};
	uint32		keys_read = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(book_argument))
		return (Datum) 0;
	arguments = get_gap_arguments(fcinfo, book_argument + 2);
	if (!open_report(&report, fcinfo, book_argument))
		return (Datum) 0;
	book_check_key_type(&report.prices.reader, &pricebook_kind,
						TupleDescAttr(result->setDesc, 0)->atttypid, "items", "price_gap_items", "book, reference");
	compare_items(&report, &gaps, true);
	judge_items(&gaps, report.prices.group_count, &arguments);

	book_key_cursor(&cursor, &report.prices.reader);
	for (uint32 i = 0; i < gaps.count; i++)
	{
		const ItemGap *item = &gaps.item[i];
		Datum		values[14];
		bool		nulls[14] = {0};
		MemoryContext old;

		check_interrupts(i);
		for (; keys_read <= item->item; keys_read++)
			key = book_next_key(&cursor);
		MemoryContextReset(report.row_context);
		old = MemoryContextSwitchTo(report.row_context);
		values[0] = book_key_datum(report.prices.reader.key_type, &key);
		values[1] = report.groups[item->group];
		values[2] = Int64GetDatum(item->n);
		values[3] = Int64GetDatum(item->reference_n);
		values[4] = mean_datum(item->sum, item->n, &report);
		values[5] = mean_datum(item->reference_sum, item->reference_n, &report);
		values[6] = packed_money_datum(item->median, &report);
		values[7] = packed_money_datum(item->reference_median, &report);
		values[8] = Float8GetDatum(item->gap_pct);
		set_float(values, nulls, 9, item->hedges_g);
		values[10] = Float8GetDatum(item->p);
		values[11] = Float8GetDatum(item->q);
		values[12] = packed_money_datum(item->overcharge, &report);
		values[13] = BoolGetDatum(item->is_flagged);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
	}
	return (Datum) 0;
}

/* price_gap_items(pricebook, reference, alpha, min_premium, min_rows): items are text. */
CUSTMART_FUNCTION(custmart_price_gap_items);
Datum
custmart_price_gap_items(PG_FUNCTION_ARGS)
{
	return price_gap_items(fcinfo, 0);
}

/* price_gap_items(anyelement, pricebook, ...): items of the given type. */
CUSTMART_FUNCTION(custmart_price_gap_items_typed);
Datum
custmart_price_gap_items_typed(PG_FUNCTION_ARGS)
{
	return price_gap_items(fcinfo, 1);
}

/* ---------- mix ---------- */

/* An item that a group and the reference both bought, whenever they did. */
typedef struct MixItem
{
	uint32		group;
	int64		n;
	int64		reference_n;
	float8		mean;
	float8		reference_mean;
	float8		difference;
} MixItem;

typedef struct MixTotal
{
	uint32		items;
	int64		n;
	int64		reference_n;
	DecimalTotal sum;
	DecimalTotal reference_sum;
	float8		basket;
	float8		price;
} MixTotal;

/* Rows and sum of prices of a group in the item in hand. */
typedef struct GroupSum
{
	int64		rows;
	DecimalTotal sum;
} GroupSum;

static float8
mean_of(const DecimalTotal *sum, int64 n)
{
	Decimal		d;

	if (!decimal_total_get(sum, &d))
		raise_out_of_range();
	return decimal_to_double(&d) / n;
}

/*
 * price_gap_mix(pricebook, reference): how much of the difference of two groups'
 * mean prices their baskets explain, and how much their prices (Kitagawa 1955).
 */
CUSTMART_FUNCTION(custmart_price_gap_mix);
Datum
custmart_price_gap_mix(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Report		report;
	uint32		ngroups;
	GroupSum   *sums;
	uint32	   *present;
	MixTotal   *totals;
	MixItem    *items = NULL;
	Size		nitems = 0;
	Size		room = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || !open_report(&report, fcinfo, 0))
		return (Datum) 0;
	ngroups = report.prices.group_count;
	sums = MemoryContextAllocExtended(CurrentMemoryContext, ngroups * sizeof(GroupSum),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	present = MemoryContextAllocHuge(CurrentMemoryContext, ngroups * sizeof(uint32));
	totals = MemoryContextAllocExtended(CurrentMemoryContext, ngroups * sizeof(MixTotal),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint32 item = 0; item < report.prices.reader.count; item++)
	{
		uint32		npresent = 0;
		GroupSum   *reference = &sums[report.reference];

		CHECK_FOR_INTERRUPTS();
		load_item(&report, item);
		for (uint32 i = 0; i < report.npoints; i++)
		{
			const PricePoint *point = &report.points[i];
			GroupSum   *sum = &sums[point->group];

			check_interrupts(i);
			if (sum->rows == 0)
				present[npresent++] = point->group;
			sum->rows += point->count;
			if (!decimal_total_add(&sum->sum, 1, point->price, &report.pool,
								   decimal_pack_small(point->count, 0), NULL))
				raise_out_of_range();
		}
		if (nitems + npresent > room)
		{
			room = Max(nitems + npresent, room * 2);
			items = items == NULL ?
				MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(MixItem)) :
				repalloc_huge(items, room * sizeof(MixItem));
		}
		for (uint32 i = 0; i < npresent; i++)
		{
			GroupSum   *sum = &sums[present[i]];
			MixTotal   *total = &totals[present[i]];
			float8		percent;

			check_interrupts(i);
			if (reference->rows == 0 || present[i] == report.reference)
				continue;
			items[nitems].group = present[i];
			items[nitems].n = sum->rows;
			items[nitems].reference_n = reference->rows;
			items[nitems].mean = mean_of(&sum->sum, sum->rows);
			items[nitems].reference_mean = mean_of(&reference->sum, reference->rows);
			if (!price_compare_means(&sum->sum, sum->rows, &reference->sum, reference->rows,
									 &items[nitems].difference, &percent))
				raise_out_of_range();
			nitems++;
			total->items++;
			total->n += sum->rows;
			total->reference_n += reference->rows;
			if (!decimal_total_merge(&total->sum, &sum->sum) ||
				!decimal_total_merge(&total->reference_sum, &reference->sum))
				raise_out_of_range();
		}
		for (uint32 i = 0; i < npresent; i++)
			memset(&sums[present[i]], 0, sizeof(GroupSum));
	}

	/* Shares are known only now. */
	for (Size i = 0; i < nitems; i++)
	{
		const MixItem *item = &items[i];
		MixTotal   *total = &totals[item->group];
		float8		share = (float8) item->n / total->n;
		float8		reference_share = (float8) item->reference_n / total->reference_n;

		check_interrupts(i);
		total->basket += (share - reference_share) * (item->mean + item->reference_mean) / 2;
		total->price += item->difference * (share + reference_share) / 2;
	}

	for (uint32 i = 0; i < ngroups; i++)
	{
		const MixTotal *total = &totals[i];
		Datum		values[10] = {0};
		bool		nulls[10] = {0};

		check_interrupts(i);
		if (i == report.reference)
			continue;
		values[0] = report.groups[i];
		values[1] = report.groups[report.reference];
		values[2] = Int64GetDatum(total->items);
		values[3] = Int64GetDatum(total->n);
		values[4] = Int64GetDatum(total->reference_n);
		if (total->items == 0)
			memset(nulls + 5, true, 5);
		else
		{
			float8		difference;
			float8		percent;

			if (!price_compare_means(&total->sum, total->n, &total->reference_sum,
									 total->reference_n, &difference, &percent))
				raise_out_of_range();
			values[5] = Float8GetDatum(mean_of(&total->sum, total->n));
			values[6] = Float8GetDatum(mean_of(&total->reference_sum, total->reference_n));
			values[7] = Float8GetDatum(difference);
			values[8] = Float8GetDatum(total->basket);
			values[9] = Float8GetDatum(total->price);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---------- fair prices ---------- */

static Datum
fair_prices(FunctionCallInfo fcinfo, int book_argument)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Report		report;
	BookKeyCursor cursor;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(book_argument) || !open_report(&report, fcinfo, book_argument))
		return (Datum) 0;
	book_check_key_type(&report.prices.reader, &pricebook_kind,
						TupleDescAttr(result->setDesc, 0)->atttypid, "items", "fair_prices", "book, reference");

	book_key_cursor(&cursor, &report.prices.reader);
	for (uint32 item = 0; item < report.prices.reader.count; item++)
	{
		Key			key = book_next_key(&cursor);

		CHECK_FOR_INTERRUPTS();
		load_item(&report, item);
		for (uint32 begin = 0, end; begin < report.npoints; begin = end)
		{
			uint32		first;
			uint32		npoints;
			int64		rows = 0;
			uint32		wide = report.pool.count;
			Datum		values[4];
			bool		nulls[4] = {0};
			MemoryContext old;

			end = end_of_cell(&report, begin);
			if (!find_reference(&report, begin, end, &first, &npoints))
				continue;
			for (uint32 i = first; i < first + npoints; i++)
				rows += report.points[i].count;
			MemoryContextReset(report.row_context);
			old = MemoryContextSwitchTo(report.row_context);
			values[0] = book_key_datum(report.prices.reader.key_type, &key);
			values[1] = DateADTGetDatum(report.points[begin].period);
			nulls[1] = report.prices.reader.form == PRICEBOOK_PRICES;
			values[2] = packed_money_datum(price_median(report.points + first, npoints, rows,
														&report.pool), &report);
			values[3] = Int64GetDatum(rows);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			MemoryContextSwitchTo(old);
			report.pool.count = wide;
		}
	}
	return (Datum) 0;
}

/* fair_prices(pricebook, reference): the reference's median in every cell; items are text. */
CUSTMART_FUNCTION(custmart_fair_prices);
Datum
custmart_fair_prices(PG_FUNCTION_ARGS)
{
	return fair_prices(fcinfo, 0);
}

/* fair_prices(anyelement, pricebook, reference): items of the given type. */
CUSTMART_FUNCTION(custmart_fair_prices_typed);
Datum
custmart_fair_prices_typed(PG_FUNCTION_ARGS)
{
	return fair_prices(fcinfo, 1);
}
