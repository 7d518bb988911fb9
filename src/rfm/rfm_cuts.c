/*
 * rfm_cuts.c
 *	  The type rfm_cuts: the score limits of a population, and the scores and
 *	  segments made with them.
 */
#include "rfm/rfm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "shared/aggregate.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "shared/arguments.h"
#include "shared/array_state.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "utils/array.h"
#include "utils/builtins.h"

const StoredType rfm_cuts_type = {"rfm_cuts", rfm_cuts_check};

/* Limits as a value of type rfm_cuts. */
bytea *
rfm_cuts_datum(const RfmCuts *cuts)
{
	Size		length = RFM_CUTS_STORED_SIZE(cuts->bins);
	bytea	   *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	rfm_cuts_store(cuts, (uint8 *) VARDATA(value));
	return value;
}

/* Returns a valid number of bins, or raises 22023. */
int
rfm_check_bins(int32 bins)
{
	if (bins < RFM_BINS_MIN || bins > RFM_BINS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be from %d to %d, not %d", RFM_BINS_MIN, RFM_BINS_MAX, bins),
				 errhint("5 bins give the usual scores from 111 to 555.")));
	return bins;
}

/* ---------- text and binary ---------- */

/* What the limits of money are called: those of the total, and of the mean of an order. */
static const char *const monetary_name[] = {"monetary", "monetary_per_order"};

static char *
cuts_to_text(const RfmCuts *cuts)
{
	StringInfoData text;
	const float8 *numbers[] = {cuts->frequency, cuts->monetary};
	const char *names[] = {"frequency", monetary_name[cuts->per_order]};

	initStringInfo(&text);
	appendStringInfo(&text, "v1 bins=%d members=" UINT64_FORMAT " last_order={",
					 cuts->bins, cuts->members);
	for (int i = 0; i < cuts->bins - 1; i++)
	{
		char		time[TIME_TEXT_SIZE];

		time_to_text(cuts->last_order[i], time);
		appendStringInfo(&text, "%s%s", i == 0 ? "" : ",", time);
	}
	for (int k = 0; k < 2; k++)
	{
		appendStringInfo(&text, "} %s={", names[k]);
		for (int i = 0; i < cuts->bins - 1; i++)
		{
			char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

			double_to_shortest_decimal_buf(numbers[k][i], number);
			appendStringInfo(&text, "%s%s", i == 0 ? "" : ",", number);
		}
	}
	appendStringInfoChar(&text, '}');
	return text.data;
}

/* Advances past a text that must come next. */
static bool
read_text(const char **text, const char *expected)
{
	Size		length = strlen(expected);

	if (strncmp(*text, expected, length) != 0)
		return false;
	*text += length;
	return true;
}

static bool
read_numbers(const char **text, float8 *numbers, int n)
{
	for (int i = 0; i < n; i++)
	{
		char	   *end;

		numbers[i] = strtod(*text, &end);
		if (end == *text || *end != (i < n - 1 ? ',' : '}'))
			return false;
		*text = end + 1;
	}
	return true;
}

/* True if a literal parses; the checker decides whether it makes sense. */
static bool
cuts_from_text(const char *text, RfmCuts *cuts)
{
	unsigned long members;
	int			consumed = 0;

	if (sscanf(text, "v1 bins=%2d members=%lu last_order={%n", &cuts->bins, &members, &consumed) != 2 ||
		consumed == 0 || cuts->bins < RFM_BINS_MIN || cuts->bins > RFM_BINS_MAX)
		return false;
	cuts->members = members;
	text += consumed;
	for (int i = 0; i < cuts->bins - 1; i++)
	{
		if (!time_from_text(&text, &cuts->last_order[i]) ||
			*text++ != (i < cuts->bins - 2 ? ',' : '}'))
			return false;
	}
	if (!read_text(&text, " frequency={") || !read_numbers(&text, cuts->frequency, cuts->bins - 1) ||
		!read_text(&text, " monetary"))
		return false;
	cuts->per_order = read_text(&text, "_per_order");
	if (!read_text(&text, "={"))
		return false;
	return read_numbers(&text, cuts->monetary, cuts->bins - 1) && *text == '\0';
}

/* rfm_cuts_in(cstring): the text form; soft errors. */
CUSTMART_FUNCTION(custmart_rfm_cuts_in);
Datum
custmart_rfm_cuts_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	RfmCuts		cuts;
	const char *wrong = "it does not have the form of one";
	bytea	   *value = NULL;

	if (cuts_from_text(text, &cuts))
	{
		value = rfm_cuts_datum(&cuts);
		wrong = rfm_cuts_check((const uint8 *) VARDATA(value), VARSIZE(value) - VARHDRSZ);
		if (wrong == NULL && strcmp(cuts_to_text(&cuts), text) != 0)
			wrong = "a number or date is not written as custmart writes it";
	}
	if (wrong != NULL)
		return stored_input_error(text, &rfm_cuts_type, wrong,
								  "Only text written by custmart can be read.",
								  INPUT_ERROR_CONTEXT(fcinfo));
	PG_RETURN_BYTEA_P(value);
}

/* Reads stored limits, checked. */
void
rfm_cuts_read(Datum value, RfmCuts *cuts)
{
	rfm_cuts_load((const uint8 *) VARDATA_ANY(stored_get(value, &rfm_cuts_type)), cuts);
}

/* rfm_cuts_out(rfm_cuts): the text form, which depends on no setting. */
CUSTMART_FUNCTION(custmart_rfm_cuts_out);
Datum
custmart_rfm_cuts_out(PG_FUNCTION_ARGS)
{
	RfmCuts		cuts;

	rfm_cuts_read(PG_GETARG_DATUM(0), &cuts);
	PG_RETURN_CSTRING(cuts_to_text(&cuts));
}

/* rfm_cuts_recv(internal): the stored bytes, checked. */
CUSTMART_FUNCTION(custmart_rfm_cuts_recv);
Datum
custmart_rfm_cuts_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(stored_recv(fcinfo, &rfm_cuts_type));
}

/* ---------- limits that somebody set ---------- */

/* The elements of an argument that is a list of limits; refuses all others. */
static Datum *
get_limits(FunctionCallInfo fcinfo, int argument, const char *name, Oid type, int *n)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;

	argument_check_not_null(fcinfo, argument, name);
	array = PG_GETARG_ARRAYTYPE_P(argument);
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array) || *n < 1 || *n > RFM_LIMITS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of 1 to %d limits without NULL", name, RFM_LIMITS_MAX),
				 errhint("Give one limit less than there are scores: four for scores from 1 to 5.")));
	deconstruct_array(array, type, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, n);
	return elements;
}

/* Refuses a list that is longer or shorter than the first one. */
static void
check_limit_count(const char *name, int n, const char *first_name, int expected)
{
	if (n != expected)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have as many limits as %s, %d, not %d", name, first_name, expected, n),
				 errhint("All three scores have the same number of limits, one less than there are scores.")));
}

/* rfm_cuts(last_order, frequency, monetary): limits as given, each list ascending. */
CUSTMART_FUNCTION(custmart_rfm_cuts_from_limits);
Datum
custmart_rfm_cuts_from_limits(PG_FUNCTION_ARGS)
{
	RfmCuts		cuts = {0};
	int			n[3];
	Datum	   *last_order = get_limits(fcinfo, 0, "last_order", TIMESTAMPTZOID, &n[0]);
	Datum	   *frequency = get_limits(fcinfo, 1, "frequency", FLOAT8OID, &n[1]);
	Datum	   *monetary = get_limits(fcinfo, 2, "monetary", FLOAT8OID, &n[2]);
	bytea	   *value;
	const char *wrong;

	check_limit_count("frequency", n[1], "last_order", n[0]);
	check_limit_count("monetary", n[2], "last_order", n[0]);
	cuts.bins = n[0] + 1;
	for (int i = 0; i < n[0]; i++)
	{
		cuts.last_order[i] = time_check(DatumGetTimestampTz(last_order[i]), "last_order");
		cuts.frequency[i] = DatumGetFloat8(frequency[i]);
		cuts.monetary[i] = DatumGetFloat8(monetary[i]) + 0.0;	/* -0 becomes 0 */
	}
	value = rfm_cuts_datum(&cuts);
	wrong = rfm_cuts_check((const uint8 *) VARDATA(value), VARSIZE(value) - VARHDRSZ);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limits of scores are not valid: %s", wrong),
				 errdetail("They are \"%s\".", cuts_to_text(&cuts)),
				 errhint("Give each list in ascending order, last_order from the earliest time on; a limit of frequency is at least 1.")));
	PG_RETURN_BYTEA_P(value);
}

/* The time that lies so many days before as_of. */
static TimestampTz
days_before(TimestampTz as_of, float8 days)
{
	float8		time = (float8) as_of - rint(days * RFM_DAY);

	/* The first test also keeps what follows within an int64. */
	if (!(time >= (float8) TIME_MIN) || !time_is_in_range(as_of - (int64) rint(days * RFM_DAY)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("max_recency of %g days before as_of is out of range", days),
				 errhint("Give days before as_of, such as 30.")));
	return as_of - (int64) rint(days * RFM_DAY);
}

static void
limit_error(const char *name, float8 limit, const char *rule, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s %s, not %g", name, rule, limit),
			 errhint("%s", hint)));
}

/*
 * Limits as people say them, each for the next score: at most so many days since the
 * last order, at least so many orders, at least so much money.  Stored limits are
 * exceeded: by a frequency above the integer below, by money above the float8 below.
 */
static Datum
cuts_in_days(FunctionCallInfo fcinfo, bool per_order)
{
	RfmCuts		cuts = {.per_order = per_order};
	TimestampTz as_of;
	int			n[3];
	Datum	   *recency;
	Datum	   *frequency;
	Datum	   *monetary;

	argument_check_not_null(fcinfo, 0, "as_of");
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(0), "as_of");
	recency = get_limits(fcinfo, 1, "max_recency", FLOAT8OID, &n[0]);
	frequency = get_limits(fcinfo, 2, "min_frequency", FLOAT8OID, &n[1]);
	monetary = get_limits(fcinfo, 3, "min_monetary", FLOAT8OID, &n[2]);
	check_limit_count("min_frequency", n[1], "max_recency", n[0]);
	check_limit_count("min_monetary", n[2], "max_recency", n[0]);
	cuts.bins = n[0] + 1;
	for (int i = 0; i < n[0]; i++)
	{
		float8		days = DatumGetFloat8(recency[i]);
		float8		orders = DatumGetFloat8(frequency[i]);
		float8		money = DatumGetFloat8(monetary[i]);

		if (!(days >= 0) || (i > 0 && days > DatumGetFloat8(recency[i - 1])))
			limit_error("max_recency", days, "must be days in descending order",
						"The first limit is for score 2, the last one, of the fewest days, for the best.");
		if (!(orders > 1) || !(orders <= UINT32_MAX) || (i > 0 && orders < DatumGetFloat8(frequency[i - 1])))
			limit_error("min_frequency", orders, "must be above 1 and in ascending order",
						"Every member with a score has an order; the first limit is for score 2, the last one for the best.");
		if (!isfinite(money) || (i > 0 && money < DatumGetFloat8(monetary[i - 1])))
			limit_error("min_monetary", money, "must be finite and in ascending order",
						"The first limit is for score 2, the last one for the best.");
		cuts.last_order[i] = days_before(as_of, days);
		cuts.frequency[i] = ceil(orders) - 1;
		cuts.monetary[i] = nextafter(money, -HUGE_VAL);
		if (!isfinite(cuts.monetary[i]))
			limit_error("min_monetary", money, "must be above the least number", "Leave the limit out.");
	}
	PG_RETURN_BYTEA_P(rfm_cuts_datum(&cuts));
}

/* rfm_cuts(as_of, max_recency, min_frequency, min_monetary) */
CUSTMART_FUNCTION(custmart_rfm_cuts_in_days);
Datum
custmart_rfm_cuts_in_days(PG_FUNCTION_ARGS)
{
	return cuts_in_days(fcinfo, false);
}

/* rfm_cuts_per_order(as_of, max_recency, min_frequency, min_monetary) */
CUSTMART_FUNCTION(custmart_rfm_cuts_per_order_in_days);
Datum
custmart_rfm_cuts_per_order_in_days(PG_FUNCTION_ARGS)
{
	return cuts_in_days(fcinfo, true);
}

/* ---------- the aggregate rfm_cuts(rfm_summary [, bins]) ---------- */

/*
 * State: a bigint[] of bins, then for each member who has orders the last order,
 * the frequency and the bits of the monetary value as float8.
 */
static int
state_header(const char *elements, int count)
{
	int64		bins;

	if (count < 1 || (count - 1) % 3 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of an aggregate is not valid")));
	memcpy(&bins, elements, 8);
	if (bins < RFM_BINS_MIN || bins > RFM_BINS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of an aggregate is not valid")));
	return 1;
}

/* Collects one member. */
static Datum
cuts_step(FunctionCallInfo fcinfo, bool per_order)
{
	ArrayState	state;
	RfmValue	value;
	int			bins = RFM_BINS_DEFAULT;
	float8		money;

	if (PG_ARGISNULL(1) || (PG_NARGS() > 2 && PG_ARGISNULL(2)))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	if (PG_NARGS() > 2)
		bins = rfm_check_bins(PG_GETARG_INT32(2));
	rfm_read(&value, PG_GETARG_DATUM(1));

	if (!array_state_of_aggregate(fcinfo, &state))
		array_state_append(&state, bins);
	else
	{
		int64		first_bins = array_state_element(&state, 1);

		if (first_bins != bins)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bins must be the same for all rows, not %d and %d", (int) first_bins, bins),
					 errhint("Write it as a constant.")));
	}
	if (value.member.frequency > 0)
	{
		money = rfm_scored_money(&value.member, &value.pool, per_order);
		array_state_append(&state, value.member.last_order);
		array_state_append(&state, value.member.frequency);
		array_state_append(&state, float8_bits(money));
	}
	PG_RETURN_DATUM(state.array);
}

/* rfm_cuts_step(bigint[], rfm_summary [, bins]) */
CUSTMART_FUNCTION(custmart_rfm_cuts_step);
Datum
custmart_rfm_cuts_step(PG_FUNCTION_ARGS)
{
	return cuts_step(fcinfo, false);
}

/* rfm_cuts_per_order_step(bigint[], rfm_summary [, bins]) */
CUSTMART_FUNCTION(custmart_rfm_cuts_per_order_step);
Datum
custmart_rfm_cuts_per_order_step(PG_FUNCTION_ARGS)
{
	return cuts_step(fcinfo, true);
}

/* rfm_cuts_combine(bigint[], bigint[]): appends the second state to the first. */
CUSTMART_FUNCTION(custmart_rfm_cuts_combine);
Datum
custmart_rfm_cuts_combine(PG_FUNCTION_ARGS)
{
	return array_state_combine(fcinfo, state_header, "bins or shares");
}

/* The limits; NULL if no member has orders. */
static Datum
cuts_final(FunctionCallInfo fcinfo, bool per_order)
{
	RfmCuts		cuts;
	const char *elements;
	int			count;
	int			n;
	int64		bins;
	int64	   *last_order;
	float8	   *frequency;
	float8	   *monetary;
	bytea	   *value;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	elements = array_state_elements(PG_GETARG_DATUM(0), &count);
	(void) state_header(elements, count);
	memcpy(&bins, elements, 8);
	n = (count - 1) / 3;
	if (n == 0)
		PG_RETURN_NULL();
	last_order = large_alloc(CurrentMemoryContext, sizeof(int64) * n);
	frequency = large_alloc(CurrentMemoryContext, sizeof(float8) * n);
	monetary = large_alloc(CurrentMemoryContext, sizeof(float8) * n);
	for (int i = 0; i < n; i++)
	{
		int64		point[3];

		memcpy(point, elements + 8 + (Size) i * 24, 24);
		last_order[i] = point[0];
		frequency[i] = (float8) point[1];
		memcpy(&monetary[i], &point[2], 8);
	}
	rfm_cuts_make(&cuts, (int) bins, per_order, n, last_order, frequency, monetary);
	pfree(last_order);
	pfree(frequency);
	pfree(monetary);
	value = rfm_cuts_datum(&cuts);
	if (rfm_cuts_check((const uint8 *) VARDATA(value), VARSIZE(value) - VARHDRSZ) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of an aggregate is not valid")));
	PG_RETURN_BYTEA_P(value);
}

/* rfm_cuts_final(bigint[]) */
CUSTMART_FUNCTION(custmart_rfm_cuts_final);
Datum
custmart_rfm_cuts_final(PG_FUNCTION_ARGS)
{
	return cuts_final(fcinfo, false);
}

/* rfm_cuts_per_order_final(bigint[]) */
CUSTMART_FUNCTION(custmart_rfm_cuts_per_order_final);
Datum
custmart_rfm_cuts_per_order_final(PG_FUNCTION_ARGS)
{
	return cuts_final(fcinfo, true);
}

/* ---------- scores and segments ---------- */

/* Scores the member in argument 0 by the limits in argument 1; false without an order. */
static bool
get_score(FunctionCallInfo fcinfo, RfmCuts *cuts, RfmScore *score)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	if (value.member.frequency == 0)
		return false;
	rfm_cuts_read(PG_GETARG_DATUM(1), cuts);
	*score = rfm_score(cuts, value.member.last_order, value.member.frequency,
					   rfm_scored_money(&value.member, &value.pool, cuts->per_order));
	return true;
}

/* rfm_score(rfm_summary, rfm_cuts): 555-style; NULL without an order. */
CUSTMART_FUNCTION(custmart_rfm_score);
Datum
custmart_rfm_score(PG_FUNCTION_ARGS)
{
	RfmCuts		cuts;
	RfmScore	score;

	if (!get_score(fcinfo, &cuts, &score))
		PG_RETURN_NULL();
	PG_RETURN_INT32(rfm_score_number(score, cuts.bins));
}

/* rfm_segment(score): the name of the segment of a 5-bin score. */
CUSTMART_FUNCTION(custmart_rfm_segment);
Datum
custmart_rfm_segment(PG_FUNCTION_ARGS)
{
	int32		score = PG_GETARG_INT32(0);
	int			segment = rfm_segment_of_score(score);

	if (segment < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d is not an RFM score of 5 bins", score),
				 errhint("A score has three digits from 1 to 5, from 111 to 555.")));
	PG_RETURN_TEXT_P(cstring_to_text(rfm_segment_names[segment]));
}

/* rfm_segment(rfm_summary, rfm_cuts): the segment of a member; NULL without an order. */
CUSTMART_FUNCTION(custmart_rfm_segment_by_cuts);
Datum
custmart_rfm_segment_by_cuts(PG_FUNCTION_ARGS)
{
	RfmCuts		cuts;
	RfmScore	score;

	if (!get_score(fcinfo, &cuts, &score))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(rfm_segment_names[rfm_segment_of(score, cuts.bins)]));
}

static void *
open_segment_map(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	int		   *score = palloc(sizeof(int));

	*score = 0;
	return score;
}

static bool
next_segment_of_map(void *state, Datum *values, bool *nulls)
{
	int		   *score = state;

	while (++*score <= 555)
	{
		int			segment = rfm_segment_of_score(*score);

		if (segment < 0)
			continue;
		values[0] = Int32GetDatum(*score);
		values[1] = CStringGetTextDatum(rfm_segment_names[segment]);
		return true;
	}
	return false;
}

static const Report segment_map = {open_segment_map, next_segment_of_map, 2};

/* rfm_segment_map(): all 125 scores with their segments. */
CUSTMART_REPORT(custmart_rfm_segment_map, segment_map, 0)

typedef struct LimitsReport
{
	RfmCuts		cuts;
	int			next;
} LimitsReport;

static void *
open_limits(FunctionCallInfo fcinfo, TupleDesc columns, int cuts)
{
	LimitsReport *report = palloc(sizeof(LimitsReport));

	rfm_cuts_read(PG_GETARG_DATUM(cuts), &report->cuts);
	report->next = 0;
	return report;
}

static bool
next_limit(void *state, Datum *values, bool *nulls)
{
	LimitsReport *report = state;
	const RfmCuts *cuts = &report->cuts;
	int			i = report->next++;

	if (i >= cuts->bins - 1)
		return false;
	values[0] = Int32GetDatum(i + 1);
	values[1] = TimestampTzGetDatum(cuts->last_order[i]);
	values[2] = Float8GetDatum(cuts->frequency[i]);
	values[3] = Float8GetDatum(cuts->monetary[i]);
	return true;
}

static const Report limits = {open_limits, next_limit, 4};

/* rfm_limits(rfm_cuts): the limits as rows (bin, last_order, frequency, monetary). */
CUSTMART_REPORT(custmart_rfm_limits, limits, 0)
