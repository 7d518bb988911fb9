/*
 * targets_funnel.c
 *	  Fuzzing of funnels made of rows: levels are found once more here, by the
 *	  definition, in every mode.  targets_behaviour.c does the rest of funnel and
 *	  funnel_book.
 */
#include "targets.h"

#include "shared/bytes.h"
#include "catalog/pg_type.h"
#include "funnel/funnel_core.h"
#include "utils/array.h"
#include "utils/builtins.h"

FUNCTION(custmart_funnel_step);
FUNCTION(custmart_funnel_summary_add);
FUNCTION(custmart_funnel_level);
FUNCTION(custmart_funnel_book_add);
FUNCTION(custmart_funnel_book_step_bigint);
FUNCTION(custmart_funnel_steps);

/* The names of FUNNEL_ONCE, FUNNEL_ORDER ..., and of none of them. */
static const char *const names[] = {"strict_once", "strict_order", "strict_deduplication", "strict_increase"};

#define MODES 16
#define ROWS_MAX 40
#define STEPS_MAX 5				/* of funnels whose levels are found once more */
#define MEMBERS 3

typedef struct Row
{
	int			member;
	TimestampTz time;
	uint32		steps;			/* that it meets */
	uint32		unknown;		/* that are NULL */
} Row;

/* A mode as the argument of that name. */
static Datum
mode_of(int mode)
{
	char		text[100] = "";

	for (int i = 0; i < (int) lengthof(names); i++)
		if (mode & 1 << i)
		{
			strcat(text, text[0] == '\0' ? "" : i % 2 ? "," : " , ");
			strcat(text, names[i]);
		}
	if (mode == 0)
		strcpy(text, "clickhouse");
	return host_varlena(text, strlen(text));
}

static const Oid step_columns[] = {INT4OID, INT8OID, FLOAT8OID, FLOAT8OID, INTERVALOID, INTERVALOID, FLOAT8OID, FLOAT8OID};

/* Members who reached each step, as the report that is being read has them. */
static int64 reached[FUNNEL_STEPS_MAX + 1];

static void
add_step(const Datum *values, const bool *nulls)
{
	int			step = DatumGetInt32(values[0]);

	reached[step] = DatumGetInt64(values[1]);
	host_require(nulls[4] == (step == 1 || reached[step] == 0) && nulls[5] == nulls[4], "times of step %d", step);
	host_require(step == 1 ? nulls[2] : nulls[2] == (reached[step - 1] == 0), "rate of step %d", step);
	host_require(step == 1 || reached[step] <= reached[step - 1], "more come to step %d than before", step);
}

static TimestampTz
take_time(Input *input)
{
	uint8		n = take_byte(input);

	return n < 0x80 ? n % 8 : n < 0xE0 ? n * INT64CONST(1000) : n < 0xF0 ? MIN_TIMESTAMP + n : END_TIMESTAMP - 1 - n % 4;
}

static Datum
steps_array(const Row *row, int steps)
{
	bool		has_nulls = row->unknown != 0;
	Size		overhead = has_nulls ? ARR_OVERHEAD_WITHNULLS(1, steps) : ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array = palloc0(overhead + steps);
	char	   *at = (char *) array + overhead;

	array->ndim = 1;
	array->dataoffset = has_nulls ? (int32) overhead : 0;
	array->elemtype = BOOLOID;
	ARR_DIMS(array)[0] = steps;
	ARR_LBOUND(array)[0] = 1;
	for (int i = 0; i < steps; i++)
		if (has_nulls && (row->unknown >> i & 1) == 0)
		{
			ARR_NULLBITMAP(array)[i / 8] |= 1 << i % 8;
			*at++ = row->steps >> i & 1;
		}
		else if (!has_nulls)
			*at++ = row->steps >> i & 1;
	SET_VARSIZE(array, at - (char *) array);
	return PointerGetDatum(array);
}

/* Rows of a member, or of all if it is below 0, in a value or in a book. */
static Datum
make(bool is_book, const Row *rows, int n, int member, int steps, Interval *within, bool backwards)
{
	Datum		state = 0;

	for (int i = 0; i < n; i++)
	{
		const Row  *row = &rows[backwards ? n - 1 - i : i];
		NullableDatum args[] = {
			{state, state == (Datum) 0}, ARG(Int64GetDatum(row->member)), ARG(IntervalPGetDatum(within)),
			ARG(TimestampTzGetDatum(row->time)), ARG(steps_array(row, steps))
		};

		if (member >= 0 && row->member != member)
			continue;
		if (!is_book)
			memmove(args + 1, args + 2, 3 * sizeof(NullableDatum));
		state = must(host_call(is_book ? custmart_funnel_book_step_bigint : custmart_funnel_step, args, is_book ? 5 : 4, HOST_AGGREGATE), "a row");
	}
	return state == (Datum) 0 ? state : flat(state);
}

/*
 * Steps from r + 1 on that rows of a time can meet.  Different rows can be found
 * for steps if any k of them are met by k rows (Hall 1935).
 */
static int
advance(const Row *rows, int n, int member, TimestampTz time, int r, int steps, int mode)
{
	int			m = 0;

	for (; r + m < steps && (m == 0 || (mode & FUNNEL_INCREASE) == 0); m++)
	{
		uint32		last = UINT32_C(1) << (r + m);

		for (uint32 set = 0; set < last; set += UINT32_C(1) << r)
		{
			int			found = 0;

			for (int i = 0; i < n; i++)
				found += rows[i].member == member && rows[i].time == time && (rows[i].steps & ~rows[i].unknown & (set | last)) != 0;
			if (found < (mode & FUNNEL_ONCE ? pg_popcount32(set | last) : 1))
				return m;
			if ((mode & FUNNEL_ONCE) == 0)
				break;
		}
	}
	return m;
}

/* The level of a member: every chain there is, as docs/funnel.md defines it. */
static int
level_by_definition(const Row *rows, int n, int member, int steps, int64 within, int mode)
{
	int			best = 0;

	for (int start = 0; start < n; start++)
	{
		TimestampTz time = rows[start].time;
		int			r = 0;
		bool		is_over = rows[start].member != member;

		while (!is_over)
		{
			TimestampTz next = END_TIMESTAMP;
			int			m = advance(rows, n, member, time, r, steps, mode);

			r += m;
			is_over = r == 0;
			for (int i = 0; i < n; i++)
			{
				bool		meets = (rows[i].steps & ~rows[i].unknown & ((UINT32_C(1) << r) - 1)) != 0;

				if (rows[i].member != member)
					continue;
				if (rows[i].time == time && m == 0 && (mode & (meets ? FUNNEL_DEDUPLICATION : FUNNEL_ORDER)))
					is_over = true;
				if (rows[i].time > time)
					next = Min(next, rows[i].time);
			}
			time = next;
			is_over |= time == END_TIMESTAMP || (uint64) time - (uint64) rows[start].time > (uint64) within;
		}
		best = Max(best, r);
	}
	return best;
}

void
target_funnel_rows(Input *input)
{
	Row			rows[ROWS_MAX];
	int			steps = 1 + take_byte(input) % STEPS_MAX;
	int			mode = take_byte(input) % MODES;
	Interval	within = {.time = take_byte(input)};
	int			n = 0;
	int			levels[MEMBERS];
	Datum		book;

	if (within.time > 0x40)
		within = (Interval) {.day = (int32) (within.time - 0x40) * 500000};
	while (n < ROWS_MAX && left(input) > 0)
	{
		uint8		byte = take_byte(input);

		rows[n].time = take_time(input);
		rows[n].member = byte >> 5 & 3;
		rows[n].member = Min(rows[n].member, MEMBERS - 1);
		rows[n].steps = byte & funnel_all_steps(steps);
		rows[n].unknown = byte & 0x80 ? take_byte(input) & funnel_all_steps(steps) : 0;
		n++;
	}
	if (n == 0)
		return;

	book = make(true, rows, n, -1, steps, &within, false);
	host_require(same_bytes(book, make(true, rows, n, -1, steps, &within, true)), "the order of rows tells");
	memset(reached, 0, sizeof(reached));
	for (int member = 0; member < MEMBERS; member++)
	{
		Datum		value = make(false, rows, n, member, steps, &within, member & 1);

		levels[member] = 0;
		if (value == (Datum) 0)
			continue;
		levels[member] = level_by_definition(rows, n, member, steps, within.day * USECS_PER_DAY + within.time, mode);
		host_require(DatumGetInt32(must(CALL(custmart_funnel_level, ARG(value), ARG(mode_of(mode))), "level")) == levels[member],
					 "the level of a member is not %d in mode %d", levels[member], mode);
	}
	{
		NullableDatum args[] = {ARG(book), ARG(mode_of(mode))};

		host_each_row = add_step;
		host_require(DatumGetInt64(must(host_rows(custmart_funnel_steps, args, 2, step_columns, lengthof(step_columns)), "funnel_steps")) == steps, "steps");
		host_each_row = NULL;
		for (int member = 0; member < MEMBERS; member++)
			for (int step = 1; step <= levels[member]; step++)
				reached[step]--;
		for (int step = 1; step <= steps; step++)
			host_require(reached[step] == 0, "funnel_steps is not as defined in step %d", step);
	}
	/* Two parts make the whole, of a value and of a book. */
	for (int is_book = 0; is_book < 2 && n > 1; is_book++)
		host_require(same_bytes(flat(must(CALL(is_book ? custmart_funnel_book_add : custmart_funnel_summary_add,
											   ARG(make(is_book, rows, n / 2, -1, steps, &within, false)),
											   ARG(make(is_book, rows + n / 2, n - n / 2, -1, steps, &within, true))), "+")),
								make(is_book, rows, n, -1, steps, &within, false)), "parts make another one");
}

/* Any text as a mode: an error that says so, or a list of names. */
void
target_funnel_mode(Input *input)
{
	Row			row = {0, 0, 1, 0};
	Interval	within = {.time = 1};
	Outcome		outcome = CALL(custmart_funnel_level, ARG(make(false, &row, 1, 0, 1, &within, false)), ARG(host_varlena(input->at, left(input))));

	if (outcome.raised)
		host_require(outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
	else
		host_require(DatumGetInt32(outcome.value) == 1, "a level that is not 1");
}

/* An array of numbers or intervals, as its elements lie in memory. */
static Datum
array_of(Oid type, int size, const void *elements, int ndim, const int *dims)
{
	int			n = ArrayGetNItems(ndim, dims);
	Size		length = ARR_OVERHEAD_NONULLS(ndim) + (Size) n * size;
	ArrayType  *array = palloc0(length);

	SET_VARSIZE(array, length);
	array->ndim = ndim;
	array->elemtype = type;
	for (int i = 0; i < ndim; i++)
	{
		ARR_DIMS(array)[i] = dims[i];
		ARR_LBOUND(array)[i] = 1;
	}
	if (n > 0)
		memcpy((char *) array + ARR_OVERHEAD_NONULLS(ndim), elements, (Size) n * size);
	return PointerGetDatum(array);
}

static bool
is_condition(const Row *row, int condition)
{
	return (row->steps & ~row->unknown & UINT32_C(1) << condition) != 0;
}

typedef struct Rules
{
	int			steps;
	int			step[STEPS_MAX + 1];	/* which condition each is */
	int			exclusions;
	int32		exclusion[STEPS_MAX][3];
	int64		within;
	Interval	step_within[STEPS_MAX];
	Interval	step_gap[STEPS_MAX];
} Rules;

/* The level by all chains there are, where a row may be several steps. */
static int
level_by_rules(const Row *rows, int n, const Rules *rules, int r, int64 start, int64 last)
{
	int			best = r;

	for (int i = 0; i < n && r < rules->steps; i++)
	{
		bool		may_follow = is_condition(&rows[i], rules->step[r]);

		if (may_follow && r > 0)
		{
			may_follow = rows[i].time >= last && rows[i].time - start <= rules->within &&
				rows[i].time - last <= rules->step_within[r - 1].time && rows[i].time - last >= rules->step_gap[r - 1].time;
			for (int x = 0; x < rules->exclusions; x++)
				for (int k = 0; k < n && may_follow && rules->exclusion[x][1] <= r && r < rules->exclusion[x][2]; k++)
					may_follow = !is_condition(&rows[k], rules->exclusion[x][0] - 1) || rows[k].time <= last || rows[k].time >= rows[i].time;
		}
		if (may_follow)
			best = Max(best, level_by_rules(rows, n, rules, r + 1, r == 0 ? rows[i].time : start, rows[i].time));
	}
	return best;
}

/* Rules of all kinds: the level that the definition gives, or an error that says what is wrong with them. */
void
target_funnel_rules(Input *input)
{
	enum
	{
		FEW = 9
	};
	Row			rows[FEW];
	Rules		rules = {0};
	int			conditions = 1 + take_byte(input) % STEPS_MAX;
	Interval	within = {.time = take_byte(input) % 16};
	uint8		shape = take_byte(input);
	bool		is_wrong = false;
	uint32		excluded = 0;
	int			ways = take_byte(input) % (STEPS_MAX + 1);
	int			n = 0;
	Outcome		outcome;
	Datum		value;

	rules.within = within.time;
	rules.exclusions = shape & 3;
	for (int i = 0; i < rules.exclusions; i++)
	{
		uint8		byte = take_byte(input);

		rules.exclusion[i][0] = byte % 8;
		rules.exclusion[i][1] = byte >> 3 & 3;
		rules.exclusion[i][2] = byte >> 5 & 7;
		is_wrong |= rules.exclusion[i][0] < 1 || rules.exclusion[i][0] > conditions;
		excluded |= UINT32_C(1) << rules.exclusion[i][0] >> 1;
	}
	for (int i = 0; i < conditions; i++)
		if ((excluded >> i & 1) == 0)
			rules.step[rules.steps++] = i;
	is_wrong |= rules.steps == 0;
	for (int i = 0; i < rules.exclusions; i++)
	{
		if ((shape & 4) == 0)
		{
			rules.exclusion[i][1] = 1;
			rules.exclusion[i][2] = rules.steps;
		}
		else
			is_wrong |= rules.exclusion[i][1] < 1 || rules.exclusion[i][2] <= rules.exclusion[i][1] || rules.exclusion[i][2] > rules.steps;
	}
	is_wrong |= ways > 0 && ways > rules.steps - 1;
	for (int i = 0; i < STEPS_MAX; i++)
	{
		rules.step_within[i].time = i < ways ? (int8) take_byte(input) : PG_INT64_MAX;
		rules.step_gap[i].time = i < ways && (shape & 8) != 0 ? (int8) take_byte(input) % 8 : 0;
		is_wrong |= rules.step_within[i].time < 0 || rules.step_gap[i].time < 0 || rules.step_gap[i].time > rules.step_within[i].time;
	}
	while (n < FEW && left(input) > 0)
	{
		uint8		byte = take_byte(input);

		rows[n].time = take_byte(input) % 16;
		rows[n].member = 0;
		rows[n].steps = byte & funnel_all_steps(conditions);
		rows[n].unknown = 0;
		n++;
	}
	if (n == 0)
		return;
	value = make(false, rows, n, 0, conditions, &within, (shape & 16) != 0);
	{
		int32		listed[STEPS_MAX];
		int			dims[] = {rules.exclusions, 3};

		for (int i = 0; i < rules.exclusions; i++)
			listed[i] = rules.exclusion[i][0];
		outcome = CALL(custmart_funnel_level, ARG(value), ARG(mode_of(0)),
					   ARG(array_of(INT4OID, sizeof(int32), shape & 4 ? (void *) rules.exclusion : (void *) listed,
									rules.exclusions == 0 ? 0 : shape & 4 ? 2 : 1, dims)),
					   ARG(array_of(INTERVALOID, sizeof(Interval), rules.step_within, ways > 0, &ways)),
					   ARG(array_of(INTERVALOID, sizeof(Interval), rules.step_gap, ways > 0, &ways)),
					   ARG(array_of(INT4OID, sizeof(int32), NULL, 0, NULL)));
	}
	if (outcome.raised)
		host_require(is_wrong && outcome.sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "SQLSTATE %s: %s", unpack_sql_state(outcome.sqlstate), outcome.message);
	else
	{
		int			level = level_by_rules(rows, n, &rules, 0, 0, 0);

		host_require(!is_wrong, "wrong rules are taken");
		host_require(DatumGetInt32(outcome.value) == level, "level %d, not %d", DatumGetInt32(outcome.value), level);
	}
}

/* ---------- seeds ---------- */

void
seeds_funnel_rules(void)
{
	uint8		bytes[32];

	for (int shape = 0; shape < 32; shape++)
	{
		bytes[0] = 3 + shape % 2;
		bytes[1] = 12;
		bytes[2] = (uint8) shape;
		bytes[3] = (uint8) (shape % 3);
		for (int i = 4; i < (int) sizeof(bytes); i++)
			bytes[i] = (uint8) (i * 37 + shape * i);
		if (shape & 3)
			bytes[4] = 4 | 1 << 3 | 2 << 5;
		seed(bytes, sizeof(bytes));
	}
}

void
seeds_funnel_rows(void)
{
	uint8		bytes[3 + 2 * ROWS_MAX];

	for (int mode = 0; mode < MODES; mode++)
		for (int n = 2; n <= ROWS_MAX; n *= 3)
		{
			bytes[0] = (uint8) (mode + n);
			bytes[1] = (uint8) mode;
			bytes[2] = (uint8) (n * 3);
			for (int i = 0; i < 2 * n; i++)
				bytes[3 + i] = (uint8) (i * 59 + mode * i / 3) & 0x7F;
			seed(bytes, 3 + 2 * n);
		}
}

void
seeds_funnel_mode(void)
{
	seed_text("clickhouse");
	for (int i = 0; i < (int) lengthof(names); i++)
		seed_text(names[i]);
	seed_text(" strict_once , strict_order,strict_increase");
}
