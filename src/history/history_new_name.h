/*
 * history_new_name.h
 *	  Errors of names that rows bring.
 */
#ifndef CUSTMART_HISTORY_NEW_NAME_H
#define CUSTMART_HISTORY_NEW_NAME_H

#include "custmart.h"

extern void names_check_new(int n, const void *name, Size length, const char *noun, const char *type);
extern void names_too_many_error(const char *noun, const char *type);

#endif							/* CUSTMART_HISTORY_NEW_NAME_H */
