/*
 * clv_estimate.h
 *	  Fits a model to the members of a book.
 */
#ifndef CUSTMART_CLV_ESTIMATE_H
#define CUSTMART_CLV_ESTIMATE_H

#include "clv/clv_book.h"

extern void clv_fit_book(ClvBook *book, ClvChoice choice, float8 penalty, ClvFitted *fitted);

#endif							/* CUSTMART_CLV_ESTIMATE_H */
