/*
 * stored_value.h
 *	  Shared by all stored types: the reports of errors in them, and the text form of
 *	  those that have no readable one.  Their first bytes are in stored_kind.h.
 *
 * docs/storage-format.md specifies every format.  Each type has one checker,
 * const char *check(bytes, length), which says what is wrong in words that
 * complete "... is not valid: ", or returns NULL.  Input, recv and every read
 * of a stored value go through it.
 */
#ifndef CUSTMART_STORED_VALUE_H
#define CUSTMART_STORED_VALUE_H

#include "custmart.h"

#include "shared/compat.h"
#include "nodes/nodes.h"
#include "shared/stored_kind.h"
#include "utils/memutils.h"

/*
 * The largest value whose text form, in base64 and with other columns, is still
 * below 1 GB: a larger one could be made, but not dumped.
 */
#define STORED_SIZE_MAX (MaxAllocSize / 16 * 11)

typedef const char *(*StoredCheck) (const uint8 *bytes, Size length);

typedef struct StoredType
{
	const char *name;			/* the SQL type */
	StoredCheck check;
} StoredType;

extern void stored_raise(const StoredType *type, const char *wrong);
extern bytea *stored_get(Datum value, const StoredType *type);
extern bytea *stored_recv(FunctionCallInfo fcinfo, const StoredType *type);
extern char *stored_to_base64(bytea *value, const StoredType *type);
extern bytea *stored_from_base64(const char *text, const StoredType *type, Node *escontext);
extern Datum stored_input_error(const char *text, const StoredType *type,
								const char *wrong, const char *hint, Node *escontext);

#endif							/* CUSTMART_STORED_VALUE_H */
