/*
 * uplift_report.c
 *	  Reports on a campaign_book of scores: whether a score puts those first whom the
 *	  campaign moves.
 */
#include "campaign/campaign.h"

#include "campaign/uplift_core.h"
#include "money/decimal_numeric.h"
#include "shared/report.h"
#include "utils/builtins.h"

typedef struct UpliftReport
{
	CampaignReader book;
	CampaignSide total[CAMPAIGN_GROUPS];	/* its members, buyers and sum */
	CampaignSide so_far[CAMPAIGN_GROUPS];
	UpliftArea	area[UPLIFT_CURVES];
	bool		is_binary;
	int			next;
} UpliftReport;

/* Adds what curves need of a side. */
static void
add_side(CampaignSide *sum, const CampaignSide *side)
{
	sum->members += side->members;
	sum->buyers += side->buyers;
	if (!decimal_add(&sum->sum, &side->sum))
		decimal_sum_error();
}

static UpliftPoint
point_of(const CampaignSide *sides)
{
	UpliftPoint point;

	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		point.members[g] = (float8) sides[g].members;
		point.sum[g] = decimal_to_double(&sides[g].sum);
	}
	return point;
}

/* Opens the book in argument 0 and adds it up; NULL without one. */
static UpliftReport *
open_report(FunctionCallInfo fcinfo, const char *function)
{
	UpliftReport *report;
	CampaignReader book;
	CampaignSide sides[CAMPAIGN_GROUPS];
	Key			key;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc0(sizeof(UpliftReport));
	(void) campaign_book_open(&report->book, PG_GETARG_DATUM(0), CAMPAIGN_SCORE, function);
	report->is_binary = true;
	book = report->book;
	while (campaign_book_next(&book, &key, sides))
	{
		UpliftPoint point;

		check_interrupts(book.left);
		for (int g = 0; g < CAMPAIGN_GROUPS; g++)
		{
			add_side(&report->total[g], &sides[g]);
			report->is_binary = report->is_binary && uplift_is_binary(&sides[g]);
		}
		point = point_of(report->total);
		for (int curve = 0; curve < UPLIFT_CURVES; curve++)
			uplift_area_add(&report->area[curve], (UpliftCurve) curve, &point);
	}
	return report;
}

static Datum
numeric_of(const Decimal *d)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	return numeric_from_packed(decimal_pack(d, &pool), &pool);
}

/* ---------- points ---------- */

static void *
open_points(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	return open_report(fcinfo, "uplift_points");
}

static bool
next_point(void *state, Datum *values, bool *nulls)
{
	UpliftReport *report = state;
	bool		is_comparable = campaign_missing_group(report->total) == NULL;
	CampaignSide sides[CAMPAIGN_GROUPS];
	UpliftPoint point;
	float8		members;
	Key			key;

	if (!campaign_book_next(&report->book, &key, sides))
		return false;
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
		add_side(&report->so_far[g], &sides[g]);
	point = point_of(report->so_far);
	members = point.members[CAMPAIGN_TREATED] + point.members[CAMPAIGN_CONTROL];
	values[0] = Float8GetDatum(campaign_score_of_key(key.number));
	values[1] = Int64GetDatum((int64) members);
	values[2] = Float8GetDatum(members / ((float8) report->total[CAMPAIGN_TREATED].members +
										  (float8) report->total[CAMPAIGN_CONTROL].members));
	values[3] = Int64GetDatum(report->so_far[CAMPAIGN_TREATED].members);
	values[4] = Int64GetDatum(report->so_far[CAMPAIGN_CONTROL].members);
	values[5] = numeric_of(&report->so_far[CAMPAIGN_TREATED].sum);
	values[6] = numeric_of(&report->so_far[CAMPAIGN_CONTROL].sum);
	for (int curve = 0; curve < UPLIFT_CURVES; curve++)
		campaign_put(is_comparable ? uplift_value((UpliftCurve) curve, &point) : NAN,
					 &values[7 + curve], &nulls[7 + curve]);
	return true;
}

static const Report points = {open_points, next_point, 9};

/* uplift_points(campaign_book): the curves, one row per score, the highest first. */
CUSTMART_REPORT(custmart_uplift_points, points, 0)

/* ---------- curves ---------- */

static void *
open_curves(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	return open_report(fcinfo, "uplift_curves");
}

static bool
next_curve(void *state, Datum *values, bool *nulls)
{
	UpliftReport *report = state;
	UpliftCurve curve = (UpliftCurve) report->next;
	const UpliftArea *area;
	const char *note = campaign_missing_group(report->total);
	float8		above;
	float8		perfect = NAN;

	if (report->next == UPLIFT_CURVES)
		return false;
	report->next++;
	area = &report->area[curve];
	above = uplift_above_chance(area);
	values[0] = campaign_text(uplift_curve_names[curve]);
	values[1] = Int64GetDatum(report->book.reader.count);
	values[2] = Int64GetDatum(report->total[CAMPAIGN_TREATED].members);
	values[3] = Int64GetDatum(report->total[CAMPAIGN_CONTROL].members);
	if (note != NULL)
	{
		memset(nulls + 4, true, 5);
		campaign_put_text(note, &values[9], &nulls[9]);
		return true;
	}
	if (report->is_binary)
	{
		int64		members[CAMPAIGN_GROUPS];
		int64		buyers[CAMPAIGN_GROUPS];

		for (int g = 0; g < CAMPAIGN_GROUPS; g++)
		{
			members[g] = report->total[g].members;
			buyers[g] = report->total[g].buyers;
		}
		perfect = uplift_perfect(curve, members, buyers);
		if (perfect == 0)
			note = "no order is better than chance, so there is no coefficient";
	}
	else
		note = "outcomes are not all 0 or 1, so there is no perfect order and no coefficient";
	values[4] = Float8GetDatum(area->value);
	values[5] = Float8GetDatum(area->area);
	values[6] = Float8GetDatum(above);
	campaign_put(perfect, &values[7], &nulls[7]);
	campaign_put(perfect == 0 ? NAN : above / perfect, &values[8], &nulls[8]);
	campaign_put_text(note, &values[9], &nulls[9]);
	return true;
}

static const Report curves = {open_curves, next_curve, 10};

/* uplift_curves(campaign_book): the areas and coefficients of both curves, one row each. */
CUSTMART_REPORT(custmart_uplift_curves, curves, 0)
