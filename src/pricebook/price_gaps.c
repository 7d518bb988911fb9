/*
 * price_gaps.c
 *	  Which groups pay more than the reference for the same things: price_gaps over
 *	  all items, price_gap_items item by item.
 */
#include "pricebook/pricebook_compare.h"

#include <math.h>

#include "shared/arguments.h"
#include "funcapi.h"
#include "statistics/distributions.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A gap that exceeds min_premium by no more than this many percent equals it up to rounding. */
#define PERCENT_ROUNDING 1e-9

/* The arguments that price_gaps and price_gap_items share. */
typedef struct GapArguments
{
	float8		alpha;
	float8		min_premium;
	int32		min_rows;
} GapArguments;

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
				 errmsg("min_premium must be finite and at least 0, not %g", arguments.min_premium),
				 errhint("It is a share: 0.01 stands for 1 %%.")));
	if (arguments.min_rows < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_rows must be at least 1, not %d", arguments.min_rows)));
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

/* price_gaps(pricebook_summary, reference, alpha, min_premium, min_rows): one row per other group. */
CUSTMART_FUNCTION(custmart_price_gaps);
Datum
custmart_price_gaps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GapArguments arguments;
	PriceReport report;
	ItemGaps	gaps;
	FixedEffectCluster *clusters;
	const GroupGap *reference;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	arguments = get_gap_arguments(fcinfo, 2);
	if (!price_report_open(&report, fcinfo, 0))
		return (Datum) 0;
	price_compare_items(&report, &gaps, false);
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
			price_raise_out_of_range();
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
	PriceReport report;
	ItemGaps	gaps;
	BookKeyCursor cursor;
	Key			key = {0};
	uint32		keys_read = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(book_argument))
		return (Datum) 0;
	arguments = get_gap_arguments(fcinfo, book_argument + 2);
	if (!price_report_open(&report, fcinfo, book_argument))
		return (Datum) 0;
	book_check_key_type(&report.prices.reader, &pricebook_format,
						TupleDescAttr(result->setDesc, 0)->atttypid, "items", "price_gap_items", "book, reference");
	price_compare_items(&report, &gaps, true);
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
		values[6] = price_report_packed_datum(item->median, &report);
		values[7] = price_report_packed_datum(item->reference_median, &report);
		values[8] = Float8GetDatum(item->gap_pct);
		set_float(values, nulls, 9, item->hedges_g);
		values[10] = Float8GetDatum(item->p);
		values[11] = Float8GetDatum(item->q);
		values[12] = price_report_packed_datum(item->overcharge, &report);
		values[13] = BoolGetDatum(item->is_flagged);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
	}
	return (Datum) 0;
}

/* price_gap_items(pricebook_summary, reference, alpha, min_premium, min_rows): items are text. */
CUSTMART_FUNCTION(custmart_price_gap_items);
Datum
custmart_price_gap_items(PG_FUNCTION_ARGS)
{
	return price_gap_items(fcinfo, 0);
}

/* price_gap_items(anyelement, pricebook_summary, ...): items of the given type. */
CUSTMART_FUNCTION(custmart_price_gap_items_typed);
Datum
custmart_price_gap_items_typed(PG_FUNCTION_ARGS)
{
	return price_gap_items(fcinfo, 1);
}
