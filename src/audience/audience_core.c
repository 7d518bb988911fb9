/*
 * audience_core.c
 *	  Plans and overlaps of audiences.
 */
#include "audience/audience_core.h"

#include <math.h>

#include "shared/large_memory.h"

/* ---------- scores ---------- */

#define SIGN (UINT64CONST(1) << 63)

/* A finite score as a number of the same order, which is not 0; -0 is 0. */
uint64
audience_key_of_score(float8 score)
{
	uint64		bits;

	score += 0.0;
	memcpy(&bits, &score, sizeof(bits));
	return (bits & SIGN) != 0 ? ~bits : bits | SIGN;
}

/* Is this the key of a finite score, or of none? */
bool
audience_is_score_key(uint64 key)
{
	uint64		bits = (key & SIGN) != 0 ? key & ~SIGN : ~key;
	float8		score;

	memcpy(&score, &bits, sizeof(score));
	return key == AUDIENCE_NO_SCORE || (isfinite(score) && audience_key_of_score(score) == key);
}

/* ---------- the plan ---------- */

/* A member who waits for a place. */
typedef struct Candidate
{
	uint64		score;
	uint64		hash;			/* decides between equal scores */
	uint32		member;			/* number in the order of the keys, which decides at last */
} Candidate;

static inline int
compare_candidates(const Candidate *a, const Candidate *b)
{
	if (likely(a->score != b->score))
		return a->score > b->score ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->member > b->member) - (a->member < b->member);
}

#define SELECT_NAME select_candidates
#define SELECT_TYPE Candidate
#define SELECT_LESS(a, b) (compare_candidates(&(a), &(b)) < 0)
#include "shared/quickselect.h"

#ifndef CUSTMART_STANDALONE
#define ST_SORT sort_candidates
#define ST_ELEMENT_TYPE Candidate
#define ST_COMPARE(a, b) compare_candidates(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"
#else
static int
compare_as_qsort_wants(const void *a, const void *b)
{
	return compare_candidates(a, b);
}

static void
sort_candidates(Candidate *candidates, Size n)
{
	qsort(candidates, n, sizeof(Candidate), compare_as_qsort_wants);
}
#endif

/*
 * Plans: the first audience takes as many of its members as its cap allows, by
 * descending score, the second of those who are left, and so on.  A hash decides
 * between equal scores.  Writes the place of each of n members.
 */
void
audience_plan(const AudienceMember *members, const uint64 *hashes, uint32 n,
			  int audiences, const int64 *caps, AudiencePlace *places)
{
	Candidate  *candidates = large_alloc(CurrentMemoryContext, ((Size) n + 1) * sizeof(Candidate));

	memset(places, 0, (Size) n * sizeof(AudiencePlace));
	for (int audience = 0; audience < audiences; audience++)
	{
		Size		count = 0;
		Size		taken;

		for (uint32 i = 0; i < n; i++)
		{
			check_interrupts(i);
			if ((members[i].audiences >> audience & 1) != 0 && places[i].audience == 0)
				candidates[count++] = (Candidate) {members[i].score, hashes[i], i};
		}
		taken = (Size) Min((int64) count, caps[audience]);
		if (taken == 0)
			continue;
		if (taken < count)
			select_candidates(candidates, count, taken - 1);
		sort_candidates(candidates, taken);
		for (Size i = 0; i < taken; i++)
		{
			AudiencePlace *place = &places[candidates[i].member];

			check_interrupts(i);
			place->audience = (uint8) (audience + 1);
			place->place = (uint32) (i + 1);
		}
	}
	pfree(candidates);
}

/* ---------- overlaps ---------- */

/*
 * Of n different sets of audiences, each with its number of members: how many are in
 * these audiences at least.  False if there are too many sets.
 */
bool
audience_supersets(const uint32 *sets, const int64 *members, uint32 n, int64 *at_least)
{
	if (n > AUDIENCE_SETS_MAX)
		return false;
	for (uint32 i = 0; i < n; i++)
	{
		int64		sum = 0;

		CHECK_FOR_INTERRUPTS();
		for (uint32 k = 0; k < n; k++)
			sum += (sets[k] & sets[i]) == sets[i] ? members[k] : 0;
		at_least[i] = sum;
	}
	return true;
}
