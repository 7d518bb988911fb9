/*
 * arguments.c
 *	  Arguments that several functions have in common.
 */
#include "shared/arguments.h"

#include "shared/compat.h"
#include "shared/member_fold.h"
#include "utils/uuid.h"

/* Refuses NULL (22004). */
void
argument_check_not_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
}

/* The level of significance, between 0 and 1. */
float8
argument_alpha(FunctionCallInfo fcinfo, int argument)
{
	float8		alpha;

	argument_check_not_null(fcinfo, argument, "alpha");
	alpha = PG_GETARG_FLOAT8(argument);
	if (!(alpha > 0 && alpha < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alpha must be above 0 and below 1, not %g", alpha),
				 errhint("It is the level of significance: 0.05 stands for 5 %%.")));
	return alpha;
}

/* The fold of a member, which is a bigint, a uuid or a text. */
uint32
argument_member_fold(FunctionCallInfo fcinfo, int argument, KeyType type)
{
	text	   *t;
	uint8		fold;

	if (type == KEY_INT64)
		return member_fold_bigint(PG_GETARG_INT64(argument));
	if (type == KEY_FIXED16)
		return member_fold_bytes(PG_GETARG_UUID_P(argument)->data, UUID_LEN);
	t = PG_GETARG_TEXT_PP(argument);
	fold = member_fold_bytes(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
	PG_FREE_IF_COPY(t, argument);
	return fold;
}
