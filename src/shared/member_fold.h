/*
 * member_fold.h
 *	  Folds that members are dealt into, so that an estimate can be made again
 *	  without each of them in turn.
 *
 * The fold depends on nothing but the member, so books of different days or
 * servers agree.  docs/storage-format.md says how it is found.
 */
#ifndef CUSTMART_MEMBER_FOLD_H
#define CUSTMART_MEMBER_FOLD_H

#include "shared/core.h"

#define MEMBER_FOLDS 32

extern uint8 member_fold_bigint(int64 member);
extern uint8 member_fold_bytes(const void *member, Size length);

#endif							/* CUSTMART_MEMBER_FOLD_H */
