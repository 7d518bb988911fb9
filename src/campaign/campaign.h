/*
 * campaign.h
 *	  Shared by the types campaign_summary and campaign_book, and by their reports.
 */
#ifndef CUSTMART_CAMPAIGN_H
#define CUSTMART_CAMPAIGN_H

#include "custmart.h"

#include <math.h>

#include "book/book.h"
#include "campaign/campaign_core.h"
#include "shared/keytable.h"

extern void campaign_raise(CampaignStatus status);
extern Datum campaign_text(const char *text);

/* A value that may be unknown. */
static inline void
campaign_put(float8 number, Datum *value, bool *is_null)
{
	*is_null = isnan(number);
	*value = *is_null ? (Datum) 0 : Float8GetDatum(number);
}

/* A text that may be missing. */
static inline void
campaign_put_text(const char *text, Datum *value, bool *is_null)
{
	*is_null = text == NULL;
	*value = *is_null ? (Datum) 0 : campaign_text(text);
}

/*
 * The keys of a book are segments, which are texts, or scores.  A score is kept as
 * a number that ascends as scores descend, so a book begins with the highest.
 */
#define CAMPAIGN_SEGMENT KEY_BYTES
#define CAMPAIGN_SCORE KEY_INT64

/* A stored book, read key by key. */
typedef struct CampaignReader
{
	BookReader	reader;
	BookKeyCursor keys;
	const uint8 *next;			/* sides */
	uint32		left;
} CampaignReader;

extern bool campaign_book_open(CampaignReader *book, Datum value, KeyType keys, const char *function);
extern bool campaign_book_next(CampaignReader *book, Key *key, CampaignSide *side);
extern float8 campaign_score_of_key(int64 key);

#endif							/* CUSTMART_CAMPAIGN_H */
