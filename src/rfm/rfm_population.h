/*
 * rfm_population.h
 *	  The members of a book, with the limits by which they are scored and the
 *	  segments in which they then are: what all reports have in common.
 */
#ifndef CUSTMART_RFM_POPULATION_H
#define CUSTMART_RFM_POPULATION_H

#include "rfm/rfm_book.h"

/* Segments of one's own are at most so many, which keeps a matrix of them small. */
#define RFM_OWN_SEGMENTS_MAX 1000

/* An open book and the limits by which its members are scored. */
typedef struct Population
{
	BookReader	reader;
	RfmTail		tail;
	DecimalPool pool;
	RfmCuts		cuts;			/* valid if there are members who have orders */
} Population;

/* The segments that scores lie in. */
typedef struct Segments
{
	int			count;
	Datum	   *names;			/* texts */
	uint16	   *of_place;		/* by rfm_score_place; NULL: the eleven of docs/rfm.md */
} Segments;

extern void rfm_open_population(Population *population, Datum book);
extern bool rfm_find_cuts(Population *population, int bins, bool per_order);
extern bool rfm_choose_cuts(FunctionCallInfo fcinfo, int bins_argument, int argument, const char *name,
							Population *population);
extern TimestampTz rfm_get_as_of(FunctionCallInfo fcinfo, int argument, const char *name,
								 const Population *population);
extern void rfm_get_segments(FunctionCallInfo fcinfo, int argument, int bins, Segments *segments);

static inline RfmScore
rfm_member_score(const Population *population, const RfmMember *member)
{
	return rfm_score(&population->cuts, member->last_order, member->frequency,
					 rfm_scored_money(member, &population->pool, population->cuts.per_order));
}

static inline int
rfm_segment_of_member_score(const Segments *segments, RfmScore score, int bins)
{
	return segments->of_place == NULL ? rfm_segment_of(score, bins) : segments->of_place[rfm_score_place(score, bins)];
}

/* The segment of a member; that of those who have no orders is the number of segments. */
static inline int
rfm_member_segment(const Segments *segments, const Population *population, const RfmMember *member)
{
	if (member->frequency == 0)
		return segments->count;
	return rfm_segment_of_member_score(segments, rfm_member_score(population, member), population->cuts.bins);
}

#endif							/* CUSTMART_RFM_POPULATION_H */
