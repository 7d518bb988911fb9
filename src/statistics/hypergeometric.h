/*
 * hypergeometric.h
 *	  How many of those that are drawn are marked?
 */
#ifndef CUSTMART_HYPERGEOMETRIC_H
#define CUSTMART_HYPERGEOMETRIC_H

#include "shared/core.h"

/* All are counts; neither marked nor drawn is above population. */
typedef struct Hypergeometric
{
	int64		population;
	int64		marked;
	int64		drawn;			/* and not put back */
} Hypergeometric;

extern float8 hypergeometric_at_least(const Hypergeometric *of, int64 k);

#endif							/* CUSTMART_HYPERGEOMETRIC_H */
