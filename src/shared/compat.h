/*
 * compat.h
 *	  Differences between PostgreSQL 15, 16, 17 and 18, all in one place.
 */
#ifndef CUSTMART_COMPAT_H
#define CUSTMART_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif

/*
 * Soft input errors exist since 16.  Before that, ereturn raises the error, and
 * there is no context to save it in.
 */
#if PG_VERSION_NUM >= 160000
#define INPUT_ERROR_CONTEXT(fcinfo) ((fcinfo)->context)
#else
#define INPUT_ERROR_CONTEXT(fcinfo) NULL
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

/* Intervals can be infinite since 17. */
#if PG_VERSION_NUM >= 170000
#define interval_is_infinite(interval) INTERVAL_NOT_FINITE(interval)
#else
#define interval_is_infinite(interval) false
#endif

/* The statistics target of a column moved in 17. */
#if PG_VERSION_NUM >= 170000
#define analyze_target(stats) ((stats)->attstattarget)
#else
#define analyze_target(stats) ((stats)->attr->attstattarget)
#endif

/* Since 18, vacuum_delay_point() is told whether ANALYZE calls it. */
#if PG_VERSION_NUM >= 180000
#define analyze_delay_point() vacuum_delay_point(true)
#else
#define analyze_delay_point() vacuum_delay_point()
#endif

/* A function that does not return: the name and the place of the attribute changed in 18. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* Base64 works on uint8 since 18, on char before. */
#if PG_VERSION_NUM >= 180000
typedef uint8 Base64Byte;
#else
typedef char Base64Byte;
#endif

#endif							/* CUSTMART_COMPAT_H */
