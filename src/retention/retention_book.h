/*
 * retention_book.h
 *	  Shared by the building of a retention_book and its reports.
 */
#ifndef CUSTMART_RETENTION_BOOK_H
#define CUSTMART_RETENTION_BOOK_H

#include "custmart.h"

#include "history/history_book.h"

/* The forms of a book. */
#define RETENTION_PERIODS 0
#define RETENTION_AMOUNTS 1		/* periods, with the money of each */
#define RETENTION_TIMES 2		/* exact times, no calendar */

extern const HistoryBookFormat retention_book_format;

#endif							/* CUSTMART_RETENTION_BOOK_H */
