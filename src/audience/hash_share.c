/*
 * hash_share.c
 *	  A share of 0 to 1 that is a member's own, for groups that stay what they are.
 *
 * Which side of a split a member is on must be the same on every machine, in
 * every release and when the audience grows.  So the hash is specified in
 * docs/audience.md, and texts are hashed as UTF-8 whatever the database's encoding.
 */
#include "audience/audience.h"

#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/float.h"
#include "utils/uuid.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* XXH64 of the UTF-8 form of a text. */
uint64
audience_hash_text(const char *bytes, int length, uint64 seed)
{
	char	   *utf8 = pg_server_to_any(bytes, length, PG_UTF8);
	uint64		hash;

	if (utf8 != bytes)
		length = (int) strlen(utf8);
	hash = XXH64(utf8, length, seed);
	if (utf8 != bytes)
		pfree(utf8);
	return hash;
}

/* The hash of a member: of a number as 8 bytes, least significant first. */
uint64
audience_hash_key(KeyType key_type, const Key *key, uint64 seed)
{
	uint64		number;

	switch (key_type)
	{
		case KEY_INT64:
			number = (uint64) key->number;
#ifdef WORDS_BIGENDIAN
			number = pg_bswap64(number);
#endif
			return XXH64(&number, sizeof(number), seed);
		case KEY_FIXED16:
			return XXH64(key->fixed, UUID_LEN, seed);
		case KEY_BYTES:
			return audience_hash_text(key->bytes.data, (int) key->bytes.length, seed);
		case KEY_FIXED20:
			break;
	}
	pg_unreachable();
}

/* The upper 53 bits of a hash, which a float8 holds exactly. */
static float8
share_of_hash(uint64 hash)
{
	return (float8) (hash >> 11) * 0x1p-53;
}

/* The share of a member, argument 0, for a salt, argument 1. */
static float8
get_hash_share(FunctionCallInfo fcinfo, KeyType key_type)
{
	text	   *salt = PG_GETARG_TEXT_PP(1);
	uint64		seed = audience_hash_text(VARDATA_ANY(salt), (int) VARSIZE_ANY_EXHDR(salt), 0);
	Key			key;

	if (key_type == KEY_INT64)
		key.number = PG_GETARG_INT64(0);
	else if (key_type == KEY_FIXED16)
		memcpy(key.fixed, PG_GETARG_UUID_P(0)->data, UUID_LEN);
	else
	{
		text	   *member = PG_GETARG_TEXT_PP(0);

		key.bytes.data = VARDATA_ANY(member);
		key.bytes.length = (uint32) VARSIZE_ANY_EXHDR(member);
	}
	return share_of_hash(audience_hash_key(key_type, &key, seed));
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

/*
 * hash_share(member, salt), and is_held_out(member, salt, share), which is whether
 * hash_share() is below the share.
 */
#define HASH_SHARE(member, key_type) \
CUSTMART_FUNCTION(custmart_hash_share_##member); \
Datum \
custmart_hash_share_##member(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_FLOAT8(get_hash_share(fcinfo, key_type)); \
} \
CUSTMART_FUNCTION(custmart_is_held_out_##member); \
Datum \
custmart_is_held_out_##member(PG_FUNCTION_ARGS) \
{ \
	float8		share = get_share(fcinfo); \
\
	PG_RETURN_BOOL(get_hash_share(fcinfo, key_type) < share); \
}

HASH_SHARE(bigint, KEY_INT64)
HASH_SHARE(uuid, KEY_FIXED16)
HASH_SHARE(text, KEY_BYTES)
