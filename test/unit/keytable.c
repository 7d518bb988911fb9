/* needs: shared/keytable.c shared/keytable_order.c shared/packed_column.c */
#include "shared/keytable.h"
#include "shared/packed_column.h"

#include "tap.h"

#define PAYLOAD 8

static const char *const type_names[] = {NULL, "numbers", "16 bytes", "bytes", "20 bytes"};

/* Tables last as long as the program, so that what they point to is not lost. */
static KeyTable *tables[1000];
static int	table_count;

static KeyTable *
make_table(KeyType type, Size payload)
{
	KeyTable   *table = tables[table_count++] = malloc(sizeof(KeyTable));

	keytable_init(table, type, payload, NULL);
	return table;
}

/* A key in bytes whose order, as memcmp has it, is that of the keys. */
typedef struct Plain
{
	uint8		bytes[48];
	int			length;
	int			number;			/* in which order it came */
} Plain;

static int
compare_plain(const void *a, const void *b)
{
	const Plain *x = a;
	const Plain *y = b;
	int			order = memcmp(x->bytes, y->bytes, Min(x->length, y->length));

	return order != 0 ? order : x->length - y->length;
}

/* Bytes of all kinds: many share a beginning, some are the beginning of others. */
static void
random_bytes(uint8 *bytes, int length, int kind)
{
	for (int i = 0; i < length; i++)
		switch (kind)
		{
			case 0:
				bytes[i] = (uint8) random_u64();
				break;
			case 1:				/* few letters */
				bytes[i] = "\0\1a\xFF"[random_below(4)];
				break;
			case 2:				/* the first eight are nearly always the same */
				bytes[i] = i < 8 ? (random_below(50) ? 'k' : 'l') : (uint8) random_below(4);
				break;
			case 3:				/* the first ten always, the last are not */
				bytes[i] = i < 10 ? 0 : (uint8) random_below(256);
				break;
			case 4:				/* one byte differs */
				bytes[i] = 7;
				break;
			default:
				bytes[i] = 0;
		}
	if (kind == 4 && length > 0)
		bytes[random_below(length)] = (uint8) random_below(256);
}

static int64
random_number(int kind)
{
	switch (kind)
	{
		case 0:
			return (int64) random_u64();
		case 1:
			return (int64) random_below(2000) - 1000;
		case 2:
			return (int64) (random_below(256) << 8 * random_below(8));
		case 3:
			return INT64_MIN + (int64) random_below(300);
		case 4:
			return INT64_MAX - (int64) random_below(300);
		default:
			return random_below(2) ? (int64) random_below(100) << 56 : -1 - (int64) random_below(70000);
	}
}

static Plain
random_key(KeyType type, int kind)
{
	Plain		plain = {{0}};

	if (type == KEY_INT64)
	{
		/* Offset binary: the smallest number is the smallest in bytes, too. */
		uint64		number = (uint64) random_number(kind) + (UINT64_C(1) << 63);

		plain.length = 8;
		for (int i = 7; i >= 0; i--, number >>= 8)
			plain.bytes[i] = (uint8) number;
		return plain;
	}
	plain.length = type == KEY_FIXED16 ? 16 : type == KEY_FIXED20 ? 20 : (int) random_below(random_below(2) ? 12 : 48);
	random_bytes(plain.bytes, plain.length, kind);
	return plain;
}

static Key
key_of(KeyType type, const Plain *plain)
{
	Key			key;

	memset(&key, 0x5A, sizeof(key));
	if (type == KEY_INT64)
	{
		uint64		number = 0;

		for (int i = 0; i < 8; i++)
			number = number << 8 | plain->bytes[i];
		key.number = (int64) (number - (UINT64_C(1) << 63));
	}
	else if (type == KEY_BYTES)
	{
		key.bytes.data = (const char *) plain->bytes;
		key.bytes.length = (uint32) plain->length;
	}
	else
		memcpy(key.fixed, plain->bytes, plain->length);
	return key;
}

static bool
is_key(KeyType type, const Key *key, const Plain *plain)
{
	Key			other = key_of(type, plain);

	if (type == KEY_INT64)
		return key->number == other.number;
	if (type == KEY_BYTES)
		return key->bytes.length == (uint32) plain->length && memcmp(key->bytes.data, plain->bytes, plain->length) == 0;
	return memcmp(key->fixed, plain->bytes, plain->length) == 0;
}

/* All keys put in, batch by batch; which entry each got. */
static void
locate_all(KeyTable *table, const Plain *plain, int n, uint32 *entries)
{
	for (int done = 0; done < n;)
	{
		int			most = 1 + (int) random_below(KEYTABLE_BATCH);
		int			batch = Min(n - done, most);
		Key			keys[KEYTABLE_BATCH];

		for (int i = 0; i < batch; i++)
			keys[i] = key_of(table->key_type, &plain[done + i]);
		keytable_locate(table, keys, batch, entries + done);
		done += batch;
	}
}

/* Numbers are stored in order, as a packed column that is as tight as can be, in the room promised. */
static void
check_stored_numbers(const KeyTable *table, const uint32 *order, const Plain *sorted)
{
	Size		room = keytable_stored_size(table);
	uint8	   *bytes = malloc(room);
	const uint8 *end = keytable_store_keys(table, order, bytes);
	const uint8 *at = bytes;
	int64		numbers[PACKED_ROWS];
	uint32		n;

	holds(end <= bytes + room, "numbers: %zu bytes, more than %zu", (size_t) (end - bytes), (size_t) room);
	for (uint32 i = 0; i < table->count; i += n)
	{
		const char *wrong;

		n = Min(table->count - i, PACKED_ROWS);
		wrong = packed_check_and_load(&at, end, (int) n, numbers);
		if (!holds(wrong == NULL, "numbers: block at %u: %s", i, wrong))
			break;
		for (uint32 k = 0; k < n; k++)
			holds(numbers[k] == key_of(KEY_INT64, &sorted[i + k]).number, "numbers: another one stored at %u", i + k);
	}
	holds(at == end, "numbers: not all that was stored");
	free(bytes);
}

/* What was put in is there once, in the order in which it came, and comes out sorted. */
static void
check_table(KeyType type, int n, int kind, int seed)
{
	KeyTable   *table = make_table(type, PAYLOAD);
	Plain	   *plain = malloc(Max(n, 1) * sizeof(Plain));
	Plain	   *distinct = malloc(Max(n, 1) * sizeof(Plain));
	uint32	   *entries = malloc(Max(n, 1) * sizeof(uint32));
	uint32	   *again = malloc(Max(n, 1) * sizeof(uint32));
	uint32	   *order;
	uint32		count = 0;
	uint32		next = 0;
	int			ascending;

	table->seed = (uint64) seed * UINT64_C(0x123456789ABCDEF);
	for (int i = 0; i < n; i++)
		plain[i] = i > 0 && random_below(4) == 0 ? plain[random_below(i)] : random_key(type, kind < 0 ? (int) random_below(6) : kind);
	/* Keys that ascend, as far as they do, need no index. */
	ascending = random_below(2) ? 0 : random_below(2) ? n : (int) random_below(n + 1);
	qsort(plain, ascending, sizeof(Plain), compare_plain);
	for (int i = 0; i < n; i++)
		plain[i].number = i;
	locate_all(table, plain, n, entries);
	holds(ascending < n || table->nslots == 0, "%s: an index of ascending keys", type_names[type]);
	if (random_below(2))
	{
		/* The order, which is that of arrival then. */
		order = keytable_sorted(table);
		holds(ascending < n || n == 0 || order[0] == 0, "%s: another first key", type_names[type]);
		for (uint32 i = 1; i < table->count; i++)
		{
			Key			before = keytable_key(table, order[i - 1]);
			Key			key = keytable_key(table, order[i]);

			holds(keytable_compare_keys(type, &before, &key) < 0, "%s: not sorted at %u", type_names[type], i);
			holds(ascending < n || order[i] == i, "%s: ascending keys in another order", type_names[type]);
		}
		free(order);
	}
	locate_all(table, plain, n, again);
	holds(memcmp(entries, again, n * sizeof(uint32)) == 0, "other entries when looked up again");
	for (int i = 0; i < n; i++)
	{
		Key			key = keytable_key(table, entries[i]);
		char		zeros[PAYLOAD] = {0};

		/* New ones get the next number, and all others the one they had. */
		holds(entries[i] <= next, "%s: entry %u of key %d", type_names[type], entries[i], i);
		next += entries[i] == next;
		holds(is_key(type, &key, &plain[i]), "%s: another key in entry %u", type_names[type], entries[i]);
		holds(memcmp(keytable_payload(table, entries[i]), zeros, PAYLOAD) == 0, "%s: a payload that is not empty", type_names[type]);
	}

	memcpy(distinct, plain, n * sizeof(Plain));
	qsort(distinct, n, sizeof(Plain), compare_plain);
	for (int i = 0; i < n; i++)
		if (i == 0 || compare_plain(&distinct[i], &distinct[count - 1]) != 0)
			distinct[count++] = distinct[i];
	holds(table->count == count && next == count, "%s: %u keys, not %u", type_names[type], table->count, count);

	order = keytable_sorted(table);
	for (uint32 i = 0; i < count; i++)
	{
		Key			key = keytable_key(table, order[i]);

		if (!holds(order[i] == entries[distinct[i].number] && is_key(type, &key, &distinct[i]),
				   "%s, kind %d, %u keys: another one at %u", type_names[type], kind, count, i))
			break;
		if (i > 0)
		{
			Key			before = keytable_key(table, order[i - 1]);

			holds(keytable_compare_keys(type, &before, &key) < 0 && keytable_compare_keys(type, &key, &before) > 0 &&
				  keytable_compare_keys(type, &key, &key) == 0, "%s: keys compare otherwise", type_names[type]);
		}
	}

	/* Stored: numbers as a packed column; lengths of 4 bytes first, if they differ, then bytes. */
	if (type == KEY_INT64)
		check_stored_numbers(table, order, distinct);
	else if (type != KEY_FIXED20)
	{
		Size		size = keytable_stored_size(table);
		uint8	   *bytes = malloc(size);
		const uint8 *at = bytes;
		const uint8 *data = bytes + (Size) count * 4;

		holds(keytable_store_keys(table, order, bytes) == bytes + size, "%s: another size", type_names[type]);
		for (uint32 i = 0; i < count; i++)
		{
			const Plain *p = &distinct[i];

			if (type == KEY_BYTES)
			{
				holds(at[0] == 0 && at[1] == 0 && at[2] == 0 && at[3] == p->length && memcmp(data, p->bytes, p->length) == 0, "bytes stored");
				at += 4;
				data += p->length;
			}
			else
			{
				holds(memcmp(at, p->bytes, p->length) == 0, "stored");
				at += p->length;
			}
		}
		holds(type == KEY_BYTES ? data == bytes + size : at == bytes + size, "%s: all of it", type_names[type]);
		free(bytes);
	}

	/* Cleared it is as good as new. */
	keytable_clear(table);
	holds(table->count == 0, "%s: not empty", type_names[type]);
	locate_all(table, plain, n, again);
	holds(table->count == count && memcmp(entries, again, n * sizeof(uint32)) == 0, "%s: cleared, it differs", type_names[type]);
	free(order);
	free(plain);
	free(distinct);
	free(entries);
	free(again);
}

/* The number of a key among those of check_many, which come in descending order. */
static Plain
numbered_key(KeyType type, uint32 number)
{
	Plain		plain = {{0}};

	plain.length = type == KEY_FIXED16 ? 16 : type == KEY_FIXED20 ? 20 : 8;
	for (int i = 0; i < 4; i++)
		plain.bytes[4 + i] = (uint8) (number >> (24 - 8 * i));
	return plain;
}

/* More keys than a chunk of entries holds: each is found where it was put, and they come out sorted. */
static void
check_many(KeyType type, uint32 n)
{
	KeyTable   *table = make_table(type, PAYLOAD);
	uint32	   *order;
	bool		is_found = true;
	bool		is_sorted = true;

	for (int round = 0; round < 2; round++)
		for (uint32 done = 0; done < n;)
		{
			Plain		plain[KEYTABLE_BATCH];
			Key			keys[KEYTABLE_BATCH];
			uint32		entries[KEYTABLE_BATCH];
			uint32		batch = Min(n - done, KEYTABLE_BATCH);

			for (uint32 i = 0; i < batch; i++)
			{
				plain[i] = numbered_key(type, n - 1 - done - i);
				keys[i] = key_of(type, &plain[i]);
			}
			keytable_locate(table, keys, (int) batch, entries);
			for (uint32 i = 0; i < batch; i++)
			{
				Key			key = keytable_key(table, entries[i]);

				is_found &= entries[i] == done + i && is_key(type, &key, &plain[i]);
			}
			done += batch;
		}
	holds(is_found && table->count == n, "%s: one of %u keys is elsewhere", type_names[type], n);
	order = keytable_sorted(table);
	for (uint32 i = 0; i < n; i++)
		is_sorted &= order[i] == n - 1 - i;
	holds(is_sorted, "%s: %u keys do not come out sorted", type_names[type], n);
	holds(n <= KEYTABLE_CHUNK || table->nchunks > 1, "%s: %u keys are in one chunk", type_names[type], n);
	holds(n < KEYTABLE_SLOTS || table->nslots > KEYTABLE_SLOTS, "%s: the index of %u keys is in one chunk", type_names[type], n);
	free(order);
	keytable_clear(table);
}

int
main(void)
{
	for (KeyType type = KEY_INT64; type <= KEY_FIXED20; type++)
	{
		char		name[100];

		snprintf(name, sizeof(name), "%s: once, in order of coming, and sorted as qsort sorts them", type_names[type]);
		property(name);
		for (int n = 0; n < 20; n++)
			check_table(type, n, -1, n);
		for (int kind = -1; kind < 6; kind++)
			for (int n = 50; n < 4000; n *= 4)
				check_table(type, n, kind, n);
		check_table(type, 60000, -1, 1);
		check_table(type, 60000, 0, 2);
		check_many(type, KEYTABLE_CHUNK + 1000);
		property_end();
	}

	property("an index of several chunks");
	check_many(KEY_INT64, KEYTABLE_SLOTS);
	property_end();

	/* Room made beforehand changes nothing. */
	{
		KeyTable   *table = make_table(KEY_INT64, 0);
		uint32		entry;
		Key			key = {.number = -5};
		uint64		nslots;

		keytable_reserve(table, 100000);
		nslots = table->nslots;
		for (int i = 0; i < 100000; i++)
		{
			key.number = i % 2 ? i : -i;
			keytable_locate(table, &key, 1, &entry);
			if (entry != (uint32) i)
				break;
		}
		ok(entry == 99999 && table->nslots == nslots, "a table with room for all keys does not grow");
	}
	return done_testing();
}
