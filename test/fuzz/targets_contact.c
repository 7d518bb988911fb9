/*
 * targets_contact.c
 *	  Fuzzing of contact_book and contact_trail.
 *
 * Values come as bytes and text, are made of rows, whose contacts and opt-outs are
 * then counted once more here, and are forged.  What is taken goes through all
 * reports, whose rows must not contradict each other, and is merged.
 */
#include "targets.h"

#include <stdio.h>

#include "catalog/pg_type.h"
#include "contact/contact_core.h"
#include "history/history_names.h"
#include "shared/bytes.h"
#include "utils/builtins.h"

#undef snprintf

FUNCTION(custmart_contact_book_in);
FUNCTION(custmart_contact_book_out);
FUNCTION(custmart_contact_book_recv);
FUNCTION(custmart_contact_book_combine);
FUNCTION(custmart_contact_book_add);
FUNCTION(custmart_contact_book_rows_skipped);
FUNCTION(custmart_contact_book_member_count);
FUNCTION(custmart_contact_book_step_bigint);
FUNCTION(custmart_contact_book_step_text);
FUNCTION(custmart_contact_pressures);
FUNCTION(custmart_contact_pressures_typed);
FUNCTION(custmart_contact_engagements);
FUNCTION(custmart_contact_priors);
FUNCTION(custmart_contact_allowances);
FUNCTION(custmart_contact_fatigue);
FUNCTION(custmart_contact_trail_in);
FUNCTION(custmart_contact_trail_out);
FUNCTION(custmart_contact_trail_recv);
FUNCTION(custmart_contact_trail_combine);
FUNCTION(custmart_contact_trail_add);
FUNCTION(custmart_contact_trail_step);
FUNCTION(custmart_contact_trail_pressure);
FUNCTION(custmart_contacts_within);
FUNCTION(custmart_next_contact);

static const Type contact_book = {
	"contact_book", custmart_contact_book_in, custmart_contact_book_out, custmart_contact_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};
static const Type contact_trail = {
	"contact_trail", custmart_contact_trail_in, custmart_contact_trail_out, custmart_contact_trail_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define ROWS_MAX 200
#define MEMBERS 12
#define CHANNELS 20				/* of which 16 fit */
#define TIME_MAX (END_TIMESTAMP - 1)

typedef struct Row
{
	int			member;
	int			channel;
	int			kind;			/* CONTACT_KINDS: NULL */
	TimestampTz time;
} Row;

/* What is asked of a book. */
typedef struct Question
{
	Interval	span;
	Interval	lookback;
	Interval	respond_within;
	bool		is_latest;		/* as of the latest row */
} Question;

static const char *const kinds[] = {"sent", "opened", "clicked", "converted", "complained", "unsubscribed", "subscribed"};

static Datum
text_of(const char *text)
{
	return host_varlena(text, strlen(text));
}

static const char *
channel_name(int channel)
{
	static char name[CHANNELS][32];

	snprintf(name[channel], sizeof(name[channel]), "%.*s\xC3\xA9%d", channel % 5, "mail", channel);
	return channel == 0 ? "" : name[channel];
}

/* Times near each other, days apart with and without parts of a second, and at both ends. */
static TimestampTz
take_time(Input *input)
{
	uint8		n = take_byte(input);

	switch (n >> 6)
	{
		case 0:
			return n * USECS_PER_SEC;
		case 1:
			return (n & 63) * USECS_PER_DAY;
		case 2:
			return (n & 63) * (USECS_PER_DAY + (n & 1));
		default:
			return n & 32 ? MIN_TIMESTAMP + (n & 31) * USECS_PER_SEC : TIME_MAX - (n & 31) * USECS_PER_DAY;
	}
}

static Interval
take_interval(Input *input, int64 least)
{
	Interval	interval = {0};
	uint8		n = take_byte(input);

	if (n & 1)
		interval.day = n >> 1;
	else
		interval.time = (n >> 1) * USECS_PER_SEC;
	if (n == 0xFF)
		interval.day = 106751991;
	if (interval.day == 0)
		interval.time = Max(interval.time, least);
	return interval;
}

static Question
take_question(Input *input)
{
	Question	question;

	question.span = take_interval(input, 1);
	question.lookback = take_interval(input, 1);
	question.respond_within = take_interval(input, 0);
	question.is_latest = take_byte(input) & 1;
	return question;
}

static int64
microseconds(const Interval *interval)
{
	return interval->day * USECS_PER_DAY + interval->time;
}

/* ---------- reports ---------- */

static const Oid pressure_columns[] = {INT8OID, FLOAT8OID, INT8OID, TIMESTAMPTZOID};
static const Oid text_pressure_columns[] = {TEXTOID, FLOAT8OID, INT8OID, TIMESTAMPTZOID};
static const Oid engagement_columns[] = {INT8OID, TEXTOID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
static const Oid prior_columns[] = {TEXTOID, INT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID};
static const Oid allowance_columns[] = {INT8OID, TEXTOID, INT8OID, FLOAT8OID, INT4OID, BOOLOID, TIMESTAMPTZOID, BOOLOID};
static const Oid fatigue_columns[] = {
	INT4OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT8OID, FLOAT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, BOOLOID
};

/* What the report that is being read adds up to. */
static int64 contacts;
static int64 responses;
static int64 within;
static int64 opted_out;

static void
each_pressure(const Datum *values, const bool *nulls)
{
	int64		n = DatumGetInt64(values[2]);

	contacts += n;
	host_require(nulls[3] == (n == 0), "a last contact of %lld", (long long) n);
	host_require(DatumGetFloat8(values[1]) >= 0 && DatumGetFloat8(values[1]) <= (float8) n, "a pressure of %g", DatumGetFloat8(values[1]));
}

static void
each_engagement(const Datum *values, const bool *nulls)
{
	contacts += DatumGetInt64(values[2]);
	responses += DatumGetInt64(values[3]);
	host_require(nulls[4] == (DatumGetInt64(values[2]) == 0), "a rate without contacts");
	host_require(nulls[5] || (DatumGetFloat8(values[5]) >= 0 && DatumGetFloat8(values[5]) <= 1 + 1e-12), "an engagement of %g", DatumGetFloat8(values[5]));
	host_require(DatumGetFloat8(values[6]) >= 0, "a ratio of %g", DatumGetFloat8(values[6]));
}

static void
each_prior(const Datum *values, const bool *nulls)
{
	contacts -= DatumGetInt64(values[2]);
	responses -= DatumGetInt64(values[3]);
	host_require(DatumGetInt64(values[1]) <= DatumGetInt64(values[2]) && DatumGetInt64(values[3]) <= DatumGetInt64(values[2]), "more than there are");
	host_require(nulls[5] || DatumGetFloat8(values[5]) > 0, "a weight of %g", DatumGetFloat8(values[5]));
}

static void
each_allowance(const Datum *values, const bool *nulls)
{
	int32		cap = DatumGetInt32(values[4]);

	within += DatumGetInt64(values[2]);
	opted_out += DatumGetBool(values[7]);
	host_require(DatumGetBool(values[7]) ? cap == 0 : cap >= 1 && cap <= 4, "a cap of %d", cap);
	host_require(nulls[6] == (cap == 0) && DatumGetBool(values[5]) == (DatumGetInt64(values[2]) < cap), "allowed or not");
}

static void
each_fatigue(const Datum *values, const bool *nulls)
{
	contacts += DatumGetInt64(values[1]);
	host_require(DatumGetInt64(values[1]) > 0 && DatumGetInt64(values[2]) <= DatumGetInt64(values[1]) &&
				 DatumGetInt64(values[6]) <= DatumGetInt64(values[1]), "more than there are");
	host_require(nulls[10] == nulls[11] && DatumGetBool(values[12]) == (!nulls[11] && DatumGetFloat8(values[11]) < 1), "tired or not");
}

/* Reads a report; -1 if the next contact would come after the end of time. */
static int64
read_rows(PGFunction function, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
		  void (*each) (const Datum *, const bool *))
{
	Outcome		outcome;

	host_each_row = each;
	outcome = host_rows(function, args, nargs, columns, ncolumns);
	host_each_row = NULL;
	if (outcome.raised && function == custmart_contact_allowances && outcome.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE)
		return -1;
	host_require(!outcome.raised, "a report of a book that was taken: %s", outcome.message);
	return DatumGetInt64(outcome.value);
}

static NullableDatum
responses_argument(void)
{
	static const char *const texts[] = {"clicked", "converted"};

	return (NullableDatum) ARG(host_text_array(texts, lengthof(texts)));
}

static void
use_book(Datum book, Question question)
{
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(book));
	bool		is_text = bytes[2] == 3;
	Datum		value = host_packed(book);
	int64		count = DatumGetInt64(must(CALL(custmart_contact_book_member_count, ARG(value)), "member_count"));
	NullableDatum as_of = {TimestampTzGetDatum(TIME_MAX), question.is_latest};
	NullableDatum book_arg = ARG(value);
	NullableDatum span = ARG(IntervalPGetDatum(&question.span));
	NullableDatum lookback = ARG(IntervalPGetDatum(&question.lookback));
	NullableDatum respond = ARG(IntervalPGetDatum(&question.respond_within));
	NullableDatum kinds_arg = responses_argument();
	NullableDatum null = NULL_ARG;
	NullableDatum pressures[] = {book_arg, as_of, span, null, null};
	NullableDatum typed[] = {null, book_arg, as_of, span, null, null};
	NullableDatum rates[] = {book_arg, as_of, lookback, respond, kinds_arg, null};
	NullableDatum allowances[] = {
		book_arg, as_of, span, ARG(Int32GetDatum(2)), ARG(Int32GetDatum(1)), ARG(Int32GetDatum(4)), lookback, respond, kinds_arg, null
	};
	NullableDatum fatigue[] = {
		book_arg, as_of, span, respond, kinds_arg, ARG(Int32GetDatum(3)), ARG(Float8GetDatum(0.05)), null
	};

	check_round_trips(&contact_book, book);
	host_require(DatumGetInt64(must(CALL(custmart_contact_book_rows_skipped, ARG(value)), "rows_skipped")) >= 0, "rows_skipped below 0");
	contacts = responses = within = opted_out = 0;
	(void) read_rows(custmart_contact_fatigue, fatigue, 8, fatigue_columns, lengthof(fatigue_columns), each_fatigue);
	(void) read_rows(custmart_contact_priors, rates, 6, prior_columns, lengthof(prior_columns), each_prior);
	if (bytes[2] == 1)
	{
		contacts = responses = 0;
		(void) read_rows(custmart_contact_engagements, rates, 6, engagement_columns, lengthof(engagement_columns), each_engagement);
		(void) read_rows(custmart_contact_priors, rates, 6, prior_columns, lengthof(prior_columns), each_prior);
		host_require(contacts == 0 && responses == 0, "contact_engagements and contact_priors differ");
		(void) read_rows(custmart_contact_allowances, allowances, 10, allowance_columns, lengthof(allowance_columns), each_allowance);
		contacts = 0;
		host_require(read_rows(custmart_contact_pressures, pressures, 5, pressure_columns, lengthof(pressure_columns), each_pressure) == count, "members");
		host_require(within <= contacts, "more in the span than ever");
	}
	else if (is_text)
		host_require(read_rows(custmart_contact_pressures_typed, typed, 6, text_pressure_columns, lengthof(text_pressure_columns), each_pressure) == count, "members");
}

static void
use_trail(Datum trail)
{
	Interval	week = {0, 7, 0};
	Datum		value = host_packed(trail);
	int64		n;
	Outcome		next;

	check_round_trips(&contact_trail, trail);
	n = DatumGetInt64(must(CALL(custmart_contacts_within, ARG(value), NULL_ARG, ARG(IntervalPGetDatum(&week)), NULL_ARG), "contacts_within"));
	host_require(n >= 0, "contacts below 0");
	(void) must(CALL(custmart_contact_trail_pressure, ARG(value), NULL_ARG, ARG(IntervalPGetDatum(&week)), NULL_ARG, NULL_ARG), "pressure");
	next = CALL(custmart_next_contact, ARG(value), NULL_ARG, ARG(IntervalPGetDatum(&week)), ARG(Int32GetDatum(1)), NULL_ARG);
	host_require(!next.raised || next.sqlstate == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "next_contact: %s", next.message);
}

static void
merge_books(Datum a, Datum b, Question question)
{
	Datum		value = merge_values(custmart_contact_book_add, custmart_contact_book_combine, a, b);

	if (value != (Datum) 0)
		use_book(value, question);
}

static void
merge_trails(Datum a, Datum b)
{
	Datum		value = merge_values(custmart_contact_trail_add, custmart_contact_trail_combine, a, b);

	if (value != (Datum) 0)
		use_trail(value);
}

/* ---------- values as bytes and text ---------- */

static const Question usual = {{0, 7, 0}, {0, 180, 0}, {0, 7, 0}, true};

void
target_contact_book_recv(Input *input)
{
	struct varlena *value = receive_both(&contact_book, input);

	if (value == NULL)
		return;
	use_book(PointerGetDatum(value), usual);
	merge_books(PointerGetDatum(value), PointerGetDatum(value), usual);
}

void
target_contact_book_in(Input *input)
{
	struct varlena *value = from_text(&contact_book, input->at, left(input));

	if (value != NULL)
		use_book(PointerGetDatum(value), usual);
}

void
target_contact_trail_recv(Input *input)
{
	struct varlena *value = receive_both(&contact_trail, input);

	if (value == NULL)
		return;
	use_trail(PointerGetDatum(value));
	/* Rows are kept once, so it is its own double. */
	host_require(same_bytes(PointerGetDatum(value), merge_values(custmart_contact_trail_add, custmart_contact_trail_combine,
																 PointerGetDatum(value), PointerGetDatum(value))), "a trail is not its own double");
}

void
target_contact_trail_in(Input *input)
{
	struct varlena *value = from_text(&contact_trail, input->at, left(input));

	if (value != NULL)
		use_trail(PointerGetDatum(value));
}

/* ---------- values of rows ---------- */

static int
take_rows(Input *input, Row *rows)
{
	int			n = 0;

	while (n < ROWS_MAX && left(input) > 0)
	{
		uint8		first = take_byte(input);
		uint8		second = take_byte(input);

		rows[n].member = first % MEMBERS;
		rows[n].kind = first / MEMBERS % (CONTACT_KINDS + 1);
		rows[n].channel = second < 0xF0 ? second % 5 : second % CHANNELS;
		rows[n].time = take_time(input);
		n++;
	}
	return n;
}

/* The value of rows, from the last to the first if backwards: a book, or the trail of a member; 0 if there are too many channels. */
static Datum
make(const Row *rows, int n, int member, bool is_text, bool backwards)
{
	Datum		state = 0;
	bool		is_book = member < 0;

	for (int i = 0; i < n; i++)
	{
		const Row  *row = &rows[backwards ? n - 1 - i : i];
		char		name[32];
		Outcome		outcome;
		NullableDatum args[] = {
			{state, state == (Datum) 0}, ARG((Datum) 0), ARG(text_of(channel_name(row->channel))), NULL_ARG, ARG(TimestampTzGetDatum(row->time))
		};

		if (!is_book && row->member != member)
			continue;
		snprintf(name, sizeof(name), "%.*s%d", row->member % 9, "member--", row->member);
		args[1].value = is_text ? text_of(name) : Int64GetDatum((int64) row->member - 5);
		if (row->kind < CONTACT_KINDS)
		{
			args[3].isnull = false;
			args[3].value = text_of(kinds[row->kind]);
		}
		if (!is_book)
			memmove(args + 1, args + 2, 3 * sizeof(NullableDatum));
		outcome = host_call(!is_book ? custmart_contact_trail_step : is_text ? custmart_contact_book_step_text : custmart_contact_book_step_bigint,
							args, is_book ? 5 : 4, HOST_AGGREGATE);
		if (outcome.raised && outcome.sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED)
			return 0;
		host_require(!outcome.raised, "a row: %s", outcome.message);
		state = outcome.is_null ? 0 : outcome.value;
	}
	return state == (Datum) 0 ? 0 : flat(state);
}

static bool
is_new_contact(const Row *rows, int i)
{
	if (rows[i].kind != CONTACT_SENT)
		return false;
	for (int k = 0; k < i; k++)
		if (rows[k].kind == CONTACT_SENT && rows[k].member == rows[i].member && rows[k].channel == rows[i].channel && rows[k].time == rows[i].time)
			return false;
	return true;
}

/* How many contacts there are in the span, how many pairs of member and channel have opted out, by the definition. */
static void
count_by_definition(const Row *rows, int n, const Question *question, int64 *in_span, int64 *out)
{
	TimestampTz as_of = MIN_TIMESTAMP;

	*in_span = *out = 0;
	for (int i = 0; i < n; i++)
		if (rows[i].kind < CONTACT_KINDS)
			as_of = Max(as_of, rows[i].time);
	if (!question->is_latest)
		as_of = TIME_MAX;
	for (int i = 0; i < n; i++)
		*in_span += is_new_contact(rows, i) && (int128) as_of - rows[i].time < (int128) microseconds(&question->span);
	for (int member = 0; member < MEMBERS; member++)
		for (int channel = 0; channel < CHANNELS; channel++)
		{
			TimestampTz no = PG_INT64_MIN;
			TimestampTz yes = PG_INT64_MIN;

			for (int i = 0; i < n; i++)
				if (rows[i].member == member && rows[i].channel == channel)
				{
					if (rows[i].kind == CONTACT_UNSUBSCRIBED || rows[i].kind == CONTACT_COMPLAINED)
						no = Max(no, rows[i].time);
					if (rows[i].kind == CONTACT_SUBSCRIBED)
						yes = Max(yes, rows[i].time);
				}
			*out += no > PG_INT64_MIN && no >= yes;
		}
}

void
target_contact_rows(Input *input)
{
	static Row	rows[ROWS_MAX];
	bool		is_text = take_byte(input) & 1;
	int			changes = take_byte(input) % 8;
	uint32		change[8];
	Question	question = take_question(input);
	struct varlena *forged;
	Datum		book;
	Datum		trails[2];
	int			n;

	for (int i = 0; i < changes; i++)
		change[i] = (uint32) take_number(input, 4);
	n = take_rows(input, rows);
	if (n == 0)
		return;
	book = make(rows, n, -1, is_text, false);
	if (book == (Datum) 0)
	{
		host_require(make(rows, n, -1, is_text, true) == (Datum) 0, "the order of rows tells");
		return;
	}
	host_require(same_bytes(book, make(rows, n, -1, is_text, true)), "the order of rows tells");
	use_book(book, question);
	if (!is_text)
	{
		NullableDatum args[] = {
			ARG(book), {TimestampTzGetDatum(TIME_MAX), question.is_latest}, ARG(IntervalPGetDatum(&question.span)), ARG(Int32GetDatum(2)), ARG(Int32GetDatum(1)),
			ARG(Int32GetDatum(4)), ARG(IntervalPGetDatum(&question.lookback)), ARG(IntervalPGetDatum(&question.respond_within)), responses_argument(), NULL_ARG
		};
		int64		in_span;
		int64		out;

		within = opted_out = 0;
		count_by_definition(rows, n, &question, &in_span, &out);
		if (read_rows(custmart_contact_allowances, args, 10, allowance_columns, lengthof(allowance_columns), each_allowance) >= 0)
			host_require(within == in_span && opted_out == out, "%lld in the span, not %lld; %lld opted out, not %lld",
						 (long long) within, (long long) in_span, (long long) opted_out, (long long) out);
	}
	/* Two parts make the whole, of a book and of a trail. */
	if (n > 1)
	{
		Datum		first = make(rows, n / 2, -1, is_text, false);
		Datum		second = make(rows + n / 2, n - n / 2, -1, is_text, true);

		host_require(same_bytes(flat(must(CALL(custmart_contact_book_add, ARG(first), ARG(second)), "+")), book), "parts make another book");
	}
	for (int part = 0; part < 2; part++)
	{
		trails[part] = make(rows + part * (n / 2), part ? n - n / 2 : n / 2, rows[0].member, false, part);
		if (trails[part] != (Datum) 0)
			use_trail(trails[part]);
	}
	if (trails[0] != (Datum) 0 && trails[1] != (Datum) 0)
	{
		host_require(same_bytes(flat(must(CALL(custmart_contact_trail_add, ARG(trails[0]), ARG(trails[1])), "+")),
								make(rows, n, rows[0].member, false, true)), "parts make another trail");
		merge_trails(trails[0], trails[1]);
	}

	forged = forge(&contact_book, book, change, changes);
	if (forged == NULL)
		return;
	use_book(PointerGetDatum(forged), question);
	merge_books(PointerGetDatum(forged), book, question);
}

/* ---------- seeds ---------- */

static void
seed_values_of(bool is_book, bool binary)
{
	static Row	rows[ROWS_MAX];

	for (int n = 1; n <= 150; n *= 5)
		for (int variant = 0; variant < 4; variant++)
		{
			Datum		value;

			for (int i = 0; i < n; i++)
				rows[i] = (Row) {
					is_book ? i * 7 % MEMBERS : 1, i * 3 % (variant + 1), i * 5 % CONTACT_KINDS, i * INT64CONST(86400000000) + (variant & 2 ? i : 0)
				};
			value = make(rows, n, is_book ? -1 : 1, variant & 1, false);
			seed_value(is_book ? &contact_book : &contact_trail, value, binary);
		}
}

void
seeds_contact_book_in(void)
{
	seed_values_of(true, false);
}

void
seeds_contact_book_recv(void)
{
	seed_values_of(true, true);
}

void
seeds_contact_trail_in(void)
{
	seed_values_of(false, false);
}

void
seeds_contact_trail_recv(void)
{
	seed_values_of(false, true);
}

void
seeds_contact_rows(void)
{
	uint8		bytes[3 * ROWS_MAX + 64];

	for (int n = 1; n <= 180; n *= 5)
		for (int changes = 0; changes < 4; changes++)
		{
			uint8	   *p = bytes;

			*p++ = (uint8) n;
			*p++ = (uint8) changes;
			for (int i = 0; i < 4 + 4 * changes; i++)
				*p++ = (uint8) (i * 37 + n);
			for (int i = 0; i < 3 * n; i++)
				*p++ = (uint8) (i * 101 + changes);
			seed(bytes, p - bytes);
		}
}
