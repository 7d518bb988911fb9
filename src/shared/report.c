/*
 * report.c
 *	  Functions that return rows: one by one, or all of them in a tuple store.
 */
#include "shared/report.h"

#include "shared/core.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A report that has been opened. */
typedef struct OpenReport
{
	void	   *state;
	Datum	   *values;			/* of one row */
	bool	   *nulls;
	Size		ncolumns;
} OpenReport;

static void
open_report(OpenReport *open, const Report *report, FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	if (columns->natts != report->ncolumns)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("function %s returns %d columns, but the library of custmart writes %d",
						get_func_name(fcinfo->flinfo->fn_oid), columns->natts, report->ncolumns),
				 errhint("Run ALTER EXTENSION custmart UPDATE and connect again.")));
	open->ncolumns = columns->natts;
	open->values = palloc0(open->ncolumns * sizeof(Datum));
	open->nulls = palloc(open->ncolumns * sizeof(bool));
	open->state = report->open(fcinfo, columns, variant);
}

static bool
next_row(OpenReport *open, const Report *report)
{
	if (open->state == NULL)
		return false;
	memset(open->nulls, false, open->ncolumns * sizeof(bool));
	return report->next(open->state, open->values, open->nulls);
}

/* All rows at once, for FROM. */
static Datum
fill_tuple_store(FunctionCallInfo fcinfo, const Report *report, int variant)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "custmart report row",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	OpenReport	open;

	InitMaterializedSRF(fcinfo, 0);
	open_report(&open, report, fcinfo, result->setDesc, variant);
	old = MemoryContextSwitchTo(row_context);
	for (Size i = 0; next_row(&open, report); i++)
	{
		check_interrupts(i);
		tuplestore_putvalues(result->setResult, result->setDesc, open.values, open.nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
	return (Datum) 0;
}

/* The next row, for the select list. */
static Datum
return_row(FunctionCallInfo fcinfo, const Report *report, int variant)
{
	FuncCallContext *calls;
	OpenReport *open;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		calls = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(calls->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &calls->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "a report must return a row type");
		calls->tuple_desc = BlessTupleDesc(calls->tuple_desc);
		calls->user_fctx = palloc(sizeof(OpenReport));
		open_report(calls->user_fctx, report, fcinfo, calls->tuple_desc, variant);
		MemoryContextSwitchTo(old);
	}
	calls = SRF_PERCALL_SETUP();
	open = calls->user_fctx;
	if (!next_row(open, report))
		SRF_RETURN_DONE(calls);
	SRF_RETURN_NEXT(calls, HeapTupleGetDatum(heap_form_tuple(calls->tuple_desc, open->values, open->nulls)));
}

/* What the SQL function of a report returns: its rows, or the next of them. */
Datum
report_rows(FunctionCallInfo fcinfo, const Report *report, int variant)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	if (result != NULL && IsA(result, ReturnSetInfo) && (result->allowedModes & SFRM_Materialize_Preferred))
		return fill_tuple_store(fcinfo, report, variant);
	return return_row(fcinfo, report, variant);
}
