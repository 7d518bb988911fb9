/*
 * custmart.c
 *	  The magic block, nothing else.
 */
#include "custmart.h"

PG_MODULE_MAGIC;
