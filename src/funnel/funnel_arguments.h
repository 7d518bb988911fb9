/*
 * funnel_arguments.h
 *	  Shared by the types funnel_summary and funnel_book: rows, settings and modes.
 *
 * The settings of a funnel are stored as the number of steps (1 byte) and the
 * window in microseconds (8 bytes).
 */
#ifndef CUSTMART_FUNNEL_ARGUMENTS_H
#define CUSTMART_FUNNEL_ARGUMENTS_H

#include "custmart.h"

#include "datatype/timestamp.h"
#include "funnel/funnel_core.h"

#define FUNNEL_SETTINGS_SIZE 9

/* What a row of an aggregate says, beside its time. */
typedef struct FunnelRow
{
	uint32		steps;			/* that it meets, as the tag of an event */
	uint8		settings[FUNNEL_SETTINGS_SIZE];
} FunnelRow;

/* How the steps are given to an aggregate. */
typedef enum StepsForm
{
	STEPS_ARRAY,				/* VARIADIC boolean[] */
	STEPS_LISTED				/* an argument for each, up to the last one: no array to make at every row */
} StepsForm;

#define FUNNEL_SETTINGS_HINT \
	"Make all parts with the same within and the same number of steps."

extern bool funnel_row_arguments(FunctionCallInfo fcinfo, int within, int steps, StepsForm form, FunnelRow *row);
extern void funnel_settings_error(void);
extern const char *funnel_check_settings(const uint8 *settings, Size size, EventLimits *limits);
extern int	funnel_mode_argument(FunctionCallInfo fcinfo, int argument);
extern void funnel_rules_arguments(FunctionCallInfo fcinfo, int argument, Funnel *funnel);
extern void funnel_last_start(Funnel *funnel, TimestampTz as_of);
extern Funnel funnel_of_settings(const uint8 *settings, int mode);
extern Interval funnel_interval(int64 duration);
extern float8 funnel_seconds(int64 duration);
extern Datum funnel_times(const FunnelChain *chain);
extern Datum funnel_intervals(const FunnelChain *chain);
extern Datum funnel_all_seconds(const FunnelChain *chain);

#endif							/* CUSTMART_FUNNEL_ARGUMENTS_H */
