/*
 * stored_value.c
 *	  Input, output, comparison and hashing shared by all stored types.
 *
 * A type without a readable text form is written as its name, a colon and its
 * bytes in base64: rfm_book:AwEB...  The version is in the bytes.
 */
#include "shared/stored_value.h"

#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "common/base64.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Raises the error for stored bytes that are not valid. */
void
stored_raise(const StoredType *type, const char *wrong)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored %s is not valid: %s", type->name, wrong),
			 errhint("The stored bytes are damaged, or were written by a newer version of custmart.")));
}

/*
 * Fetches a stored value for reading: detoasted, flat, checked.  The result
 * may have a short header; use VARDATA_ANY.
 */
bytea *
stored_get(Datum value, const StoredType *type)
{
	bytea	   *stored = DatumGetByteaPP(value);
	const char *wrong = type->check((const uint8 *) VARDATA_ANY(stored),
									VARSIZE_ANY_EXHDR(stored));

	if (wrong != NULL)
		stored_raise(type, wrong);
	return stored;
}

/* The recv function of a stored type: the stored bytes as they are, checked. */
bytea *
stored_recv(FunctionCallInfo fcinfo, const StoredType *type)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	Size		length = message->len - message->cursor;
	bytea	   *stored = palloc(VARHDRSZ + length);
	const char *wrong;

	SET_VARSIZE(stored, VARHDRSZ + length);
	large_copy(VARDATA(stored), pq_getmsgbytes(message, (int) length), length);
	wrong = type->check((const uint8 *) VARDATA(stored), length);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary %s is not valid: %s", type->name, wrong),
				 errhint("The binary form is what the type's send function writes; see docs/storage-format.md.")));
	return stored;
}

/*
 * Reports an invalid literal, quoting at most its beginning; the caller must
 * return immediately.
 */
Datum
stored_input_error(const char *text, const StoredType *type,
				   const char *wrong, const char *hint, Node *escontext)
{
	int			length = (int) Min(strlen(text), 1000);
	int			quoted = pg_mbcliplen(text, length, 60);

	ereturn(escontext, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s%s\"",
					type->name, quoted, text, text[quoted] == '\0' ? "" : "..."),
			 errdetail("The value is not valid: %s.", wrong),
			 errhint("%s", hint)));
}

/*
 * Base64 is processed in pieces, so that even a value of hundreds of megabytes
 * can be cancelled.  Pieces are multiples of 3 bytes, 4 characters.
 */
#define PIECE_BYTES (3 * 1024 * 1024)
#define PIECE_TEXT (PIECE_BYTES / 3 * 4)

/* Writes a checked value as name:base64. */
char *
stored_to_base64(bytea *value, const StoredType *type)
{
	Size		length = VARSIZE_ANY_EXHDR(value);
	Size		prefix = strlen(type->name) + 1;
	Size		encoded = (length + 2) / 3 * 4;
	char	   *text;
	char	   *to;

	if (prefix + encoded + 1 > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s of %zu bytes has no text form", type->name, length),
				 errdetail("Its text form would exceed 1 GB."),
				 errhint("Use the binary form (COPY ... WITH (FORMAT binary)), or make one %s per slice of the table.", type->name)));
	text = palloc(prefix + encoded + 1);
	memcpy(text, type->name, prefix - 1);
	text[prefix - 1] = ':';
	to = text + prefix;
	for (Size done = 0; done < length; done += PIECE_BYTES)
	{
		Size		piece = Min(length - done, PIECE_BYTES);
		int			room = (int) ((piece + 2) / 3 * 4);

		CHECK_FOR_INTERRUPTS();
		if (pg_b64_encode((Base64Byte *) VARDATA_ANY(value) + done, (int) piece, to, room) != room)
			elog(ERROR, "could not encode %s", type->name);
		to += room;
	}
	*to = '\0';
	return text;
}

/*
 * Decodes base64; returns the length, or -1 if it is invalid or its last bits are
 * not those that encoding writes.
 */
static int
decode(const char *text, Size encoded, char *bytes)
{
	int			length = 0;
	char		last[4];

	for (Size done = 0; done < encoded; done += PIECE_TEXT)
	{
		Size		piece = Min(encoded - done, PIECE_TEXT);
		int			room = (int) (piece / 4 * 3);
		int			n;

		CHECK_FOR_INTERRUPTS();
		n = pg_b64_decode(text + done, (int) piece, (Base64Byte *) bytes + length, room);
		if (n < 0 || (n < room && done + piece < encoded))
			return -1;
		length += n;
	}
	if (length % 3 != 0 &&
		(pg_b64_encode((Base64Byte *) bytes + length - length % 3, length % 3, last, 4) != 4 ||
		 memcmp(last, text + encoded - 4, 4) != 0))
		return -1;
	return length;
}

/* Reads name:base64; NULL after a soft error. */
bytea *
stored_from_base64(const char *text, const StoredType *type, Node *escontext)
{
	Size		prefix = strlen(type->name) + 1;
	Size		encoded;
	int			length;
	bytea	   *stored;
	const char *wrong;

	if (strncmp(text, type->name, prefix - 1) != 0 || text[prefix - 1] != ':')
		wrong = "it does not begin with the name of the type and a colon";
	else if ((encoded = strlen(text + prefix)) % 4 != 0)
		wrong = "its base64 part is truncated";
	else
	{
		stored = palloc(VARHDRSZ + encoded / 4 * 3 + 1);
		length = decode(text + prefix, encoded, VARDATA(stored));
		if (length < 0)
			wrong = "its second part is not base64";
		else
		{
			SET_VARSIZE(stored, VARHDRSZ + length);
			wrong = type->check((const uint8 *) VARDATA(stored), length);
			if (wrong == NULL)
				return stored;
		}
	}
	(void) stored_input_error(text, type, wrong,
							  "Only text written by custmart can be read.", escontext);
	return NULL;
}

/*
 * send, comparison and hash functions of the types whose bytes are canonical:
 * equal values have equal bytes.
 */
CUSTMART_FUNCTION(custmart_stored_send);
Datum
custmart_stored_send(PG_FUNCTION_ARGS)
{
	bytea	   *value = PG_GETARG_BYTEA_PP(0);
	Size		size = VARSIZE_ANY_EXHDR(value);
	bytea	   *message = palloc(VARHDRSZ + size);

	SET_VARSIZE(message, VARHDRSZ + size);
	large_copy(VARDATA(message), VARDATA_ANY(value), size);
	PG_RETURN_BYTEA_P(message);
}

static int
compare_arguments(FunctionCallInfo fcinfo)
{
	bytea	   *a = PG_GETARG_BYTEA_PP(0);
	bytea	   *b = PG_GETARG_BYTEA_PP(1);
	int			order = compare_bytes(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
									  VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

#define STORED_COMPARISON(name, condition) \
CUSTMART_FUNCTION(custmart_stored_##name); \
Datum \
custmart_stored_##name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(compare_arguments(fcinfo) condition); \
}

STORED_COMPARISON(eq, == 0)
STORED_COMPARISON(ne, != 0)
STORED_COMPARISON(lt, < 0)
STORED_COMPARISON(le, <= 0)
STORED_COMPARISON(gt, > 0)
STORED_COMPARISON(ge, >= 0)

CUSTMART_FUNCTION(custmart_stored_cmp);
Datum
custmart_stored_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

CUSTMART_FUNCTION(custmart_stored_hash);
Datum
custmart_stored_hash(PG_FUNCTION_ARGS)
{
	bytea	   *value = PG_GETARG_BYTEA_PP(0);
	uint32		hash = hash_bytes((unsigned char *) VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));

	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_UINT32(hash);
}

CUSTMART_FUNCTION(custmart_stored_hash_extended);
Datum
custmart_stored_hash_extended(PG_FUNCTION_ARGS)
{
	bytea	   *value = PG_GETARG_BYTEA_PP(0);
	uint64		hash = hash_bytes_extended((unsigned char *) VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value),
										   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_UINT64(hash);
}
