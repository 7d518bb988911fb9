/*
 * clv_format.c
 *	  Stores a fitted model, checks stored ones, and reads them.
 */
#include "clv/clv_format.h"

#include "shared/bytes.h"
#include "shared/calendar_core.h"
#include "shared/stored_kind.h"

#define VERSION 1

/* Flags. */
#define HAS_COVARIANCE			0x01
#define HAS_CORRELATION			0x02
#define HAS_SPEND_COVARIANCE	0x04

#define HEADER_SIZE 84

/*
 * Limits of parameters.  What a fit may give is within them, and predictions from
 * what lies between them stay finite, or nearly so, and come to an end.
 */
#define PARAMETER_MIN 1e-20
#define PARAMETER_MAX 1e20
#define SPEND_PARAMETER_MIN 1e-60
#define SPEND_PARAMETER_MAX 1e60
#define PARETO_RATIO_MAX 2.5e11 /* of alpha and beta */

#define COUNT_MAX (INT64CONST(1) << 53)

/* ---------- storing ---------- */

/* Without the sign of a zero, so that equal values have equal bytes. */
static uint8 *
store_number(uint8 *bytes, float8 number)
{
	return store_f64(bytes, number + 0.0);
}

static uint8 *
store_matrix(uint8 *bytes, const ClvMatrix matrix, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = i; j < n; j++)
			bytes = store_number(bytes, matrix[i][j]);
	return bytes;
}

/* Writes a model; returns its size. */
Size
clv_store(const ClvFitted *fitted, uint8 *bytes)
{
	const int	n = clv_parameter_count(fitted->orders.model);
	const uint8 *begin = bytes;
	uint8		flags = 0;

	if (fitted->has_covariance)
		flags |= HAS_COVARIANCE;
	if (fitted->has_correlation)
		flags |= HAS_CORRELATION;
	if (fitted->has_spend_covariance)
		flags |= HAS_SPEND_COVARIANCE;
	*bytes++ = STORED_CLV_MODEL;
	*bytes++ = VERSION;
	*bytes++ = fitted->orders.model;
	*bytes++ = fitted->asked;
	*bytes++ = flags;
	*bytes++ = fitted->zone_size;
	*bytes++ = fitted->warnings >> 8;
	*bytes++ = fitted->warnings & 0xFF;
	bytes = store_u32(bytes, fitted->zone_size > 0 ? (uint32) fitted->until : 0);
	bytes = store_u64(bytes, fitted->members);
	bytes = store_u64(bytes, fitted->repeaters);
	bytes = store_u64(bytes, fitted->repeats);
	bytes = store_number(bytes, fitted->max_age);
	bytes = store_number(bytes, fitted->penalty);
	bytes = store_number(bytes, fitted->log_likelihood);
	bytes = store_number(bytes, fitted->nbd_log_likelihood);
	bytes = store_u64(bytes, fitted->spend_members);
	bytes = store_u64(bytes, fitted->spend_left_out);
	for (int i = 0; i < n; i++)
		bytes = store_number(bytes, fitted->orders.value[i]);
	if (fitted->has_covariance)
		bytes = store_matrix(bytes, fitted->covariance, n);
	if (fitted->spend_members > 0)
	{
		bytes = store_number(bytes, fitted->spend_log_likelihood);
		bytes = store_number(bytes, fitted->has_correlation ? fitted->correlation : 0);
		for (int i = 0; i < CLV_SPEND_PARAMETERS; i++)
			bytes = store_number(bytes, fitted->spend[i]);
		if (fitted->has_spend_covariance)
			bytes = store_matrix(bytes, fitted->spend_covariance, CLV_SPEND_PARAMETERS);
	}
	memcpy(bytes, fitted->zone, fitted->zone_size);
	return bytes + fitted->zone_size - begin;
}

/* ---------- reading ---------- */

static const uint8 *
load_number(const uint8 *bytes, float8 *number)
{
	*number = load_f64(bytes);
	return bytes + 8;
}

static const uint8 *
load_count(const uint8 *bytes, int64 *count)
{
	*count = (int64) load_u64(bytes);
	return bytes + 8;
}

static const uint8 *
load_matrix(const uint8 *bytes, ClvMatrix matrix, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = i; j < n; j++)
		{
			bytes = load_number(bytes, &matrix[i][j]);
			matrix[j][i] = matrix[i][j];
		}
	return bytes;
}

/* Reads checked bytes. */
void
clv_load(const uint8 *bytes, ClvFitted *fitted)
{
	int			n;

	memset(fitted, 0, sizeof(*fitted));
	fitted->orders.model = bytes[2];
	fitted->asked = bytes[3];
	fitted->has_covariance = (bytes[4] & HAS_COVARIANCE) != 0;
	fitted->has_correlation = (bytes[4] & HAS_CORRELATION) != 0;
	fitted->has_spend_covariance = (bytes[4] & HAS_SPEND_COVARIANCE) != 0;
	fitted->zone_size = bytes[5];
	fitted->warnings = (uint32) bytes[6] << 8 | bytes[7];
	fitted->until = (int32) load_u32(bytes + 8);
	bytes = load_count(bytes + 12, &fitted->members);
	bytes = load_count(bytes, &fitted->repeaters);
	bytes = load_count(bytes, &fitted->repeats);
	bytes = load_number(bytes, &fitted->max_age);
	bytes = load_number(bytes, &fitted->penalty);
	bytes = load_number(bytes, &fitted->log_likelihood);
	bytes = load_number(bytes, &fitted->nbd_log_likelihood);
	bytes = load_count(bytes, &fitted->spend_members);
	bytes = load_count(bytes, &fitted->spend_left_out);
	n = clv_parameter_count(fitted->orders.model);
	for (int i = 0; i < n; i++)
		bytes = load_number(bytes, &fitted->orders.value[i]);
	if (fitted->has_covariance)
		bytes = load_matrix(bytes, fitted->covariance, n);
	if (fitted->spend_members > 0)
	{
		bytes = load_number(bytes, &fitted->spend_log_likelihood);
		bytes = load_number(bytes, &fitted->correlation);
		for (int i = 0; i < CLV_SPEND_PARAMETERS; i++)
			bytes = load_number(bytes, &fitted->spend[i]);
		if (fitted->has_spend_covariance)
			bytes = load_matrix(bytes, fitted->spend_covariance, CLV_SPEND_PARAMETERS);
	}
	memcpy(fitted->zone, bytes, fitted->zone_size);
}

/* ---------- checking ---------- */

/* The size that the first bytes announce. */
static Size
announced_size(const uint8 *bytes)
{
	const int	n = clv_parameter_count((ClvModel) bytes[2]);
	Size		numbers = n;

	if ((bytes[4] & HAS_COVARIANCE) != 0)
		numbers += n * (n + 1) / 2;
	if (load_u64(bytes + 68) != 0)
	{
		numbers += 2 + CLV_SPEND_PARAMETERS;
		if ((bytes[4] & HAS_SPEND_COVARIANCE) != 0)
			numbers += CLV_SPEND_PARAMETERS * (CLV_SPEND_PARAMETERS + 1) / 2;
	}
	return HEADER_SIZE + 8 * numbers + bytes[5];
}

static bool
parameters_are_good(const float8 *parameter, int n, float8 min, float8 max)
{
	for (int i = 0; i < n; i++)
		if (!(parameter[i] >= min && parameter[i] <= max))
			return false;
	return true;
}

static bool
covariance_is_good(const ClvMatrix covariance, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (!isfinite(covariance[i][j]) || covariance[i][i] < 0)
				return false;
	return true;
}

static bool
counts_are_good(const ClvFitted *fitted)
{
	return fitted->members > 0 && fitted->members <= COUNT_MAX &&
		fitted->repeaters > 0 && fitted->repeaters <= fitted->members &&
		fitted->repeats >= fitted->repeaters && fitted->repeats <= COUNT_MAX &&
		fitted->spend_members >= 0 && fitted->spend_members <= fitted->repeaters &&
		fitted->spend_left_out >= 0 && fitted->spend_left_out <= fitted->repeaters - fitted->spend_members;
}

/* What is wrong with bytes from outside, or NULL.  The zone's name is not looked at. */
const char *
clv_check_stored(const uint8 *bytes, Size length)
{
	uint8		again[CLV_STORED_MAX];
	ClvFitted	fitted;
	const float8 *value = fitted.orders.value;

	if (length < 2)
		return "it is truncated";
	if (bytes[0] != STORED_CLV_MODEL)
		return "it is of another type";
	if (bytes[1] != VERSION)
		return "its version is unknown";
	if (length < HEADER_SIZE)
		return "it is truncated";
	if (bytes[2] > CLV_PARETO || bytes[3] < CLV_ASK_BG || bytes[3] > CLV_ASK_BEST)
		return "its model is unknown";
	if (length != announced_size(bytes))
		return "its length is wrong";
	clv_load(bytes, &fitted);
	if ((fitted.warnings & ~CLV_STORED_WARNINGS) != 0)
		return "its reserved bits are not zero";
	if (!calendar_is_period(UNIT_DAY, fitted.until))
		return "its day is out of range";
	if (!counts_are_good(&fitted))
		return "its counts are not possible";
	if (!(fitted.max_age >= CLV_AGE_MIN && fitted.max_age <= CLV_AGE_MAX))
		return "its longest age is out of range";
	if (!(fitted.penalty >= 0 && isfinite(fitted.penalty)))
		return "its penalty is out of range";
	if (!isfinite(fitted.log_likelihood) || !isfinite(fitted.nbd_log_likelihood) || !isfinite(fitted.spend_log_likelihood))
		return "a likelihood is not finite";
	if (!parameters_are_good(value, clv_parameter_count(fitted.orders.model), PARAMETER_MIN, PARAMETER_MAX) ||
		(fitted.orders.model == CLV_PARETO &&
		 !(Max(value[CLV_ALPHA], value[CLV_BETA]) / Min(value[CLV_ALPHA], value[CLV_BETA]) <= PARETO_RATIO_MAX)) ||
		(fitted.spend_members > 0 &&
		 !parameters_are_good(fitted.spend, CLV_SPEND_PARAMETERS, SPEND_PARAMETER_MIN, SPEND_PARAMETER_MAX)))
		return "a parameter is out of range";
	if (!covariance_is_good(fitted.covariance, CLV_MATRIX_MAX) ||
		!covariance_is_good(fitted.spend_covariance, CLV_SPEND_PARAMETERS))
		return "a covariance is not valid";
	if (!(fabs(fitted.correlation) <= 1))
		return "its correlation is not one";
	/* What is left: flags without what they say, bits that mean nothing, zeros with a sign. */
	if (clv_store(&fitted, again) != length || memcmp(again, bytes, length) != 0)
		return "its bytes are not those of a model";
	return NULL;
}
