/*
 * interaction_core.c
 *	  Interaction stages from counts.
 */
#include "interaction/interaction_core.h"

const char *const interaction_stage_names[INTERACTION_STAGES] = {"sticky", "induced", "forced", "dormant"};

static const char *const kind_names[INTERACTION_KINDS] = {"obliged", "induced", "own"};

bool
interaction_kind_of_name(const char *name, Size length, InteractionKind *kind)
{
	for (int i = 0; i < INTERACTION_KINDS; i++)
		if (length == strlen(kind_names[i]) && memcmp(name, kind_names[i], length) == 0)
		{
			*kind = (InteractionKind) i;
			return true;
		}
	return false;
}

/*
 * as_of - span < time <= as_of.  The distance between two times may need 64
 * unsigned bits.
 */
bool
interaction_is_within(int64 time, int64 as_of, int64 span)
{
	return time <= as_of && (uint64) as_of - (uint64) time < (uint64) span;
}

/* Adds counts; false, with nothing changed, if they are too large. */
bool
interaction_merge(InteractionCounts *counts, const InteractionCounts *other)
{
	int64		all = 0;

	for (int i = 0; i < INTERACTION_KINDS; i++)
		all += counts->of[i] + other->of[i];
	if (all > INTERACTION_COUNT_MAX)
		return false;
	for (int i = 0; i < INTERACTION_KINDS; i++)
		counts->of[i] += other->of[i];
	return true;
}

/*
 * Counts the interactions of a member, in order of time, in the span before
 * as_of; false if there is none up to as_of, inside the span or before it.
 */
bool
interaction_count(const Event *events, Size n, int64 as_of, int64 span, InteractionCounts *counts)
{
	Size		i = n;

	memset(counts, 0, sizeof(*counts));
	for (; i > 0 && events[i - 1].value > as_of; i--)
		check_interrupts(i);
	if (i == 0)
		return false;
	for (; i > 0 && interaction_is_within(events[i - 1].value, as_of, span); i--)
	{
		check_interrupts(i);
		counts->of[events[i - 1].tag]++;
	}
	return true;
}

/*
 * The stage: sticky if own >= min_own and own / all >= min_own_share; else induced
 * if anything was induced or own; else forced if there was anything; else dormant.
 */
InteractionStage
interaction_stage_of(const InteractionCounts *counts, const InteractionSettings *settings)
{
	int64		own = counts->of[INTERACTION_OWN];
	int64		induced = counts->of[INTERACTION_INDUCED];
	int64		all = own + induced + counts->of[INTERACTION_OBLIGED];

	if (own >= settings->min_own && (float8) own / (float8) all >= settings->min_own_share)
		return STAGE_STICKY;
	if (own + induced > 0)
		return STAGE_INDUCED;
	return all > 0 ? STAGE_FORCED : STAGE_DORMANT;
}

bool
interaction_settings_are_valid(const InteractionSettings *settings)
{
	return settings->span > 0 && settings->min_own >= 1 &&
		settings->min_own_share >= 0 && settings->min_own_share <= 1;
}
