/*
 * book_planner.c
 *	  What the planner may expect of books: how many rows a report returns, and what
 *	  it costs to merge the books of parallel workers.
 */
#include "book/book_format.h"

#include "access/transam.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/cost.h"
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
 * have groups; -1 if there are no statistics on it.  The arguments are those of the
 * aggregate, a list of TargetEntry.
 */
static double
estimate_keys(PlannerInfo *root, List *arguments)
{
	const double unknown = 1e18;
	EstimationInfo info;
	double		keys;

	if (root == NULL || list_length(arguments) < 2)
		return -1;
	keys = estimate_num_groups(root, list_make1(linitial_node(TargetEntry, arguments)->expr),
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
			else if (IsA(argument, Aggref) && castNode(Aggref, argument)->agglevelsup == 0)
				keys = estimate_keys(report->root, castNode(Aggref, argument)->args);
			break;
		}
	}
	if (keys < 0)
		PG_RETURN_POINTER(NULL);
	report->rows = Max(keys, 1);
	PG_RETURN_POINTER(report);
}

/*
 * Sending, merging and storing a key takes about as long as this many operators, as
 * docs/performance.md measures it.
 */
#define OPERATORS_PER_KEY 10

/*
 * book_combine_support(internal): planner support of combine functions.  Every
 * worker makes a book of nearly all keys, so where rows are few for each key, a
 * parallel plan would lose by merging what it gains by scanning.
 */
CUSTMART_FUNCTION(custmart_book_combine_support);
Datum
custmart_book_combine_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *combine = (SupportRequestCost *) request;
	double		keys = -1;
	ListCell   *lc;

	/* With GROUP BY there are many small books, of whose sizes nothing is known. */
	if (!IsA(request, SupportRequestCost) || combine->root == NULL || combine->node != NULL ||
		combine->root->parse->groupClause != NIL)
		PG_RETURN_POINTER(NULL);
	foreach(lc, combine->root->aggtransinfos)
	{
		AggTransInfo *aggregate = lfirst(lc);

		if (aggregate->combinefn_oid == combine->funcid)
			keys = Max(keys, estimate_keys(combine->root, aggregate->args));
	}
	if (keys < 0)
		PG_RETURN_POINTER(NULL);
	combine->startup = 0;
	combine->per_tuple = keys * OPERATORS_PER_KEY * cpu_operator_cost;
	PG_RETURN_POINTER(combine);
}
