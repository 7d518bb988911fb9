/*
 * custmart.h
 *	  Included first by every file that SQL calls into.
 *
 * The library is built with hidden visibility; functions that SQL calls are
 * declared with CUSTMART_FUNCTION.  From release 16 on PG_FUNCTION_INFO_V1 would do the
 * same, but release 15 exports only the info record and leaves PGDLLEXPORT
 * empty.
 */
#ifndef CUSTMART_H
#define CUSTMART_H

#ifdef POSTGRES_H
#error "include custmart.h before any header that includes postgres.h"
#endif

#if defined(__GNUC__) && !defined(PGDLLEXPORT)
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"

#include "fmgr.h"

#define CUSTMART_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

#endif							/* CUSTMART_H */
