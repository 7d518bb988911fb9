/*
 * stored_kind.h
 *	  The first byte of a stored value: which type it is.  Never reuse one.
 */
#ifndef CUSTMART_STORED_KIND_H
#define CUSTMART_STORED_KIND_H

typedef enum StoredKind
{
	STORED_RFM = 1,
	STORED_RFM_CUTS = 2,
	STORED_RFM_BOOK = 3,
	STORED_TAGBLOOM = 4,
	STORED_TAGQUERY = 5,
	STORED_TAG_STATE = 6,		/* a bytea: state of the tag aggregates */
	STORED_PRICEBOOK = 7,
	STORED_PRICE_SLOPE = 8,
	STORED_ACTIVITY = 9,
	STORED_RETENTION_BOOK = 10,
	STORED_FUNNEL = 11,
	STORED_FUNNEL_BOOK = 12,
	STORED_INTERACTION_BOOK = 13,
	STORED_SPEND = 14,
	STORED_INTERACTION_STATE = 15,	/* a bytea: state of interaction_stage */
	STORED_CLV_MODEL = 16,
	STORED_CAMPAIGN = 17,
	STORED_CAMPAIGN_BOOK = 18,
	STORED_SESSION_BOOK = 23
} StoredKind;

#endif							/* CUSTMART_STORED_KIND_H */
