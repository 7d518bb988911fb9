/*
 * report.h
 *	  Functions that return rows.
 *
 * A report says how to open it, which reads and checks the arguments and does
 * whatever must be done before the first row, and how to come by the next row.
 * Whether rows are returned one by one or gathered in a tuple store is decided
 * here: in a select list they stream, so a LIMIT ends the work and nothing is
 * stored; in FROM the executor would store them itself, which is slower.
 */
#ifndef CUSTMART_REPORT_H
#define CUSTMART_REPORT_H

#include "custmart.h"

#include "access/tupdesc.h"

typedef struct Report
{
	/*
	 * Opens the report, whose columns are given, and returns its state; NULL if
	 * it has no rows.  What is allocated here lives until the last row.  The
	 * variant tells functions apart that share a report: which argument is the
	 * book, or of which type a time is.
	 */
	void	   *(*open) (FunctionCallInfo fcinfo, TupleDesc columns, int variant);

	/*
	 * Writes the next row, false if there is none.  No column is NULL before.
	 * What is allocated here lives until the next call; values that are passed by
	 * reference must not point into variables of the function itself.
	 */
	bool		(*next) (void *state, Datum *values, bool *nulls);

	/* How many columns a row has: a library beside the SQL of another version must not write beyond it. */
	int			ncolumns;
} Report;

extern Datum report_rows(FunctionCallInfo fcinfo, const Report *report, int variant);

/* The SQL function of a report. */
#define CUSTMART_REPORT(name, report, variant) \
CUSTMART_FUNCTION(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	return report_rows(fcinfo, &(report), variant); \
}

#endif							/* CUSTMART_REPORT_H */
