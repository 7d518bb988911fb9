/*
 * spend.h
 *	  The type spend_summary: what one member spent and got back, time by time.
 */
#ifndef CUSTMART_SPEND_H
#define CUSTMART_SPEND_H

#include "history/history.h"

extern const HistoryKind spend_kind;

#endif							/* CUSTMART_SPEND_H */
