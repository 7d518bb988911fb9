/*
 * book_rows.c
 *	  How many rows the planner may expect of a report on a book.
 */
#include "book/book_format.h"

#include "access/transam.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "shared/bytes.h"
#include "utils/selfuncs.h"

/* The number of keys of a book at hand; no more of it is read than its header. */
static double
count_keys(Datum book)
{
	bytea	   *header = (bytea *) PG_DETOAST_DATUM_SLICE(book, 0, BOOK_HEADER_SIZE);

	if (VARSIZE_ANY_EXHDR(header) < BOOK_HEADER_SIZE)
		return -1;
	return load_u32((const uint8 *) VARDATA_ANY(header) + 4);
}

/*
 * The number of keys of a book still to be made, as GROUP BY their column would
 * have groups; -1 if there are no statistics on it.
 */
static double
estimate_keys(PlannerInfo *root, const Aggref *book)
{
	const double unknown = 1e18;
	EstimationInfo info;
	double		keys;

	if (root == NULL || book->agglevelsup > 0 || list_length(book->args) < 2)
		return -1;
	keys = estimate_num_groups(root, list_make1(linitial_node(TargetEntry, book->args)->expr),
							   unknown, NULL, &info);
	return keys == unknown || (info.flags & SELFLAG_USED_DEFAULT) != 0 ? -1 : keys;
}

/*
 * book_report_support(internal): planner support of reports that return one row
 * per key.  The book is the first argument, or the second behind a NULL that says
 * of which type the keys are.  Where it is known only when the query runs, as in a
 * subquery, ROWS of the function stands.
 */
CUSTMART_FUNCTION(custmart_book_report_support);
Datum
custmart_book_report_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *report = (SupportRequestRows *) request;
	double		keys = -1;

	if (IsA(request, SupportRequestRows) && is_funcclause(report->node))
	{
		ListCell   *lc;

		foreach(lc, castNode(FuncExpr, report->node)->args)
		{
			Node	   *argument = estimate_expression_value(report->root, lfirst(lc));

			/* Keys are of built-in types, a book is not. */
			if (exprType(argument) < FirstNormalObjectId)
				continue;
			if (IsA(argument, Const) && !castNode(Const, argument)->constisnull)
				keys = count_keys(castNode(Const, argument)->constvalue);
			else if (IsA(argument, Aggref))
				keys = estimate_keys(report->root, castNode(Aggref, argument));
			break;
		}
	}
	if (keys < 0)
		PG_RETURN_POINTER(NULL);
	report->rows = Max(keys, 1);
	PG_RETURN_POINTER(report);
}
