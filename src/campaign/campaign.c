/*
 * campaign.c
 *	  The type campaign_summary: what a campaign brought, in exact sums of those who
 *	  were treated and those who were not.
 */
#include "campaign/campaign.h"

#include "lib/stringinfo.h"
#include "money/decimal_numeric.h"
#include "shared/aggregate.h"
#include "shared/arguments.h"
#include "shared/bytes.h"
#include "shared/report.h"
#include "shared/stored_value.h"
#include "statistics/proportions.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define CAMPAIGN_VERSION 1
#define HEADER_SIZE 12			/* kind, version, form, 0, rows skipped */
#define FORM_BEFORE 1			/* with outcomes before */

/* A campaign being built. */
typedef struct CampaignState
{
	ExpandedObjectHeader hdr;
	Campaign	campaign;
	int64		rows_skipped;
} CampaignState;

static const char *campaign_summary_check(const uint8 *bytes, Size length);
static Size campaign_flat_size(ExpandedObjectHeader *header);
static void campaign_flatten(ExpandedObjectHeader *header, void *result, Size allocated);

static const StoredType campaign_type = {"campaign_summary", campaign_summary_check};
static const ExpandedObjectMethods campaign_methods = {campaign_flat_size, campaign_flatten};

/* Raises the error for an addition that failed. */
void
campaign_raise(CampaignStatus status)
{
	switch (status)
	{
		case CAMPAIGN_OK:
			break;
		case CAMPAIGN_TOO_MANY_MEMBERS:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a group of a campaign cannot have more than %u members", CAMPAIGN_MEMBERS_MAX)));
			break;
		case CAMPAIGN_SUM_OUT_OF_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a sum of squares is out of range"),
					 errdetail("It has more than 76 digits when multiplied by the number of members."),
					 errhint("Round outcomes to the decimals that they need, such as round(y, 2).")));
			break;
	}
}

Datum
campaign_text(const char *text)
{
	return CStringGetTextDatum(text);
}

/* ---------- stored form ---------- */

static const char *
check_and_load(const uint8 *bytes, Size length, Campaign *campaign, int64 *rows_skipped)
{
	const uint8 *at = bytes + HEADER_SIZE;
	const char *wrong;

	if (length < HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != STORED_CAMPAIGN)
		return "it is of another type";
	if (bytes[1] != CAMPAIGN_VERSION)
		return "its version is unknown";
	if (bytes[2] > FORM_BEFORE || bytes[3] != 0)
		return "its form is unknown";
	campaign->has_before = bytes[2] == FORM_BEFORE;
	*rows_skipped = (int64) load_u64(bytes + 4);
	if (*rows_skipped < 0)
		return "its number of rows skipped is out of range";
	wrong = campaign_check_and_load(&at, bytes + length, campaign);
	if (wrong == NULL && at != bytes + length)
		wrong = "its length is wrong";
	return wrong;
}

/* The checker of a stored campaign_summary. */
static const char *
campaign_summary_check(const uint8 *bytes, Size length)
{
	Campaign	campaign;
	int64		rows_skipped;

	return check_and_load(bytes, length, &campaign, &rows_skipped);
}

static Size
store(const CampaignState *state, uint8 *bytes)
{
	bytes[0] = STORED_CAMPAIGN;
	bytes[1] = CAMPAIGN_VERSION;
	bytes[2] = state->campaign.has_before ? FORM_BEFORE : 0;
	bytes[3] = 0;
	return campaign_store(&state->campaign, store_u64(bytes + 4, (uint64) state->rows_skipped)) - bytes;
}

static Size
campaign_flat_size(ExpandedObjectHeader *header)
{
	uint8		bytes[HEADER_SIZE + CAMPAIGN_STORED_MAX];

	return VARHDRSZ + store((CampaignState *) header, bytes);
}

static void
campaign_flatten(ExpandedObjectHeader *header, void *result, Size allocated)
{
	SET_VARSIZE(result, allocated);
	(void) store((CampaignState *) header, (uint8 *) VARDATA(result));
}

/* campaign_summary_in(cstring): the text form; soft errors. */
CUSTMART_FUNCTION(custmart_campaign_summary_in);
Datum
custmart_campaign_summary_in(PG_FUNCTION_ARGS)
{
	bytea	   *value = stored_from_base64(PG_GETARG_CSTRING(0), &campaign_type, INPUT_ERROR_CONTEXT(fcinfo));

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(value);
}

/* campaign_summary_out(campaign_summary): the text form. */
CUSTMART_FUNCTION(custmart_campaign_summary_out);
Datum
custmart_campaign_summary_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &campaign_type), &campaign_type));
}

/* campaign_summary_recv(internal): the stored bytes, checked. */
CUSTMART_FUNCTION(custmart_campaign_summary_recv);
Datum
custmart_campaign_summary_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(stored_recv(fcinfo, &campaign_type));
}

/* ---------- building and merging ---------- */

/* The expanded campaign that a value points to, or NULL. */
static CampaignState *
expanded_state(Datum value)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) &&
		DatumGetEOHP(value)->eoh_methods == &campaign_methods)
		return (CampaignState *) DatumGetEOHP(value);
	return NULL;
}

/* Reads a campaign, expanded or stored. */
static void
read_state(Datum value, Campaign *campaign, int64 *rows_skipped)
{
	const CampaignState *expanded = expanded_state(value);
	bytea	   *stored;
	const char *wrong;

	if (expanded != NULL)
	{
		*campaign = expanded->campaign;
		*rows_skipped = expanded->rows_skipped;
		return;
	}
	stored = DatumGetByteaPP(value);
	wrong = check_and_load((const uint8 *) VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored), campaign, rows_skipped);
	if (wrong != NULL)
		stored_raise(&campaign_type, wrong);
	if ((Pointer) stored != DatumGetPointer(value))
		pfree(stored);
}

/* The campaign in an argument that is not NULL. */
static Campaign
get_campaign(FunctionCallInfo fcinfo, int argument)
{
	Campaign	campaign;
	int64		rows_skipped;

	read_state(PG_GETARG_DATUM(argument), &campaign, &rows_skipped);
	return campaign;
}

static CampaignState *
make_state(MemoryContext context, bool has_before)
{
	CampaignState *state = MemoryContextAllocZero(context, sizeof(CampaignState));

	EOH_init_header(&state->hdr, &campaign_methods, context);
	state->campaign.has_before = has_before;
	return state;
}

/* Refuses what is of the other form; a state can be one that somebody gave to an aggregate of their own. */
static void
check_form(const CampaignState *state, bool has_before)
{
	if (unlikely(state->campaign.has_before != has_before))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot merge a campaign_summary that has outcomes before with one that has none"),
				 errhint("Make all parts with the same arguments: all campaign(treated, y), or all campaign(treated, y, y_before).")));
}

static void
merge(CampaignState *state, const Campaign *campaign, int64 rows_skipped)
{
	check_form(state, campaign->has_before);
	campaign_raise(campaign_merge(&state->campaign, campaign));
	book_add_skipped(&state->rows_skipped, rows_skipped);
}

/* The state of an aggregate, argument 0, made if there is none; the form is that of the first row or part. */
static CampaignState *
state_of(FunctionCallInfo fcinfo, bool has_before)
{
	CampaignState *state = (CampaignState *) aggregate_expanded_state(fcinfo, &campaign_methods);
	MemoryContext context;
	Campaign	campaign;
	int64		rows_skipped;

	if (likely(state != NULL))
		return state;
	context = aggregate_states_context(fcinfo);
	if (PG_ARGISNULL(0))
		return make_state(context, has_before);
	read_state(PG_GETARG_DATUM(0), &campaign, &rows_skipped);
	state = make_state(context, campaign.has_before);
	merge(state, &campaign, rows_skipped);
	return state;
}

/* Adds one member: argument 1 is whether they were treated, then come y and, with a form, y before. */
static Datum
campaign_step(FunctionCallInfo fcinfo, bool has_before)
{
	CampaignState *state = state_of(fcinfo, has_before);
	DecimalPool pool = {.context = CurrentMemoryContext};
	Decimal		y;
	Decimal		before = {.scale = 0};

	check_form(state, has_before);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (has_before && PG_ARGISNULL(3)))
	{
		book_add_skipped(&state->rows_skipped, 1);
		PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
	}
	y = decimal_unpack(numeric_read(PG_GETARG_DATUM(2), "y", &pool), &pool);
	if (has_before)
		before = decimal_unpack(numeric_read(PG_GETARG_DATUM(3), "y_before", &pool), &pool);
	decimal_pool_clear(&pool);
	campaign_raise(campaign_add(&state->campaign, PG_GETARG_BOOL(1) ? CAMPAIGN_TREATED : CAMPAIGN_CONTROL,
								&y, has_before ? &before : NULL));
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* campaign_step(campaign_summary, treated, y) */
CUSTMART_FUNCTION(custmart_campaign_step);
Datum
custmart_campaign_step(PG_FUNCTION_ARGS)
{
	return campaign_step(fcinfo, false);
}

/* campaign_step_before(campaign_summary, treated, y, y_before) */
CUSTMART_FUNCTION(custmart_campaign_step_before);
Datum
custmart_campaign_step_before(PG_FUNCTION_ARGS)
{
	return campaign_step(fcinfo, true);
}

/* campaign_summary_combine(campaign_summary, campaign_summary): merges the second into the state. */
CUSTMART_FUNCTION(custmart_campaign_summary_combine);
Datum
custmart_campaign_summary_combine(PG_FUNCTION_ARGS)
{
	CampaignState *state;
	Campaign	campaign;
	int64		rows_skipped;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	read_state(PG_GETARG_DATUM(1), &campaign, &rows_skipped);
	state = state_of(fcinfo, campaign.has_before);
	merge(state, &campaign, rows_skipped);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* campaign_summary_add(campaign_summary, campaign_summary): the operator +. */
CUSTMART_FUNCTION(custmart_campaign_summary_add);
Datum
custmart_campaign_summary_add(PG_FUNCTION_ARGS)
{
	CampaignState *state = NULL;

	for (int i = 0; i < 2; i++)
	{
		Campaign	campaign;
		int64		rows_skipped;

		read_state(PG_GETARG_DATUM(i), &campaign, &rows_skipped);
		if (state == NULL)
			state = make_state(AllocSetContextCreate(CurrentMemoryContext, "custmart campaign", ALLOCSET_SMALL_SIZES),
							   campaign.has_before);
		merge(state, &campaign, rows_skipped);
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* rows_skipped(campaign_summary): number of rows with NULL. */
CUSTMART_FUNCTION(custmart_campaign_summary_rows_skipped);
Datum
custmart_campaign_summary_rows_skipped(PG_FUNCTION_ARGS)
{
	Campaign	campaign;
	int64		rows_skipped;

	read_state(PG_GETARG_DATUM(0), &campaign, &rows_skipped);
	PG_RETURN_INT64(rows_skipped);
}

/* ---------- reports ---------- */

/* A report on one campaign. */
typedef struct CampaignReport
{
	Campaign	campaign;
	float8		alpha;
	float8		planned_share;
	int			next;
} CampaignReport;

static CampaignReport *
open_campaign(FunctionCallInfo fcinfo)
{
	CampaignReport *report;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc0(sizeof(CampaignReport));
	report->campaign = get_campaign(fcinfo, 0);
	return report;
}

static void *
open_groups(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	return open_campaign(fcinfo);
}

static Datum
numeric_of(const Decimal *d)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	return numeric_from_packed(decimal_pack(d, &pool), &pool);
}

static bool
next_group(void *state, Datum *values, bool *nulls)
{
	CampaignReport *report = state;
	CampaignGroup group = report->next == 0 ? CAMPAIGN_TREATED : CAMPAIGN_CONTROL;
	const CampaignSide *side = &report->campaign.side[group];

	if (report->next++ == CAMPAIGN_GROUPS)
		return false;
	values[0] = BoolGetDatum(group == CAMPAIGN_TREATED);
	values[1] = Int64GetDatum(side->members);
	values[2] = Int64GetDatum(side->buyers);
	values[3] = numeric_of(&side->sum);
	nulls[4] = !report->campaign.has_before;
	if (report->campaign.has_before)
		values[4] = numeric_of(&report->campaign.before[group].sum);
	return true;
}

static const Report groups = {open_groups, next_group, 5};

/* campaign_groups(campaign_summary): what was added up of each group. */
CUSTMART_REPORT(custmart_campaign_groups, groups, 0)

static void *
open_results(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	CampaignReport *report = open_campaign(fcinfo);

	if (report != NULL)
		report->alpha = argument_alpha(fcinfo, 1);
	return report;
}

static bool
next_result(void *state, Datum *values, bool *nulls)
{
	CampaignReport *report = state;
	const CampaignSide *side = report->campaign.side;
	CampaignMeasure measure = (CampaignMeasure) report->next;
	float8		treated = (float8) side[CAMPAIGN_TREATED].members;
	CampaignResult result;

	if (report->next == (report->campaign.has_before ? CAMPAIGN_MEASURES : CAMPAIGN_ADJUSTED_SPEND))
		return false;
	report->next++;
	result = campaign_result(&report->campaign, measure, report->alpha);
	values[0] = campaign_text(campaign_measure_names[measure]);
	values[1] = Int64GetDatum(side[CAMPAIGN_TREATED].members);
	values[2] = Int64GetDatum(side[CAMPAIGN_CONTROL].members);
	campaign_put(result.mean[CAMPAIGN_TREATED], &values[3], &nulls[3]);
	campaign_put(result.mean[CAMPAIGN_CONTROL], &values[4], &nulls[4]);
	campaign_put(result.uplift, &values[5], &nulls[5]);
	campaign_put(result.low, &values[6], &nulls[6]);
	campaign_put(result.high, &values[7], &nulls[7]);
	campaign_put(result.mean[CAMPAIGN_CONTROL] > 0 ? 100 * (result.uplift / result.mean[CAMPAIGN_CONTROL]) : NAN,
				 &values[8], &nulls[8]);
	campaign_put(result.uplift * treated, &values[9], &nulls[9]);
	campaign_put(result.low * treated, &values[10], &nulls[10]);
	campaign_put(result.high * treated, &values[11], &nulls[11]);
	campaign_put(result.error, &values[12], &nulls[12]);
	campaign_put(result.statistic, &values[13], &nulls[13]);
	campaign_put(result.df, &values[14], &nulls[14]);
	campaign_put(result.p, &values[15], &nulls[15]);
	values[16] = campaign_text(campaign_verdict_names[result.verdict]);
	campaign_put_text(result.note, &values[17], &nulls[17]);
	return true;
}

static const Report results = {open_results, next_result, 18};

/* campaign_results(campaign_summary, alpha): what the campaign brought, one row per measure. */
CUSTMART_REPORT(custmart_campaign_results, results, 0)

/* A share or rate: above 0 and below 1. */
static float8
get_rate(FunctionCallInfo fcinfo, int argument, const char *name)
{
	float8		rate;

	argument_check_not_null(fcinfo, argument, name);
	rate = PG_GETARG_FLOAT8(argument);
	if (!(rate > 0 && rate < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be above 0 and below 1, not %g", name, rate),
				 errhint("It is a share: 0.05 stands for 5 %%.")));
	return rate;
}

static void *
open_ratios(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	CampaignReport *report = open_campaign(fcinfo);

	if (report != NULL)
		report->planned_share = get_rate(fcinfo, 1, "planned_share");
	return report;
}

static bool
next_ratio(void *state, Datum *values, bool *nulls)
{
	CampaignReport *report = state;
	const CampaignSide *side = report->campaign.side;
	int64		members = side[CAMPAIGN_TREATED].members + side[CAMPAIGN_CONTROL].members;
	CampaignRatio ratio;

	if (report->next++ > 0)
		return false;
	values[0] = Int64GetDatum(side[CAMPAIGN_TREATED].members);
	values[1] = Int64GetDatum(side[CAMPAIGN_CONTROL].members);
	values[3] = Float8GetDatum(report->planned_share);
	if (members == 0)
	{
		nulls[2] = true;
		memset(nulls + 4, true, 3);
		return true;
	}
	ratio = campaign_ratio(side, report->planned_share);
	values[2] = Float8GetDatum((float8) side[CAMPAIGN_TREATED].members / (float8) members);
	values[4] = Float8GetDatum(ratio.chi_squared);
	values[5] = Float8GetDatum(ratio.p);
	values[6] = BoolGetDatum(ratio.p < CAMPAIGN_RATIO_VOID);
	return true;
}

static const Report ratios = {open_ratios, next_ratio, 7};

/* campaign_sample_ratios(campaign_summary, planned_share): whether the groups are as large as planned. */
CUSTMART_REPORT(custmart_campaign_sample_ratios, ratios, 0)

/* campaign_group_size(control_rate, treated_rate, power, alpha): how many members each group needs. */
CUSTMART_FUNCTION(custmart_campaign_group_size);
Datum
custmart_campaign_group_size(PG_FUNCTION_ARGS)
{
	float8		control = get_rate(fcinfo, 0, "control_rate");
	float8		treated = get_rate(fcinfo, 1, "treated_rate");
	float8		power = get_rate(fcinfo, 2, "power");
	float8		size = proportion_group_size(control, treated, power, argument_alpha(fcinfo, 3));

	if (isnan(size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("treated_rate must differ from control_rate, not be %g as well", control),
				 errhint("Give the smallest difference that is worth finding.")));
	if (size >= 9e18)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("group size is out of range"),
				 errhint("Give rates that differ by more.")));
	PG_RETURN_INT64((int64) Max(ceil(size), 1));
}
