/*
 * audience_core.c
 *	  Plans and overlaps of audiences.
 */
#include "audience/audience_core.h"

#include <math.h>

#include "shared/bit_sort.h"

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

/* One of several members whose scores have the same bits. */
typedef struct TiedMember
{
	uint64		score;
	uint64		hash;
	uint32		member;
} TiedMember;

static inline int
compare_tied(const TiedMember *a, const TiedMember *b)
{
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (likely(a->hash != b->hash))
		return a->hash < b->hash ? -1 : 1;
	return (a->member > b->member) - (a->member < b->member);
}

#ifndef CUSTMART_STANDALONE
#define ST_SORT sort_tied
#define ST_ELEMENT_TYPE TiedMember
#define ST_COMPARE(a, b) compare_tied(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"
#else
static int
compare_as_qsort_wants(const void *a, const void *b)
{
	return compare_tied(a, b);
}

static void
sort_tied(TiedMember *tied, Size n)
{
	qsort(tied, n, sizeof(TiedMember), compare_as_qsort_wants);
}
#endif

/* The members who are in an audience, by the bits in which scores differ, the greatest first. */
static SortedBits *
sort_by_score(const AudienceCandidate *members, uint32 n, uint32 *count)
{
	SortedBits *sorted = large_alloc(CurrentMemoryContext, ((Size) n + 1) * sizeof(SortedBits));
	uint64		differing = 0;
	BitRuns		runs;

	for (uint32 i = 1; i < n; i++)
	{
		check_interrupts(i);
		differing |= members[i].score ^ members[0].score;
	}
	runs = bit_runs(differing);
	*count = 0;
	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (members[i].audiences != 0)
			sorted[(*count)++] = (SortedBits) {bits_of(&runs, ~members[i].score), i};
	}
	return bit_sort(sorted, *count, &runs);
}

/* Puts members whose bits are the same in order; `tied` has room for them. */
static void
sort_run(const AudienceCandidate *members, SortedBits *run, uint32 n, TiedMember *tied)
{
	for (uint32 i = 0; i < n; i++)
	{
		const AudienceCandidate *member = &members[run[i].entry];

		check_interrupts(i);
		tied[i] = (TiedMember) {member->score, member->hash, run[i].entry};
	}
	sort_tied(tied, n);
	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		run[i].entry = tied[i].member;
	}
}

#define FETCHED_AHEAD 16

/*
 * Plans: the first audience takes as many of its members as its cap allows, by
 * descending score, the second of those who are left, and so on.  A hash decides
 * between equal scores.
 *
 * All audiences prefer members in the same order.  So going through the members once,
 * in that order, and giving each to the first of their audiences that has a place left,
 * comes to the same.
 */
void
audience_plan(AudienceCandidate *members, uint32 n, int audiences, const int64 *caps)
{
	int64		taken[AUDIENCES_MAX] = {0};
	uint32		open = 0;		/* audiences with a place left */
	uint32		count;
	SortedBits *sorted = sort_by_score(members, n, &count);
	TiedMember *tied = large_alloc(CurrentMemoryContext, ((Size) count + 1) * sizeof(TiedMember));

	for (int audience = 0; audience < audiences; audience++)
		open |= (uint32) (caps[audience] > 0) << audience;
	for (uint32 begin = 0, end; begin < count && open != 0; begin = end)
	{
		end = begin;
		do
		{
			if (end + FETCHED_AHEAD < count)
				__builtin_prefetch(&members[sorted[end + FETCHED_AHEAD].entry], 1);
			check_interrupts(end);
			end++;
		} while (end < count && sorted[end].bits == sorted[begin].bits);
		if (end - begin > 1)
			sort_run(members, sorted + begin, end - begin, tied);
		for (uint32 i = begin; i < end; i++)
		{
			AudienceCandidate *member = &members[sorted[i].entry];
			uint32		wanted = member->audiences & open;
			int			audience;

			check_interrupts(i);
			if (wanted == 0)
				continue;
			audience = pg_rightmost_one_pos32(wanted);
			member->audiences = UINT32_C(1) << audience;
			member->place = (uint32) ++taken[audience];
			if (taken[audience] == caps[audience])
				open &= ~member->audiences;
		}
	}
	pfree(tied);
	pfree(sorted);
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
