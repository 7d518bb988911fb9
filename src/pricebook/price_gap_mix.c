/*
 * price_gap_mix.c
 *	  How much the mix of baskets contributes to the difference of two groups' prices.
 */
#include "pricebook/pricebook_report.h"

#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "utils/memutils.h"

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

/* Rows and sum of prices of a group in the current item. */
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
		price_raise_out_of_range();
	return decimal_to_double(&d) / n;
}

typedef struct MixReport
{
	PriceReport prices;
	MixTotal   *totals;			/* of each group */
	uint32		next;
} MixReport;

/*
 * How much of the difference of two groups' mean prices is due to their baskets,
 * and how much to their prices (Kitagawa 1955).
 */
static void *
open_mix(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	MixReport  *report;
	PriceReport *prices;
	uint32		ngroups;
	GroupSum   *sums;
	uint32	   *present;
	MixItem    *items = NULL;
	Size		nitems = 0;
	Size		room = 0;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(MixReport));
	prices = &report->prices;
	if (!price_report_open(prices, fcinfo, book))
		return NULL;
	ngroups = prices->prices.group_count;
	sums = large_alloc_zeroed(CurrentMemoryContext, ngroups * sizeof(GroupSum));
	present = large_alloc(CurrentMemoryContext, ngroups * sizeof(uint32));
	report->totals = large_alloc_zeroed(CurrentMemoryContext, ngroups * sizeof(MixTotal));

	for (uint32 item = 0; item < prices->prices.reader.count; item++)
	{
		uint32		npresent = 0;
		GroupSum   *reference = &sums[prices->reference];

		CHECK_FOR_INTERRUPTS();
		price_report_load_item(prices, item);
		for (uint32 i = 0; i < prices->npoints; i++)
		{
			const PricePoint *point = &prices->points[i];
			GroupSum   *sum = &sums[point->group];

			check_interrupts(i);
			if (sum->rows == 0)
				present[npresent++] = point->group;
			sum->rows += point->count;
			if (!decimal_total_add(&sum->sum, 1, point->price, &prices->pool,
								   decimal_pack_small(point->count, 0), NULL))
				price_raise_out_of_range();
		}
		if (nitems + npresent > room)
			items = array_grow(items, &room, nitems + npresent, sizeof(MixItem), CurrentMemoryContext);
		for (uint32 i = 0; i < npresent; i++)
		{
			GroupSum   *sum = &sums[present[i]];
			MixTotal   *total = &report->totals[present[i]];
			float8		percent;

			check_interrupts(i);
			if (reference->rows == 0 || present[i] == prices->reference)
				continue;
			items[nitems].group = present[i];
			items[nitems].n = sum->rows;
			items[nitems].reference_n = reference->rows;
			items[nitems].mean = mean_of(&sum->sum, sum->rows);
			items[nitems].reference_mean = mean_of(&reference->sum, reference->rows);
			if (!price_compare_means(&sum->sum, sum->rows, &reference->sum, reference->rows,
									 &items[nitems].difference, &percent))
				price_raise_out_of_range();
			nitems++;
			total->items++;
			total->n += sum->rows;
			total->reference_n += reference->rows;
			if (!decimal_total_merge(&total->sum, &sum->sum) ||
				!decimal_total_merge(&total->reference_sum, &reference->sum))
				price_raise_out_of_range();
		}
		for (uint32 i = 0; i < npresent; i++)
			memset(&sums[present[i]], 0, sizeof(GroupSum));
	}

	/* Shares are known only now. */
	for (Size i = 0; i < nitems; i++)
	{
		const MixItem *item = &items[i];
		MixTotal   *total = &report->totals[item->group];
		float8		share = (float8) item->n / total->n;
		float8		reference_share = (float8) item->reference_n / total->reference_n;

		check_interrupts(i);
		total->basket += (share - reference_share) * (item->mean + item->reference_mean) / 2;
		total->price += item->difference * (share + reference_share) / 2;
	}
	return report;
}

static bool
next_mix(void *state, Datum *values, bool *nulls)
{
	MixReport  *report = state;
	const PriceReport *prices = &report->prices;
	const MixTotal *total;
	float8		difference;
	float8		percent;

	if (report->next == prices->reference)
		report->next++;
	if (report->next == prices->prices.group_count)
		return false;
	total = &report->totals[report->next];
	values[0] = prices->groups[report->next++];
	values[1] = prices->groups[prices->reference];
	values[2] = Int64GetDatum(total->items);
	values[3] = Int64GetDatum(total->n);
	values[4] = Int64GetDatum(total->reference_n);
	if (total->items == 0)
	{
		memset(nulls + 5, true, 5);
		return true;
	}
	if (!price_compare_means(&total->sum, total->n, &total->reference_sum,
							 total->reference_n, &difference, &percent))
		price_raise_out_of_range();
	values[5] = Float8GetDatum(mean_of(&total->sum, total->n));
	values[6] = Float8GetDatum(mean_of(&total->reference_sum, total->reference_n));
	values[7] = Float8GetDatum(difference);
	values[8] = Float8GetDatum(total->basket);
	values[9] = Float8GetDatum(total->price);
	return true;
}

static const Report mix = {open_mix, next_mix, 10};

/* price_gap_mix(pricebook_summary, reference): one row per other group. */
CUSTMART_REPORT(custmart_price_gap_mix, mix, 0)
