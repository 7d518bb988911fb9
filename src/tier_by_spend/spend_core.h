/*
 * spend_core.h
 *	  The money of one member by moment: put in order, stored, read back.
 *
 * Equal times are one moment, whose amount is their exact sum; so a history is
 * the same whatever the order of its rows.
 *
 * Stored (docs/storage-format.md): the number of moments; then of each the time,
 * as the distance from the one before, and the amount.
 */
#ifndef CUSTMART_SPEND_CORE_H
#define CUSTMART_SPEND_CORE_H

#include "money/decimal.h"

#define SPEND_VERSION 1
#define SPEND_HEADER_SIZE 8

typedef struct SpendMoment
{
	int64		time;
	int64		amount;			/* packed */
} SpendMoment;

extern bool spend_arrange(SpendMoment *moments, Size *n, DecimalPool *pool);
extern Size spend_size(const SpendMoment *moments, Size n, const DecimalPool *pool);
extern void spend_store(const SpendMoment *moments, Size n, const DecimalPool *pool, uint8 *bytes);
extern const char *spend_check(const uint8 *bytes, Size length);
extern Size spend_count(const uint8 *bytes);
extern void spend_load(const uint8 *bytes, DecimalPool *pool, SpendMoment *moments);

#endif							/* CUSTMART_SPEND_CORE_H */
