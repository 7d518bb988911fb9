/*
 * session.h
 *	  What the window functions and the book of sessions share.
 */
#ifndef CUSTMART_SESSION_H
#define CUSTMART_SESSION_H

#include "custmart.h"

#include "datatype/timestamp.h"

extern int64 session_gap(const Interval *interval);
extern void session_gap_null_error(void);

#endif							/* CUSTMART_SESSION_H */
