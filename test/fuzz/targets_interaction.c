/*
 * targets_interaction.c
 *	  Fuzzing of interaction_book and interaction_stage.
 *
 * Books come as bytes and text, are made of rows, whose stages are then counted
 * once more here, and are forged.  What is taken goes through all reports, whose
 * rows must not contradict each other, and is merged.
 */
#include "targets.h"

#include <stdio.h>

#include "shared/bytes.h"
#include "catalog/pg_type.h"
#include "interaction/interaction_core.h"
#include "utils/builtins.h"

#undef snprintf

FUNCTION(custmart_interaction_book_in);
FUNCTION(custmart_interaction_book_out);
FUNCTION(custmart_interaction_book_recv);
FUNCTION(custmart_interaction_book_combine);
FUNCTION(custmart_interaction_book_add);
FUNCTION(custmart_interaction_book_rows_skipped);
FUNCTION(custmart_interaction_book_member_count);
FUNCTION(custmart_interaction_book_step_bigint);
FUNCTION(custmart_interaction_book_step_text);
FUNCTION(custmart_interaction_stages);
FUNCTION(custmart_interaction_members);
FUNCTION(custmart_interaction_members_typed);
FUNCTION(custmart_interaction_transitions);
FUNCTION(custmart_interaction_stage_step);
FUNCTION(custmart_interaction_stage_combine);
FUNCTION(custmart_interaction_stage_final);

static const Type interaction_book = {
	"interaction_book", custmart_interaction_book_in, custmart_interaction_book_out, custmart_interaction_book_recv,
	custmart_stored_eq, custmart_stored_lt, custmart_stored_cmp, custmart_stored_hash, custmart_stored_hash_extended
};

#define ROWS_MAX 300
#define TIME_MAX (END_TIMESTAMP - 1)
#define FAR_STEP INT64CONST(40000000000000000)

typedef struct Row
{
	uint8		member;
	int			kind;			/* INTERACTION_KINDS: NULL */
	TimestampTz time;
} Row;

/* What is asked of a book. */
typedef struct Question
{
	Interval	span;
	int32		min_own;
	float8		min_own_share;
	TimestampTz from;
} Question;

static Datum
text_of(const char *text)
{
	return host_varlena(text, strlen(text));
}

/* Times near each other, a day apart, and at both ends. */
static TimestampTz
take_time(Input *input)
{
	uint8		n = take_byte(input);

	switch (n >> 6)
	{
		case 0:
			return n;
		case 1:
			return (n & 63) * USECS_PER_DAY;
		case 2:
			return MIN_TIMESTAMP + (n & 63);
		default:
			return TIME_MAX - (n & 63) * FAR_STEP;
	}
}

static Question
take_question(Input *input)
{
	static const float8 shares[] = {0, 0.3, 0.5, 1};
	Question	question = {{0}};
	uint8		n = take_byte(input);

	question.span.day = n & 1 ? 0 : (n >> 1) * 1000;
	/* Some begin just where an interaction is. */
	question.span.time = n & 1 ? Max(n >> 2, 1) * (n & 2 ? FAR_STEP : 1) : 1;
	if (n == 0xFE)
		question.span.day = INT32_MAX / 100;
	question.min_own = 1 + take_byte(input) % 4;
	question.min_own_share = shares[take_byte(input) % lengthof(shares)];
	question.from = take_time(input);
	return question;
}

/* ---------- reports ---------- */

static const Oid stage_columns[] = {TEXTOID, INT8OID, FLOAT8OID, INT8OID, INT8OID, INT8OID};
static const Oid member_columns[] = {INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID};
static const Oid text_member_columns[] = {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID};
static const Oid transition_columns[] = {TEXTOID, TEXTOID, INT8OID, FLOAT8OID};

/* Members and interactions by stage, as the report that is being read has them. */
static int64 members[INTERACTION_STAGES];
static int64 sums[INTERACTION_KINDS];
static int64 known;
static int64 total;

static int
stage_number(Datum stage)
{
	const char *name = text_to_cstring(DatumGetTextPP(stage));

	for (int i = 0; i < INTERACTION_STAGES; i++)
		if (strcmp(name, interaction_stage_names[i]) == 0)
			return i;
	host_require(false, "%s is no stage", name);
	return 0;
}

static void
add_stage(const Datum *values, const bool *nulls)
{
	members[stage_number(values[0])] = DatumGetInt64(values[1]);
	total += DatumGetInt64(values[1]);
	for (int i = 0; i < INTERACTION_KINDS; i++)
		sums[i] += DatumGetInt64(values[3 + i]);
}

static void
subtract_member(const Datum *values, const bool *nulls)
{
	int			stage = stage_number(values[1]);
	int64		all = 0;

	members[stage]--;
	for (int i = 0; i < INTERACTION_KINDS; i++)
	{
		sums[i] -= DatumGetInt64(values[2 + i]);
		all += DatumGetInt64(values[2 + i]);
	}
	host_require((all == 0) == (stage == STAGE_DORMANT), "dormant");
	host_require((stage == STAGE_FORCED) == (all > 0 && all == DatumGetInt64(values[2])), "forced");
}

static void
subtract_transition(const Datum *values, const bool *nulls)
{
	members[stage_number(values[1])] -= DatumGetInt64(values[2]);
	known += nulls[0] ? 0 : DatumGetInt64(values[2]);
	host_require(nulls[3] || (DatumGetFloat8(values[3]) >= 0 && DatumGetFloat8(values[3]) <= 1), "share");
}

static int64
read_rows(PGFunction function, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
		  void (*each) (const Datum *, const bool *))
{
	Outcome		outcome;

	host_each_row = each;
	outcome = host_rows(function, args, nargs, columns, ncolumns);
	host_each_row = NULL;
	host_require(!outcome.raised, "a report of a book that was taken: %s", outcome.message);
	return DatumGetInt64(outcome.value);
}

static void
require_zeros(const char *what)
{
	for (int i = 0; i < INTERACTION_STAGES; i++)
		host_require(members[i] == 0, "%s and interaction_stages differ in %s", what, interaction_stage_names[i]);
}

static void
use_book(Datum book, Question question)
{
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(DatumGetPointer(book));
	bool		is_text = bytes[2] == 3;
	bool		is_bigint = bytes[2] == 1;
	Datum		value = host_packed(book);
	int64		count = DatumGetInt64(must(CALL(custmart_interaction_book_member_count, ARG(value)), "member_count"));
	NullableDatum settings[] = {
		ARG(value), ARG(TimestampTzGetDatum(TIME_MAX)), ARG(PointerGetDatum(&question.span)),
		ARG(Int32GetDatum(question.min_own)), ARG(Float8GetDatum(question.min_own_share))
	};
	NullableDatum typed[] = {NULL_ARG, settings[0], NULL_ARG, settings[2], settings[3], settings[4]};
	NullableDatum moves[] = {
		settings[0], ARG(TimestampTzGetDatum(question.from)), settings[1], settings[2], settings[3], settings[4]
	};

	check_round_trips(&interaction_book, book);
	host_require(DatumGetInt64(must(CALL(custmart_interaction_book_rows_skipped, ARG(value)), "rows_skipped")) >= 0, "rows_skipped below 0");
	for (int latest = 0; latest < 2; latest++)
	{
		settings[1].isnull = moves[2].isnull = latest;
		memset(members, 0, sizeof(members));
		memset(sums, 0, sizeof(sums));
		total = known = 0;
		host_require(read_rows(custmart_interaction_stages, settings, 5, stage_columns, lengthof(stage_columns), add_stage) == INTERACTION_STAGES, "stages");
		host_require(total == count, "interaction_stages has %lld members of %lld", (long long) total, (long long) count);
		/* The moment asked from must be before the other one; of the latest that is not known here. */
		if (!latest && question.from < TIME_MAX)
		{
			int64		kept[INTERACTION_STAGES];

			memcpy(kept, members, sizeof(kept));
			host_require(read_rows(custmart_interaction_transitions, moves, 6, transition_columns, lengthof(transition_columns), subtract_transition) == 20, "transitions");
			require_zeros("interaction_transitions");
			memcpy(members, kept, sizeof(kept));
			host_require(known <= count, "more members than there are");
		}
		if (is_bigint)
			host_require(read_rows(custmart_interaction_members, settings, 5, member_columns, lengthof(member_columns), subtract_member) == count, "members");
		else if (is_text && latest)
			host_require(read_rows(custmart_interaction_members_typed, typed, 6, text_member_columns, lengthof(text_member_columns), subtract_member) == count, "members");
		else
			continue;
		require_zeros("interaction_members");
		for (int i = 0; i < INTERACTION_KINDS; i++)
			host_require(sums[i] == 0, "interaction_members and interaction_stages differ in interactions");
	}
}

static void
merge_books(Datum a, Datum b, Question question)
{
	Datum		value = merge_values(custmart_interaction_book_add, custmart_interaction_book_combine, a, b);

	if (value != (Datum) 0)
		use_book(value, question);
}

/* ---------- books as bytes and text ---------- */

void
target_interaction_book_recv(Input *input)
{
	static const Question question = {{USECS_PER_DAY, 100, 0}, 2, 0.5, 0};
	struct varlena *value = receive_both(&interaction_book, input);

	if (value == NULL)
		return;
	use_book(PointerGetDatum(value), question);
	merge_books(PointerGetDatum(value), PointerGetDatum(value), question);
}

void
target_interaction_book_in(Input *input)
{
	static const Question question = {{1, 1, 0}, 1, 0, 1};
	struct varlena *value = from_text(&interaction_book, input->at, left(input));

	if (value != NULL)
		use_book(PointerGetDatum(value), question);
}

/* ---------- books of rows ---------- */

static const char *const kinds[] = {"obliged", "induced", "own"};

static int
take_rows(Input *input, Row *rows)
{
	int			n = 0;

	while (n < ROWS_MAX && left(input) > 0)
	{
		uint8		first = take_byte(input);

		rows[n].member = first % 24;
		rows[n].kind = first / 24 % (INTERACTION_KINDS + 1);
		rows[n].time = take_time(input);
		n++;
	}
	return n;
}

/* The book of rows, from the last to the first if backwards. */
static Datum
book_of_rows(const Row *rows, int n, bool is_text, bool backwards)
{
	Datum		state = 0;

	for (int i = 0; i < n; i++)
	{
		const Row  *row = &rows[backwards ? n - 1 - i : i];
		char		name[32];
		NullableDatum args[] = {
			{state, state == (Datum) 0}, ARG((Datum) 0), NULL_ARG, ARG(TimestampTzGetDatum(row->time))
		};

		snprintf(name, sizeof(name), "%.*s%d", row->member % 9, "member--", row->member);
		args[1].value = is_text ? text_of(name) : Int64GetDatum((int64) row->member - 5);
		if (row->kind < INTERACTION_KINDS)
		{
			args[2].isnull = false;
			args[2].value = text_of(kinds[row->kind]);
		}
		state = must(host_call(is_text ? custmart_interaction_book_step_text : custmart_interaction_book_step_bigint,
							   args, 4, HOST_AGGREGATE), "interaction_book");
	}
	return flat(state);
}

/* The stage of a member by the definition, and by the aggregate, as of the end of time. */
static void
check_member(const Row *rows, int n, int member, const Question *question, int64 *expected)
{
	int128		span = (int128) question->span.day * USECS_PER_DAY + question->span.time;
	int64		of[INTERACTION_KINDS] = {0};
	int64		all = 0;
	bool		is_known = false;
	Datum		state = 0;
	Outcome		stage;
	int			by_definition;

	for (int i = 0; i < n; i++)
	{
		NullableDatum args[] = {
			{state, state == (Datum) 0}, ARG((Datum) 0), ARG(TimestampTzGetDatum(rows[i].time)), ARG(TimestampTzGetDatum(TIME_MAX)),
			ARG(PointerGetDatum(&question->span)), ARG(Int32GetDatum(question->min_own)), ARG(Float8GetDatum(question->min_own_share))
		};

		if (rows[i].member != member || rows[i].kind == INTERACTION_KINDS)
			continue;
		is_known = true;
		args[1].value = text_of(kinds[rows[i].kind]);
		state = must(host_call(custmart_interaction_stage_step, args, 7, HOST_AGGREGATE), "interaction_stage");
		if ((int128) TIME_MAX - rows[i].time < span)
		{
			of[rows[i].kind]++;
			all++;
		}
	}
	if (!is_known)
		return;
	by_definition = of[2] >= question->min_own && (float8) of[2] / (float8) all >= question->min_own_share ? STAGE_STICKY :
		of[1] + of[2] > 0 ? STAGE_INDUCED : all > 0 ? STAGE_FORCED : STAGE_DORMANT;
	stage = CALL_IN_AGGREGATE(custmart_interaction_stage_final, ARG(state));
	host_require(stage_number(must(stage, "final")) == by_definition, "interaction_stage is not as defined");
	expected[by_definition]++;
}

void
target_interaction_book_rows(Input *input)
{
	static Row	rows[ROWS_MAX];
	bool		is_text = take_byte(input) & 1;
	int			changes = take_byte(input) % 8;
	uint32		change[8];
	Question	question = take_question(input);
	int64		expected[INTERACTION_STAGES] = {0};
	struct varlena *forged;
	Datum		book;
	int			n;

	for (int i = 0; i < changes; i++)
		change[i] = (uint32) take_number(input, 4);
	n = take_rows(input, rows);
	if (n == 0)
		return;
	book = book_of_rows(rows, n, is_text, false);
	host_require(same_bytes(book, book_of_rows(rows, n, is_text, true)), "the order of rows tells");
	use_book(book, question);
	for (int member = 0; member < 24; member++)
		check_member(rows, n, member, &question, expected);
	{
		NullableDatum args[] = {
			ARG(book), ARG(TimestampTzGetDatum(TIME_MAX)), ARG(PointerGetDatum(&question.span)),
			ARG(Int32GetDatum(question.min_own)), ARG(Float8GetDatum(question.min_own_share))
		};

		memset(members, 0, sizeof(members));
		(void) read_rows(custmart_interaction_stages, args, 5, stage_columns, lengthof(stage_columns), add_stage);
		host_require(memcmp(members, expected, sizeof(members)) == 0, "interaction_stages is not as defined");
	}
	/* Two parts make the whole. */
	if (n > 1)
	{
		Datum		sum = flat(must(CALL(custmart_interaction_book_add, ARG(book_of_rows(rows, n / 2, is_text, false)),
										 ARG(book_of_rows(rows + n / 2, n - n / 2, is_text, true))), "+"));

		host_require(same_bytes(sum, book), "parts make another book");
	}

	forged = forge(&interaction_book, book, change, changes);
	if (forged == NULL)
		return;
	use_book(PointerGetDatum(forged), question);
	merge_books(PointerGetDatum(forged), book, question);
}

/* ---------- states of the aggregate, forged ---------- */

static void
check_forged(Outcome outcome, bool is_state)
{
	if (!outcome.raised && is_state)
		outcome = CALL_IN_AGGREGATE(custmart_interaction_stage_final, ARG(outcome.value));
	if (outcome.raised)
		host_require(outcome.sqlstate == ERRCODE_DATA_CORRUPTED || outcome.sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
					 outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE,
					 "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
	else
		(void) stage_number(outcome.value);
}

void
target_interaction_stage_state(Input *input)
{
	Size		length = left(input);
	Datum		forged = host_varlena(input->at, length);
	Datum		copy = host_varlena(input->at, length);

	check_forged(CALL_IN_AGGREGATE(custmart_interaction_stage_final, ARG(host_packed(forged))), false);
	check_forged(CALL_IN_AGGREGATE(custmart_interaction_stage_combine, NULL_ARG, ARG(host_packed(forged))), true);
	check_forged(CALL_IN_AGGREGATE(custmart_interaction_stage_combine, ARG(copy), ARG(forged)), true);
	check_forged(CALL_IN_AGGREGATE(custmart_interaction_stage_step, ARG(host_packed(forged)), ARG(text_of("own")),
								   ARG(TimestampTzGetDatum(0)), ARG(TimestampTzGetDatum(0))), true);
}

/* ---------- seeds ---------- */

static void
seed_books(bool binary)
{
	static Row	rows[ROWS_MAX];

	for (int n = 1; n <= 150; n *= 5)
		for (int is_text = 0; is_text < 2; is_text++)
		{
			Datum		book;

			for (int i = 0; i < n; i++)
				rows[i] = (Row) {(uint8) (i * 7 % 24), i % 4, i % 5 == 0 ? MIN_TIMESTAMP + i : i * INT64CONST(86400000000)};
			book = book_of_rows(rows, n, is_text, false);
			seed_value(&interaction_book, book, binary);
		}
}

void
seeds_interaction_book_in(void)
{
	seed_books(false);
}

void
seeds_interaction_book_recv(void)
{
	seed_books(true);
}

void
seeds_interaction_book_rows(void)
{
	uint8		bytes[2 * ROWS_MAX + 32];

	for (int n = 1; n <= 250; n *= 6)
		for (int changes = 0; changes < 4; changes++)
		{
			uint8	   *p = bytes;

			*p++ = (uint8) n;
			*p++ = (uint8) changes;
			for (int i = 0; i < 4 + 4 * changes; i++)
				*p++ = (uint8) (i * 37 + n);
			for (int i = 0; i < 2 * n; i++)
				*p++ = (uint8) (i * 101 + changes);
			seed(bytes, p - bytes);
		}
}

void
seeds_interaction_stage_state(void)
{
	Datum		state = must(CALL_IN_AGGREGATE(custmart_interaction_stage_step, NULL_ARG, ARG(text_of("own")),
											   ARG(TimestampTzGetDatum(0)), ARG(TimestampTzGetDatum(0))), "interaction_stage");

	seed(VARDATA_ANY(DatumGetPointer(state)), VARSIZE_ANY_EXHDR(DatumGetPointer(state)));
}
