/*
 * targets.c
 *	  What is fuzzed, and what must hold whatever comes in.
 *
 * One program for all targets; $CUSTMART_FUZZ_TARGET chooses.  With
 * $CUSTMART_FUZZ_SEEDS it writes the first inputs of that target into this
 * directory and ends.
 *
 * What every type must do with any bytes or text: take them or raise an error
 * that names the type and has the right SQLSTATE.  What is taken must be
 * harmless, however it was forged: it goes through all functions of its type,
 * and comes back as it was from its text and binary forms.  A book of members forgets
 * one of them.
 */
#include "targets.h"

#include <stdio.h>
#include <sys/stat.h>

#include "book/book.h"
#include "catalog/pg_type.h"
#include "common/base64.h"
#include "common/pg_prng.h"
#include "lib/stringinfo.h"
#include "rfm/rfm.h"
#include "rfm/rfm_book.h"
#include "shared/bytes.h"
#include "utils/array.h"

#undef snprintf
#undef fprintf

FUNCTION(custmart_rfm_summary_in);
FUNCTION(custmart_rfm_summary_out);
FUNCTION(custmart_rfm_summary_recv);
FUNCTION(custmart_rfm_step);
FUNCTION(custmart_rfm_from_figures);
FUNCTION(custmart_rfm_summary_combine);
FUNCTION(custmart_rfm_summary_add);
FUNCTION(custmart_rfm_frequency);
FUNCTION(custmart_rfm_refunds);
FUNCTION(custmart_rfm_monetary);
FUNCTION(custmart_rfm_avg_order_value);
FUNCTION(custmart_rfm_first_order);
FUNCTION(custmart_rfm_last_order);
FUNCTION(custmart_rfm_recency);
FUNCTION(custmart_rfm_tenure);
FUNCTION(custmart_rfm_cuts_in);
FUNCTION(custmart_rfm_cuts_out);
FUNCTION(custmart_rfm_cuts_recv);
FUNCTION(custmart_rfm_cuts_final);
FUNCTION(custmart_rfm_cuts_per_order_final);
FUNCTION(custmart_rfm_cuts_from_limits);
FUNCTION(custmart_rfm_cuts_in_days);
FUNCTION(custmart_rfm_cuts_per_order_in_days);
FUNCTION(custmart_rfm_score);
FUNCTION(custmart_rfm_limits);
FUNCTION(custmart_rfm_segment);
FUNCTION(custmart_rfm_book_in);
FUNCTION(custmart_rfm_book_out);
FUNCTION(custmart_rfm_book_recv);
FUNCTION(custmart_rfm_book_combine);
FUNCTION(custmart_rfm_book_add);
FUNCTION(custmart_rfm_book_rows_skipped);
FUNCTION(custmart_rfm_book_member_count);
FUNCTION(custmart_rfm_book_cuts);
FUNCTION(custmart_rfm_members);
FUNCTION(custmart_rfm_members_typed);
FUNCTION(custmart_rfm_segments);
FUNCTION(custmart_rfm_transitions);
FUNCTION(custmart_rfm_book_cuts_per_order);
FUNCTION(custmart_rfm_book_step_bigint);
FUNCTION(custmart_rfm_book_step_bigint_bigint);
FUNCTION(custmart_rfm_book_step_bigint_uuid);
FUNCTION(custmart_rfm_book_step_bigint_text);
FUNCTION(custmart_rfm_book_step_bigint_summary);
FUNCTION(custmart_rfm_book_step_uuid);
FUNCTION(custmart_rfm_book_step_uuid_bigint);
FUNCTION(custmart_rfm_book_step_uuid_uuid);
FUNCTION(custmart_rfm_book_step_uuid_text);
FUNCTION(custmart_rfm_book_step_uuid_summary);
FUNCTION(custmart_rfm_book_step_text);
FUNCTION(custmart_rfm_book_step_text_bigint);
FUNCTION(custmart_rfm_book_step_text_uuid);
FUNCTION(custmart_rfm_book_step_text_text);
FUNCTION(custmart_rfm_book_step_text_summary);

/* ---------- the input, read piece by piece ---------- */

uint8
take_byte(Input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

uint64
take_number(Input *input, int bytes)
{
	uint64		number = 0;

	for (int i = 0; i < bytes; i++)
		number = number << 8 | take_byte(input);
	return number;
}

Size
left(const Input *input)
{
	return input->end - input->at;
}

/* ---------- values ---------- */

bool
same_bytes(Datum a, Datum b)
{
	return VARSIZE_ANY_EXHDR(DatumGetPointer(a)) == VARSIZE_ANY_EXHDR(DatumGetPointer(b)) &&
		memcmp(VARDATA_ANY(DatumGetPointer(a)), VARDATA_ANY(DatumGetPointer(b)),
			   VARSIZE_ANY_EXHDR(DatumGetPointer(a))) == 0;
}

char *
base64(const char *type, const void *bytes, Size length)
{
	Size		prefix = strlen(type) + 1;
	Size		room = (length + 2) / 3 * 4;
	char	   *text = palloc(prefix + room + 1);
	int			n = 0;

	memcpy(text, type, prefix - 1);
	text[prefix - 1] = ':';
	if (length > 0)
		n = pg_b64_encode((const Base64Byte *) bytes, (int) length, text + prefix, (int) room);
	text[prefix + n] = '\0';
	return text;
}

/* Receives a message that ends where its bytes end. */
static Outcome
receive(PGFunction recv, const void *bytes, Size length)
{
	StringInfoData message = {0};
	char	   *data = palloc(length);
	Outcome		outcome;

	if (length > 0)
		memcpy(data, bytes, length);
	message.data = data;
	message.len = (int) length;
	message.maxlen = (int) length;
	outcome = CALL(recv, ARG(PointerGetDatum(&message)), ARG(ObjectIdGetDatum(InvalidOid)), ARG(Int32GetDatum(-1)));
	pfree(data);
	host_require(outcome.raised || message.cursor == message.len, "recv leaves bytes unread");
	return outcome;
}

/* An input function called as the server calls all of them. */
static Outcome
read_text(const Type *type, const char *text, HostCaller caller)
{
	NullableDatum args[] = {ARG(CStringGetDatum(text)), ARG(ObjectIdGetDatum(InvalidOid)), ARG(Int32GetDatum(-1))};

	return host_call(type->in, args, lengthof(args), caller);
}

/* An error of input or recv: the right SQLSTATE, and it says of which type. */
static void
check_input_error(const Outcome *outcome, const char *type, int sqlstate)
{
	char		word[64];

	if (!outcome->raised)
		return;
	snprintf(word, sizeof(word), "%s", type);
	host_require(strstr(outcome->message, word) != NULL, "an error that does not name %s: %s", type, outcome->message);
	/* Tags that are not in their encoding have a code of their own. */
	host_require(outcome->sqlstate == sqlstate ||
				 (strcmp(type, "tagquery") == 0 && outcome->sqlstate == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 "SQLSTATE %s: %s", unpack_sql_state(outcome->sqlstate), outcome->message);
}

/* An error of a function over taken values: a limit that was reached. */
bool
is_limit(const Outcome *outcome)
{
	if (!outcome->raised)
		return false;
	host_require(outcome->sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
				 outcome->sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
				 "SQLSTATE %s: %s", unpack_sql_state(outcome->sqlstate), outcome->message);
	return true;
}

Datum
must(Outcome outcome, const char *what)
{
	host_require(!outcome.raised, "%s: %s", what, outcome.message);
	host_require(!outcome.is_null, "%s: null", what);
	return outcome.value;
}

static const Type rfm = {
	"rfm_summary", custmart_rfm_summary_in, custmart_rfm_summary_out, custmart_rfm_summary_recv, custmart_stored_eq, custmart_stored_lt,
	custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};
static const Type rfm_cuts = {
	"rfm_cuts", custmart_rfm_cuts_in, custmart_rfm_cuts_out, custmart_rfm_cuts_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};
static const Type rfm_book = {
	"rfm_book", custmart_rfm_book_in, custmart_rfm_book_out, custmart_rfm_book_recv, custmart_stored_eq,
	custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define FORGETS(type) \
FUNCTION(custmart_##type##_forget_bigint); \
FUNCTION(custmart_##type##_forget_uuid); \
FUNCTION(custmart_##type##_forget_text);

#define FORGET_OF(type) {#type, {custmart_##type##_forget_bigint, custmart_##type##_forget_uuid, custmart_##type##_forget_text}}

FORGETS(rfm_book)
FORGETS(retention_book)
FORGETS(funnel_book)
FORGETS(interaction_book)
FORGETS(session_book)
FORGETS(contact_book)
FORGETS(preference_book)
FORGETS(audience_book)
FORGETS(basket_book)

/* Books that forget, in the order of the types of keys. */
static const struct
{
	const char *type;
	PGFunction	forget[3];
}			forgetful[] = {
	FORGET_OF(rfm_book),
	FORGET_OF(retention_book),
	FORGET_OF(funnel_book),
	FORGET_OF(interaction_book),
	FORGET_OF(session_book),
	FORGET_OF(contact_book),
	FORGET_OF(preference_book),
	FORGET_OF(audience_book),
	FORGET_OF(basket_book),
};

/* Forgets the first key of a book: what is left must be a book, and have no more to forget of it. */
static void
check_forget(const Type *type, const PGFunction *forget, Datum value)
{
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(value));
	uint32		count = load_u32(bytes + 4);
	const uint8 *keys = bytes + BOOK_HEADER_SIZE;
	uint8		uuid[16] = {0};
	Datum		key;
	Outcome		rest;
	Outcome		again;
	struct varlena *taken;

	if (bytes[2] == KEY_INT64)
		key = Int64GetDatum(count > 0 ? (int64) load_u64(keys + 1) : 5);
	else if (bytes[2] == KEY_FIXED16)
		key = PointerGetDatum(count > 0 ? memcpy(uuid, keys, 16) : uuid);
	else
		key = host_packed(count > 0 ? host_varlena(keys + (Size) count * 4, load_u32(keys)) : host_varlena("x", 1));
	rest = host_call(forget[bytes[2] - KEY_INT64], (NullableDatum[]) {ARG(host_packed(value)), ARG(key)}, 2, HOST_PLAIN);
	if (rest.raised)
	{
		host_require(is_limit(&rest), "%s: forget raises %s", type->name, rest.message);
		return;
	}
	if (count == 0)
	{
		host_require(!rest.is_null && same_bytes(rest.value, value), "%s: nobody is forgotten", type->name);
		return;
	}
	if (rest.is_null)
	{
		host_require(count == 1 && load_u64(bytes + 8) == 0, "%s: all is forgotten", type->name);
		return;
	}
	taken = from_binary(type, VARDATA_ANY(DatumGetPointer(rest.value)), VARSIZE_ANY_EXHDR(DatumGetPointer(rest.value)));
	host_require(taken != NULL, "%s: what is left is no book", type->name);
	bytes = (const uint8 *) VARDATA_ANY(taken);
	host_require(load_u32(bytes + 4) == count - 1, "%s: one is forgotten", type->name);
	again = host_call(forget[bytes[2] - KEY_INT64], (NullableDatum[]) {ARG(host_packed(rest.value)), ARG(key)}, 2, HOST_PLAIN);
	host_require(!again.raised && !again.is_null && same_bytes(again.value, rest.value), "%s: forgotten twice", type->name);
}

/* Every value that exists must be taken back from its text and binary forms. */
void
check_round_trips(const Type *type, Datum value)
{
	Datum		packed = host_packed(value);
	char	   *text = DatumGetCString(must(CALL(type->out, ARG(packed)), "out"));
	Datum		again = must(read_text(type, text, HOST_PLAIN), "in of what out gave");
	Datum		sent = must(CALL(custmart_stored_send, ARG(packed)), "send");
	Datum		received = must(receive(type->recv, VARDATA_ANY(DatumGetPointer(sent)),
										VARSIZE_ANY_EXHDR(DatumGetPointer(sent))), "recv of what send gave");

	host_require(same_bytes(value, again), "another value after text: %s", text);
	host_require(same_bytes(value, sent) && same_bytes(value, received), "another value after binary");
	host_require(strcmp(text, DatumGetCString(must(CALL(type->out, ARG(again)), "out"))) == 0, "another text");

	host_require(DatumGetBool(must(CALL(type->eq, ARG(value), ARG(packed)), "=")), "not equal to itself");
	host_require(!DatumGetBool(must(CALL(type->lt, ARG(value), ARG(packed)), "<")), "less than itself");
	host_require(DatumGetInt32(must(CALL(type->cmp, ARG(packed), ARG(value)), "cmp")) == 0, "compared with itself");
	/* Without a seed the wider hash has the other one as its lower half. */
	host_require(DatumGetUInt32(must(CALL(type->hash, ARG(value)), "hash")) ==
				 (uint32) DatumGetUInt64(must(CALL(type->hash_extended, ARG(packed), ARG(Int64GetDatum(0))), "hash")),
				 "two hashes of one value");

	for (Size i = 0; i < lengthof(forgetful); i++)
		if (strcmp(type->name, forgetful[i].type) == 0)
			check_forget(type, forgetful[i].forget, value);
}

/* Bytes into recv; NULL if they are refused. */
struct varlena *
from_binary(const Type *type, const void *bytes, Size length)
{
	Outcome		outcome = receive(type->recv, bytes, length);

	check_input_error(&outcome, type->name, ERRCODE_INVALID_BINARY_REPRESENTATION);
	if (outcome.raised)
		return NULL;
	host_require(same_bytes(outcome.value, host_varlena(bytes, length)), "recv changes what it takes");
	return (struct varlena *) DatumGetPointer(outcome.value);
}

/* A text into in; NULL if it is refused. */
struct varlena *
from_text(const Type *type, const void *bytes, Size length)
{
	char	   *text = palloc(length + 1);
	Outcome		outcome;

	if (length > 0)
		memcpy(text, bytes, length);
	text[length] = '\0';
	outcome = read_text(type, text, HOST_PLAIN);
	check_input_error(&outcome, type->name, ERRCODE_INVALID_TEXT_REPRESENTATION);
#if PG_VERSION_NUM >= 160000
	{
		Outcome		soft = read_text(type, text, HOST_SOFT);

		host_require(soft.raised == outcome.raised, "a soft error where there is none, or none where there is one");
		host_require(!soft.raised || soft.is_soft, "an error that pg_input_is_valid() cannot catch: %s", soft.message);
	}
#endif
	if (outcome.raised)
		return NULL;
	return (struct varlena *) DatumGetPointer(outcome.value);
}

/* ---------- rfm ---------- */

static const TimestampTz LATEST = INT64CONST(9223371331199999999);

static void
use_rfm(Datum value)
{
	Datum		packed = host_packed(value);
	NullableDatum figures[5];
	Outcome		sum;
	int64		frequency;
	Outcome		outcome;

	check_round_trips(&rfm, value);
	frequency = DatumGetInt64(must(CALL(custmart_rfm_frequency, ARG(packed)), "frequency"));
	(void) must(CALL(custmart_rfm_refunds, ARG(packed)), "refunds");
	outcome = CALL(custmart_rfm_monetary, ARG(packed));
	host_require(host_is_numeric((uint8 *) VARDATA_ANY(DatumGetPointer(must(outcome, "monetary"))),
								 VARSIZE_ANY_EXHDR(DatumGetPointer(outcome.value))), "monetary is no numeric");
	for (int i = 0; i < 5; i++)
	{
		static const PGFunction functions[] = {
			custmart_rfm_first_order, custmart_rfm_last_order, custmart_rfm_avg_order_value,
			custmart_rfm_recency, custmart_rfm_tenure
		};

		outcome = CALL(functions[i], ARG(packed), ARG(TimestampTzGetDatum(LATEST)));
		host_require(!outcome.raised && outcome.is_null == (frequency == 0), "accessor %d: %s", i, outcome.message);
	}
	for (int i = 0; i < 5; i++)
	{
		static const PGFunction accessors[] = {
			custmart_rfm_frequency, custmart_rfm_monetary, custmart_rfm_first_order, custmart_rfm_last_order, custmart_rfm_refunds
		};

		outcome = CALL(accessors[i], ARG(packed));
		figures[i].value = outcome.value;
		figures[i].isnull = outcome.is_null;
	}
	/* An amount has at most 38 digits before the point, a sum may have more. */
	outcome = host_call(custmart_rfm_from_figures, figures, lengthof(figures), HOST_PLAIN);
	host_require(outcome.raised ? outcome.sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE : same_bytes(value, outcome.value),
				 "rfm() does not take back its figures: %s", outcome.message);
	outcome = CALL(custmart_rfm_recency, ARG(packed), ARG(TimestampTzGetDatum(DT_NOEND)));
	host_require(frequency == 0 || outcome.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "infinity taken");

	sum = CALL(custmart_rfm_summary_add, ARG(packed), ARG(value));
	if (!is_limit(&sum))
	{
		Datum		state = must(CALL_IN_AGGREGATE(custmart_rfm_summary_combine, NULL_ARG, ARG(packed)), "rollup");
		Datum		total = must(CALL_IN_AGGREGATE(custmart_rfm_summary_combine, ARG(state), ARG(packed)), "rollup");

		check_round_trips(&rfm, sum.value);
		host_require(same_bytes(sum.value, total), "+ and rollup differ");
	}
}

static void
target_rfm_recv(Input *input)
{
	struct varlena *value = from_binary(&rfm, input->at, left(input));

	if (value != NULL)
		use_rfm(PointerGetDatum(value));
}

static void
target_rfm_in(Input *input)
{
	struct varlena *value = from_text(&rfm, input->at, left(input));

	if (value == NULL)
		return;
	host_require(strlen(DatumGetCString(must(CALL(custmart_rfm_summary_out, ARG(PointerGetDatum(value))), "out"))) ==
				 strnlen((const char *) input->at, left(input)), "takes text that it does not write");
	use_rfm(PointerGetDatum(value));
}

/* ---------- rfm_cuts ---------- */

static void
use_cuts(Datum value)
{
	static const Oid types[] = {INT4OID, TIMESTAMPTZOID, FLOAT8OID, FLOAT8OID};
	static const char *const members[] = {
		"v1 frequency=0 refunds=1 monetary=-1",
		"v1 frequency=1 refunds=0 monetary=0 first_order=4714-11-24T00:00:00+00:00 BC last_order=4714-11-24T00:00:00+00:00 BC",
		"v1 frequency=4294967295 refunds=0 monetary=99999999999999999999999999999999999999.5 first_order=2000-01-01T00:00:00+00:00 last_order=294276-12-31T23:59:59.999999+00:00"
	};
	Datum		packed = host_packed(value);
	NullableDatum arguments[] = {ARG(packed)};
	Outcome		rows;
	int			bins = ((uint8 *) VARDATA_ANY(DatumGetPointer(packed)))[2];

	check_round_trips(&rfm_cuts, value);
	rows = host_rows(custmart_rfm_limits, arguments, 1, types, lengthof(types));
	host_require(!rows.raised && DatumGetInt64(rows.value) == bins - 1, "limits: %s", rows.message);
	for (int i = 0; i < lengthof(members); i++)
	{
		Datum		member = must(CALL(custmart_rfm_summary_in, ARG(CStringGetDatum(members[i]))), "a member");
		Outcome		score = CALL(custmart_rfm_score, ARG(member), ARG(packed));
		int			number = DatumGetInt32(score.value);
		int			base = bins <= 9 ? 10 : 100;

		host_require(!score.raised && score.is_null == (i == 0), "score: %s", score.message);
		if (i > 0)
			host_require(number % base >= 1 && number % base <= bins &&
						 number / base % base >= 1 && number / base % base <= bins &&
						 number / base / base >= 1 && number / base / base <= bins, "score %d of %d bins", number, bins);
	}
}

static void
target_cuts_recv(Input *input)
{
	struct varlena *value = from_binary(&rfm_cuts, input->at, left(input));

	if (value != NULL)
		use_cuts(PointerGetDatum(value));
}

static void
target_cuts_in(Input *input)
{
	struct varlena *value = from_text(&rfm_cuts, input->at, left(input));

	if (value != NULL)
		use_cuts(PointerGetDatum(value));
}

/*
 * The final function of the aggregate rfm_cuts takes a bigint[], which anybody
 * can make.  What it gives must be a good value or an error.
 */
static void
target_cuts_final(Input *input)
{
	int			n = (int) Min(left(input) / 8, 1000);
	Size		size = ARR_OVERHEAD_NONULLS(1) + 8 * (Size) n;
	ArrayType  *array = palloc0(size);
	int64	   *elements = (int64 *) ((char *) array + ARR_OVERHEAD_NONULLS(1));
	Outcome		outcome;

	SET_VARSIZE(array, size);
	array->ndim = n > 0;
	array->elemtype = INT8OID;
	if (n == 0)
		SET_VARSIZE(array, ARR_OVERHEAD_NONULLS(0));
	else
	{
		ARR_DIMS(array)[0] = n;
		ARR_LBOUND(array)[0] = 1;
	}
	for (int i = 0; i < n; i++)
	{
		elements[i] = (int64) take_number(input, 8);
		if (i == 0 && elements[0] > 0)
			elements[0] %= 120;
	}
	for (int per_order = 0; per_order < 2; per_order++)
	{
		outcome = per_order ? CALL_IN_AGGREGATE(custmart_rfm_cuts_per_order_final, ARG(PointerGetDatum(array))) :
			CALL_IN_AGGREGATE(custmart_rfm_cuts_final, ARG(PointerGetDatum(array)));
		if (outcome.raised)
			host_require(outcome.sqlstate == ERRCODE_DATA_CORRUPTED || outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE,
						 "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
		else if (!outcome.is_null)
			use_cuts(outcome.value);
	}
}

/* A float8: any bits, or a small number. */
static Datum
take_float8(Input *input)
{
	uint64		bits = take_number(input, 8);
	float8		number;

	if ((bits & 1) != 0)
		return Float8GetDatum((float8) (int16) (bits >> 1));
	memcpy(&number, &bits, sizeof(number));
	return Float8GetDatum(number);
}

/* A time that a timestamptz can be: finite, or an infinity. */
static Datum
take_limit_time(Input *input)
{
	uint64		number = take_number(input, 8);

	return TimestampTzGetDatum(number == 0 ? DT_NOBEGIN : number == UINT64_MAX ? DT_NOEND : (TimestampTz) (number % LATEST));
}

/* Limits of one's own, which anybody can write: a good value or an error. */
static void
target_cuts_own(Input *input)
{
	uint8		shape = take_byte(input);
	NullableDatum as_of = ARG(take_limit_time(input));
	NullableDatum lists[4];
	Outcome		outcome;

	for (int i = 0; i < 4; i++)
	{
		/* Most lists are of one length; the fourth is of times. */
		int			n = (shape >> 2) % 9 + ((shape & 3) == 3 && i == 1);
		Datum		elements[10];

		for (int k = 0; k < n; k++)
			elements[k] = i == 3 ? take_limit_time(input) : take_float8(input);
		lists[i] = (NullableDatum) ARG(host_number_array(elements, n, i == 3 ? TIMESTAMPTZOID : FLOAT8OID));
	}
	for (int i = 0; i < 3; i++)
	{
		outcome = i == 0 ? CALL(custmart_rfm_cuts_from_limits, lists[3], lists[0], lists[1]) :
			i == 1 ? CALL(custmart_rfm_cuts_in_days, as_of, lists[0], lists[1], lists[2]) :
			CALL(custmart_rfm_cuts_per_order_in_days, as_of, lists[0], lists[1], lists[2]);
		if (outcome.raised)
			host_require(outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE || outcome.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
						 "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
		else
			use_cuts(outcome.value);
	}
}

/* ---------- rfm_book ---------- */

static const Oid member_columns[] = {
	INT8OID, INT8OID, INT8OID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID, FLOAT8OID, INT4OID, INT4OID, INT4OID, INT4OID, TEXTOID
};
static const Oid segment_columns[] = {
	TEXTOID, INT8OID, FLOAT8OID, NUMERICOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, NUMERICOID
};

/* The flat bytes of a state or sum, as they would go into a table. */
Datum
flat(Datum book)
{
	return PointerGetDatum(pg_detoast_datum((struct varlena *) DatumGetPointer(book)));
}

/* rfm_transitions() from one book to another. */
static Outcome
transitions_of(Datum from, Datum to, NullableDatum as_of, int bins)
{
	static const Oid columns[] = {TEXTOID, TEXTOID, INT8OID, FLOAT8OID, NUMERICOID, NUMERICOID};
	NullableDatum arguments[] = {
		ARG(from), ARG(to), as_of, as_of, ARG(Int32GetDatum(bins)), NULL_ARG, NULL_ARG, ARG(BoolGetDatum(false)), NULL_ARG
	};

	return host_rows(custmart_rfm_transitions, arguments, lengthof(arguments), columns, lengthof(columns));
}

static void
read_book(Datum value, int bins, NullableDatum as_of)
{
	Datum		packed = host_packed(value);
	NullableDatum arguments[] = {ARG(packed), as_of, ARG(Int32GetDatum(bins)), NULL_ARG, NULL_ARG};
	NullableDatum typed[] = {NULL_ARG, ARG(packed), as_of, ARG(Int32GetDatum(bins)), NULL_ARG, NULL_ARG};
	int			key_type = ((uint8 *) VARDATA_ANY(DatumGetPointer(packed)))[2];
	int64		members = DatumGetInt64(must(CALL(custmart_rfm_book_member_count, ARG(packed)), "member_count"));
	int64		segments;
	Outcome		outcome;

	host_require(DatumGetInt64(must(CALL(custmart_rfm_book_rows_skipped, ARG(packed)), "rows_skipped")) >= 0,
				 "rows_skipped below 0");

	for (int i = 0; i < 3; i++)
	{
		Oid			columns[lengthof(member_columns)];
		bool		is_own = i == key_type - 1;

		memcpy(columns, member_columns, sizeof(columns));
		columns[0] = (Oid[]) {INT8OID, UUIDOID, TEXTOID}[i];
		outcome = i == 0 ? host_rows(custmart_rfm_members, arguments, 5, columns, lengthof(columns)) :
			host_rows(custmart_rfm_members_typed, typed, 6, columns, lengthof(columns));
		if (outcome.raised)
			host_require(outcome.sqlstate == (is_own ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_DATATYPE_MISMATCH) &&
						 (!is_own || !as_of.isnull), "rfm_members: %s", outcome.message);
		else
			host_require(is_own && DatumGetInt64(outcome.value) == members, "rfm_members: too few or too many rows");
	}

	outcome = host_rows(custmart_rfm_segments, arguments, 5, segment_columns, lengthof(segment_columns));
	if (outcome.raised && (as_of.isnull || outcome.sqlstate != ERRCODE_INVALID_PARAMETER_VALUE))
		(void) is_limit(&outcome);
	segments = DatumGetInt64(outcome.value);
	if (!outcome.raised)
	{
		outcome = transitions_of(packed, packed, as_of, bins);
		host_require(outcome.raised ? is_limit(&outcome) : DatumGetInt64(outcome.value) == segments,
					 "between a book and itself everybody stays");
	}
	outcome = CALL(custmart_rfm_book_cuts_per_order, ARG(packed), ARG(Int32GetDatum(bins)));
	host_require(!outcome.raised, "rfm_cuts_per_order: %s", outcome.message);
	if (!outcome.is_null && as_of.isnull)
		use_cuts(outcome.value);
	outcome = CALL(custmart_rfm_book_cuts, ARG(packed), ARG(Int32GetDatum(bins)));
	host_require(!outcome.raised, "rfm_cuts: %s", outcome.message);
	/* The limits depend on the bins alone: once is enough. */
	if (!outcome.is_null && as_of.isnull)
	{
		use_cuts(outcome.value);
		arguments[2] = (NullableDatum) NULL_ARG;
		arguments[3] = (NullableDatum) ARG(host_packed(outcome.value));
		outcome = host_rows(custmart_rfm_segments, arguments, 5, segment_columns, lengthof(segment_columns));
		host_require(DatumGetInt64(outcome.value) == segments, "other segments by the same limits: %s", outcome.message);
	}
}

/* Members 1, 2 and 3 with an order each. */
#define ONE_BOOK "rfm_book:AwEBAAAAAAMAAAAAAAAAAAEAAAAAAAAAAQABAgAC6kcK6GAAAAAAAAAAAAABAAAAAAAAAAAAAQAAAAAAAAABAAECAAAAAAAAAAAAAAAC6kcK6GAAAAAAAAAAAAAAAAAAAAAAAAA="

/* Segments of one's own, as lines of a score, a comma and a name: rows, or an error that says what is wrong. */
static void
target_segments(Input *input)
{
	char	   *text = memcpy(palloc0(left(input) + 1), input->at, left(input));
	const char *texts[200];
	int			n = 0;
	Datum		book = must(CALL(custmart_rfm_book_in, ARG(CStringGetDatum(ONE_BOOK))), "a book");
	Outcome		outcome;
	NullableDatum arguments[] = {ARG(book), NULL_ARG, ARG(Int32GetDatum(2)), NULL_ARG, NULL_ARG};

	/* The server lets no text in that is not in its encoding. */
	for (Size i = 0; i < left(input); i++)
		text[i] &= 0x7F;
	for (char *line = text; line != NULL && n < 200; n += 2)
	{
		char	   *end = strchr(line, '\n');
		char	   *comma;

		if (end != NULL)
			*end++ = '\0';
		comma = strchr(line, ',');
		if (comma != NULL)
			*comma++ = '\0';
		texts[n] = line;
		texts[n + 1] = comma;	/* NULL without one */
		line = end;
	}
	arguments[4] = (NullableDatum) ARG(n % 4 == 0 && n < 8 ? host_text_array(texts, n) : host_text_pairs(texts, n));
	outcome = host_rows(custmart_rfm_segments, arguments, lengthof(arguments), segment_columns, lengthof(segment_columns));
	host_require(outcome.raised ? outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE : DatumGetInt64(outcome.value) > 0,
				 "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
}

/* What a book says of each member, a value of type rfm may say, too. */
static void
check_members(Datum value)
{
	BookReader	reader;
	RfmTail		tail;
	RfmMemberCursor members;
	DecimalPool pool;

	book_open(&reader, value, &rfm_book_format);
	(void) rfm_book_split_tail(&reader, &tail);
	pool = rfm_book_load_wide(&tail);
	rfm_member_cursor(&members, &tail, reader.count);
	for (uint32 i = 0; i < reader.count; i++)
	{
		uint8		bytes[RFM_STORED_MAX];
		const char *wrong;

		wrong = rfm_check(bytes, rfm_store(rfm_next_member(&members), &pool, bytes));
		host_require(wrong == NULL, "a member of a taken book: %s", wrong);
	}
}

/* What is taken is as it would be written: merged with a book of no rows it stays the same. */
static void
check_canonical(Datum value)
{
	uint8		empty[BOOK_HEADER_SIZE + 16] = {0};
	Datum		sum;

	memcpy(empty, VARDATA_ANY(DatumGetPointer(value)), 4);
	sum = must(CALL(custmart_rfm_book_add, ARG(value), ARG(host_varlena(empty, sizeof(empty)))), "+");
	host_require(same_bytes(value, flat(sum)), "not as it would be written");
}

static void
use_book(Datum value, Input *input)
{
	uint8		number = take_byte(input);
	/* Seldom many: they take long. */
	int			bins = RFM_BINS_MIN + number % (number < 0xF0 ? 9 : RFM_BINS_MAX - 1);
	NullableDatum null = NULL_ARG;
	NullableDatum as_of = ARG(TimestampTzGetDatum((TimestampTz) (take_number(input, 8) % LATEST)));

	check_members(value);
	check_round_trips(&rfm_book, value);
	read_book(value, bins, null);
	read_book(value, bins, as_of);
	check_canonical(value);
}

/* Two books that were taken, merged in all ways that there are. */
static void
merge_books(Datum a, Datum b)
{
	Outcome		sum = CALL(custmart_rfm_book_add, ARG(host_packed(a)), ARG(b));
	Outcome		reverse = CALL(custmart_rfm_book_add, ARG(b), ARG(host_packed(a)));
	Outcome		moves = transitions_of(host_packed(a), b, (NullableDatum) NULL_ARG, 5);
	Outcome		state;
	Outcome		other;
	Outcome		total;
	Datum		value;

	/* Of members of another type, or the later book first. */
	if (moves.raised && moves.sqlstate != ERRCODE_DATATYPE_MISMATCH && moves.sqlstate != ERRCODE_INVALID_PARAMETER_VALUE)
		(void) is_limit(&moves);

	host_require(sum.raised == reverse.raised, "a + b fails and b + a does not, or the other way round: %s%s",
				 sum.message, reverse.message);
	if (sum.raised)
	{
		if (sum.sqlstate != ERRCODE_DATATYPE_MISMATCH)
			(void) is_limit(&sum);
		return;
	}
	value = flat(sum.value);
	host_require(DatumGetBool(must(CALL(custmart_stored_eq, ARG(value), ARG(reverse.value)), "=")), "a + b <> b + a");
	check_round_trips(&rfm_book, value);

	/* As an aggregate does it: states flat, and states as other workers hand them over. */
	for (int expanded = 0; expanded < 2; expanded++)
	{
		state = CALL_IN_AGGREGATE(custmart_rfm_book_combine, NULL_ARG, ARG(a));
		other = CALL_IN_AGGREGATE(custmart_rfm_book_combine, ARG(b), NULL_ARG);
		total = CALL_IN_AGGREGATE(custmart_rfm_book_combine, ARG(must(state, "rollup")),
								  ARG(expanded ? must(other, "rollup") : b));
		host_require(same_bytes(value, flat(must(total, "rollup"))), "+ and rollup differ");
	}
}

static void
target_book_recv(Input *input)
{
	struct varlena *value = receive_both(&rfm_book, input);

	if (value == NULL)
		return;
	use_book(PointerGetDatum(value), input);
	merge_books(PointerGetDatum(value), PointerGetDatum(value));
}

static void
target_book_in(Input *input)
{
	struct varlena *value = from_text(&rfm_book, input->at, left(input));

	if (value != NULL)
		use_book(PointerGetDatum(value), input);
}

/* ---------- books made of rows ---------- */

#define SUMMARIES (-1)

static const struct
{
	PGFunction	step;
	KeyType		member;
	int			order;			/* a KeyType, 0, or SUMMARIES: rows are summaries */
}			signatures[] = {
	{custmart_rfm_book_step_bigint, KEY_INT64, 0},
	{custmart_rfm_book_step_uuid, KEY_FIXED16, 0},
	{custmart_rfm_book_step_text, KEY_BYTES, 0},
	{custmart_rfm_book_step_bigint_bigint, KEY_INT64, KEY_INT64},
	{custmart_rfm_book_step_bigint_text, KEY_INT64, KEY_BYTES},
	{custmart_rfm_book_step_uuid_bigint, KEY_FIXED16, KEY_INT64},
	{custmart_rfm_book_step_uuid_text, KEY_FIXED16, KEY_BYTES},
	{custmart_rfm_book_step_text_bigint, KEY_BYTES, KEY_INT64},
	{custmart_rfm_book_step_text_text, KEY_BYTES, KEY_BYTES},
	{custmart_rfm_book_step_bigint_uuid, KEY_INT64, KEY_FIXED16},
	{custmart_rfm_book_step_uuid_uuid, KEY_FIXED16, KEY_FIXED16},
	{custmart_rfm_book_step_text_uuid, KEY_BYTES, KEY_FIXED16},
	{custmart_rfm_book_step_bigint_summary, KEY_INT64, SUMMARIES},
	{custmart_rfm_book_step_uuid_summary, KEY_FIXED16, SUMMARIES},
	{custmart_rfm_book_step_text_summary, KEY_BYTES, SUMMARIES}
};

#define ROWS_MAX 200

typedef struct Row
{
	NullableDatum args[4];		/* member [, order], time, amount; or member, summary */
	uint8		part;
} Row;

static NullableDatum
take_key(Input *input, KeyType type)
{
	static const char *const texts[] = {"", "a", "b", "ab", "\xC3\xA4", "a longer key than fits a word"};
	uint8		number = take_byte(input);
	uint8		uuid[16];

	switch (number < 0xFC ? type : 0)
	{
		case KEY_INT64:
			return (NullableDatum) ARG(Int64GetDatum(number < 0xF0 ? number % 40 : (int64) take_number(input, 8)));
		case KEY_FIXED16:
			memset(uuid, number % 40, sizeof(uuid));
			return (NullableDatum) ARG(PointerGetDatum(memcpy(palloc(16), uuid, 16)));
		case KEY_BYTES:
			{
				char		text[100];

				snprintf(text, sizeof(text), "%s%d", texts[number % lengthof(texts)], number % 40);
				return (NullableDatum) ARG(host_packed(host_varlena(text, number == 0 ? 0 : strlen(text))));
			}
		default:
			return (NullableDatum) NULL_ARG;
	}
}

static NullableDatum
take_time(Input *input)
{
	uint8		kind = take_byte(input);

	return kind < 0xF0 ? (NullableDatum) ARG(TimestampTzGetDatum(kind * USECS_PER_DAY)) :
		kind < 0xF4 ? (NullableDatum) ARG(TimestampTzGetDatum(MIN_TIMESTAMP)) :
		kind < 0xF8 ? (NullableDatum) ARG(TimestampTzGetDatum(LATEST)) : (NullableDatum) NULL_ARG;
}

static NullableDatum
take_amount(Input *input)
{
	static const char *const amounts[] = {
		"0", "0.00", "1", "-1", "19.99", "-19.99", "0.001", "36028797018963967", "36028797018963968",
		"-36028797018963968", "-36028797018963969", "360287970189639.67", "99999999999999999999999999999999999999",
		"-99999999999999999999999999999999999999.9999999999999999999999999999", "0.0000000000000000000000000001",
		"12345678901234.5678", "100000000", "-0.5"
	};
	uint8		kind = take_byte(input);
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	Decimal		d;

	if (kind == 0xFF)
		return (NullableDatum) NULL_ARG;
	if (!decimal_from_text(amounts[kind % lengthof(amounts)], strlen(amounts[kind % lengthof(amounts)]), &d))
		abort();
	return (NullableDatum) ARG(host_packed(host_varlena(numeric, decimal_to_numeric(&d, numeric))));
}

/* A summary of one to four rows, of which those with a NULL are none. */
static NullableDatum
take_summary(Input *input)
{
	NullableDatum summary = NULL_ARG;

	for (int n = take_byte(input) % 4; n >= 0; n--)
	{
		NullableDatum time = take_time(input);
		NullableDatum amount = take_amount(input);
		Outcome		outcome = CALL_IN_AGGREGATE(custmart_rfm_step, summary, time, amount);

		host_require(!outcome.raised, "a row: %s", outcome.message);
		summary.value = outcome.value;
		summary.isnull = outcome.is_null;
	}
	return summary;
}

static int
take_rows(Input *input, int signature, Row *rows)
{
	int			most = take_byte(input) * 2;
	int			n = 0;

	while (n < Min(most, ROWS_MAX) && left(input) > 0)
	{
		NullableDatum *arg = rows[n].args;

		*arg++ = take_key(input, signatures[signature].member);
		if (signatures[signature].order == SUMMARIES)
			*arg = take_summary(input);
		else
		{
			if (signatures[signature].order != 0)
				*arg++ = take_key(input, signatures[signature].order);
			*arg++ = take_time(input);
			*arg++ = take_amount(input);
		}
		rows[n++].part = take_byte(input);
	}
	return n;
}

/* The state of all rows of one part, or of all parts if it is -1. */
static Datum
add_rows(Datum state, const Row *rows, int n, int signature, int part, bool flatten)
{
	for (int i = 0; i < n; i++)
	{
		NullableDatum args[5] = {{state, state == (Datum) 0}};

		if (part >= 0 && rows[i].part % 2 != part)
			continue;
		memcpy(args + 1, rows[i].args, sizeof(rows[i].args));
		state = must(host_call(signatures[signature].step, args,
							   signatures[signature].order == SUMMARIES ? 3 : signatures[signature].order != 0 ? 5 : 4, HOST_AGGREGATE),
					 "a row");
		/* Between any two rows a state may be sent elsewhere. */
		if (flatten && rows[i].part % 64 == 0)
			state = flat(state);
	}
	return state;
}

static bool
same_key(KeyType type, Datum a, Datum b)
{
	if (type == KEY_INT64)
		return a == b;
	if (type == KEY_FIXED16)
		return memcmp(DatumGetPointer(a), DatumGetPointer(b), 16) == 0;
	return same_bytes(a, b);
}

/* When the member of the first row is forgotten, what is left is the book of all rows of others, and of those that were skipped. */
static void
check_others(Datum whole, const Row *rows, int n, int signature)
{
	static Row	others[ROWS_MAX];
	KeyType		type = (KeyType) ((const uint8 *) VARDATA_ANY(DatumGetPointer(whole)))[2];
	int			nargs = signatures[signature].order == SUMMARIES ? 2 : signatures[signature].order != 0 ? 4 : 3;
	int			left_over = 0;
	Outcome		rest;

	if (rows[0].args[0].isnull)
		return;
	for (int i = 0; i < n; i++)
	{
		bool		is_skipped = false;

		for (int k = 0; k < nargs; k++)
			is_skipped |= rows[i].args[k].isnull;
		if (is_skipped || !same_key(type, rows[i].args[0].value, rows[0].args[0].value))
			others[left_over++] = rows[i];
	}
	rest = host_call(forgetful[0].forget[type - KEY_INT64], (NullableDatum[]) {ARG(host_packed(whole)), rows[0].args[0]}, 2, HOST_PLAIN);
	host_require(!rest.raised && rest.is_null == (left_over == 0), "forget: %s", rest.message);
	if (left_over > 0)
		host_require(same_bytes(flat(add_rows((Datum) 0, others, left_over, signature, -1, false)), rest.value), "not the book of all other rows");
}

/* However rows are divided, the book says the same; and it can be read. */
static void
target_book_rows(Input *input)
{
	static Row	rows[ROWS_MAX];
	int			signature = take_byte(input) % lengthof(signatures);
	int			n = take_rows(input, signature, rows);
	Datum		whole;
	Datum		parts[2];
	Datum		sum;

	if (n == 0)
		return;
	whole = flat(add_rows((Datum) 0, rows, n, signature, -1, false));
	use_book(whole, input);
	check_others(whole, rows, n, signature);
	sum = flat(add_rows((Datum) 0, rows, n, signature, -1, true));
	host_require(same_bytes(whole, sum), "another book if the state was flat on the way");
	for (int i = 0; i < 2; i++)
		parts[i] = add_rows((Datum) 0, rows, n, signature, i, false);
	if (parts[0] == (Datum) 0 || parts[1] == (Datum) 0)
		return;
	sum = must(CALL(custmart_rfm_book_add, ARG(flat(parts[0])), ARG(flat(parts[1]))), "+");
	host_require(DatumGetBool(must(CALL(custmart_stored_eq, ARG(sum), ARG(whole)), "=")), "the sum of two parts differs");
	sum = must(CALL_IN_AGGREGATE(custmart_rfm_book_combine, ARG(parts[1]), ARG(parts[0])), "combine");
	host_require(DatumGetBool(must(CALL(custmart_stored_eq, ARG(whole), ARG(sum)), "=")), "two combined parts differ");
}

/*
 * Books made of rows, then forged: some bytes changed, put in or taken out.
 * So most of what is tried is nearly right.
 */
static struct varlena *
take_forged(Input *input)
{
	static Row	rows[ROWS_MAX];
	int			signature = take_byte(input) % lengthof(signatures);
	int			n;
	int			changes = take_byte(input) % 12;
	struct
	{
		uint16		at;
		uint8		kind;
		uint8		byte;
	}			change[12];
	Datum		book;
	uint8	   *bytes;
	Size		length;
	struct varlena *forged;

	for (int i = 0; i < changes; i++)
	{
		change[i].at = (uint16) take_number(input, 2);
		change[i].kind = take_byte(input);
		change[i].byte = take_byte(input);
	}
	n = take_rows(input, signature, rows);
	if (n == 0)
		return NULL;
	book = flat(add_rows((Datum) 0, rows, n, signature, -1, false));
	length = VARSIZE_ANY_EXHDR(DatumGetPointer(book));
	bytes = palloc(length + 12 * 64);
	memcpy(bytes, VARDATA_ANY(DatumGetPointer(book)), length);
	for (int i = 0; i < changes && length > 0; i++)
	{
		Size		at = change[i].at % length;
		Size		size = 1 + change[i].byte % 64;

		switch (change[i].kind % 8)
		{
			case 0:
				bytes[at] = change[i].byte;
				break;
			case 1:
				bytes[at] ^= 1 << change[i].byte % 8;
				break;
			case 2:
				bytes[at] += change[i].byte;
				break;
			case 3:				/* takes out */
				size = Min(size, length - at);
				memmove(bytes + at, bytes + at + size, length - at - size);
				length -= size;
				break;
			case 4:				/* doubles */
				size = Min(size, length - at);
				memmove(bytes + at + size, bytes + at, length - at);
				length += size;
				break;
			case 5:				/* the last thing of a kind once more: copies over */
				size = Min(size, length - at);
				memmove(bytes + at, bytes + (change[i].at / 2) % (length - size + 1), size);
				break;
			case 6:				/* the numbers in the header: counts */
				bytes[4 + change[i].at % 12] = change[i].byte;
				break;
			case 7:
				bytes[change[i].at % 4] = change[i].byte % 5;
				break;
		}
	}
	forged = from_binary(&rfm_book, bytes, length);
	if (forged != NULL)
		use_book(PointerGetDatum(forged), input);
	return forged;
}

static void
target_book_forged(Input *input)
{
	struct varlena *a = take_forged(input);
	struct varlena *b = take_forged(input);

	if (a != NULL)
		merge_books(PointerGetDatum(a), PointerGetDatum(b != NULL ? b : a));
}

/* ---------- decimals ---------- */

/* A numeric of any bytes: read in both ways, which must agree. */
static void
target_numeric(Input *input)
{
	Size		length = left(input);
	Datum		value = host_varlena(input->at, length);
	const uint8 *bytes = (uint8 *) VARDATA(DatumGetPointer(value));
	uint8		written[DECIMAL_NUMERIC_SIZE];
	char		text[DECIMAL_TEXT_SIZE];
	Decimal		d;
	Decimal		again;
	int64		packed;
	bool		is_short = decimal_packed_from_numeric(bytes, length, &packed);
	NullableDatum args[3] = {NULL_ARG, ARG(TimestampTzGetDatum(0)), ARG(host_packed(value))};
	Outcome		step;

	if (decimal_from_numeric(bytes, length, &d) == DECIMAL_OK)
	{
		if (is_short)
			host_require(packed == decimal_pack_small(packed >> 8, d.scale) &&
						 memcmp(&(Decimal[]) {decimal_unpack(packed, NULL)}, &d, sizeof(d)) == 0, "read in two ways");
		host_require(decimal_to_text(&d, text) < DECIMAL_TEXT_SIZE &&
					 decimal_from_text(text, strlen(text), &again) && memcmp(&d, &again, sizeof(d)) == 0, "text %s", text);
		length = decimal_to_numeric(&d, written);
		host_require(host_is_numeric(written, length), "written is no numeric");
		host_require(decimal_from_numeric(written, length, &again) == DECIMAL_OK && memcmp(&d, &again, sizeof(d)) == 0,
					 "another one when written and read");
		host_require(decimal_to_double(&d) == strtod(text, NULL), "as a float8: %s", text);
	}
	/* The same as an argument; bytes that are no numeric do not come there. */
	if (!host_is_numeric(bytes, VARSIZE_ANY_EXHDR(DatumGetPointer(value))))
		return;
	step = host_call(custmart_rfm_step, args, 3, HOST_AGGREGATE);
	if (step.raised)
		host_require(step.sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE && strstr(step.message, "amount"),
					 "%s", step.message);
	else
		check_round_trips(&rfm, step.value);
}

static void
target_decimal_text(Input *input)
{
	Size		length = left(input);
	char	   *copy = palloc(length);
	char		text[DECIMAL_TEXT_SIZE];
	uint8		bytes[DECIMAL_STORED_SIZE];
	uint8		numeric[DECIMAL_NUMERIC_SIZE];
	Decimal		d;
	Decimal		again;
	int64		packed;

	if (length > 0)
		memcpy(copy, input->at, length);
	if (!decimal_from_text(copy, length, &d))
		return;
	host_require(decimal_to_text(&d, text) < DECIMAL_TEXT_SIZE &&
				 decimal_from_text(text, strlen(text), &again) && memcmp(&d, &again, sizeof(d)) == 0, "text %s", text);
	host_require(host_is_numeric(numeric, decimal_to_numeric(&d, numeric)), "written is no numeric");
	host_require(decimal_to_double(&d) == strtod(text, NULL), "as a float8: %s", text);
	decimal_store(&d, bytes);
	host_require((decimal_check_and_load(bytes, &again) == NULL) == !decimal_fits_packed(&d, &packed), "stored wide, or not");
}

/* Sums of many terms, wide and packed, forwards and backwards, in parts. */
static void
target_decimal_sum(Input *input)
{
	DecimalPool terms_pool = {.context = CurrentMemoryContext};
	DecimalPool pools[3] = {{.context = CurrentMemoryContext}, {.context = CurrentMemoryContext}, {.context = CurrentMemoryContext}};
	int64		terms[200];
	int64		sums[3] = {0};
	Decimal		results[3];
	int			n = 0;
	int			parts;

	while (n < lengthof(terms) && left(input) > 0)
	{
		Decimal		d = {{0}};
		int			size = take_byte(input) % 28;
		bool		negative = (take_byte(input) & 1) != 0;

		/* Up to 216 bits, so that 200 of them at any scale are in range. */
		d.scale = take_byte(input) % (size < 16 ? DECIMAL_MAX_SCALE + 1 : 3);
		size = Min(size, 20);
		for (int i = 0; i < size; i++)
			d.word[i / 4] |= (uint32) take_byte(input) << 8 * (i % 4);
		if (negative)
		{
			uint64		carry = 1;

			for (int i = 0; i < DECIMAL_WORDS; i++)
			{
				carry += (uint32) ~d.word[i];
				d.word[i] = (uint32) carry;
				carry >>= 32;
			}
		}
		if (!decimal_fits_packed(&d, &terms[n]))
			terms[n] = decimal_pool_put(&terms_pool, &d);
		n++;
	}
	parts = n == 0 ? 0 : terms[0] & 0x3F;
	for (int i = 0; i < n; i++)
	{
		/* 160 bits times 10^28 are 254: too many of the widest is an error. */
		if (!decimal_add_packed(&sums[0], &pools[0], terms[i], &terms_pool) ||
			!decimal_add_packed(&sums[1], &pools[1], terms[n - 1 - i], &terms_pool))
			return;
		if (i >= parts && !decimal_add_packed(&sums[2], &pools[2], terms[i], &terms_pool))
			return;
	}
	for (int i = 0; i < Min(parts, n); i++)
		if (!decimal_add_packed(&sums[2], &pools[2], terms[i], &terms_pool))
			return;
	for (int i = 0; i < 3; i++)
	{
		results[i] = decimal_unpack(sums[i], &pools[i]);
		host_require(memcmp(&results[0], &results[i], sizeof(Decimal)) == 0, "another sum in another order");
		host_require(decimal_compare(&results[0], &results[i]) == 0, "equal sums do not compare so");
		host_require(decimal_packed_to_double(sums[i], &pools[i]) == decimal_to_double(&results[0]), "as a float8");
	}
}

/* ---------- seeds ---------- */

static const char *seed_directory;
static int	seed_count;

void
seed(const void *bytes, Size length)
{
	char		path[1024];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/seed%03d", seed_directory, seed_count++);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		host_require(false, "cannot write %s", path);
}

void
seed_text(const char *text)
{
	seed(text, strlen(text));
}

static const char *const rfm_texts[] = {
	"v1 frequency=2 refunds=0 monetary=20.50 first_order=2026-01-31T12:00:00+00:00 last_order=2026-02-01T09:30:00+00:00",
	"v1 frequency=0 refunds=1 monetary=-1",
	"v1 frequency=1 refunds=0 monetary=0 first_order=4714-11-24T00:00:00+00:00 BC last_order=4714-11-24T00:00:00+00:00 BC",
	"v1 frequency=4294967295 refunds=4294967295 monetary=-99999999999999999999999999999999999999.9999999999999999999999999999 first_order=2000-02-29T23:59:59.5+00:00 last_order=294276-12-31T23:59:59.999999+00:00",
	"v1 frequency=1 refunds=0 monetary=36028797018963968.00 first_order=0001-01-01T00:00:00+00:00 BC last_order=0001-01-01T00:00:00+00:00"
};

static const char *const cuts_texts[] = {
	"v1 bins=2 members=1 last_order={2026-01-31T12:00:00+00:00} frequency={1} monetary={-0.5}",
	"v1 bins=3 members=18446744073709551615 last_order={4714-11-24T00:00:00+00:00 BC,294276-12-31T23:59:59.999999+00:00} frequency={1.25,4294967295} monetary={-1e+300,1.5e-300}",
	"v1 bins=2 members=3 last_order={2026-01-01T00:00:00+00:00} frequency={1} monetary_per_order={-2.5}",
	"v1 bins=5 members=20 last_order={2026-01-01T00:00:00+00:00,2026-01-02T00:00:00+00:00,2026-01-03T00:00:00+00:00,2026-01-04T00:00:00.000001+00:00} frequency={1,2,3.4,5.2} monetary={10,20.5,33.3,100000}"
};

void
seed_values(const Type *type, const char *const *texts, int n, bool binary)
{
	for (int i = 0; i < n; i++)
	{
		Datum		value;

		if (!binary)
		{
			seed_text(texts[i]);
			continue;
		}
		value = must(read_text(type, texts[i], HOST_PLAIN), texts[i]);
		seed(VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
	}
}

static void
seeds_rfm_in(void)
{
	seed_values(&rfm, rfm_texts, lengthof(rfm_texts), false);
}

static void
seeds_rfm_recv(void)
{
	seed_values(&rfm, rfm_texts, lengthof(rfm_texts), true);
}

static void
seeds_cuts_in(void)
{
	seed_values(&rfm_cuts, cuts_texts, lengthof(cuts_texts), false);
}

static void
seeds_cuts_recv(void)
{
	seed_values(&rfm_cuts, cuts_texts, lengthof(cuts_texts), true);
}

static void
seeds_cuts_own(void)
{
	/* Two limits: 14 and 7 days, 2 and 3 orders, 10 and 20 in money; times in 2026. */
	seed("\x08\x00\x80\xA4\x9C\xF0\xF7\x02\x00"
		 "\x1D\x00\x00\x00\x00\x00\x00\x00\x0F\x00\x00\x00\x00\x00\x00\x00"
		 "\x05\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00"
		 "\x15\x00\x00\x00\x00\x00\x00\x00\x29\x00\x00\x00\x00\x00\x00\x00"
		 "\x00\x80\xA4\x9C\xF0\xE7\x02\x00\x00\x80\xA4\x9C\xF0\xF7\x02\x00", 73);
	seed("\x07", 1);
}

static void
seeds_segments(void)
{
	seed_text("222,best\n221,here\n212,here\n211,here\n122,there\n121,there\n112,there\n111,gone");
	seed_text("111,a\n111,b");
	seed_text("101010,a\n0111,b\n ,\n,");
}

static void
seeds_cuts_final(void)
{
	uint8		bytes[8 * 16] = {0};

	for (int n = 1; n <= 16; n += 3)
	{
		bytes[7] = 5;
		for (int i = 1; i < n; i++)
			bytes[8 * i + 7] = i;
		seed(bytes, 8 * n);
	}
}

/* Rows for each signature, from few to many. */
static void
seed_rows(bool forged)
{
	static uint8 bytes[4 + 5 * ROWS_MAX];

	for (int signature = 0; signature < lengthof(signatures); signature++)
		for (int n = 1; n <= 150; n *= 5)
		{
			uint8	   *p = bytes;

			*p++ = signature;
			if (forged)
				*p++ = 0;
			*p++ = (n + 1) / 2;
			for (int i = 0; i < n; i++)
			{
				*p++ = (uint8) (i * 7);
				if (signatures[signature].order)
					*p++ = (uint8) (i * 3);
				*p++ = (uint8) (i * 5);
				*p++ = (uint8) (i * 11);
				*p++ = (uint8) i;
			}
			seed(bytes, p - bytes);
		}
}

static void
seeds_book_rows(void)
{
	seed_rows(false);
}

static void
seeds_book_forged(void)
{
	seed_rows(true);
}

static void
seed_books(bool binary)
{
	static Row	rows[ROWS_MAX];
	static uint8 bytes[5 * ROWS_MAX];

	for (int i = 0; i < (int) sizeof(bytes); i++)
		bytes[i] = (uint8) (i * 37 + i / 200);
	for (int signature = 0; signature < lengthof(signatures); signature++)
		for (int n = 1; n < 40; n *= 3)
		{
			Input		input = {bytes, bytes + 1 + n * (signatures[signature].order ? 5 : 4)};
			Datum		book;

			bytes[0] = 255;
			book = flat(add_rows((Datum) 0, rows, take_rows(&input, signature, rows), signature, -1, false));
			if (binary)
				seed(VARDATA_ANY(DatumGetPointer(book)), VARSIZE_ANY_EXHDR(DatumGetPointer(book)));
			else
				seed_text(base64("rfm_book", VARDATA_ANY(DatumGetPointer(book)),
								 VARSIZE_ANY_EXHDR(DatumGetPointer(book))));
		}
}

/* Books that were taken once and must not be. */
static const struct
{
	const char *bytes;
	Size		length;
}			forged_books[] = {
#define FORGED(bytes) {bytes, sizeof(bytes) - 1}
#define NUMBER(n) "\0\0\0\0\0\0\0" n
	/* A column of numbers that are all the same. */
#define ALL(n) "\0" NUMBER(n)
	/* A text key that breaks off inside a character, and one with a zero byte. */
	FORGED("\3\1\3\0" "\0\0\0\1" NUMBER("\0") "\0\0\0\3" "a\xE2\x82" NUMBER("\0")
		   ALL("\1") ALL("\0") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	FORGED("\3\1\3\0" "\0\0\0\1" NUMBER("\0") "\0\0\0\3" "a\0b" NUMBER("\0")
		   ALL("\1") ALL("\0") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	/* A member twice, with more orders together than a member can have. */
	FORGED("\3\1\1\0" "\0\0\0\2" NUMBER("\0") ALL("\7") NUMBER("\0")
		   "\4" NUMBER("\1") "\xFF\xFF\xFF\xFE" "\0\0\0\0" ALL("\0") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	/* No refund, but money below zero; only refunds, but money, or dates. */
	FORGED("\3\1\1\0" "\0\0\0\1" NUMBER("\0") ALL("\7") NUMBER("\0")
		   ALL("\1") ALL("\0") "\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	FORGED("\3\1\1\0" "\0\0\0\1" NUMBER("\0") ALL("\7") NUMBER("\0")
		   ALL("\0") ALL("\1") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	FORGED("\3\1\1\0" "\0\0\0\1" NUMBER("\0") ALL("\7") NUMBER("\0")
		   ALL("\0") ALL("\1") "\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" ALL("\0") ALL("\1") ALL("\0") "\0\0\0\0"),
	/* Keys and a column that are wider than they need be, and wider than can be. */
	FORGED("\3\1\1\0" "\0\0\0\1" NUMBER("\0") "\1" NUMBER("\7") "\0" NUMBER("\0")
		   ALL("\1") ALL("\0") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	FORGED("\3\1\1\0" "\0\0\0\1" NUMBER("\0") ALL("\7") NUMBER("\0")
		   "\1" NUMBER("\1") "\0" ALL("\0") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0"),
	FORGED("\3\1\1\0" "\0\0\0\1" NUMBER("\0") ALL("\7") NUMBER("\0")
		   "\11" NUMBER("\1") NUMBER("\0") "\0" ALL("\0") ALL("\1") ALL("\0") ALL("\0") ALL("\0") "\0\0\0\0")
};

static void
seed_forged_books(bool binary)
{
	for (int i = 0; i < lengthof(forged_books); i++)
		if (binary)
			seed(forged_books[i].bytes, forged_books[i].length);
		else
			seed_text(base64("rfm_book", forged_books[i].bytes, forged_books[i].length));
}

static void
seeds_book_in(void)
{
	seed_forged_books(false);
	seed_books(false);
}

static void
seeds_book_recv(void)
{
	seed_forged_books(true);
	seed_books(true);
}

static void
seeds_numeric(void)
{
	static const char *const texts[] = {"0", "12.34", "-0.0001", "99999999999999999999999999999999999999", "100000000"};

	for (int i = 0; i < lengthof(texts); i++)
	{
		uint8		numeric[DECIMAL_NUMERIC_SIZE];
		Decimal		d;

		if (decimal_from_text(texts[i], strlen(texts[i]), &d))
			seed(numeric, decimal_to_numeric(&d, numeric));
	}
	seed("\x00\x00\x00\x00\x01\x00", 6);
	seed("\x00\xC0", 2);
	seed("\x00\xD0", 2);
}

static void
seeds_decimal_text(void)
{
	seed_text("-12345.678");
	seed_text("0.0000000000000000000000000001");
	seed_text("57896044618658097711785492504343953926634992332820282019728792003956564819967");
}

static void
seeds_decimal_sum(void)
{
	seed("\x07\x00\x02\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x01\x01\x02\x01", 14);
	seed("\x0F\x01\x1C\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F", 18);
}

/* ---------- the program ---------- */

static const struct
{
	const char *name;
	void		(*run) (Input *input);
	void		(*seeds) (void);
}			targets[] = {
	{"decimal_numeric", target_numeric, seeds_numeric},
	{"decimal_text", target_decimal_text, seeds_decimal_text},
	{"decimal_sum", target_decimal_sum, seeds_decimal_sum},
	{"rfm_in", target_rfm_in, seeds_rfm_in},
	{"rfm_recv", target_rfm_recv, seeds_rfm_recv},
	{"rfm_cuts_in", target_cuts_in, seeds_cuts_in},
	{"rfm_cuts_recv", target_cuts_recv, seeds_cuts_recv},
	{"rfm_cuts_final", target_cuts_final, seeds_cuts_final},
	{"rfm_cuts_own", target_cuts_own, seeds_cuts_own},
	{"rfm_segments", target_segments, seeds_segments},
	{"rfm_book_in", target_book_in, seeds_book_in},
	{"rfm_book_recv", target_book_recv, seeds_book_recv},
	{"rfm_book_rows", target_book_rows, seeds_book_rows},
	{"rfm_book_forged", target_book_forged, seeds_book_forged},
	{"pricebook_in", target_pricebook_in, seeds_pricebook_in},
	{"pricebook_recv", target_pricebook_recv, seeds_pricebook_recv},
	{"pricebook_rows", target_pricebook_rows, seeds_pricebook_rows},
	{"pricebook_forged", target_pricebook_forged, seeds_pricebook_forged},
	{"price_check", target_price_check, seeds_price_check},
	{"price_slope_in", target_price_slope_in, seeds_price_slope_in},
	{"price_slope_recv", target_price_slope_recv, seeds_price_slope_recv},
	{"price_slope_forged", target_price_slope_forged, seeds_price_slope_forged},
	{"activity_in", target_activity_in, seeds_activity_in},
	{"activity_recv", target_activity_recv, seeds_activity_recv},
	{"activity_forged", target_activity_forged, seeds_activity_forged},
	{"retention_book_in", target_retention_book_in, seeds_retention_book_in},
	{"retention_book_recv", target_retention_book_recv, seeds_retention_book_recv},
	{"retention_book_forged", target_retention_book_forged, seeds_retention_book_forged},
	{"funnel_in", target_funnel_in, seeds_funnel_in},
	{"funnel_recv", target_funnel_recv, seeds_funnel_recv},
	{"funnel_forged", target_funnel_forged, seeds_funnel_forged},
	{"funnel_rows", target_funnel_rows, seeds_funnel_rows},
	{"funnel_mode", target_funnel_mode, seeds_funnel_mode},
	{"funnel_rules", target_funnel_rules, seeds_funnel_rules},
	{"funnel_book_in", target_funnel_book_in, seeds_funnel_book_in},
	{"funnel_book_recv", target_funnel_book_recv, seeds_funnel_book_recv},
	{"funnel_book_forged", target_funnel_book_forged, seeds_funnel_book_forged},
	{"session_book_in", target_session_book_in, seeds_session_book_in},
	{"session_book_recv", target_session_book_recv, seeds_session_book_recv},
	{"session_book_forged", target_session_book_forged, seeds_session_book_forged},
	{"interaction_book_forged", target_interaction_book_forged, seeds_interaction_book_forged},
	{"spend_in", target_spend_in, seeds_spend_in},
	{"spend_recv", target_spend_recv, seeds_spend_recv},
	{"spend_forged", target_spend_forged, seeds_spend_forged},
	{"points_in", target_points_in, seeds_points_in},
	{"points_recv", target_points_recv, seeds_points_recv},
	{"points_forged", target_points_forged, seeds_points_forged},
	{"zone", target_zone, seeds_zone},
	{"tagbloom_in", target_tagbloom_in, seeds_tagbloom_in},
	{"tagbloom_recv", target_tagbloom_recv, seeds_tagbloom_recv},
	{"tagbloom_sets", target_tagbloom_sets, seeds_tagbloom_sets},
	{"tagbloom_state", target_tagbloom_state, seeds_tagbloom_state},
	{"tagquery_in", target_tagquery_in, seeds_tagquery_in},
	{"tagquery_recv", target_tagquery_recv, seeds_tagquery_recv},
	{"interaction_book_in", target_interaction_book_in, seeds_interaction_book_in},
	{"interaction_book_recv", target_interaction_book_recv, seeds_interaction_book_recv},
	{"interaction_book_rows", target_interaction_book_rows, seeds_interaction_book_rows},
	{"interaction_stage_state", target_interaction_stage_state, seeds_interaction_stage_state},
	{"clv_model_in", target_clv_model_in, seeds_clv_model_in},
	{"clv_model_recv", target_clv_model_recv, seeds_clv_model_recv},
	{"clv_model_forged", target_clv_model_forged, seeds_clv_model_forged},
	{"clv_fit_final", target_clv_fit_final, seeds_clv_fit_final},
	{"clv_rows", target_clv_rows, seeds_clv_rows},
	{"clv_book", target_clv_book, seeds_clv_book},
	{"campaign_in", target_campaign_in, seeds_campaign_in},
	{"campaign_recv", target_campaign_recv, seeds_campaign_recv},
	{"campaign_book_in", target_campaign_book_in, seeds_campaign_book_in},
	{"campaign_book_recv", target_campaign_book_recv, seeds_campaign_book_recv},
	{"campaign_rows", target_campaign_rows, seeds_campaign_rows},
	{"audience_book_in", target_audience_book_in, seeds_audience_book_in},
	{"audience_book_recv", target_audience_book_recv, seeds_audience_book_recv},
	{"audience_book_rows", target_audience_book_rows, seeds_audience_book_rows},
	{"basket_book_in", target_basket_book_in, seeds_basket_book_in},
	{"basket_book_recv", target_basket_book_recv, seeds_basket_book_recv},
	{"basket_book_rows", target_basket_book_rows, seeds_basket_book_rows},
	{"preference_book_in", target_preference_book_in, seeds_preference_book_in},
	{"preference_book_recv", target_preference_book_recv, seeds_preference_book_recv},
	{"preference_book_rows", target_preference_book_rows, seeds_preference_book_rows},
	{"check_book_in", target_check_book_in, seeds_check_book_in},
	{"check_book_recv", target_check_book_recv, seeds_check_book_recv},
	{"check_book_rows", target_check_book_rows, seeds_check_book_rows},
	{"contact_book_in", target_contact_book_in, seeds_contact_book_in},
	{"contact_book_recv", target_contact_book_recv, seeds_contact_book_recv},
	{"contact_trail_in", target_contact_trail_in, seeds_contact_trail_in},
	{"contact_trail_recv", target_contact_trail_recv, seeds_contact_trail_recv},
	{"contact_rows", target_contact_rows, seeds_contact_rows}
};

static int	target;

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("CUSTMART_FUZZ_TARGET");

	if (name != NULL && strcmp(name, "list") == 0)
	{
		for (int i = 0; i < lengthof(targets); i++)
			puts(targets[i].name);
		exit(0);
	}
	for (target = 0; target < lengthof(targets); target++)
		if (name != NULL && strcmp(targets[target].name, name) == 0)
			break;
	host_require(target < lengthof(targets), "CUSTMART_FUZZ_TARGET names no target");

	seed_directory = getenv("CUSTMART_FUZZ_SEEDS");
	if (seed_directory != NULL)
	{
		host_begin(1024 * 1024 * 1024);
		targets[target].seeds();
		host_end();
		exit(0);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Input		input = {data, data + size};

	/* The same seed for every input, so that each does the same every time. */
	pg_prng_seed(&pg_global_prng_state, 1);
	host_begin(64 * 1024 * 1024);
	targets[target].run(&input);
	host_end();
	return 0;
}
