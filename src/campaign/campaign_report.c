/*
 * campaign_report.c
 *	  Reports on a campaign_book of segments: where it worked, whether segments differ,
 *	  and who should get the next offer.
 */
#include "campaign/campaign.h"

#include "shared/arguments.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "statistics/distributions.h"
#include "utils/builtins.h"

typedef struct SegmentReport
{
	Size		n;
	Datum	   *names;
	CampaignSide (*sides)[CAMPAIGN_GROUPS];
	CampaignSegment *segments;
	CampaignSegments all;
	float8		alpha;
	OfferTerms	terms;
	float8		min_probability;
	Size		next;
} SegmentReport;

/* Reads and measures all segments of argument 0, at the level of an argument; NULL without any. */
static SegmentReport *
open_report(FunctionCallInfo fcinfo, int alpha, const char *function)
{
	SegmentReport *report;
	CampaignReader book;
	CampaignSide sides[CAMPAIGN_GROUPS];
	Key			key;
	Size		n;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc0(sizeof(SegmentReport));
	report->alpha = argument_alpha(fcinfo, alpha);
	(void) campaign_book_open(&book, PG_GETARG_DATUM(0), CAMPAIGN_SEGMENT, function);
	n = Max(book.left, 1);
	report->names = large_alloc(CurrentMemoryContext, n * sizeof(Datum));
	report->sides = large_alloc(CurrentMemoryContext, n * sizeof(sides));
	report->segments = large_alloc(CurrentMemoryContext, n * sizeof(CampaignSegment));
	while (campaign_book_next(&book, &key, sides))
	{
		check_interrupts(report->n);
		report->names[report->n] = book_key_datum(CAMPAIGN_SEGMENT, &key);
		memcpy(report->sides[report->n++], sides, sizeof(sides));
	}
	report->all = campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) report->sides, report->n,
									report->alpha, report->segments);
	return report;
}

/* The name of a segment and the members of both groups, in columns 0 to 2. */
static void
put_segment(const SegmentReport *report, Size i, Datum *values)
{
	values[0] = report->names[i];
	values[1] = Int64GetDatum(report->sides[i][CAMPAIGN_TREATED].members);
	values[2] = Int64GetDatum(report->sides[i][CAMPAIGN_CONTROL].members);
}

/* The shrunk uplift and its interval, in three columns from this one on. */
static void
put_shrunk(const SegmentReport *report, Size i, int column, Datum *values, bool *nulls)
{
	const CampaignSegment *segment = &report->segments[i];
	float8		margin = statistics_normal_quantile(report->alpha) * segment->error;

	campaign_put(segment->shrunk, &values[column], &nulls[column]);
	campaign_put(segment->shrunk - margin, &values[column + 1], &nulls[column + 1]);
	campaign_put(segment->shrunk + margin, &values[column + 2], &nulls[column + 2]);
}

/* ---------- segments ---------- */

static void *
open_segments(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	return open_report(fcinfo, 1, "campaign_segments");
}

static bool
next_segment(void *state, Datum *values, bool *nulls)
{
	SegmentReport *report = state;
	Size		i = report->next;
	const CampaignSegment *segment = &report->segments[i];
	const char *note;

	if (i == report->n)
		return false;
	report->next++;
	put_segment(report, i, values);
	campaign_put(segment->rate[CAMPAIGN_TREATED], &values[3], &nulls[3]);
	campaign_put(segment->rate[CAMPAIGN_CONTROL], &values[4], &nulls[4]);
	campaign_put(segment->uplift, &values[5], &nulls[5]);
	campaign_put(segment->low, &values[6], &nulls[6]);
	campaign_put(segment->high, &values[7], &nulls[7]);
	campaign_put(segment->p, &values[8], &nulls[8]);
	campaign_put(segment->q, &values[9], &nulls[9]);
	put_shrunk(report, i, 10, values, nulls);
	values[13] = campaign_text(campaign_verdict_names[campaign_segment_verdict(segment, report->alpha)]);
	note = campaign_missing_group(report->sides[i]);
	if (note == NULL && isnan(segment->p))
		note = "fewer than 5 buyers, or fewer than 5 others, were to be expected in a group: too few for a test";
	campaign_put_text(note, &values[14], &nulls[14]);
	return true;
}

static const Report segments = {open_segments, next_segment, 15};

/* campaign_segments(campaign_book, alpha): what the campaign brought in each segment. */
CUSTMART_REPORT(custmart_campaign_segments, segments, 0)

/* ---------- differences ---------- */

static void *
open_differences(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	return open_report(fcinfo, 1, "campaign_differences");
}

static bool
next_difference(void *state, Datum *values, bool *nulls)
{
	SegmentReport *report = state;
	const CampaignSegments *all = &report->all;

	if (report->next++ > 0)
		return false;
	values[0] = Int64GetDatum((int64) all->compared);
	campaign_put(all->mean, &values[1], &nulls[1]);
	campaign_put(all->compared < 2 ? NAN : all->between, &values[2], &nulls[2]);
	campaign_put(all->cochran_q, &values[3], &nulls[3]);
	campaign_put(all->compared < 2 ? NAN : (float8) all->compared - 1, &values[4], &nulls[4]);
	campaign_put(all->p, &values[5], &nulls[5]);
	values[6] = campaign_text(all->compared < 2 ? "not comparable" : all->p < report->alpha ? "segments differ" : "not shown");
	return true;
}

static const Report differences = {open_differences, next_difference, 7};

/* campaign_differences(campaign_book, alpha): whether segments differ in what the campaign brought; one row. */
CUSTMART_REPORT(custmart_campaign_differences, differences, 0)

/* ---------- offers ---------- */

/* An amount of money that is not below 0. */
static float8
get_money(FunctionCallInfo fcinfo, int argument, const char *name)
{
	float8		money;

	argument_check_not_null(fcinfo, argument, name);
	money = PG_GETARG_FLOAT8(argument);
	if (!(money >= 0 && money <= 1e30))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be from 0 to 1e30, not %g", name, money),
				 errhint("Give the money that one sale earns, or that one message or discount costs.")));
	return money;
}

static void *
open_offers(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	SegmentReport *report;

	if (PG_ARGISNULL(0))
		return NULL;
	report = open_report(fcinfo, 5, "campaign_offers");
	report->terms.margin = get_money(fcinfo, 1, "margin");
	report->terms.contact_cost = get_money(fcinfo, 2, "contact_cost");
	report->terms.discount = get_money(fcinfo, 3, "discount");
	argument_check_not_null(fcinfo, 4, "min_probability");
	report->min_probability = PG_GETARG_FLOAT8(4);
	if (!(report->min_probability >= 0.5 && report->min_probability < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_probability must be from 0.5 to below 1, not %g", report->min_probability),
				 errhint("It is how probable a profit must be for an offer: 0.8 stands for 80 %%.")));
	return report;
}

static bool
next_offer(void *state, Datum *values, bool *nulls)
{
	SegmentReport *report = state;
	Size		i = report->next;
	const CampaignSegment *segment = &report->segments[i];
	OfferProfit profit;

	if (i == report->n)
		return false;
	report->next++;
	put_segment(report, i, values);
	campaign_put(segment->rate[CAMPAIGN_CONTROL], &values[3], &nulls[3]);
	put_shrunk(report, i, 4, values, nulls);
	campaign_put_text(campaign_missing_group(report->sides[i]), &values[12], &nulls[12]);
	if (isnan(segment->uplift))
	{
		memset(nulls + 7, true, 5);
		return true;
	}
	profit = campaign_profit(segment, &report->terms);
	values[7] = campaign_text(campaign_label_names[campaign_label(segment, &report->all, report->alpha)]);
	values[8] = Float8GetDatum(profit.observed);
	values[9] = Float8GetDatum(profit.expected);
	values[10] = Float8GetDatum(profit.probability);
	values[11] = BoolGetDatum(profit.probability >= report->min_probability);
	return true;
}

static const Report offers = {open_offers, next_offer, 13};

/* campaign_offers(campaign_book, margin, contact_cost, discount, min_probability, alpha): who should get the next offer. */
CUSTMART_REPORT(custmart_campaign_offers, offers, 0)
