/*
 * targets_clv.c
 *	  Fuzzing of clv: stored models, whatever their parameters, and fits of whatever
 *	  members.  What leaves must be finite, chances be from 0 to 1, and a fit be a
 *	  model, the same for any order of the members.
 */
#include "targets.h"

#include "catalog/pg_type.h"
#include "clv/clv_format.h"
#include "common/pg_prng.h"
#include "money/decimal.h"
#include "utils/array.h"
#include "utils/date.h"

FUNCTION(custmart_clv_model_in);
FUNCTION(custmart_clv_model_out);
FUNCTION(custmart_clv_model_recv);
FUNCTION(custmart_clv_model_warnings);
FUNCTION(custmart_clv_model_is_reliable);
FUNCTION(custmart_clv_model_log_likelihood);
FUNCTION(custmart_clv_parameters);
FUNCTION(custmart_clv_details);
FUNCTION(custmart_p_alive);
FUNCTION(custmart_p_order);
FUNCTION(custmart_expected_orders);
FUNCTION(custmart_discounted_orders);
FUNCTION(custmart_expected_spend);
FUNCTION(custmart_clv);
FUNCTION(custmart_new_member_value);
FUNCTION(custmart_clv_fit);
FUNCTION(custmart_clv_fit_final);
FUNCTION(custmart_clv_members);
FUNCTION(custmart_clv_summaries);
FUNCTION(custmart_clv_check);
FUNCTION(custmart_clv_check_deciles);
FUNCTION(custmart_clv_frequencies);
FUNCTION(custmart_clv_tracking);
FUNCTION(custmart_retention_book_step_bigint_amount);

static const Type clv_model = {
	"clv_model", custmart_clv_model_in, custmart_clv_model_out, custmart_clv_model_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

static const char *const model_names[] = {"bg/nbd", "mbg/nbd", "pareto/nbd", "best"};

/* Looks for interrupts after which what takes long is cancelled. */
#define LOOKS 2000

/* ---------- what a model predicts ---------- */

static bool
is_range_or_cancel(const Outcome *outcome)
{
	return outcome->sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE || outcome->sqlstate == ERRCODE_QUERY_CANCELED ||
		outcome->sqlstate == ERRCODE_OUT_OF_MEMORY;
}

/* A prediction must be finite and not below 0, or an error of its range; true if there is one. */
static bool
is_prediction(const Outcome *outcome, const char *what)
{
	if (outcome->raised)
		host_require(is_range_or_cancel(outcome), "%s: SQLSTATE %s: %s", what, unpack_sql_state(outcome->sqlstate), outcome->message);
	else if (!outcome->is_null)
		host_require(isfinite(DatumGetFloat8(outcome->value)) && DatumGetFloat8(outcome->value) >= 0, "%s is %g", what,
					 DatumGetFloat8(outcome->value));
	return !outcome->raised && !outcome->is_null;
}

/*
 * Chances are compared with nothing here but their limits: far out, where parameters
 * have 20 digits before the point, rounding is all that is left of them.
 */
static void
is_chance(const Outcome *outcome, const char *what)
{
	if (is_prediction(outcome, what))
		host_require(DatumGetFloat8(outcome->value) <= 1 + 1e-9, "%s is %g", what, DatumGetFloat8(outcome->value));
}

/* Whether a member of this model takes more time than an input has. */
static bool
is_slow(const ClvFitted *fitted)
{
	const float8 *p = fitted->orders.value;

	return fitted->orders.model == CLV_PARETO && Max(p[CLV_ALPHA] / p[CLV_BETA], p[CLV_BETA] / p[CLV_ALPHA]) > 1e5;
}

static void
use_model(Datum value, Input *input)
{
	static const Oid parameter_columns[] = {TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
	static const Oid detail_columns[] = {
		TEXTOID, TEXTOID, DATEOID, TEXTOID, INT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
		INT8OID, INT8OID, FLOAT8OID, FLOAT8OID
	};
	static const Oid value_columns[] = {FLOAT8OID, FLOAT8OID, FLOAT8OID};
	NullableDatum model = ARG(host_packed(value));
	Interval	horizon = {.month = 12};
	NullableDatum value_arguments[] = {model, ARG(IntervalPGetDatum(&horizon)), ARG(Float8GetDatum(0.1)), ARG(Float8GetDatum(1))};
	ClvFitted	fitted;
	Outcome		outcome;
	int64		rows;

	check_round_trips(&clv_model, value);
	clv_load((const uint8 *) VARDATA_ANY(DatumGetPointer(value)), &fitted);
	(void) must(CALL(custmart_clv_model_warnings, model, NULL_ARG), "warnings");
	(void) must(CALL(custmart_clv_model_is_reliable, model), "is_reliable");
	host_require(isfinite(DatumGetFloat8(must(CALL(custmart_clv_model_log_likelihood, model), "log_likelihood"))), "a likelihood");
	outcome = host_rows(custmart_clv_parameters, &model, 1, parameter_columns, lengthof(parameter_columns));
	rows = clv_parameter_count(fitted.orders.model) + (fitted.spend_members > 0 ? CLV_SPEND_PARAMETERS : 0);
	host_require(!outcome.raised && DatumGetInt64(outcome.value) == rows, "parameters: %s", outcome.message);
	outcome = host_rows(custmart_clv_details, &model, 1, detail_columns, lengthof(detail_columns));
	host_require(!outcome.raised && DatumGetInt64(outcome.value) == 1, "details: %s", outcome.message);
	if (is_slow(&fitted))
		return;

	host_checks_end = LOOKS;
	outcome = host_rows(custmart_new_member_value, value_arguments, lengthof(value_arguments), value_columns, lengthof(value_columns));
	host_require(!outcome.raised || is_range_or_cancel(&outcome) || outcome.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
				 "a new member: %s", outcome.message);
	for (int i = 0; i < 3; i++)
	{
		int64		repeats = (int64) take_number(input, i == 0 ? 1 : 2);
		float8		age = (float8) take_number(input, 3) / 16 + (repeats > 0 ? 1 : 0);
		float8		share = (1 + (float8) take_byte(input)) / 256;
		float8		last_age = repeats > 0 ? Max(CLV_AGE_MIN, age * share) : 0;
		float8		days = (float8) take_number(input, 2);
		NullableDatum arguments[] = {model, ARG(Int64GetDatum(repeats)), ARG(Float8GetDatum(last_age)), ARG(Float8GetDatum(age))};
		NullableDatum ahead = ARG(Float8GetDatum(days));
		NullableDatum discount = ARG(Float8GetDatum(0.1));
		Outcome		order;

		order = CALL(custmart_p_alive, arguments[0], arguments[1], arguments[2], arguments[3]);
		is_chance(&order, "p_alive");
		order = CALL(custmart_p_order, arguments[0], arguments[1], arguments[2], arguments[3], ahead);
		is_chance(&order, "p_order");
		order = CALL(custmart_expected_orders, arguments[0], arguments[1], arguments[2], arguments[3], ahead);
		(void) is_prediction(&order, "expected_orders");
		order = CALL(custmart_discounted_orders, arguments[0], arguments[1], arguments[2], arguments[3], ahead, discount);
		(void) is_prediction(&order, "discounted_orders");
		order = CALL(custmart_expected_spend, arguments[0], arguments[1], NULL_ARG);
		(void) is_prediction(&order, "expected_spend");
		host_require(order.raised || order.is_null || repeats == 0, "spend of nobody knows whom");
		order = CALL(custmart_clv, arguments[0], arguments[1], arguments[2], arguments[3], NULL_ARG, ahead, discount, ARG(Float8GetDatum(0.5)));
		(void) is_prediction(&order, "clv");
	}
	host_checks_end = LONG_MAX;
}

void
target_clv_model_in(Input *input)
{
	struct varlena *value = from_text(&clv_model, input->at, left(input));

	if (value != NULL)
		use_model(PointerGetDatum(value), input);
}

void
target_clv_model_recv(Input *input)
{
	struct varlena *value = from_binary(&clv_model, input->at, left(input));

	if (value != NULL)
		use_model(PointerGetDatum(value), input);
}

/* A number of any size from 0 on, or any bits at all. */
static float8
take_float(Input *input)
{
	uint8		size = take_byte(input);
	uint64		bits = take_number(input, 4);
	float8		number;

	if (size < 200)
		return ldexp((float8) bits / 65536, size - 100);
	bits = bits << 32 | take_number(input, 4);
	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* A model of any figures, which the checker takes or does not. */
void
target_clv_model_forged(Input *input)
{
	ClvFitted	fitted = {
		.orders.model = (ClvModel) (take_byte(input) % 4),
		.asked = (ClvChoice) (take_byte(input) % 6),
		.warnings = (uint32) take_number(input, 2),
		.members = (int64) take_number(input, 3),
		.max_age = take_float(input),
		.has_covariance = take_byte(input) % 2,
		.spend_members = (int64) take_number(input, 2) % 4,
		.zone_size = take_byte(input) % 4 == 0 ? 3 : 0,
		.zone = "UTC"
	};
	uint8		bytes[CLV_STORED_MAX];
	struct varlena *value;

	fitted.repeaters = fitted.members - take_byte(input) % 4;
	fitted.repeats = fitted.repeaters + (int64) take_number(input, 2);
	fitted.until = (int32) take_number(input, 3);
	for (int i = 0; i < CLV_MATRIX_MAX; i++)
		fitted.orders.value[i] = take_float(input);
	for (int i = 0; i < CLV_SPEND_PARAMETERS && fitted.spend_members > 0; i++)
		fitted.spend[i] = take_float(input);
	for (int i = 0; i < CLV_MATRIX_MAX && fitted.has_covariance; i++)
		for (int j = 0; j < CLV_MATRIX_MAX; j++)
			fitted.covariance[i][j] = take_float(input);
	value = from_binary(&clv_model, bytes, clv_store(&fitted, bytes));
	if (value != NULL)
		use_model(PointerGetDatum(value), input);
}

/* ---------- fits ---------- */

/* What a fit may be besides a model. */
static bool
is_fit(const Outcome *outcome)
{
	if (outcome->raised)
		host_require(is_range_or_cancel(outcome) || outcome->sqlstate == ERRCODE_DATA_CORRUPTED ||
					 outcome->sqlstate == ERRCODE_INVALID_PARAMETER_VALUE,
					 "SQLSTATE %s: %s", unpack_sql_state(outcome->sqlstate), outcome->message);
	return !outcome->raised && !outcome->is_null;
}

/* A state of the aggregate, with room for n numbers. */
static Datum
state_of(int n, int64 **elements)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + 8 * (Size) n;
	ArrayType  *array = palloc0(size);

	*elements = (int64 *) ((char *) array + ARR_OVERHEAD_NONULLS(1));
	SET_VARSIZE(array, n == 0 ? ARR_OVERHEAD_NONULLS(0) : size);
	array->ndim = n > 0;
	array->elemtype = INT8OID;
	if (n > 0)
	{
		ARR_DIMS(array)[0] = n;
		ARR_LBOUND(array)[0] = 1;
	}
	return PointerGetDatum(array);
}

static Outcome
fit_state(Datum state)
{
	Outcome		outcome;

	host_checks_end = LOOKS;
	outcome = CALL_IN_AGGREGATE(custmart_clv_fit_final, ARG(state));
	host_checks_end = LONG_MAX;
	return outcome;
}

/* The final function takes a bigint[], which anybody can make. */
void
target_clv_fit_final(Input *input)
{
	int			n = (int) Min(left(input) / 8, 200);
	int64	   *elements;
	Datum		state = state_of(n, &elements);
	Outcome		outcome;

	for (int i = 0; i < n; i++)
	{
		elements[i] = (int64) take_number(input, 8);
		if (i == 0)
			elements[i] &= 7;
		else if (i % 4 == 1)
			elements[i] &= 0xFFFF;
	}
	outcome = fit_state(state);
	if (is_fit(&outcome))
		use_model(outcome.value, input);
}

/* Members of whatever figures, which fit together. */
void
target_clv_rows(Input *input)
{
	int			n = (int) Min(left(input) / 8, 40);
	uint8		kind = take_byte(input);
	int64	   *rows;
	int64	   *reversed;
	Datum		state = state_of(1 + 4 * n, &rows);
	Datum		backwards = state_of(1 + 4 * n, &reversed);
	Outcome		outcome;
	Outcome		other;

	rows[0] = reversed[0] = 1 + kind % 3;
	for (int i = 0; i < n; i++)
	{
		uint8		size = take_byte(input);
		int64		repeats = size % 8 == 0 ? 0 : (int64) take_number(input, 1 + size % 3);
		float8		age = size < 64 ? ldexp(1 + (float8) take_number(input, 2) / 65536, size % 48 - 19) : 1 + (float8) take_number(input, 2);
		float8		share = (1 + (float8) take_byte(input)) / 256;
		float8		figures[3] = {repeats == 0 ? 0 : Max(CLV_AGE_MIN, age * share), age, (float8) take_number(input, 2) / 100 - 4};

		if (size >= 128)
			figures[0] = ceil(figures[0]);
		if (figures[2] < -2)
			figures[2] = NAN;
		rows[1 + 4 * i] = repeats;
		memcpy(&rows[2 + 4 * i], figures, sizeof(figures));
		memcpy(&reversed[1 + 4 * (n - 1 - i)], &rows[1 + 4 * i], 4 * sizeof(int64));
	}
	outcome = fit_state(state);
	other = fit_state(backwards);
	host_require(outcome.raised == other.raised && outcome.is_null == other.is_null &&
				 (outcome.raised || outcome.is_null || same_bytes(outcome.value, other.value)),
				 "the order of members matters: %s, %s", outcome.message, other.message);
	if (is_fit(&outcome))
		use_model(outcome.value, input);
}

/* ---------- books ---------- */

static Datum
numeric_of(int64 hundredths)
{
	Decimal		d;
	char		text[40];
	uint8		numeric[DECIMAL_NUMERIC_SIZE];

	snprintf(text, sizeof(text), "%s%lld.%02lld", hundredths < 0 ? "-" : "", (long long) (llabs(hundredths) / 100), (long long) (llabs(hundredths) % 100));
	host_require(decimal_from_text(text, strlen(text), &d), "an amount is no decimal");
	return host_varlena(numeric, decimal_to_numeric(&d, numeric));
}

/* Whatever rows of days with amounts, and all reports on them. */
void
target_clv_book(Input *input)
{
	static const Oid member_columns[] = {
		INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID
	};
	static const Oid summary_columns[] = {INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, NUMERICOID, INT8OID, NUMERICOID};
	static const Oid check_columns[] = {
		DATEOID, INT4OID, TEXTOID, INT8OID, FLOAT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
		FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, NUMERICOID, FLOAT8OID, TEXTOID, TEXTOID
	};
	static const Oid decile_columns[] = {INT4OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
	static const Oid frequency_columns[] = {INT4OID, BOOLOID, INT8OID, FLOAT8OID};
	static const Oid week_columns[] = {DATEOID, BOOLOID, INT8OID, FLOAT8OID, INT8OID, FLOAT8OID};
	const uint8 kind = take_byte(input);
	const int32 until = (int32) take_number(input, 2);
	const int32 step = 1 + (take_byte(input) & 7);
	NullableDatum unit = ARG(host_varlena("day", 3));
	NullableDatum zone = ARG(host_varlena("UTC", 3));
	NullableDatum state = NULL_ARG;
	NullableDatum model = ARG(host_varlena(model_names[kind % 3], strlen(model_names[kind % 3])));
	NullableDatum penalty = ARG(Float8GetDatum(kind % 4 == 0 ? 1 : 0));
	NullableDatum until_day = {DateADTGetDatum(until), kind & 0x80};
	Interval	horizon = {.month = kind & 7, .day = 1};
	Outcome		outcome;

	for (int n = 0; left(input) >= 4 && n < 150; n++)
	{
		TimestampTz time = (int64) take_number(input, 1) * step * USECS_PER_DAY;

		outcome = CALL_IN_AGGREGATE(custmart_retention_book_step_bigint_amount, state, ARG(Int64GetDatum(take_byte(input) & 15)),
									ARG(TimestampTzGetDatum(time)), ARG(numeric_of((int64) take_number(input, 2) - 5000)), unit, zone);
		host_require(!outcome.raised, "a row: %s", outcome.message);
		state = (NullableDatum) ARG(outcome.value);
	}
	if (state.isnull)
		return;
	state = (NullableDatum) ARG(flat(state.value));
	host_checks_end = LOOKS;
	{
		NullableDatum arguments[] = {state, until_day};

		outcome = host_rows(custmart_clv_summaries, arguments, 2, summary_columns, lengthof(summary_columns));
		(void) is_fit(&outcome);
	}
	{
		NullableDatum arguments[] = {state, ARG(DateADTGetDatum(until)), model, penalty};

		outcome = host_rows(custmart_clv_check, arguments, 4, check_columns, lengthof(check_columns));
		(void) is_fit(&outcome);
		outcome = host_rows(custmart_clv_check_deciles, arguments, 4, decile_columns, lengthof(decile_columns));
		(void) is_fit(&outcome);
	}
	outcome = CALL(custmart_clv_fit, state, model, until_day, penalty);
	if (is_fit(&outcome))
	{
		NullableDatum fitted = ARG(outcome.value);
		NullableDatum arguments[] = {
			state, fitted, ARG(IntervalPGetDatum(&horizon)), until_day, ARG(Float8GetDatum(0.1)), ARG(Float8GetDatum(0.5))
		};

		outcome = host_rows(custmart_clv_members, arguments, 6, member_columns, lengthof(member_columns));
		(void) is_fit(&outcome);
		outcome = host_rows(custmart_clv_frequencies, arguments, 2, frequency_columns, lengthof(frequency_columns));
		host_require(!is_fit(&outcome) || DatumGetInt64(outcome.value) == 8, "frequencies");
		outcome = host_rows(custmart_clv_tracking, arguments, 2, week_columns, lengthof(week_columns));
		(void) is_fit(&outcome);
		host_checks_end = LONG_MAX;
		use_model(fitted.value, input);
	}
	host_checks_end = LONG_MAX;
}

/* ---------- seeds ---------- */

static void
seed_models(bool binary)
{
	for (int run = 0; run < 8; run++)
	{
		ClvFitted	fitted = {
			.orders = {(ClvModel) (run % 4), {0.5, 40, 0.8, 2}}, .asked = (ClvChoice) (1 + run % 4), .members = 100, .repeaters = 50,
			.repeats = 80, .max_age = 300, .log_likelihood = -500, .nbd_log_likelihood = -510, .has_covariance = run & 1,
			.spend_members = run >= 4 ? 40 : 0, .spend_log_likelihood = run >= 4 ? -200 : 0, .zone_size = run & 2 ? 3 : 0, .zone = "UTC", .until = 9000
		};
		uint8		bytes[CLV_STORED_MAX];
		Size		length;

		for (int i = 0; i < CLV_SPEND_PARAMETERS && run >= 4; i++)
			fitted.spend[i] = 3 + i;
		for (int i = 0; i < clv_parameter_count(fitted.orders.model) && fitted.has_covariance; i++)
			fitted.covariance[i][i] = 0.25;
		length = clv_store(&fitted, bytes);
		if (binary)
			seed(bytes, length);
		else
			seed_text(base64("clv_model", bytes, length));
	}
}

void
seeds_clv_model_in(void)
{
	seed_models(false);
}

void
seeds_clv_model_recv(void)
{
	seed_models(true);
}

static void
seed_random(Size length)
{
	uint8		bytes[1024];

	for (int run = 0; run < 8; run++)
	{
		for (Size i = 0; i < length; i++)
			bytes[i] = (uint8) pg_prng_uint32(&pg_global_prng_state);
		seed(bytes, length);
	}
}

void
seeds_clv_model_forged(void)
{
	seed_random(200);
}

void
seeds_clv_fit_final(void)
{
	seed_random(8 * 33);
}

void
seeds_clv_rows(void)
{
	seed_random(300);
}

void
seeds_clv_book(void)
{
	seed_random(604);
}
