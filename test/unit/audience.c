/* needs: audience/audience_core.c */
#include "audience/audience_core.h"

#include <math.h>

#include "tap.h"

#define MEMBERS 40

/* Is the first member before the second, by the rules: score, hash, key? */
static bool
is_before(const AudienceCandidate *members, uint32 a, uint32 b)
{
	if (members[a].score != members[b].score)
		return members[a].score > members[b].score;
	if (members[a].hash != members[b].hash)
		return members[a].hash < members[b].hash;
	return a < b;
}

/* Plans by definition: each audience in turn gives each of its places to the best of those who are left. */
static void
plan_by_definition(AudienceCandidate *members, uint32 n, int audiences, const int64 *caps)
{
	for (int k = 0; k < audiences; k++)
		for (int64 place = 1; place <= caps[k]; place++)
		{
			uint32		best = n;

			for (uint32 i = 0; i < n; i++)
				if (members[i].place == 0 && (members[i].audiences & UINT32_C(1) << k) != 0 &&
					(best == n || is_before(members, i, best)))
					best = i;
			if (best == n)
				break;
			members[best].audiences = UINT32_C(1) << k;
			members[best].place = (uint32) place;
		}
}

static double
random_score(int kind, int scores)
{
	switch (kind)
	{
		case 0:					/* with ties */
			return (double) random_below(scores) - 3;
		case 1:					/* cents, which differ in more than 32 bits, nearly all in the highest */
			return (double) (random_below(100000) - 200) / 100;
		default:				/* that differ in more than 32 bits, some in the lowest only */
			return (double[]) {1 / 3., -1e9 / 7, 1e300 / 9}[random_below(3)] * (1 + (double) random_below(4) * 0x1p-52);
	}
}

static void
test_plan(void)
{
	property("a plan is what choosing place by place gives");
	for (int run = 0; run < 30000; run++)
	{
		uint32		n = (uint32) random_below(MEMBERS + 1);
		int			audiences = 1 + (int) random_below(random_below(10) == 0 ? AUDIENCES_MAX : 4);
		int			kind = (int) random_below(3);
		int			scores = 1 + (int) random_below(20);
		int			kinds_of_hashes = 1 + (int) random_below(30);
		AudienceCandidate members[MEMBERS];
		AudienceCandidate expected[MEMBERS];
		int64		caps[AUDIENCES_MAX];

		for (uint32 i = 0; i < n; i++)
			members[i] = (AudienceCandidate) {
				.score = random_below(5) == 0 ? AUDIENCE_NO_SCORE : audience_key_of_score(random_score(kind, scores)),
				.audiences = (uint32) random_below(UINT64_C(1) << audiences),
				.hash = (uint64) random_below(kinds_of_hashes) << 40
			};
		for (int k = 0; k < audiences; k++)
			caps[k] = random_below(3) == 0 ? AUDIENCE_NO_CAP : (int64) random_below(n + 3);
		memcpy(expected, members, sizeof(members));
		audience_plan(members, n, audiences, caps);
		plan_by_definition(expected, n, audiences, caps);
		for (uint32 i = 0; i < n; i++)
			holds(members[i].place == expected[i].place && (members[i].place == 0 || members[i].audiences == expected[i].audiences),
				  "member %u of %u: audiences %x, place %u; expected %x, %u", i, n, members[i].audiences, members[i].place,
				  expected[i].audiences, expected[i].place);
	}
	property_end();
}

static void
test_scores(void)
{
	const double scores[] = {-INFINITY, -1.7e308, -1.5, -1, -1e-300, -5e-324, 0, 5e-324, 1e-300, 1, 1.5, 1.7e308, INFINITY};
	uint64		last = AUDIENCE_NO_SCORE;

	property("keys of scores are in the order of the scores, above no score");
	for (int i = 1; i < (int) LENGTH_OF(scores) - 1; i++)
	{
		uint64		key = audience_key_of_score(scores[i]);

		holds(key > last, "%g", scores[i]);
		holds(audience_is_score_key(key), "%g is a score", scores[i]);
		last = key;
	}
	holds(audience_key_of_score(-0.0) == audience_key_of_score(0.0), "0 has no sign");
	property_end();

	property("only keys of finite scores, and of none, are keys");
	holds(audience_is_score_key(AUDIENCE_NO_SCORE), "none");
	holds(!audience_is_score_key(audience_key_of_score(INFINITY)), "infinity");
	holds(!audience_is_score_key(audience_key_of_score(-INFINITY)), "-infinity");
	holds(!audience_is_score_key(audience_key_of_score(NAN)), "NaN");
	holds(!audience_is_score_key(audience_key_of_score(-NAN)) || audience_key_of_score(-NAN) == AUDIENCE_NO_SCORE, "NaN with a sign");
	holds(!audience_is_score_key(~(UINT64_C(1) << 63)), "-0");
	property_end();
}

static void
test_supersets(void)
{
	static uint32 too_many[AUDIENCE_SETS_MAX + 1];
	static int64 zeros[AUDIENCE_SETS_MAX + 1];

	property("at least these: counted member by member");
	for (int run = 0; run < 2000; run++)
	{
		uint32		sets[32];
		int64		members[32];
		int64		at_least[32];
		uint32		n = 0;

		for (uint32 set = 0; set < 32; set++)
			if (random_below(3) > 0)
			{
				sets[n] = set;
				members[n++] = 1 + (int64) random_below(9);
			}
		holds(audience_supersets(sets, members, n, at_least), "%u sets", n);
		for (uint32 i = 0; i < n; i++)
		{
			int64		count = 0;

			for (uint32 k = 0; k < n; k++)
				for (int64 m = 0; m < members[k]; m++)
				{
					bool		is_in_all = true;

					for (int audience = 0; audience < 5; audience++)
						if ((sets[i] >> audience & 1) != 0 && (sets[k] >> audience & 1) == 0)
							is_in_all = false;
					count += is_in_all;
				}
			holds(at_least[i] == count, "set %u: %" PRId64 ", expected %" PRId64, sets[i], at_least[i], count);
		}
	}
	property_end();
	ok(!audience_supersets(too_many, zeros, AUDIENCE_SETS_MAX + 1, zeros), "too many sets are refused");
}

int
main(void)
{
	test_plan();
	test_scores();
	test_supersets();
	return done_testing();
}
