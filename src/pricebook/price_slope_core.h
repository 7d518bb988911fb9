/*
 * price_slope_core.h
 *	  Sums of a regression of ln(price) on x inside a cell, exact.
 *
 * Sums of floating-point numbers depend on the order of their terms.  These do
 * not: x and the logarithm are first rounded to grids of 2^-40 and 2^-52, too
 * fine to matter to any analysis, and added up as integers.  That also avoids the
 * cancellation for which sums of squares are known.
 */
#ifndef CUSTMART_PRICE_SLOPE_CORE_H
#define CUSTMART_PRICE_SLOPE_CORE_H

#include "shared/core.h"

#define SLOPE_X_BITS 40			/* of x after the point */
#define SLOPE_Y_BITS 52
#define SLOPE_X_MAX 1048576.0	/* 2^20 */
#define SLOPE_Y_MAX 128.0		/* far above the logarithm of any price */
#define SLOPE_ROWS_MAX (INT64CONST(1) << 42)

#define SLOPE_WORDS 10
#define SLOPE_STORED_SIZE (8 + 8 * SLOPE_WORDS)

/* Two's complement numbers, lowest word first. */
typedef struct SlopeCell
{
	int64		n;
	uint64		x[2];
	uint64		y[2];
	uint64		xx[3];
	uint64		xy[3];
} SlopeCell;

extern void slope_add(SlopeCell *cell, float8 x, float8 y);
extern void slope_merge(SlopeCell *cell, const SlopeCell *other);
extern void slope_subtract(SlopeCell *cell, const SlopeCell *part);
extern void slope_part_deviations(const SlopeCell *part, const SlopeCell *cell, float8 *product, float8 *square);
extern bool slope_deviations(const SlopeCell *cell, float8 *product, float8 *square);
extern void slope_store(const SlopeCell *cell, uint8 *bytes);
extern void slope_load(const uint8 *bytes, SlopeCell *cell);
extern const char *slope_check(const SlopeCell *cell);

#endif							/* CUSTMART_PRICE_SLOPE_CORE_H */
