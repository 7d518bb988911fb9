/*
 * price_placebo.c
 *	  What the reports would find if it were chance who belongs to which group.
 *
 * The folds of the members are dealt into two sides at random, many times, and the
 * premium of one side over the other is estimated as price_gaps does it.  There is
 * nothing to find, so its t, premium over standard error, should spread by about 1;
 * if it spreads by more, so would the real one without any reason.
 *
 * A cell is read once for many deals.  Its rows are known by folds only, so their
 * deviations, which no deal changes much, are shared out between the sides by their
 * numbers of rows.
 */
#include "pricebook/pricebook_compare.h"

#include <math.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "shared/arguments.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define DRAWS_MAX 100000

/* Memory for the clusters of the deals that are walked through together. */
#define CLUSTERS_SIZE (64 * 1024 * 1024)

/* A cell by the folds of its members. */
typedef struct FoldCell
{
	int			nfolds;
	uint8		fold[MEMBER_FOLDS];
	float8		rows[MEMBER_FOLDS];
	float8		sum[MEMBER_FOLDS];	/* of logarithms less a base */
	float8		all_rows;
	float8		all_sum;
	float8		squares;		/* of logarithms less their mean */
} FoldCell;

/* One deal. */
typedef struct Deal
{
	uint32		side;			/* a bit for each fold */
	int64		cells;
	int64		lost[MEMBER_FOLDS]; /* cells that compare nothing without a fold */
	FixedEffectFolds folds;		/* what the sums change by without each; then the sums */
	FixedEffectRows rows;
	FixedEffectCluster *cluster;	/* of each item that has one */
	uint32		clusters;
} Deal;

/* The spread of the deals, updated one by one (Welford 1962). */
typedef struct Spread
{
	int64		n;
	float8		mean;
	float8		squares;
} Spread;

typedef struct PlaceboReport
{
	PriceReport prices;
	ItemGaps	gaps;
	bool		among_reference;
	int32		draws;
	int64		seed;
	uint32		next;
	MemoryContext group_context;	/* for the work on one group */
} PlaceboReport;

static void
spread_add(Spread *spread, float8 value)
{
	float8		delta = value - spread->mean;

	spread->n++;
	spread->mean += delta / spread->n;
	spread->squares += delta * (value - spread->mean);
}

/* The standard deviation, NAN below two values. */
static float8
spread_deviation(const Spread *spread)
{
	return spread->n > 1 ? sqrt(spread->squares / (spread->n - 1)) : NAN;
}

/* ---------- cells ---------- */

/* Finds a group's points among those of a cell; false if there are none. */
static bool
open_side(const PriceReport *report, uint32 begin, uint32 end, uint32 group, float8 base, PriceSide *side)
{
	uint32		next;

	while (begin < end && report->points[begin].group < group)
		begin++;
	if (begin == end || report->points[begin].group != group)
		return false;
	next = price_report_end_of_group(report, begin);
	if (!price_side_open(side, report->points + begin, next - begin, base, &report->pool))
		price_raise_out_of_range();
	return true;
}

/* Adds the folds of a group in a period to a cell. */
static void
add_folds(const PriceReport *report, int32 period, uint32 group, int64 *rows, int128 *sum)
{
	for (uint32 i = 0; i < report->nfolds; i++)
	{
		const PriceFold *fold = &report->folds[i];

		if (fold->period != period || fold->group != group)
			continue;
		rows[fold->fold] += fold->rows;
		sum[fold->fold] += fold->log_sum;
	}
}

/* Makes the cell of the points from begin to end; false if it does not count. */
static bool
make_cell(const PriceReport *report, uint32 begin, uint32 end, uint32 group, bool among_reference, FoldCell *cell)
{
	int64		rows[MEMBER_FOLDS] = {0};
	int128		sum[MEMBER_FOLDS] = {0};
	float8		base = report->points[begin].log;
	int32		period = report->points[begin].period;
	PriceSide	own;
	PriceSide	reference;
	int128		total = 0;
	int64		n = 0;
	int64		origin;

	if (!open_side(report, begin, end, report->reference, base, &reference))
		return false;
	cell->squares = reference.log_squares;
	add_folds(report, period, report->reference, rows, sum);
	if (!among_reference)
	{
		float8		difference;

		if (!open_side(report, begin, end, group, base, &own))
			return false;
		difference = own.log_sum / own.rows - reference.log_sum / reference.rows;
		cell->squares += own.log_squares +
			difference * difference * ((float8) own.rows * reference.rows / ((float8) own.rows + reference.rows));
		add_folds(report, period, group, rows, sum);
	}
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		n += rows[i];
		total += sum[i];
	}
	origin = (int64) (total / n);
	cell->nfolds = 0;
	cell->all_rows = n;
	cell->all_sum = 0;
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		if (rows[i] == 0)
			continue;
		cell->fold[cell->nfolds] = i;
		cell->rows[cell->nfolds] = rows[i];
		cell->sum[cell->nfolds] = ldexp((float8) (sum[i] - (int128) rows[i] * origin), -PRICE_LOG_BITS);
		cell->all_sum += cell->sum[cell->nfolds];
		cell->nfolds++;
	}
	return true;
}

/* x~ y~ and x~ squared of two sides; false if one is empty. */
static inline bool
effect_of(float8 m, float8 m_sum, float8 n, float8 n_sum, float8 *product, float8 *square)
{
	if (m <= 0 || n <= 0)
		return false;
	*square = m * n / (m + n);
	*product = *square * (m_sum / m - n_sum / n);
	return true;
}

/* Adds a cell to a deal, and to the deal's cluster of the item. */
static void
deal_cell(Deal *deal, const FoldCell *cell, FixedEffectCluster *cluster)
{
	float8		m = 0;
	float8		sum = 0;
	float8		n;
	float8		product;
	float8		square;
	float8		difference;
	FixedEffectRows rows;
	float8		own_part;
	float8		other_part;

	for (int i = 0; i < cell->nfolds; i++)
		if ((deal->side >> cell->fold[i] & 1) != 0)
		{
			m += cell->rows[i];
			sum += cell->sum[i];
		}
	n = cell->all_rows - m;
	if (!effect_of(m, sum, n, cell->all_sum - sum, &product, &square))
		return;
	deal->cells++;
	cluster->product += product;
	cluster->square += square;
	difference = product / square;
	own_part = m / cell->all_rows;
	other_part = n / cell->all_rows;
	rows.weight = square * (own_part * own_part * own_part + other_part * other_part * other_part);
	rows.mean = difference;
	rows.squares = (other_part * other_part * own_part + own_part * own_part * other_part) *
		fmax(cell->squares - product * difference, 0);
	fixed_effect_add_rows(&deal->rows, &rows);
	for (int i = 0; i < cell->nfolds; i++)
	{
		FixedEffectFold *fold = &deal->folds.fold[cell->fold[i]];
		bool		is_own = (deal->side >> cell->fold[i] & 1) != 0;
		float8		rows = cell->rows[i];
		float8		part = is_own ? other_part : own_part;
		float8		product_left;
		float8		square_left;

		fold->is_used = true;
		fold->weight += rows * part * part;
		fold->product -= product;
		fold->square -= square;
		if (effect_of(is_own ? m - rows : m, is_own ? sum - cell->sum[i] : sum,
					  is_own ? n : n - rows, cell->all_sum - sum - (is_own ? 0 : cell->sum[i]),
					  &product_left, &square_left))
		{
			fold->product += product_left;
			fold->square += square_left;
		}
		else
			deal->lost[cell->fold[i]]++;
	}
}

/* Makes sums of what these change by without each fold. */
static void
finish_folds(Deal *deal)
{
	float8		product = 0;
	float8		square = 0;

	for (uint32 i = 0; i < deal->clusters; i++)
	{
		product += deal->cluster[i].product;
		square += deal->cluster[i].square;
	}
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		FixedEffectFold *fold = &deal->folds.fold[i];

		fold->product = deal->lost[i] < deal->cells ? product + fold->product : 0;
		fold->square = deal->lost[i] < deal->cells ? square + fold->square : 0;
	}
}

/* ---------- deals ---------- */

/* A fold and the number that decides where it goes in a deal. */
typedef struct DealtFold
{
	uint64		chance;
	int			fold;
} DealtFold;

static int
compare_chances(const void *a, const void *b)
{
	uint64		x = ((const DealtFold *) a)->chance;
	uint64		y = ((const DealtFold *) b)->chance;

	return (x > y) - (x < y);
}

/* The side of a deal: as many of the folds as the group has of the rows, at least one and not all. */
static uint32
deal_side(uint32 used, float8 share, int64 seed, uint32 draw)
{
	DealtFold	dealt[MEMBER_FOLDS];
	int			n = 0;
	int			own;
	uint32		side = 0;

	for (int i = 0; i < MEMBER_FOLDS; i++)
		if ((used >> i & 1) != 0)
		{
			uint32		what[2] = {draw, (uint32) i};

			dealt[n].fold = i;
			dealt[n++].chance = XXH64(what, sizeof(what), (uint64) seed);
		}
	qsort(dealt, n, sizeof(DealtFold), compare_chances);
	own = Min(Max((int) rint(n * share), 1), n - 1);
	for (int i = 0; i < own; i++)
		side |= UINT32_C(1) << dealt[i].fold;
	return side;
}

/* Walks through the book once for some deals. */
static void
walk(PlaceboReport *report, uint32 group, Deal *deals, int n)
{
	PriceReport *prices = &report->prices;

	prices->next_row = prices->next_fold = 0;
	for (uint32 item = 0; item < prices->prices.reader.count; item++)
	{
		CHECK_FOR_INTERRUPTS();
		price_report_load_item(prices, item);
		price_points_set_origin(prices->points, prices->npoints, &prices->pool);
		for (int i = 0; i < n; i++)
			deals[i].cluster[deals[i].clusters] = (FixedEffectCluster) {0, 0};
		for (uint32 begin = 0, end; begin < prices->npoints; begin = end)
		{
			FoldCell	cell;

			end = price_report_end_of_cell(prices, begin);
			if (!make_cell(prices, begin, end, group, report->among_reference, &cell))
				continue;
			for (int i = 0; i < n; i++)
				deal_cell(&deals[i], &cell, &deals[i].cluster[deals[i].clusters]);
			CHECK_FOR_INTERRUPTS();
		}
		for (int i = 0; i < n; i++)
			if (deals[i].cluster[deals[i].clusters].square > 0)
				deals[i].clusters++;
	}
}

/* The folds that have rows of a group or of the reference in cells that count. */
static uint32
used_folds(PlaceboReport *report, uint32 group)
{
	PriceReport *prices = &report->prices;
	uint32		used = 0;

	prices->next_row = prices->next_fold = 0;
	for (uint32 item = 0; item < prices->prices.reader.count; item++)
	{
		CHECK_FOR_INTERRUPTS();
		price_report_load_item(prices, item);
		price_points_set_origin(prices->points, prices->npoints, &prices->pool);
		for (uint32 begin = 0, end; begin < prices->npoints; begin = end)
		{
			FoldCell	cell;

			end = price_report_end_of_cell(prices, begin);
			if (make_cell(prices, begin, end, group, report->among_reference, &cell))
				for (int i = 0; i < cell.nfolds; i++)
					used |= UINT32_C(1) << cell.fold[i];
		}
	}
	return used;
}

/* ---------- the report ---------- */

/* The variant is the argument with the book. */
static void *
open_placebo(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	PlaceboReport *report;
	char	   *among;

	if (PG_ARGISNULL(book))
		return NULL;
	argument_check_not_null(fcinfo, book + 2, "draws");
	argument_check_not_null(fcinfo, book + 3, "among");
	argument_check_not_null(fcinfo, book + 4, "seed");
	report = palloc0(sizeof(PlaceboReport));
	report->draws = PG_GETARG_INT32(book + 2);
	if (report->draws < 2 || report->draws > DRAWS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("draws must be from 2 to %d, not %d", DRAWS_MAX, report->draws),
				 errhint("Leave it out for 200.")));
	among = text_to_cstring(PG_GETARG_TEXT_PP(book + 3));
	report->among_reference = strcmp(among, "reference") == 0;
	if (!report->among_reference && strcmp(among, "both") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown members \"%s\" to deal among", among),
				 errhint("Give both, or reference for the members of the reference alone.")));
	report->seed = PG_GETARG_INT64(book + 4);
	if (!price_report_open(&report->prices, fcinfo, book))
		return NULL;
	if (!pricebook_has_members(report->prices.prices.reader.form))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this pricebook_summary has no members"),
				 errhint("Make it with a member behind the other arguments: pricebook(item, period, member_group, price, quantity, member).")));
	price_compare_items(&report->prices, &report->gaps, false);
	report->group_context = AllocSetContextCreate(CurrentMemoryContext, "custmart placebo", ALLOCSET_DEFAULT_SIZES);
	return report;
}

/* The real effect of a group. */
static float8
real_effect(const PlaceboReport *report, uint32 group, FixedEffect *effect)
{
	const GroupGap *gap = &report->gaps.group[group];
	FixedEffectCluster *clusters = large_alloc(CurrentMemoryContext, gap->items * sizeof(FixedEffectCluster));
	FixedEffectInference inference;
	uint32		n = 0;

	for (uint32 i = 0; i < report->gaps.count; i++)
	{
		check_interrupts(i);
		if (report->gaps.item[i].group == group)
			clusters[n++] = report->gaps.item[i].cluster;
	}
	*effect = fixed_effect(clusters, n, gap->folds, &gap->gap.log_rows);
	inference = fixed_effect_infer(effect, false, NAN);
	return inference.error > 0 ? effect->slope / inference.error : NAN;
}

static bool
next_placebo(void *state, Datum *values, bool *nulls)
{
	PlaceboReport *report = state;
	PriceReport *prices = &report->prices;
	uint32		items = prices->prices.reader.count;
	uint32		group;
	const GroupGap *gap;
	FixedEffect effect = {.slope = NAN};
	float8		t = NAN;
	Spread		premiums = {0};
	Spread		ts = {0};
	int64		extreme = 0;
	MemoryContext old;

	if (report->next == prices->reference)
		report->next++;
	if (report->next == prices->prices.group_count)
		return false;
	group = report->next++;
	gap = &report->gaps.group[group];

	old = MemoryContextSwitchTo(report->group_context);
	if (gap->items > 0)
	{
		float8		share = (float8) gap->gap.n / ((float8) gap->gap.n + gap->gap.reference_n);
		uint32		used = used_folds(report, group);
		int			batch = (int) Max(CLUSTERS_SIZE / (((Size) items + 1) * sizeof(FixedEffectCluster)), 1);

		t = real_effect(report, group, &effect);
		batch = Min(batch, report->draws);
		for (int done = 0; done < report->draws && pg_popcount32(used) > 1; done += batch)
		{
			int			n = Min(batch, report->draws - done);
			Deal	   *deals = large_alloc_zeroed(CurrentMemoryContext, n * sizeof(Deal));

			for (int i = 0; i < n; i++)
			{
				deals[i].side = deal_side(used, share, report->seed, (uint32) (done + i));
				deals[i].cluster = large_alloc(CurrentMemoryContext,
														  ((Size) items + 1) * sizeof(FixedEffectCluster));
			}
			walk(report, group, deals, n);
			for (int i = 0; i < n; i++)
			{
				FixedEffect dealt;
				FixedEffectInference inference;

				if (deals[i].clusters == 0)
					continue;
				finish_folds(&deals[i]);
				dealt = fixed_effect(deals[i].cluster, deals[i].clusters, &deals[i].folds, &deals[i].rows);
				inference = fixed_effect_infer(&dealt, false, NAN);
				if (!(inference.error > 0))
					continue;
				spread_add(&premiums, dealt.slope);
				spread_add(&ts, dealt.slope / inference.error);
				extreme += fabs(dealt.slope / inference.error) >= fabs(t);
			}
			MemoryContextReset(report->group_context);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(report->group_context);

	values[0] = prices->groups[group];
	values[1] = prices->groups[prices->reference];
	values[2] = Int64GetDatum(ts.n);
	values[3] = Float8GetDatum(100 * expm1(effect.slope));
	nulls[3] = isnan(effect.slope);
	values[4] = Float8GetDatum(t);
	nulls[4] = isnan(t);
	values[5] = Float8GetDatum(100 * spread_deviation(&premiums));
	values[6] = Float8GetDatum(spread_deviation(&ts));
	nulls[5] = nulls[6] = ts.n < 2;
	values[7] = Float8GetDatum((extreme + 1.0) / (ts.n + 1.0));
	nulls[7] = isnan(t) || ts.n == 0;
	return true;
}

static const Report placebo = {open_placebo, next_placebo, 8};

/* price_placebo(pricebook_summary, reference, draws, among, seed): one row per other group. */
CUSTMART_REPORT(custmart_price_placebo, placebo, 0)
