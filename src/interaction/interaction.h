/*
 * interaction.h
 *	  What the SQL faces of interaction share.
 */
#ifndef CUSTMART_INTERACTION_H
#define CUSTMART_INTERACTION_H

#include "custmart.h"

#include "datatype/timestamp.h"
#include "interaction/interaction_core.h"

extern InteractionKind interaction_kind_argument(FunctionCallInfo fcinfo, int argument);
extern InteractionSettings interaction_settings_arguments(FunctionCallInfo fcinfo, int first);
extern void interaction_check_as_of(TimestampTz as_of, TimestampTz time, const char *argument);

#endif							/* CUSTMART_INTERACTION_H */
