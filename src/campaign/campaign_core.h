/*
 * campaign_core.h
 *	  What a campaign brought: sums of two groups of members, one of which was
 *	  treated, and what follows from them.
 *
 * A member has an outcome y, such as what they spent, 0 included, and perhaps one of
 * before the campaign.  Per group are kept the number of members, of those whose y
 * is not 0, the *buyers*, and the sums of y and y^2; with outcomes before also the
 * sums of these, of their squares and of the products.  All sums are exact, so
 * nothing depends on the order of rows or on how they are merged.
 *
 * A sum of squares times the number of members must fit a decimal.  Then so does
 * everything else: by Cauchy and Schwarz no sum of products or square of a sum is
 * larger.  As that product only grows, whether a sum is too large does not depend
 * on the order of rows, either.
 */
#ifndef CUSTMART_CAMPAIGN_CORE_H
#define CUSTMART_CAMPAIGN_CORE_H

#include "money/decimal.h"

typedef enum CampaignGroup
{
	CAMPAIGN_CONTROL,
	CAMPAIGN_TREATED
} CampaignGroup;

#define CAMPAIGN_GROUPS 2
#define CAMPAIGN_MEMBERS_MAX PG_UINT32_MAX	/* of a group */

/* The outcomes of a group; zeros: no members. */
typedef struct CampaignSide
{
	int64		members;
	int64		buyers;
	Decimal		sum;			/* of y */
	Decimal		squares;		/* of y^2, at twice the scale */
} CampaignSide;

/* What they have to do with outcomes before. */
typedef struct CampaignBefore
{
	Decimal		sum;			/* of those before */
	Decimal		squares;
	Decimal		products;		/* of both */
} CampaignBefore;

typedef struct Campaign
{
	CampaignSide side[CAMPAIGN_GROUPS];
	CampaignBefore before[CAMPAIGN_GROUPS];
	bool		has_before;
} Campaign;

typedef enum CampaignStatus
{
	CAMPAIGN_OK,
	CAMPAIGN_TOO_MANY_MEMBERS,
	CAMPAIGN_SUM_OUT_OF_RANGE
} CampaignStatus;

extern CampaignStatus campaign_side_add(CampaignSide *side, const Decimal *y);
extern CampaignStatus campaign_side_merge(CampaignSide *side, const CampaignSide *other);
extern CampaignStatus campaign_add(Campaign *campaign, CampaignGroup group, const Decimal *y, const Decimal *before);
extern CampaignStatus campaign_merge(Campaign *campaign, const Campaign *other);

/*
 * Stored, a side is a varint of members and, unless that is 0, a varint of buyers, the
 * scale of y and the mantissas of both sums, each in as few bytes of two's
 * complement as hold it, behind their number.  A group of a campaign with outcomes
 * before has after that, unless it has no members, their scale and three mantissas.
 */
#define CAMPAIGN_MANTISSA_MAX (1 + DECIMAL_WORDS * 4)
#define CAMPAIGN_SIDE_MAX (10 + 10 + 1 + 2 * CAMPAIGN_MANTISSA_MAX)
#define CAMPAIGN_BEFORE_MAX (1 + 3 * CAMPAIGN_MANTISSA_MAX)
#define CAMPAIGN_STORED_MAX (CAMPAIGN_GROUPS * (CAMPAIGN_SIDE_MAX + CAMPAIGN_BEFORE_MAX))

extern uint8 *campaign_side_store(const CampaignSide *side, uint8 *bytes);
extern uint8 *campaign_store(const Campaign *campaign, uint8 *bytes);
extern const char *campaign_side_check_and_load(const uint8 **bytes, const uint8 *end, CampaignSide *side);
extern const char *campaign_check_and_load(const uint8 **bytes, const uint8 *end, Campaign *campaign);

/* What a campaign is measured by. */
typedef enum CampaignMeasure
{
	CAMPAIGN_CONVERSION,		/* buyers per member */
	CAMPAIGN_SPEND,				/* y per member */
	CAMPAIGN_ADJUSTED_SPEND		/* the same, less what was to be expected of the outcome before */
} CampaignMeasure;

#define CAMPAIGN_MEASURES 3

extern const char *const campaign_measure_names[CAMPAIGN_MEASURES];

typedef enum CampaignVerdict
{
	VERDICT_UPLIFT,
	VERDICT_LOSS,
	VERDICT_NOT_SHOWN,
	VERDICT_NOT_COMPARABLE
} CampaignVerdict;

extern const char *const campaign_verdict_names[];

extern const char *campaign_missing_group(const CampaignSide *side);

/* The answer by one measure; what is not known is NAN. */
typedef struct CampaignResult
{
	float8		mean[CAMPAIGN_GROUPS];
	float8		uplift;
	float8		low;
	float8		high;
	float8		error;			/* standard */
	float8		statistic;		/* z or t */
	float8		df;				/* of t */
	float8		p;
	CampaignVerdict verdict;
	const char *note;			/* NULL: there is nothing to say */
} CampaignResult;

extern CampaignResult campaign_result(const Campaign *campaign, CampaignMeasure measure, float8 alpha);

/* Whether the groups are as large as planned. */
typedef struct CampaignRatio
{
	float8		chi_squared;
	float8		p;
} CampaignRatio;

/* Below this p the groups were not drawn as planned, and no comparison of them says anything. */
#define CAMPAIGN_RATIO_VOID 0.001

extern CampaignRatio campaign_ratio(const CampaignSide *side, float8 planned_share);

/* A segment of members, as measured and shrunk. */
typedef struct CampaignSegment
{
	float8		rate[CAMPAIGN_GROUPS];	/* buyers per member; NAN without members */
	float8		uplift;			/* NAN, as is all below, if a group has no members */
	float8		low;
	float8		high;
	float8		p;				/* NAN if there are too few buyers, or others, for it */
	float8		q;
	float8		variance;		/* of each of both rates, for shrinking */
	float8		control_variance;
	float8		shrunk;
	float8		given_error;	/* of shrunk, if all but it were known */
	float8		error;
} CampaignSegment;

/* What all segments have in common. */
typedef struct CampaignSegments
{
	Size		compared;		/* segments that have both groups */
	float8		control_rate;	/* buyers per member of all control groups; NAN without any */
	float8		cochran_q;		/* NAN, as is p, if fewer than 2 are compared */
	float8		p;
	float8		mean;			/* uplift; NAN if none is compared */
	float8		between;		/* standard deviation of true uplifts */
} CampaignSegments;

extern CampaignSegments campaign_segments(const CampaignSide (*sides)[CAMPAIGN_GROUPS], Size n, float8 alpha,
										  CampaignSegment *segments);
extern CampaignVerdict campaign_segment_verdict(const CampaignSegment *segment, float8 alpha);

typedef enum CampaignLabel
{
	LABEL_PERSUADABLE,
	LABEL_SURE_THING,
	LABEL_LOST_CAUSE,
	LABEL_SLEEPING_DOG
} CampaignLabel;

extern const char *const campaign_label_names[];
extern CampaignLabel campaign_label(const CampaignSegment *segment, const CampaignSegments *all, float8 alpha);

/* What an offer costs and earns. */
typedef struct OfferTerms
{
	float8		margin;			/* of a sale */
	float8		contact_cost;	/* for each member treated */
	float8		discount;		/* for each buyer treated */
} OfferTerms;

/* Profit for each member treated. */
typedef struct OfferProfit
{
	float8		observed;
	float8		expected;
	float8		probability;	/* that it is above 0 */
} OfferProfit;

extern OfferProfit campaign_profit(const CampaignSegment *segment, const OfferTerms *terms);

#endif							/* CUSTMART_CAMPAIGN_CORE_H */
