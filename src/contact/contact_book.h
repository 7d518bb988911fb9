/*
 * contact_book.h
 *	  The type contact_book, for those who read it.
 */
#ifndef CUSTMART_CONTACT_BOOK_H
#define CUSTMART_CONTACT_BOOK_H

#include "contact/contact.h"
#include "history/history_book.h"

extern const HistoryBookFormat contact_book_format;

#endif							/* CUSTMART_CONTACT_BOOK_H */
