/*
 * split.c
 *	  Runs an aggregate as Citus splits it over workers and a coordinator.
 *
 * Citus does not leave an aggregate to the executor: it calls its support
 * functions from an aggregate of its own, on the workers until there is a
 * partial state, which travels as text or binary, then on the coordinator.  That
 * gives them less than the executor does:
 *
 * - a fresh FmgrInfo at every row, so what was kept in fn_extra is gone, and no
 *   expression to ask for the types of the arguments;
 * - no collation;
 * - the AggState of the aggregate around them.
 *
 * Partial states are NULL where a worker had no rows, and combining begins with
 * NULL.  Here all of that is done in one server; 040_split.pl gives the functions their SQL names,
 * and 103_forged.pl those that take forged states.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/expandeddatum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

/* What is known of the aggregate that is run, and its state. */
typedef struct Run
{
	Oid			step;
	Oid			combine;
	Oid			final;			/* or InvalidOid */
	Oid			type;			/* of the state */
	int16		length;
	bool		by_value;
	bool		is_null;
	Datum		state;
} Run;

static Run *
begin_run(FunctionCallInfo fcinfo, Oid aggregate)
{
	MemoryContext context;
	HeapTuple	tuple;
	Form_pg_aggregate form;
	Run		   *run;
	bool		has_no_initial_state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "not called as an aggregate");
	if (!PG_ARGISNULL(0))
		return (Run *) PG_GETARG_POINTER(0);

	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "%u is not an aggregate", aggregate);
	form = (Form_pg_aggregate) GETSTRUCT(tuple);
	(void) SysCacheGetAttr(AGGFNOID, tuple, Anum_pg_aggregate_agginitval, &has_no_initial_state);
	if (!has_no_initial_state)
		elog(ERROR, "%s has an initial state", get_func_name(aggregate));
	run = MemoryContextAllocZero(context, sizeof(Run));
	run->step = form->aggtransfn;
	run->combine = form->aggcombinefn;
	run->final = form->aggfinalfn;
	run->type = form->aggtranstype;
	run->is_null = true;
	get_typlenbyval(run->type, &run->length, &run->by_value);
	ReleaseSysCache(tuple);
	return run;
}

/* Makes a value the state, as the executor does. */
static void
set_state(FunctionCallInfo fcinfo, Run *run, Datum value, bool is_null)
{
	if (!run->by_value && DatumGetPointer(value) != DatumGetPointer(run->state))
	{
		if (!is_null)
		{
			MemoryContext context;
			MemoryContext old;

			AggCheckCallContext(fcinfo, &context);
			old = MemoryContextSwitchTo(context);
			if (!(DatumIsReadWriteExpandedObject(value, false, run->length) &&
				  MemoryContextGetParent(DatumGetEOHP(value)->eoh_context) == context))
				value = datumCopy(value, run->by_value, run->length);
			MemoryContextSwitchTo(old);
		}
		if (!run->is_null)
		{
			if (DatumIsReadWriteExpandedObject(run->state, false, run->length))
				DeleteExpandedObject(run->state);
			else
				pfree(DatumGetPointer(run->state));
		}
	}
	run->state = value;
	run->is_null = is_null;
}

/* Calls a support function with the state and n more arguments. */
static void
advance(FunctionCallInfo fcinfo, Run *run, Oid function, int n, const NullableDatum *arguments)
{
	LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
	FmgrInfo	info;
	Datum		result;

	fmgr_info(function, &info);
	if (info.fn_strict)
	{
		for (int i = 0; i < n; i++)
			if (arguments[i].isnull)
				return;
		if (run->is_null)
		{
			set_state(fcinfo, run, arguments[0].value, false);
			return;
		}
	}
	InitFunctionCallInfoData(*inner, &info, n + 1, InvalidOid, fcinfo->context, NULL);
	inner->args[0].value = run->is_null ? (Datum) 0 : run->state;
	inner->args[0].isnull = run->is_null;
	for (int i = 0; i < n; i++)
		inner->args[i + 1] = arguments[i];
	result = FunctionCallInvoke(inner);
	set_state(fcinfo, run, result, inner->isnull);
}

/* split_step(internal, aggregate oid, variadic "any"): one row on a worker. */
PG_FUNCTION_INFO_V1(split_step);
Datum
split_step(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_run(fcinfo, PG_GETARG_OID(1));

	advance(fcinfo, run, run->step, PG_NARGS() - 2, &fcinfo->args[2]);
	PG_RETURN_POINTER(run);
}

/*
 * split_flat_step(internal, aggregate oid, variadic "any"): the same, and the
 * state is stored flat after every row.
 */
PG_FUNCTION_INFO_V1(split_flat_step);
Datum
split_flat_step(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_run(fcinfo, PG_GETARG_OID(1));

	advance(fcinfo, run, run->step, PG_NARGS() - 2, &fcinfo->args[2]);
	if (!run->is_null && !run->by_value && run->length == -1)
		set_state(fcinfo, run, PointerGetDatum(PG_DETOAST_DATUM_COPY(run->state)), false);
	PG_RETURN_POINTER(run);
}

/* split_combine_text(internal, aggregate oid, text [, anyelement]): one partial state. */
PG_FUNCTION_INFO_V1(split_combine_text);
Datum
split_combine_text(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_run(fcinfo, PG_GETARG_OID(1));
	NullableDatum partial = {0, PG_ARGISNULL(2)};
	Oid			function;
	Oid			parameter;

	if (!partial.isnull)
	{
		getTypeInputInfo(run->type, &function, &parameter);
		partial.value = OidInputFunctionCall(function, text_to_cstring(PG_GETARG_TEXT_PP(2)), parameter, -1);
	}
	advance(fcinfo, run, run->combine, 1, &partial);
	PG_RETURN_POINTER(run);
}

/* split_combine_binary(internal, aggregate oid, bytea [, anyelement]): one partial state. */
PG_FUNCTION_INFO_V1(split_combine_binary);
Datum
split_combine_binary(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_run(fcinfo, PG_GETARG_OID(1));
	NullableDatum partial = {0, PG_ARGISNULL(2)};
	Oid			function;
	Oid			parameter;

	if (!partial.isnull)
	{
		bytea	   *bytes = PG_GETARG_BYTEA_PP(2);
		StringInfoData message;

		initStringInfo(&message);
		appendBinaryStringInfo(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
		getTypeBinaryInputInfo(run->type, &function, &parameter);
		partial.value = OidReceiveFunctionCall(function, &message, parameter, -1);
		if (message.cursor != message.len)
			elog(ERROR, "the receive function left %d bytes", message.len - message.cursor);
	}
	advance(fcinfo, run, run->combine, 1, &partial);
	PG_RETURN_POINTER(run);
}

/*
 * forged_state(internal, aggregate oid, state "any", ...), forged_step, forged_combine(internal,
 * aggregate oid, state "any", variadic "any"): the state is one that nothing has looked at,
 * whatever its type; the other arguments are those of rows, or another such state.
 */
static Datum
forged(PG_FUNCTION_ARGS, Oid (*function) (const Run *run))
{
	bool		is_first = PG_ARGISNULL(0);
	Run		   *run = begin_run(fcinfo, PG_GETARG_OID(1));

	if (is_first)
		set_state(fcinfo, run, PG_GETARG_DATUM(2), PG_ARGISNULL(2));
	if (function != NULL)
		advance(fcinfo, run, function(run), PG_NARGS() - 3, &fcinfo->args[3]);
	PG_RETURN_POINTER(run);
}

static Oid
step_of(const Run *run)
{
	return run->step;
}

static Oid
combine_of(const Run *run)
{
	return run->combine;
}

PG_FUNCTION_INFO_V1(forged_state);
Datum
forged_state(PG_FUNCTION_ARGS)
{
	return forged(fcinfo, NULL);
}

PG_FUNCTION_INFO_V1(forged_step);
Datum
forged_step(PG_FUNCTION_ARGS)
{
	return forged(fcinfo, step_of);
}

PG_FUNCTION_INFO_V1(forged_combine);
Datum
forged_combine(PG_FUNCTION_ARGS)
{
	return forged(fcinfo, combine_of);
}

/* split_to_text(internal): the state as it travels in text; NULL if it is, or without rows. */
PG_FUNCTION_INFO_V1(split_to_text);
Datum
split_to_text(PG_FUNCTION_ARGS)
{
	Run		   *run = PG_ARGISNULL(0) ? NULL : (Run *) PG_GETARG_POINTER(0);
	Oid			function;
	bool		is_varlena;

	if (run == NULL || run->is_null)
		PG_RETURN_NULL();
	getTypeOutputInfo(run->type, &function, &is_varlena);
	PG_RETURN_TEXT_P(cstring_to_text(OidOutputFunctionCall(function, run->state)));
}

/* split_to_binary(internal): the state as it travels in binary. */
PG_FUNCTION_INFO_V1(split_to_binary);
Datum
split_to_binary(PG_FUNCTION_ARGS)
{
	Run		   *run = PG_ARGISNULL(0) ? NULL : (Run *) PG_GETARG_POINTER(0);
	Oid			function;
	bool		is_varlena;

	if (run == NULL || run->is_null)
		PG_RETURN_NULL();
	getTypeBinaryOutputInfo(run->type, &function, &is_varlena);
	PG_RETURN_BYTEA_P(OidSendFunctionCall(function, run->state));
}

/*
 * split_final(internal, oid, text or bytea, anyelement): what the aggregate
 * makes of the state on the coordinator.
 */
PG_FUNCTION_INFO_V1(split_final);
Datum
split_final(PG_FUNCTION_ARGS)
{
	Run		   *run = PG_ARGISNULL(0) ? NULL : (Run *) PG_GETARG_POINTER(0);
	LOCAL_FCINFO(inner, 1);
	FmgrInfo	info;
	Datum		result;

	if (run == NULL)
		PG_RETURN_NULL();
	if (!OidIsValid(run->final))
	{
		if (run->is_null)
			PG_RETURN_NULL();
		PG_RETURN_DATUM(run->state);
	}
	fmgr_info(run->final, &info);
	if (info.fn_strict && run->is_null)
		PG_RETURN_NULL();
	InitFunctionCallInfoData(*inner, &info, 1, InvalidOid, fcinfo->context, NULL);
	inner->args[0].value = run->is_null ? (Datum) 0 :
		MakeExpandedObjectReadOnly(run->state, run->is_null, run->length);
	inner->args[0].isnull = run->is_null;
	result = FunctionCallInvoke(inner);
	if (inner->isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
