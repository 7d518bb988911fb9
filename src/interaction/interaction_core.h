/*
 * interaction_core.h
 *	  Interaction stages: does a member come on their own initiative, because they
 *	  were induced, because they must, or not at all?
 *
 * The interactions in the span before a point in time are counted by kind, and the
 * counts give the stage.
 */
#ifndef CUSTMART_INTERACTION_CORE_H
#define CUSTMART_INTERACTION_CORE_H

#include "history/history_core.h"

/* Stored in values, as tags of events: never renumber. */
typedef enum InteractionKind
{
	INTERACTION_OBLIGED = 0,
	INTERACTION_INDUCED = 1,
	INTERACTION_OWN = 2
} InteractionKind;

#define INTERACTION_KINDS 3

/* In the order in which reports list them. */
typedef enum InteractionStage
{
	STAGE_STICKY,
	STAGE_INDUCED,
	STAGE_FORCED,
	STAGE_DORMANT
} InteractionStage;

#define INTERACTION_STAGES 4

/* Counts up to here are exact as float8, so a share is rounded once. */
#define INTERACTION_COUNT_MAX (INT64CONST(1) << 53)

typedef struct InteractionSettings
{
	int64		span;			/* microseconds, above 0 */
	int32		min_own;		/* own interactions that make a member sticky, 1 or more */
	float8		min_own_share;	/* and their share of all, 0 to 1 */
} InteractionSettings;

typedef struct InteractionCounts
{
	int64		of[INTERACTION_KINDS];
} InteractionCounts;

extern const char *const interaction_stage_names[INTERACTION_STAGES];

extern bool interaction_kind_of_name(const char *name, Size length, InteractionKind *kind);
extern bool interaction_is_within(int64 time, int64 as_of, int64 span);
extern bool interaction_merge(InteractionCounts *counts, const InteractionCounts *other);
extern bool interaction_count(const Event *events, Size n, int64 as_of, int64 span,
							  InteractionCounts *counts);
extern InteractionStage interaction_stage_of(const InteractionCounts *counts,
											 const InteractionSettings *settings);
extern bool interaction_settings_are_valid(const InteractionSettings *settings);

#endif							/* CUSTMART_INTERACTION_CORE_H */
