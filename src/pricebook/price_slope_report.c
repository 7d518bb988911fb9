/*
 * price_slope_report.c
 *	  The slope over all items of a price_slope_summary.
 */
#include "pricebook/price_slope.h"

#include <math.h>

#include "shared/arguments.h"
#include "shared/bytes.h"
#include "shared/report.h"
#include "statistics/fixed_effect.h"

/* The one row of price_slopes. */
typedef struct SlopesReport
{
	int64		items;
	int64		cells;
	int64		rows;
	FixedEffect effect;			/* if there are items */
	FixedEffectInference inference;
	bool		is_done;
} SlopesReport;

/* What an item has of the sums by folds: of x~ y~ and of x~ squared. */
typedef struct ItemFolds
{
	float8		product[MEMBER_FOLDS];
	float8		square[MEMBER_FOLDS];
} ItemFolds;

/* Adds what a cell has without each of the folds; those that it has are its parts. */
static void
add_cell_folds(FixedEffectFolds *folds, ItemFolds *item, const ItemCell *part, uint32 nparts,
			   const SlopeCell *cell, float8 product, float8 square)
{
	uint32		next = 0;

	for (uint32 f = 0; f < MEMBER_FOLDS; f++)
	{
		FixedEffectFold *fold = &folds->fold[f];
		float8		product_left = product;
		float8		square_left = square;

		if (next < nparts && part[next].fold == f)
		{
			SlopeCell	rest = *cell;
			float8		part_product;
			float8		part_square;

			slope_part_deviations(&part[next].sums, cell, &part_product, &part_square);
			item->product[f] += part_product;
			item->square[f] += part_square;
			slope_subtract(&rest, &part[next++].sums);
			fold->is_used = true;
			fold->weight += part_square;
			if (rest.n == 0 || !slope_deviations(&rest, &product_left, &square_left))
				continue;
		}
		fold->product += product_left;
		fold->square += square_left;
	}
}

/*
 * The sums of (x~ e)^2, taking the rows of an item in a fold together: what items and
 * folds have in common, as rows themselves are not kept.
 */
static void
add_common_rows(FixedEffectRows *rows, const ItemFolds *item)
{
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		FixedEffectRows more = {.weight = item->square[i] * item->square[i], .mean = item->product[i] / item->square[i]};

		fixed_effect_add_rows(rows, &more);
	}
}

static void *
open_slopes(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	SlopesReport *report;
	SlopeReader slopes;
	FixedEffectCluster *clusters;
	FixedEffectFolds folds = {.fold = {{0}}};
	FixedEffectRows rows = {0};
	uint32		nclusters = 0;
	uint32		at = 0;
	float8		alpha;
	bool		by_members;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(SlopesReport));
	alpha = argument_alpha(fcinfo, book + 1);
	book_open(&slopes.reader, PG_GETARG_DATUM(book), &price_slope_format);
	(void) price_slope_split(&slopes);
	by_members = slope_has_members(slopes.reader.form);
	clusters = large_alloc(CurrentMemoryContext,
									  Max((Size) slopes.reader.count, 1) * sizeof(FixedEffectCluster));

	for (uint32 item = 0; item < slopes.reader.count; item++)
	{
		uint32		end = at + load_u32(slopes.item_cells + (Size) item * 4);
		FixedEffectCluster cluster = {0, 0};
		ItemFolds	item_folds = {.product = {0}};

		while (at < end)
		{
			ItemCell	part[MEMBER_FOLDS];
			uint32		nparts = 0;
			SlopeCell	cell;
			float8		product;
			float8		square;

			check_interrupts(at);
			price_slope_get_cell(&slopes, at++, &part[nparts++]);
			cell = part[0].sums;
			for (; by_members && at < end; at++, nparts++)
			{
				ItemCell	next;

				price_slope_get_cell(&slopes, at, &next);
				if (next.period != part[0].period)
					break;
				part[nparts] = next;
				slope_merge(&cell, &next.sums);
			}
			if (!slope_deviations(&cell, &product, &square))
				continue;
			cluster.product += product;
			cluster.square += square;
			if (by_members)
				add_cell_folds(&folds, &item_folds, part, nparts, &cell, product, square);
			report->cells++;
			if (pg_add_s64_overflow(report->rows, cell.n, &report->rows))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("number of rows is out of range")));
		}
		if (cluster.square > 0)
		{
			clusters[nclusters++] = cluster;
			add_common_rows(&rows, &item_folds);
		}
	}
	report->items = nclusters;
	if (nclusters > 0)
	{
		report->effect = fixed_effect(clusters, nclusters,
									  by_members ? &folds : NULL, by_members ? &rows : NULL);
		report->inference = fixed_effect_infer(&report->effect, nclusters == 1 && by_members, alpha);
	}
	pfree(clusters);
	return report;
}

static bool
next_slope(void *state, Datum *values, bool *nulls)
{
	SlopesReport *report = state;
	const FixedEffect *effect = &report->effect;
	const FixedEffectInference *inference = &report->inference;

	if (report->is_done)
		return false;
	report->is_done = true;
	values[0] = Int64GetDatum(report->items);
	values[2] = Int64GetDatum(report->cells);
	values[3] = Int64GetDatum(report->rows);
	if (report->items == 0)
	{
		nulls[1] = true;
		memset(nulls + 4, true, 7);
		return true;
	}
	values[1] = Float8GetDatum(effect->effective_items);
	values[4] = Float8GetDatum(effect->slope);
	values[5] = Float8GetDatum(100 * expm1(effect->slope));
	if (isnan(inference->error))
	{
		memset(nulls + 6, true, 5);
		return true;
	}
	values[6] = Float8GetDatum(100 * expm1(inference->low));
	values[7] = Float8GetDatum(100 * expm1(inference->high));
	values[8] = Float8GetDatum(inference->error);
	values[9] = Float8GetDatum(inference->df);
	values[10] = Float8GetDatum(inference->p);
	return true;
}

static const Report slopes = {open_slopes, next_slope, 11};

/*
 * price_slopes(price_slope_summary, alpha): one row, the slope over all items.  An item
 * contributes if x differs inside one of its periods.
 */
CUSTMART_REPORT(custmart_price_slopes, slopes, 0)
