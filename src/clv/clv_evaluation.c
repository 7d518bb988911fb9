/*
 * clv_evaluation.c
 *	  Sums over rows, and tables of logarithms for them.
 */
#include "clv/clv_evaluation.h"

#include "shared/large_memory.h"

/* Unpacks the sums. */
void
clv_totals_finish(ClvTotals *totals, int parameters, bool has_hessian, ClvEvaluation *evaluation)
{
	int			at = 1 + parameters;

	clv_totals_end_block(totals, CLV_TERMS);
	evaluation->value = clv_sum_value(&totals->total[0]);
	for (int i = 0; i < parameters; i++)
		evaluation->gradient[i] = clv_sum_value(&totals->total[1 + i]);
	if (!has_hessian)
		return;
	for (int i = 0; i < parameters; i++)
		for (int j = i; j < parameters; j++)
			evaluation->hessian[i][j] = evaluation->hessian[j][i] = clv_sum_value(&totals->total[at++]);
}

void
clv_logs_init(ClvLogs *logs, float8 scale, const ClvRows *rows)
{
	logs->scale = scale;
	logs->table = NULL;
	/* A table for few rows would be larger than they are. */
	if (!rows->whole_days || rows->n < rows->max_age)
		return;
	logs->table = large_alloc(CurrentMemoryContext, ((Size) rows->max_age + 1) * sizeof(float8));
	for (Size day = 0; day <= (Size) rows->max_age; day++)
		logs->table[day] = log1p((float8) day / scale);
}

void
clv_logs_free(ClvLogs *logs)
{
	if (logs->table != NULL)
		pfree(logs->table);
}
