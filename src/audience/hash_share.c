/*
 * hash_share.c
 *	  A share of 0 to 1 that is a member's own, for groups that stay what they are.
 *
 * Which side of a split a member is on must be the same on every machine, in
 * every release and when the audience grows.  So the hash is specified in
 * docs/audience.md, and texts are hashed as UTF-8 whatever the database's encoding.
 */
#include "custmart.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/uuid.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* XXH64 of the UTF-8 form of a text. */
static uint64
hash_text(text *value, uint64 seed)
{
	char	   *bytes = VARDATA_ANY(value);
	int			length = (int) VARSIZE_ANY_EXHDR(value);
	char	   *utf8 = pg_server_to_any(bytes, length, PG_UTF8);
	uint64		hash;

	if (utf8 != bytes)
		length = (int) strlen(utf8);
	hash = XXH64(utf8, length, seed);
	if (utf8 != bytes)
		pfree(utf8);
	return hash;
}

/* The upper 53 bits of a hash, which a float8 holds exactly. */
static float8
share_of_hash(uint64 hash)
{
	return ldexp((float8) (hash >> 11), -53);
}

static float8
share_of_bigint(FunctionCallInfo fcinfo)
{
	uint64		seed = hash_text(PG_GETARG_TEXT_PP(1), 0);
	uint64		member = (uint64) PG_GETARG_INT64(0);
	uint8		bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8) (member >> 8 * i);
	return share_of_hash(XXH64(bytes, sizeof(bytes), seed));
}

static float8
share_of_uuid(FunctionCallInfo fcinfo)
{
	uint64		seed = hash_text(PG_GETARG_TEXT_PP(1), 0);

	return share_of_hash(XXH64(PG_GETARG_UUID_P(0)->data, UUID_LEN, seed));
}

static float8
share_of_text(FunctionCallInfo fcinfo)
{
	uint64		seed = hash_text(PG_GETARG_TEXT_PP(1), 0);

	return share_of_hash(hash_text(PG_GETARG_TEXT_PP(0), seed));
}

/* The share that is held out: 0 to 1. */
static float8
get_share(FunctionCallInfo fcinfo)
{
	float8		share = PG_GETARG_FLOAT8(2);

	if (!(share >= 0 && share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share must be between 0 and 1, not %s", float8out_internal(share)),
				 errhint("It is a fraction: 0.1 holds out every tenth member.")));
	return share;
}

/* hash_share(bigint, text): the hash is of 8 bytes, least significant first. */
CUSTMART_FUNCTION(custmart_hash_share_bigint);
Datum
custmart_hash_share_bigint(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(share_of_bigint(fcinfo));
}

/* hash_share(uuid, text): the hash is of its 16 bytes. */
CUSTMART_FUNCTION(custmart_hash_share_uuid);
Datum
custmart_hash_share_uuid(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(share_of_uuid(fcinfo));
}

/* hash_share(text, text): the hash is of its UTF-8 bytes. */
CUSTMART_FUNCTION(custmart_hash_share_text);
Datum
custmart_hash_share_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(share_of_text(fcinfo));
}

/* is_held_out(bigint, text, float8): hash_share() is below the share. */
CUSTMART_FUNCTION(custmart_is_held_out_bigint);
Datum
custmart_is_held_out_bigint(PG_FUNCTION_ARGS)
{
	float8		share = get_share(fcinfo);

	PG_RETURN_BOOL(share_of_bigint(fcinfo) < share);
}

/* is_held_out(uuid, text, float8): hash_share() is below the share. */
CUSTMART_FUNCTION(custmart_is_held_out_uuid);
Datum
custmart_is_held_out_uuid(PG_FUNCTION_ARGS)
{
	float8		share = get_share(fcinfo);

	PG_RETURN_BOOL(share_of_uuid(fcinfo) < share);
}

/* is_held_out(text, text, float8): hash_share() is below the share. */
CUSTMART_FUNCTION(custmart_is_held_out_text);
Datum
custmart_is_held_out_text(PG_FUNCTION_ARGS)
{
	float8		share = get_share(fcinfo);

	PG_RETURN_BOOL(share_of_text(fcinfo) < share);
}
