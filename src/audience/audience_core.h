/*
 * audience_core.h
 *	  Members of audiences, and a plan in which each of them is in one at most.
 *
 * Audiences are in order of priority, bit 0 the first.  A score is kept as a number
 * of the same order that is never 0, so a member of whom nothing is known is zeros.
 */
#ifndef CUSTMART_AUDIENCE_CORE_H
#define CUSTMART_AUDIENCE_CORE_H

#include "shared/core.h"

#define AUDIENCES_MAX 32
#define AUDIENCE_NO_SCORE UINT64CONST(0)	/* below every score */
#define AUDIENCE_SETS_MAX 65536	/* each is compared with each */
#define AUDIENCE_NO_CAP PG_INT64_MAX

typedef struct AudienceMember
{
	uint64		score;			/* a key, or AUDIENCE_NO_SCORE */
	uint32		audiences;		/* a bit for each */
} AudienceMember;

/* A member who is planned. */
typedef struct AudienceCandidate
{
	uint64		score;
	uint64		hash;			/* decides between equal scores; then the order of the keys does */
	uint32		audiences;		/* before planning a bit for each; then that of the one that has a place for them */
	uint32		place;			/* in it, from 1; 0: in none */
} AudienceCandidate;

extern uint64 audience_key_of_score(float8 score);
extern bool audience_is_score_key(uint64 key);
extern void audience_plan(AudienceCandidate *members, uint32 n, int audiences, const int64 *caps);
extern bool audience_supersets(const uint32 *sets, const int64 *members, uint32 n, int64 *at_least);

/* Adds what another row or book knows of a member: in all audiences of both, the greater score. */
static inline void
audience_merge(AudienceMember *member, const AudienceMember *more)
{
	member->audiences |= more->audiences;
	member->score = Max(member->score, more->score);
}

#endif							/* CUSTMART_AUDIENCE_CORE_H */
