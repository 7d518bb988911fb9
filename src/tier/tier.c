/*
 * tier.c
 *	  The SQL face of tier: a window function, and cuts that can be stored.
 *
 * The window function reads its whole partition once, finds the cuts, and then
 * only compares.  It needs no ORDER BY, so no sort.
 */
#include "custmart.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "shared/aggregate.h"
#include "shared/array_state.h"
#include "shared/large_memory.h"
#include "lib/stringinfo.h"
#include "money/decimal_numeric.h"
#include "tier/tier_core.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "windowapi.h"

typedef enum ValueType
{
	VALUE_FLOAT8,
	VALUE_NUMERIC,
	VALUE_BIGINT
} ValueType;

/* ---------- arguments ---------- */

/* Raises 22023 with the numbers as given: "shares {0.9,0.3} are not valid: ...". */
static void
raise_numbers(const char *argument, const float8 *numbers, int n, const char *wrong, const char *hint)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < Min(n, 10); i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ",", float8out_internal(numbers[i]));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s {%s%s} are not valid: %s", argument, list.data, n > 10 ? ",..." : "", wrong),
			 errhint("%s", hint)));
}

/* The elements of a float8[] argument, which must be a list without NULLs. */
static int
get_numbers(Datum value, const char *argument, float8 **numbers)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || n < 1 || n >= TIER_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of 1 to %d numbers without NULL", argument, TIER_MAX - 1),
				 errhint("Give a one-dimensional array such as ARRAY[0.1, 0.3].")));
	*numbers = palloc(sizeof(float8) * n);
	memcpy(*numbers, (char *) array + ARR_OVERHEAD_NONULLS(ARR_NDIM(array)), sizeof(float8) * n);
	return n;
}

/* Shares, added up. */
static int
get_sums(Datum value, float8 **sums)
{
	float8	   *shares;
	int			n = get_numbers(value, "shares", &shares);
	const char *wrong;

	*sums = palloc(sizeof(float8) * n);
	wrong = tier_accumulate(shares, n, *sums);
	if (wrong != NULL)
		raise_numbers("shares", shares, n, wrong,
					  "Shares are the sizes of the grades from the best on, without the rest: ARRAY[0.1, 0.3] for the top 10 % and the next 30 %.");
	return n;
}

/* Names: one for each of `cuts` grades and one for the rest. */
static Datum *
get_names(Datum value, int cuts, const char *argument)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *names;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("names must be a list of texts without NULL"),
				 errhint("Give a one-dimensional array such as ARRAY['gold', 'silver', 'rest'].")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	if (n != cuts + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be %d names, one more than %s, not %d", cuts + 1, argument, n),
				 errhint("Give one name more than %s: the last is for the rest.", argument)));
	return names;
}

static float8
check_number(float8 value)
{
	if (isnan(value) || isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value must be a finite number, not \"%s\"",
						isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity"),
				 errhint("Leave such rows out, or make them NULL, which has no grade.")));
	return value;
}

/* ---------- the window function ---------- */

/* What is known of a partition, once its cuts are found. */
typedef struct Partition
{
	bool		is_ready;
	int			cuts;
	Datum	   *names;
	bytea	   *shares_given;	/* as given in the first row, to compare with */
	bytea	   *names_given;
	float8	   *number_cuts;	/* VALUE_FLOAT8 */
	int64	   *decimal_cuts;	/* the others */
	bool	   *has_cut;
	DecimalPool pool;
} Partition;

static Datum
get_parameter(WindowObject window, int argument, const char *name)
{
	bool		is_null;
	Datum		value = WinGetFuncArgCurrent(window, argument, &is_null);

	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name),
				 errhint("shares are the sizes of the grades, names their names and one for the rest.")));
	return value;
}

static int64
get_decimal(Datum value, ValueType type, DecimalPool *pool)
{
	if (type == VALUE_BIGINT)
		return decimal_from_int64(DatumGetInt64(value), pool);
	return numeric_read(value, "value", pool);
}

/*
 * Reads all values of the partition into an array of 8 bytes each; returns how
 * many are not NULL.  What the argument's expression allocates goes with the
 * scratch context.
 */
static Size
read_values(WindowObject window, Partition *partition, ValueType type, int64 *values, int rows)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "custmart tier rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	Size		n = 0;

	StaticAssertStmt(sizeof(int64) == sizeof(float8), "one array serves both");
	for (int i = 0; i < rows; i++)
	{
		bool		is_null;
		bool		is_out;
		Datum		value = WinGetFuncArgInPartition(window, 0, i, WINDOW_SEEK_HEAD, false,
													 &is_null, &is_out);

		if (!is_null && type == VALUE_FLOAT8)
			((float8 *) values)[n++] = check_number(DatumGetFloat8(value));
		else if (!is_null)
			values[n++] = get_decimal(value, type, &partition->pool);
		if (i % 1000 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return n;
}

/* Reads the partition and finds its cuts, which live as long as it does. */
static void
prepare(WindowObject window, Partition *partition, ValueType type)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(partition));
	int64		rows = WinGetPartitionRowCount(window);
	Size		n;
	float8	   *sums;
	int64	   *values;

	if (rows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a partition cannot have more than %d rows", PG_INT32_MAX),
				 errhint("Partition by a finer cohort, or grade with tier_of() by cuts from tier_cuts().")));
	partition->pool.context = CurrentMemoryContext;
	partition->shares_given = DatumGetByteaPCopy(get_parameter(window, 1, "shares"));
	partition->names_given = DatumGetByteaPCopy(get_parameter(window, 2, "names"));
	partition->cuts = get_sums(PointerGetDatum(partition->shares_given), &sums);
	partition->names = get_names(PointerGetDatum(partition->names_given), partition->cuts, "shares");

	values = large_alloc(CurrentMemoryContext, rows * sizeof(int64));
	n = read_values(window, partition, type, values, (int) rows);
	if (n > 0)
	{
		partition->number_cuts = palloc(sizeof(float8) * partition->cuts);
		partition->decimal_cuts = palloc(sizeof(int64) * partition->cuts);
		partition->has_cut = palloc(sizeof(bool) * partition->cuts);
		if (type == VALUE_FLOAT8)
			tier_cuts_of_numbers((float8 *) values, n, sums, partition->cuts, partition->number_cuts);
		else
			tier_cuts_of_decimals(values, &partition->pool, n, sums, partition->cuts,
								  partition->decimal_cuts, partition->has_cut);
	}
	pfree(values);
	partition->is_ready = true;
	MemoryContextSwitchTo(old);
}

/* Raises 22023 if a parameter differs from that of the partition's first row. */
static void
check_constant(FunctionCallInfo fcinfo, WindowObject window, int argument,
			   const char *name, bytea *given)
{
	Datum		value;
	bytea	   *now;

	if (get_fn_expr_arg_stable(fcinfo->flinfo, argument))
		return;
	value = get_parameter(window, argument, name);
	now = DatumGetByteaP(value);
	if (VARSIZE(now) != VARSIZE(given) || memcmp(now, given, VARSIZE(given)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same for all rows of a partition", name),
				 errhint("Partition by what they depend on, or write them as constants.")));
	if ((Pointer) now != DatumGetPointer(value))
		pfree(now);
}

static Datum
tier(FunctionCallInfo fcinfo, ValueType type)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Partition  *partition = WinGetPartitionLocalMemory(window, sizeof(Partition));
	bool		is_null;
	Datum		value;
	int			grade;

	if (!partition->is_ready)
		prepare(window, partition, type);
	else
	{
		check_constant(fcinfo, window, 1, "shares", partition->shares_given);
		check_constant(fcinfo, window, 2, "names", partition->names_given);
	}

	value = WinGetFuncArgCurrent(window, 0, &is_null);
	if (is_null)
		PG_RETURN_NULL();
	if (type == VALUE_FLOAT8)
	{
		float8		number = DatumGetFloat8(value);

		for (grade = 0; grade < partition->cuts; grade++)
			if (number >= partition->number_cuts[grade])
				break;
	}
	else
	{
		uint32		kept = partition->pool.count;
		int64		number = get_decimal(value, type, &partition->pool);

		for (grade = 0; grade < partition->cuts; grade++)
			if (partition->has_cut[grade] &&
				decimal_packed_compare(number, partition->decimal_cuts[grade], &partition->pool) >= 0)
				break;
		partition->pool.count = kept;
	}
	PG_RETURN_DATUM(partition->names[grade]);
}

/* tier(float8, float8[], text[]) OVER (...): the name of the row's grade. */
CUSTMART_FUNCTION(custmart_tier_float8);
Datum
custmart_tier_float8(PG_FUNCTION_ARGS)
{
	return tier(fcinfo, VALUE_FLOAT8);
}

/* tier(numeric, float8[], text[]) OVER (...): the same, compared exactly. */
CUSTMART_FUNCTION(custmart_tier_numeric);
Datum
custmart_tier_numeric(PG_FUNCTION_ARGS)
{
	return tier(fcinfo, VALUE_NUMERIC);
}

/* tier(bigint, float8[], text[]) OVER (...): the same, compared exactly. */
CUSTMART_FUNCTION(custmart_tier_bigint);
Datum
custmart_tier_bigint(PG_FUNCTION_ARGS)
{
	return tier(fcinfo, VALUE_BIGINT);
}

/* ---------- the aggregate tier_cuts(value, shares) ---------- */

/* State: bigint[] of the number of shares, then the bits of the shares and of the values. */
static int
state_header(const char *elements, int count)
{
	int64		shares = 0;

	if (count > 0)
		memcpy(&shares, elements, 8);
	if (shares < 1 || shares >= TIER_MAX || count < (int) shares + 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of an aggregate is not valid")));
	return (int) shares + 1;
}

/* tier_cuts_step(bigint[], value, shares): collects one value. */
CUSTMART_FUNCTION(custmart_tier_cuts_step);
Datum
custmart_tier_cuts_step(PG_FUNCTION_ARGS)
{
	ArrayState	state;
	float8	   *shares;
	float8		value;
	int			n;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	value = check_number(PG_GETARG_FLOAT8(1));
	n = get_numbers(PG_GETARG_DATUM(2), "shares", &shares);
	if (!array_state_of_aggregate(fcinfo, &state))
	{
		float8	   *sums;

		(void) get_sums(PG_GETARG_DATUM(2), &sums);
		array_state_append(&state, n);
		for (int i = 0; i < n; i++)
			array_state_append(&state, float8_bits(shares[i] + 0.0)); /* no negative zero */
		pfree(sums);
	}
	else
	{
		bool		is_same = array_state_element(&state, 1) == n;

		for (int i = 0; i < n && is_same; i++)
			is_same = array_state_element(&state, i + 2) == float8_bits(shares[i] + 0.0);
		if (!is_same)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("shares must be the same for all rows"),
					 errhint("Group by what they depend on, or write them as constants.")));
	}
	pfree(shares);
	array_state_append(&state, float8_bits(value));
	PG_RETURN_DATUM(state.array);
}

/* tier_cuts_combine(bigint[], bigint[]): both collections as one. */
CUSTMART_FUNCTION(custmart_tier_cuts_combine);
Datum
custmart_tier_cuts_combine(PG_FUNCTION_ARGS)
{
	return array_state_combine(fcinfo, state_header, "bins or shares");
}

/* tier_cuts_final(bigint[]): one cut per share; NULL if there was no value. */
CUSTMART_FUNCTION(custmart_tier_cuts_final);
Datum
custmart_tier_cuts_final(PG_FUNCTION_ARGS)
{
	const char *elements;
	const char *wrong;
	int			count;
	int			header;
	int			n;
	float8	   *sums;
	float8	   *values;
	Datum	   *cuts;
	float8	   *cut_values;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	elements = array_state_elements(PG_GETARG_DATUM(0), &count);
	header = state_header(elements, count);
	n = header - 1;
	sums = palloc(sizeof(float8) * n);
	wrong = tier_accumulate((const float8 *) (elements + 8), n, sums);
	if (wrong != NULL)
		raise_numbers("shares", (const float8 *) (elements + 8), n, wrong,
					  "Only the aggregate itself can make this state.");
	if (count == header)
		PG_RETURN_NULL();

	values = large_alloc(CurrentMemoryContext, sizeof(float8) * (count - header));
	memcpy(values, elements + (Size) header * 8, sizeof(float8) * (count - header));
	for (int i = 0; i < count - header; i++)
		(void) check_number(values[i]);
	cut_values = palloc(sizeof(float8) * n);
	cuts = palloc(sizeof(Datum) * n);
	tier_cuts_of_numbers(values, count - header, sums, n, cut_values);
	for (int i = 0; i < n; i++)
		cuts[i] = Float8GetDatum(cut_values[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(cuts, n, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* tier_of(value, cuts, names): the name of the grade that kept cuts give. */
CUSTMART_FUNCTION(custmart_tier_of);
Datum
custmart_tier_of(PG_FUNCTION_ARGS)
{
	float8		value = check_number(PG_GETARG_FLOAT8(0));
	float8	   *cuts;
	int			n = get_numbers(PG_GETARG_DATUM(1), "cuts", &cuts);
	Datum	   *names = get_names(PG_GETARG_DATUM(2), n, "cuts");
	int			grade;

	for (int i = 0; i < n; i++)
		if (isnan(cuts[i]) || (i > 0 && cuts[i] > cuts[i - 1]))
			raise_numbers("cuts", cuts, n, "they must be in descending order, without NaN",
						  "Give the cuts as tier_cuts returned them.");
	for (grade = 0; grade < n; grade++)
		if (value >= cuts[grade])
			break;
	PG_RETURN_TEXT_P(DatumGetTextPCopy(names[grade]));
}
