/*
 * custmart.h
 *	  What every SQL face of custmart includes first.
 *
 * The library is built with hidden visibility.  PostgreSQL marks the functions
 * declared by PG_FUNCTION_INFO_V1 as exported from release 16 on; release 15
 * leaves the macro empty, so it is filled in here before c.h looks at it.
 */
#ifndef CUSTMART_H
#define CUSTMART_H

#if defined(__GNUC__) && !defined(PGDLLEXPORT)
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"

#include "fmgr.h"

#endif							/* CUSTMART_H */
