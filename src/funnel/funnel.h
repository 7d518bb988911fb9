/*
 * funnel.h
 *	  The kind of history that a funnel is, for books made of funnels.
 */
#ifndef CUSTMART_FUNNEL_H
#define CUSTMART_FUNNEL_H

#include "custmart.h"

#include "history/history.h"

extern const HistoryKind funnel_kind;

#endif							/* CUSTMART_FUNNEL_H */
