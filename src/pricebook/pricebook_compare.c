/*
 * pricebook_compare.c
 *	  Compares all groups of a pricebook with the reference, item by item.
 *
 * Only cells in which both bought are compared; their results are added up by
 * item and group, and by group.
 */
#include "pricebook/pricebook_compare.h"

#include <math.h>

#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "statistics/distributions.h"
#include "utils/memutils.h"

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

/* A group in the current item. */
typedef struct ItemGroup
{
	uint32		group;
	uint32		first_cell;
	PriceGap	gap;
	FixedEffectFolds *folds;	/* NULL in a book without members */
	int64		median;			/* in its last cell; in all of them, if that is wanted */
	int64		reference_median;
} ItemGroup;

#define ST_SORT sort_points
#define ST_ELEMENT_TYPE PricePoint
#define ST_COMPARE_ARG_TYPE const DecimalPool
#define ST_COMPARE(a, b, pool) decimal_packed_compare((a)->price, (b)->price, pool)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static float8
revenue_of(const PriceReport *report, uint32 first, uint32 end)
{
	float8		revenue = 0;

	for (uint32 i = first; i < end; i++)
		revenue += decimal_packed_to_double(report->points[i].price, &report->pool) *
			decimal_packed_to_double(report->points[i].quantity, &report->pool);
	return revenue;
}

/* Median of points from several cells, which are copied and sorted. */
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
		list->point = array_grow(list->point, &list->room, list->count + n, sizeof(PricePoint), CurrentMemoryContext);
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

/* The reference's median over all of its cells in an item, computed when first needed. */
typedef struct ReferenceMedian
{
	uint32		cells;
	bool		is_known;
	int64		median;
} ReferenceMedian;

/*
 * Medians of a group and of the reference over the group's common cells.  Most
 * groups share all of the reference's cells, so its points need not be processed
 * again for each of them.
 */
static void
pool_medians(PriceReport *report, ItemGroup *mine, const CommonCell *cells,
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

static ItemGap *
add_item_gap(ItemGaps *gaps)
{
	if (gaps->count == gaps->capacity)
		gaps->item = array_grow(gaps->item, &gaps->capacity, (Size) gaps->count + 1, sizeof(ItemGap), CurrentMemoryContext);
	return &gaps->item[gaps->count++];
}

static int64
pack_total(const DecimalTotal *total, DecimalPool *pool)
{
	Decimal		d;

	if (!decimal_total_get(total, &d))
		price_raise_out_of_range();
	return decimal_pack(&d, pool);
}

/*
 * The statistic of an item and its p-value: of rows as if they were independent, or
 * in a book with members by how much those differ.
 */
static void
test_item(ItemGap *item, const ItemGroup *mine)
{
	FixedEffect effect;
	FixedEffectInference inference;

	item->z = price_gap_z(&mine->gap);
	if (mine->folds == NULL)
	{
		item->p = statistics_normal_p(item->z);
		return;
	}
	effect = fixed_effect(&item->cluster, 1, mine->folds, &mine->gap.log_rows);
	inference = fixed_effect_infer(&effect, true, NAN);
	item->z /= sqrt(inference.design_effect);
	item->p = isnan(inference.df) ? NAN : statistics_student_p(item->z, inference.df);
}

/* Records an item's result for a group. */
static void
finish_item(PriceReport *report, ItemGaps *gaps, uint32 item, const ItemGroup *mine)
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
		price_raise_out_of_range();
	result->hedges_g = price_gap_hedges(gap, difference);
	result->cluster.product = gap->log_product;
	result->cluster.square = gap->log_square;
	test_item(result, mine);

	group->items++;
	if (mine->folds != NULL)
	{
		if (group->folds == NULL)
			group->folds = palloc0(sizeof(FixedEffectFolds));
		fixed_effect_add_folds(group->folds, mine->folds);
	}
	if (!price_gap_merge(&group->gap, gap))
		price_raise_out_of_range();
}

static int
compare_item_groups(const void *a, const void *b, void *unused)
{
	uint32		x = ((const ItemGroup *) a)->group;
	uint32		y = ((const ItemGroup *) b)->group;

	return (x > y) - (x < y);
}

/*
 * Gives a side the folds of its members: the next ones of the item are those of the
 * next group of the next cell, as all are in the same order.
 */
static void
attach_folds(const PriceReport *report, uint32 *at, PriceSide *side)
{
	const PricePoint *point = side->points;

	side->folds = report->folds + *at;
	while (*at < report->nfolds && report->folds[*at].period == point->period &&
		   report->folds[*at].group == point->group)
		(*at)++;
	side->nfolds = (uint32) (report->folds + *at - side->folds);
}

/* The folds of a group in a cell, from the first of the cell on. */
static void
find_folds(const PriceReport *report, uint32 at, PriceSide *side)
{
	while (at < report->nfolds && report->folds[at].period == side->points->period &&
		   report->folds[at].group < side->points->group)
		at++;
	attach_folds(report, &at, side);
}

/*
 * Compares all groups with the reference, item by item.  Medians over several
 * cells are computed only if they are wanted.
 */
void
price_compare_items(PriceReport *report, ItemGaps *gaps, bool want_medians)
{
	const bool	has_members = pricebook_has_members(report->prices.reader.form);
	uint32		ngroups = report->prices.group_count;
	uint32	   *place = large_alloc(CurrentMemoryContext, ngroups * sizeof(uint32));
	ItemGroup  *mine = NULL;
	FixedEffectFolds *folds = NULL; /* of each of them */
	CommonCell *cells = NULL;
	int64	   *below = NULL;
	uint32		room = 0;
	PointList	own = {0};
	PointList	reference_list = {0};

	memset(gaps, 0, sizeof(*gaps));
	gaps->group = large_alloc_zeroed(CurrentMemoryContext, ngroups * sizeof(GroupGap));
	memset(place, 0xFF, ngroups * sizeof(uint32));
	for (uint32 item = 0; item < report->prices.reader.count; item++)
	{
		uint32		nmine = 0;
		uint32		ncells = 0;
		ReferenceMedian all = {0};
		uint32		fold = 0;	/* the first of the next group */

		CHECK_FOR_INTERRUPTS();
		price_report_load_item(report, item);
		if (report->npoints > room)
		{
			/* An item has no more groups or cells than it has points. */
			if (room > 0)
			{
				pfree(mine);
				if (has_members)
					pfree(folds);
				pfree(cells);
				pfree(below);
			}
			room = report->npoints;
			mine = large_alloc(CurrentMemoryContext,
										  Min(room, ngroups) * sizeof(ItemGroup));
			if (has_members)
				folds = large_alloc(CurrentMemoryContext,
											   Min(room, ngroups) * sizeof(FixedEffectFolds));
			cells = large_alloc(CurrentMemoryContext, room * sizeof(CommonCell));
			below = large_alloc(CurrentMemoryContext, room * sizeof(int64));
		}
		price_points_set_origin(report->points, report->npoints, &report->pool);
		for (uint32 begin = 0, end; begin < report->npoints; begin = end)
		{
			PriceReference reference = {.below = below};
			uint32		reference_first;
			uint32		reference_npoints;
			bool		is_common;

			end = price_report_end_of_cell(report, begin);
			is_common = price_report_find_reference(report, begin, end, &reference_first, &reference_npoints);
			if (is_common &&
				!price_reference_open(&reference, report->points + reference_first,
									  reference_npoints, &report->pool))
				price_raise_out_of_range();
			all.cells += is_common;
			if (is_common && has_members)
				find_folds(report, fold, &reference.side);

			for (uint32 first = begin, next; first < end; first = next)
			{
				uint32		group = report->points[first].group;
				GroupGap   *total = &gaps->group[group];
				float8		revenue;
				PriceSide	side;

				CHECK_FOR_INTERRUPTS();
				next = price_report_end_of_group(report, first);
				if (!price_side_open(&side, report->points + first, next - first,
									 reference.base, &report->pool) ||
					!decimal_total_merge(&total->sum, &side.sum))
					price_raise_out_of_range();
				if (has_members)
					attach_folds(report, &fold, &side);
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
					if (has_members)
						mine[nmine].folds = memset(&folds[nmine], 0, sizeof(FixedEffectFolds));
					nmine++;
				}
				if (!price_gap_add_cell(&mine[place[group]].gap, &reference, &side, &report->pool))
					price_raise_out_of_range();
				if (has_members)
					price_gap_add_folds(mine[place[group]].folds, &reference, &side);
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
