/*
 * activity.h
 *	  The kind of history that an activity is, for books made of activities.
 */
#ifndef CUSTMART_ACTIVITY_H
#define CUSTMART_ACTIVITY_H

#include "custmart.h"

#include "shared/calendar.h"
#include "history/history_core.h"
#include "history/history.h"

extern const HistoryKind activity_kind;

#endif							/* CUSTMART_ACTIVITY_H */
