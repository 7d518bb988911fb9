/*
 * array_state.h
 *	  Numbers collected in an array: the state of aggregates that must see all
 *	  values at once.
 *
 * The state is an ordinary bigint[] or float8[], kept as PostgreSQL's expanded
 * array while it grows.  So it has text and binary forms, travels between
 * workers and servers, and needs no type of its own.  Its first elements are
 * parameters that every row repeats; they are checked to be the same.
 */
#ifndef CUSTMART_ARRAY_STATE_H
#define CUSTMART_ARRAY_STATE_H

#include "custmart.h"

#include "utils/array.h"

typedef struct ArrayState
{
	Datum		array;			/* expanded, read-write */
	Oid			type;
	int			count;
} ArrayState;

extern bool array_state_of_aggregate(FunctionCallInfo fcinfo, Oid type, ArrayState *state);
extern void array_state_append(ArrayState *state, Datum value);
extern Datum array_state_combine(FunctionCallInfo fcinfo, Oid type, int (*header) (const char *, int),
								 const char *parameters);
extern const char *array_state_elements(Datum state, int *count);
extern int64 array_state_int64(const ArrayState *state, int position);
extern float8 array_state_float8(const ArrayState *state, int position);

#endif							/* CUSTMART_ARRAY_STATE_H */
