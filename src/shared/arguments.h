/*
 * arguments.h
 *	  Arguments that several functions have in common, fetched and checked.
 */
#ifndef CUSTMART_ARGUMENTS_H
#define CUSTMART_ARGUMENTS_H

#include "custmart.h"

#include "shared/keytable.h"

extern void argument_check_not_null(FunctionCallInfo fcinfo, int argument, const char *name);
extern float8 argument_alpha(FunctionCallInfo fcinfo, int argument);
extern uint32 argument_member_fold(FunctionCallInfo fcinfo, int argument, KeyType type);

#endif							/* CUSTMART_ARGUMENTS_H */
