/*
 * conditions.h
 *	  A variadic list of conditions, as bits: the first is bit 0, NULL is false.
 */
#ifndef CUSTMART_CONDITIONS_H
#define CUSTMART_CONDITIONS_H

#include "custmart.h"

#define CONDITIONS_MAX 32

/* How messages call the list. */
typedef struct ConditionsText
{
	const char *list;			/* "steps" */
	const char *owner;			/* "a funnel" */
	const char *hint;
} ConditionsText;

/* The conditions that are arguments of their own, from the given one to the last, at most CONDITIONS_MAX. */
static inline uint32
conditions_listed(FunctionCallInfo fcinfo, int argument, int *count)
{
	const NullableDatum *condition = &fcinfo->args[argument];
	uint32		met = 0;

	*count = PG_NARGS() - argument;
	for (int i = 0; i < *count; i++)
		met |= (uint32) (!condition[i].isnull & DatumGetBool(condition[i].value)) << i;
	return met;
}

extern uint32 conditions_of_array(FunctionCallInfo fcinfo, int argument, const ConditionsText *text, int *count);

#endif							/* CUSTMART_CONDITIONS_H */
