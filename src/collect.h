/*
 * collect.h
 *	  Numbers collected in an array: the state of aggregates that must see all
 *	  values at once.
 *
 * The state is an ordinary bigint[] or float8[], kept as PostgreSQL's expanded
 * array while it grows.  So it has text and binary forms, travels between
 * workers and servers, and needs no type of its own.  Its first elements are
 * parameters that every row repeats; they are checked to be the same.
 */
#ifndef CUSTMART_COLLECT_H
#define CUSTMART_COLLECT_H

#include "custmart.h"

#include "utils/array.h"

typedef struct Collection
{
	Datum		array;			/* expanded, read-write */
	Oid			type;
	int			count;
} Collection;

extern MemoryContext collect_require_aggregate(FunctionCallInfo fcinfo);
extern bool collection_of_state(FunctionCallInfo fcinfo, Oid type, Collection *collection);
extern void collect(Collection *collection, Datum value);
extern Datum collect_combine(FunctionCallInfo fcinfo, Oid type, int (*header) (const char *, int));
extern const char *collected(Datum state, int *count);
extern int64 collected_int64(const Collection *collection, int position);
extern float8 collected_float8(const Collection *collection, int position);

#endif							/* CUSTMART_COLLECT_H */
