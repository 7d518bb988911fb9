/*
 * array_state.h
 *	  Numbers collected in an array: the state of aggregates that must see all
 *	  values at once.
 *
 * The state is an ordinary bigint[], kept as PostgreSQL's expanded array while it
 * grows.  So it has text and binary forms, travels between workers and servers,
 * and needs no type of its own.  Floating point numbers are in it by their bits:
 * the text of a float8[] depends on the setting extra_float_digits of the server
 * that writes it.  Its first elements are parameters that every row repeats; they
 * are checked to be the same.
 */
#ifndef CUSTMART_ARRAY_STATE_H
#define CUSTMART_ARRAY_STATE_H

#include "custmart.h"

#include "utils/array.h"

typedef struct ArrayState
{
	Datum		array;			/* expanded, read-write */
	int			count;
} ArrayState;

extern bool array_state_of_aggregate(FunctionCallInfo fcinfo, ArrayState *state);
extern void array_state_append(ArrayState *state, int64 value);
extern Datum array_state_combine(FunctionCallInfo fcinfo, int (*header) (const char *, int), const char *parameters);
extern const char *array_state_elements(Datum state, int *count);
extern int64 array_state_element(const ArrayState *state, int position);

/* A number by its bits. */
static inline int64
float8_bits(float8 number)
{
	int64		bits;

	memcpy(&bits, &number, 8);
	return bits;
}

#endif							/* CUSTMART_ARRAY_STATE_H */
