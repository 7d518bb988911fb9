/*
 * member_fold.c
 *	  The fold of a member: a hash of its key as it is stored.
 */
#include "shared/member_fold.h"

#include "shared/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The fold of a member that is a text or a uuid. */
uint8
member_fold_bytes(const void *member, Size length)
{
	return XXH64(member, length, 0) % MEMBER_FOLDS;
}

/* The fold of a member that is a number. */
uint8
member_fold_bigint(int64 member)
{
	uint8		bytes[8];

	(void) store_u64(bytes, (uint64) member);
	return member_fold_bytes(bytes, sizeof(bytes));
}
