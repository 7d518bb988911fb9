/*
 * pricebook_core.h
 *	  Compares what two groups paid for the same thing.
 *
 * All formulas are those of docs/pricebook.md.  A cell is an item in a period;
 * only cells in which both groups bought are compared.  Points must come sorted
 * by price and cells in one fixed order, so that every result is the same to the
 * last bit whatever the order of the rows.
 */
#ifndef CUSTMART_PRICEBOOK_CORE_H
#define CUSTMART_PRICEBOOK_CORE_H

#include "shared/core.h"

#include "money/decimal_total.h"
#include "statistics/fixed_effect.h"

/* Rows of a book; cubes of it still fit into 128 bits. */
#define PRICE_ROWS_MAX (INT64CONST(1) << 42)

/* A distinct price that a group paid in a cell. */
typedef struct PricePoint
{
	int64		price;			/* packed */
	int64		quantity;		/* packed; bought at it */
	uint32		count;			/* rows */
	uint32		group;
	int32		period;
	float8		offset;			/* price less the origin: any one price of the item */
	float8		log;			/* logarithm of price / origin */
} PricePoint;

/* What the members of one fold paid, of a group in a cell: rows, and the sum of their logarithms. */
typedef struct PriceFold
{
	int32		period;
	uint32		group;
	uint32		fold;
	uint32		rows;
	int128		log_sum;		/* in units of 2^-PRICE_LOG_BITS, so exact */
} PriceFold;

#define PRICE_LOG_BITS 52
#define PRICE_LOG_MAX 128		/* far above the logarithm of any price */

/* Number, mean and squared deviations of offsets, so for one item only. */
typedef struct PriceSpread
{
	int64		n;
	float8		mean;
	float8		squares;
} PriceSpread;

/* One group's points in a cell. */
typedef struct PriceSide
{
	const PricePoint *points;
	uint32		npoints;
	int64		rows;
	DecimalTotal sum;			/* of prices, one per row */
	float8		log_sum;		/* of log - base, one per row */
	float8		log_squares;	/* of log less its mean, one per row */
	PriceSpread spread;
	const PriceFold *folds;		/* in a book with members */
	uint32		nfolds;
} PriceSide;

/* The reference's side, prepared for comparisons with many groups. */
typedef struct PriceReference
{
	PriceSide	side;
	float8		base;			/* what logs are taken relative to */
	int64		median;			/* packed */
	uint128		cubes;			/* sum of the cubed counts of its prices */
	int64	   *below;			/* for each point: rows at lower prices; allocated by the caller */
} PriceReference;

/* A group compared with the reference, in one cell or in many. */
typedef struct PriceGap
{
	int64		cells;
	int64		n;
	int64		reference_n;
	float8		rank_sum;		/* sum of w (W - E) */
	float8		rank_variance;	/* sum of w^2 V */
	float8		log_product;	/* sum of x~ y~: x is 1 in the group and 0 in the reference, y the logarithm */
	float8		log_square;		/* sum of x~ squared; both are relative to their means in the cell */
	FixedEffectRows log_rows;	/* for the sum of (x~ e)^2 */
	PriceSpread spread;
	PriceSpread reference_spread;
	DecimalTotal sum;			/* of prices */
	DecimalTotal reference_sum;
	float8		mean_sum;		/* of what the group's rows would cost at the reference's means */
	DecimalTotal above;			/* money paid above the reference's medians */
	DecimalTotal below;			/* and saved below them */
} PriceGap;

extern void price_points_set_origin(PricePoint *points, uint32 npoints, const DecimalPool *pool);
extern bool price_side_open(PriceSide *side, const PricePoint *points, uint32 npoints,
							float8 base, const DecimalPool *pool);
extern bool price_reference_open(PriceReference *reference, const PricePoint *points,
								 uint32 npoints, DecimalPool *pool);
extern bool price_gap_add_cell(PriceGap *gap, const PriceReference *reference,
							   const PriceSide *side, const DecimalPool *pool);
extern void price_gap_add_folds(FixedEffectFolds *folds, const PriceReference *reference,
								const PriceSide *side);
extern int64 price_log(float8 price);
extern bool price_gap_merge(PriceGap *gap, const PriceGap *other);
extern float8 price_gap_z(const PriceGap *gap);
extern float8 price_gap_hedges(const PriceGap *gap, float8 difference);
extern int64 price_median(const PricePoint *points, uint32 npoints, int64 rows,
						  DecimalPool *pool);
extern bool price_compare_means(const DecimalTotal *sum, int64 n,
								const DecimalTotal *reference_sum, int64 reference_n,
								float8 *difference, float8 *percent);

#endif							/* CUSTMART_PRICEBOOK_CORE_H */
