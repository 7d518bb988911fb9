/*
 * price_gaps.c
 *	  Which groups pay more than the reference for the same things: price_gaps over
 *	  all items, price_gap_items item by item.
 */
#include "pricebook/pricebook_compare.h"

#include <math.h>

#include "shared/arguments.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "statistics/distributions.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A gap that exceeds min_premium_pct by no more than this many percent equals it up to rounding. */
#define PERCENT_ROUNDING 1e-9

/* The arguments that price_gaps and price_gap_items share. */
typedef struct GapArguments
{
	float8		alpha;
	float8		min_premium_pct;
	int32		min_rows;
} GapArguments;

static GapArguments
get_gap_arguments(FunctionCallInfo fcinfo, int argument)
{
	GapArguments arguments;

	arguments.alpha = argument_alpha(fcinfo, argument);
	argument_check_not_null(fcinfo, argument + 1, "min_premium_pct");
	argument_check_not_null(fcinfo, argument + 2, "min_rows");
	arguments.min_premium_pct = PG_GETARG_FLOAT8(argument + 1);
	arguments.min_rows = PG_GETARG_INT32(argument + 2);
	if (!(arguments.min_premium_pct >= 0) || isinf(arguments.min_premium_pct))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_premium_pct must be finite and at least 0, not %g", arguments.min_premium_pct),
				 errhint("It is in percent of the price: 1 stands for 1 %%.")));
	if (arguments.min_rows < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_rows must be at least 1, not %d", arguments.min_rows),
				 errhint("It is how many rows each of the two sides must have.")));
	return arguments;
}

/*
 * Groups the items by group of members and corrects their p-values for their
 * number.  A flagged item must also have z > 0, because means pooled over periods
 * can point the other way.
 */
static void
judge_items(ItemGaps *gaps, uint32 ngroups, const GapArguments *arguments)
{
	Size		n = Max((Size) gaps->count, 1);
	uint32	   *scratch = large_alloc(CurrentMemoryContext, n * sizeof(uint32));
	float8	   *p = large_alloc(CurrentMemoryContext, n * sizeof(float8));
	float8	   *q = large_alloc(CurrentMemoryContext, n * sizeof(float8));
	uint32		first = 0;

	gaps->order = large_alloc(CurrentMemoryContext, n * sizeof(uint32));
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
		uint32		tested = 0;

		check_interrupts(i);
		group->first -= group->items;
		mine = gaps->order + group->first;
		for (uint32 j = 0; j < group->items; j++)
		{
			check_interrupts(j);
			if (!isnan(gaps->item[mine[j]].p))
				p[tested++] = gaps->item[mine[j]].p;
		}
		statistics_benjamini_hochberg(p, scratch, tested, q);
		tested = 0;
		for (uint32 j = 0; j < group->items; j++)
		{
			ItemGap    *item = &gaps->item[mine[j]];

			check_interrupts(j);
			item->q = isnan(item->p) ? NAN : q[tested++];
			item->is_flagged = item->q < arguments->alpha && item->z > 0 &&
				item->gap_pct > arguments->min_premium_pct + PERCENT_ROUNDING &&
				item->n >= arguments->min_rows && item->reference_n >= arguments->min_rows;
			group->items_flagged += item->is_flagged;
		}
	}
	pfree(scratch);
	pfree(p);
	pfree(q);
}

/* ---------- results ---------- */

/* above - below, or only above. */
static Datum
overcharge_datum(const PriceGap *gap, bool is_net, const PriceReport *report)
{
	Decimal		money;
	Decimal		saved;

	if (!decimal_total_get(&gap->above, &money) || !decimal_total_get(&gap->below, &saved))
		price_raise_out_of_range();
	if (is_net && !decimal_subtract(&money, &saved))
		price_raise_out_of_range();
	return price_report_money_datum(&money, report);
}

static float8
money_sum(const DecimalTotal *sum)
{
	Decimal		d;

	if (!decimal_total_get(sum, &d))
		price_raise_out_of_range();
	return decimal_to_double(&d);
}

static Datum
mean_datum(int64 sum, int64 n, const PriceReport *report)
{
	return DirectFunctionCall2(numeric_div, price_report_packed_datum(sum, report),
							   DirectFunctionCall1(int8_numeric, Int64GetDatum(n)));
}

/* A float8 as a Datum, NaN as NULL. */
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

/*
 * Both tests must agree that there is a difference, and point the same way: so a word
 * is never stronger than the interval beside it.
 */
static const char *
verdict_on(const PriceGap *gap, float8 z, float8 p, float8 premium_pct, float8 premium_p,
		   const GapArguments *arguments)
{
	if (gap->cells == 0 || gap->n < arguments->min_rows || gap->reference_n < arguments->min_rows || isnan(premium_p))
		return "not comparable";
	if (!(p < arguments->alpha && premium_p < arguments->alpha))
		return "fair";
	if (z > 0 && premium_pct > arguments->min_premium_pct + PERCENT_ROUNDING)
		return "unfair";
	if (z < 0 && premium_pct < -arguments->min_premium_pct - PERCENT_ROUNDING)
		return "favoured";
	return "fair";
}

/* ---------- group by group ---------- */

typedef struct GapsReport
{
	PriceReport prices;
	GapArguments arguments;
	ItemGaps	gaps;
	FixedEffectCluster *clusters;	/* of the items of one group */
	uint32		next;
} GapsReport;

static void *
open_gaps(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	GapsReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(GapsReport));
	report->arguments = get_gap_arguments(fcinfo, book + 2);
	if (!price_report_open(&report->prices, fcinfo, book))
		return NULL;
	price_compare_items(&report->prices, &report->gaps, false);
	judge_items(&report->gaps, report->prices.prices.group_count, &report->arguments);
	report->clusters = large_alloc(CurrentMemoryContext,
											  Max((Size) report->gaps.count, 1) * sizeof(FixedEffectCluster));
	return report;
}

static bool
next_gap(void *state, Datum *values, bool *nulls)
{
	GapsReport *report = state;
	const PriceReport *prices = &report->prices;
	const ItemGaps *gaps = &report->gaps;
	const GroupGap *reference = &gaps->group[prices->reference];
	const GroupGap *group;
	const PriceGap *gap;
	FixedEffect effect = {.slope = NAN, .effective_items = NAN};
	FixedEffectInference inference = {NAN, NAN, NAN, NAN, NAN, NAN};
	float8		mean_premium_pct = NAN;
	float8		z = NAN;
	float8		p = NAN;
	float8		difference;
	float8		naive;
	uint32		i;

	if (report->next == prices->reference)
		report->next++;
	if (report->next == prices->prices.group_count)
		return false;
	i = report->next++;
	group = &gaps->group[i];
	gap = &group->gap;
	if (!price_compare_means(&group->sum, group->rows, &reference->sum, reference->rows,
							 &difference, &naive))
		price_raise_out_of_range();
	if (group->items > 0)
	{
		for (uint32 j = 0; j < group->items; j++)
			report->clusters[j] = gaps->item[gaps->order[group->first + j]].cluster;
		effect = fixed_effect(report->clusters, group->items, group->folds, &gap->log_rows);
		inference = fixed_effect_infer(&effect, false, report->arguments.alpha);
		mean_premium_pct = 100 * (money_sum(&gap->sum) / gap->mean_sum - 1);
		if (!isnan(inference.df))
		{
			z = price_gap_z(gap) / sqrt(inference.design_effect);
			p = statistics_student_p(z, inference.df);
		}
	}
	values[0] = prices->groups[i];
	values[1] = prices->groups[prices->reference];
	values[2] = Int64GetDatum(group->items);
	set_float(values, nulls, 3, effect.effective_items);
	values[4] = Int64GetDatum(gap->cells);
	values[5] = Int64GetDatum(gap->n);
	values[6] = Int64GetDatum(gap->reference_n);
	values[7] = Float8GetDatum(group->common_revenue / group->revenue);
	values[8] = Float8GetDatum(naive);
	set_float(values, nulls, 9, mean_premium_pct);
	set_float(values, nulls, 10, percent_of_log(effect.slope));
	set_float(values, nulls, 11, percent_of_log(inference.low));
	set_float(values, nulls, 12, percent_of_log(inference.high));
	set_float(values, nulls, 13, inference.error);
	set_float(values, nulls, 14, inference.df);
	set_float(values, nulls, 15, inference.p);
	set_float(values, nulls, 16, inference.design_effect);
	set_float(values, nulls, 17, z);
	set_float(values, nulls, 18, p);
	values[19] = overcharge_datum(gap, false, prices);
	values[20] = overcharge_datum(gap, true, prices);
	values[21] = Int64GetDatum(group->items_flagged);
	values[22] = CStringGetTextDatum(verdict_on(gap, z, p, percent_of_log(effect.slope), inference.p,
												&report->arguments));
	return true;
}

static const Report gaps = {open_gaps, next_gap, 23};

/* price_gaps(pricebook_summary, reference, alpha, min_premium_pct, min_rows): one row per other group. */
CUSTMART_REPORT(custmart_price_gaps, gaps, 0)

/* ---------- item by item ---------- */

typedef struct GapItemsReport
{
	PriceReport prices;
	ItemGaps	gaps;
	BookKeyCursor keys;
	uint32		keys_read;
	Key			key;			/* of the item of the row */
	uint32		next;
} GapItemsReport;

/* The variant is the argument with the book. */
static void *
open_gap_items(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	GapItemsReport *report;
	GapArguments arguments;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(GapItemsReport));
	arguments = get_gap_arguments(fcinfo, book + 2);
	if (!price_report_open(&report->prices, fcinfo, book))
		return NULL;
	book_check_key_type(&report->prices.prices.reader, &pricebook_format,
						TupleDescAttr(columns, 0)->atttypid, "items", "price_gap_items", "book, reference");
	price_compare_items(&report->prices, &report->gaps, true);
	judge_items(&report->gaps, report->prices.prices.group_count, &arguments);
	book_key_cursor(&report->keys, &report->prices.prices.reader);
	return report;
}

static bool
next_gap_item(void *state, Datum *values, bool *nulls)
{
	GapItemsReport *report = state;
	const PriceReport *prices = &report->prices;
	const ItemGap *item;

	if (report->next == report->gaps.count)
		return false;
	item = &report->gaps.item[report->next++];
	for (; report->keys_read <= item->item; report->keys_read++)
		report->key = book_next_key(&report->keys);
	values[0] = book_key_datum(prices->prices.reader.key_type, &report->key);
	values[1] = prices->groups[item->group];
	values[2] = Int64GetDatum(item->n);
	values[3] = Int64GetDatum(item->reference_n);
	values[4] = mean_datum(item->sum, item->n, prices);
	values[5] = mean_datum(item->reference_sum, item->reference_n, prices);
	values[6] = price_report_packed_datum(item->median, prices);
	values[7] = price_report_packed_datum(item->reference_median, prices);
	values[8] = Float8GetDatum(item->gap_pct);
	set_float(values, nulls, 9, item->hedges_g);
	set_float(values, nulls, 10, item->p);
	set_float(values, nulls, 11, item->q);
	values[12] = price_report_packed_datum(item->overcharge, prices);
	values[13] = BoolGetDatum(item->is_flagged);
	return true;
}

static const Report gap_items_report = {open_gap_items, next_gap_item, 14};

/* price_gap_items(pricebook_summary, reference, alpha, min_premium_pct, min_rows): items are bigint. */
CUSTMART_REPORT(custmart_price_gap_items, gap_items_report, 0)

/* price_gap_items(anyelement, pricebook_summary, ...): items of the given type. */
CUSTMART_REPORT(custmart_price_gap_items_typed, gap_items_report, 1)
