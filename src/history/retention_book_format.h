/*
 * retention_book_format.h
 *	  The stored form of retention_book, which is here because more than one
 *	  capability reads it.
 */
#ifndef CUSTMART_RETENTION_BOOK_FORMAT_H
#define CUSTMART_RETENTION_BOOK_FORMAT_H

#include "custmart.h"

#include "history/history_book.h"

/* The forms of a book. */
#define RETENTION_PERIODS 0
#define RETENTION_AMOUNTS 1		/* periods, with the money of each */
#define RETENTION_TIMES 2		/* exact times, no calendar */

/* The same, with the period or time in which each member joined. */
#define RETENTION_JOINED 3
#define RETENTION_JOINED_PERIODS (RETENTION_JOINED + RETENTION_PERIODS)
#define RETENTION_JOINED_AMOUNTS (RETENTION_JOINED + RETENTION_AMOUNTS)
#define RETENTION_JOINED_TIMES (RETENTION_JOINED + RETENTION_TIMES)

extern const HistoryBookFormat retention_book_format;

#endif							/* CUSTMART_RETENTION_BOOK_FORMAT_H */
