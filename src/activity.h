/*
 * activity.h
 *	  The kind of series that an activity is, for books made of activities.
 */
#ifndef CUSTMART_ACTIVITY_H
#define CUSTMART_ACTIVITY_H

#include "custmart.h"

#include "calendar.h"
#include "events_core.h"
#include "series.h"

extern const SeriesKind activity_kind;

#endif							/* CUSTMART_ACTIVITY_H */
