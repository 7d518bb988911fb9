/*
 * keytable.c
 *	  The hash table under every book.
 */
#include "shared/keytable.h"

#include "common/hashfn.h"
#include "common/pg_prng.h"

#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "shared/packed_column.h"
#include "shared/short_text.h"

/* The index grows when more than 13 of 16 slots would be taken: by half, or while it is small to the double. */
#define SLOTS_FULL(count, nslots) ((uint64) (count) * 16 > (uint64) (nslots) * 13)
#define SLOTS_DOUBLE (1 << 17)

/* Small, because there may be a table for each of a hundred thousand groups. */
#define FIRST_ENTRIES 4
#define FIRST_SLOTS 8
#define BLOCK_MIN 64
#define BLOCK_MAX LARGE_MEMORY_MIN

/* A block of such bytes. */
typedef struct KeyBlock
{
	struct KeyBlock *next;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} KeyBlock;

/* Initializes an empty table that allocates in the given context. */
void
keytable_init(KeyTable *table, KeyType key_type, Size payload_size, MemoryContext context)
{
	memset(table, 0, sizeof(*table));
	table->context = context;
	table->key_type = key_type;
	table->seed = pg_prng_uint64(&pg_global_prng_state);
	switch (key_type)
	{
		case KEY_INT64:
			table->key_size = 8;
			break;
		case KEY_FIXED16:
			table->key_size = 16;
			break;
		case KEY_FIXED20:
			table->key_size = 20;
			break;
		case KEY_BYTES:
			table->key_size = KEYTABLE_BYTES_SIZE;
			break;
	}
	table->entry_size = MAXALIGN(table->key_size + payload_size);
}

static uint64 count_chunks(uint64 nslots);

/* Empties a table and frees all its memory. */
void
keytable_clear(KeyTable *table)
{
	KeyTable	empty = {
		.context = table->context,
		.key_type = table->key_type,
		.seed = table->seed,
		.key_size = table->key_size,
		.entry_size = table->entry_size
	};

	for (uint32 i = 0; i < table->nchunks; i++)
		pfree(table->chunks[i]);
	if (table->chunks != NULL)
		pfree(table->chunks);
	for (uint64 i = 0; i < count_chunks(table->nslots); i++)
		pfree(table->slots[i]);
	if (table->slots != NULL)
		pfree(table->slots);
	while (table->blocks != NULL)
	{
		KeyBlock   *block = table->blocks;

		table->blocks = block->next;
		pfree(block);
	}
	*table = empty;
}

/*
 * Mixes the bits of an integer: the finalizer of MurmurHash3.  These hashes are
 * never stored, and every table has its own seed, so nobody can choose keys that
 * all collide.
 */
static inline uint64
hash_int64(uint64 h)
{
	h ^= h >> 33;
	h *= UINT64CONST(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64CONST(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

static inline uint64
hash_text(const char *bytes, uint32 length, uint64 seed)
{
	uint64		first;
	uint64		last;

	if (length > SHORT_TEXT_MAX)
		return hash_bytes_extended((const unsigned char *) bytes, (int) length, seed);
	short_text_ends(bytes, length, &first, &last);
	return hash_int64(first ^ hash_int64(last ^ (uint64) length << 56 ^ seed));
}

static inline uint32
hash_key(KeyType key_type, const Key *key, uint64 seed)
{
	switch (key_type)
	{
		case KEY_INT64:
			return (uint32) hash_int64((uint64) key->number ^ seed);
		case KEY_FIXED16:
			{
				uint64		half[2];

				memcpy(half, key->fixed, 16);
				return (uint32) hash_int64(half[0] ^ hash_int64(half[1] ^ seed));
			}
		case KEY_FIXED20:
			{
				uint64		half[2];
				uint32		rest;

				memcpy(half, key->fixed, 16);
				memcpy(&rest, key->fixed + 16, 4);
				return (uint32) hash_int64(half[0] ^ hash_int64(half[1] ^ hash_int64(rest ^ seed)));
			}
		case KEY_BYTES:
			return (uint32) hash_text(key->bytes.data, key->bytes.length, seed);
	}
	pg_unreachable();
}

static inline bool
key_equals(KeyType key_type, const char *entry, const Key *key)
{
	uint32		length;

	switch (key_type)
	{
		case KEY_INT64:
			return memcmp(entry, &key->number, 8) == 0;
		case KEY_FIXED16:
			return memcmp(entry, key->fixed, 16) == 0;
		case KEY_FIXED20:
			return memcmp(entry, key->fixed, 20) == 0;
		case KEY_BYTES:
			memcpy(&length, entry, sizeof(length));
			return length == key->bytes.length &&
				text_equals(keytable_entry_bytes(entry, length), key->bytes.data, length);
	}
	pg_unreachable();
}

/* keytable_compare_keys for a key type that is a constant to the compiler. */
static inline int
compare_keys(KeyType key_type, const Key *a, const Key *b)
{
	switch (key_type)
	{
		case KEY_INT64:
			return (a->number > b->number) - (a->number < b->number);
		case KEY_FIXED16:
			return memcmp(a->fixed, b->fixed, 16);
		case KEY_FIXED20:
			return memcmp(a->fixed, b->fixed, 20);
		case KEY_BYTES:
			return compare_bytes(a->bytes.data, a->bytes.length, b->bytes.data, b->bytes.length);
	}
	pg_unreachable();
}

static char *
make_block(KeyTable *table, Size size)
{
	KeyBlock   *block = large_alloc(table->context, offsetof(KeyBlock, bytes) + size);

	block->next = table->blocks;
	table->blocks = block;
	return block->bytes;
}

/* Copies the bytes of a long key to memory of the table. */
static char *
keep_bytes(KeyTable *table, const Key *key)
{
	Size		need = key->bytes.length;
	Size		block = Min(Max(table->key_bytes, BLOCK_MIN), BLOCK_MAX);
	char	   *place;

	if (need > table->free_bytes_left && need > block / 4)
		place = make_block(table, need);
	else
	{
		if (need > table->free_bytes_left)
		{
			table->free_bytes = make_block(table, block);
			table->free_bytes_left = block;
		}
		place = table->free_bytes;
		table->free_bytes += need;
		table->free_bytes_left -= need;
	}
	memcpy(place, key->bytes.data, need);
	return place;
}

/* Writes a key of bytes into its new entry. */
static void
put_bytes(KeyTable *table, const Key *key, char *entry)
{
	memcpy(entry, &key->bytes.length, sizeof(uint32));
	if (key->bytes.length > KEYTABLE_SHORT_MAX)
	{
		char	   *bytes = keep_bytes(table, key);

		memcpy(entry + KEYTABLE_POINTER_OFFSET, &bytes, sizeof(bytes));
	}
	else if (key->bytes.length > 0)
		memcpy(entry + sizeof(uint32), key->bytes.data, key->bytes.length);
	table->key_bytes += key->bytes.length;
}

static inline uint64
first_slot(uint64 nslots, uint32 hash)
{
	return hash * nslots >> 32;
}

static inline uint64
next_slot(uint64 nslots, uint64 slot)
{
	return slot + 1 == nslots ? 0 : slot + 1;
}

static inline KeySlot *
slot_at(KeySlot **slots, uint64 i)
{
	return &slots[i >> KEYTABLE_SLOT_BITS][i & (KEYTABLE_SLOTS - 1)];
}

static uint64
count_chunks(uint64 nslots)
{
	return (nslots + KEYTABLE_SLOTS - 1) >> KEYTABLE_SLOT_BITS;
}

static KeySlot *
make_chunk(KeyTable *table, uint64 nslots)
{
	Size		size = Min(nslots, KEYTABLE_SLOTS) * sizeof(KeySlot);

	return large_alloc_zeroed(table->context, size);
}

/*
 * Grows the index until it is large enough for `count` entries.  If this fails
 * half way the table is unusable.
 */
static void
reserve_slots(KeyTable *table, uint64 count)
{
	uint64		nslots = Max(table->nslots, FIRST_SLOTS);
	KeySlot   **slots;

	while (SLOTS_FULL(count, nslots))
		nslots += nslots < SLOTS_DOUBLE ? nslots : nslots / 2;
	if (nslots == table->nslots)
		return;

	slots = MemoryContextAllocZero(table->context, count_chunks(nslots) * sizeof(KeySlot *));
	for (uint64 chunk = 0; chunk < count_chunks(table->nslots); chunk++)
	{
		uint64		n = Min(table->nslots - (chunk << KEYTABLE_SLOT_BITS), KEYTABLE_SLOTS);

		CHECK_FOR_INTERRUPTS();
		for (uint64 i = 0; i < n; i++)
		{
			KeySlot		slot = table->slots[chunk][i];
			uint64		at;

			if (slot.entry == 0)
				continue;
			for (at = first_slot(nslots, slot.hash);; at = next_slot(nslots, at))
			{
				if (slots[at >> KEYTABLE_SLOT_BITS] == NULL)
					slots[at >> KEYTABLE_SLOT_BITS] = make_chunk(table, nslots);
				if (slot_at(slots, at)->entry == 0)
					break;
			}
			*slot_at(slots, at) = slot;
		}
		pfree(table->slots[chunk]);
	}
	for (uint64 chunk = 0; chunk < count_chunks(nslots); chunk++)
		if (slots[chunk] == NULL)
			slots[chunk] = make_chunk(table, nslots);
	if (table->slots != NULL)
		pfree(table->slots);
	table->slots = slots;
	table->nslots = nslots;
}

/* Allocates memory for at least `count` entries. */
static void
reserve_entries(KeyTable *table, uint64 count)
{
	while (table->capacity < count)
	{
		if (table->capacity < KEYTABLE_CHUNK)
		{
			uint32		capacity = Max(table->capacity * 2, FIRST_ENTRIES);
			Size		size = capacity * table->entry_size;

			if (table->nchunks == 0)
			{
				table->chunks = MemoryContextAlloc(table->context, sizeof(char *));
				table->chunks[0] = MemoryContextAlloc(table->context, size);
				table->nchunks = 1;
			}
			else
				table->chunks[0] = large_realloc(table->chunks[0], size);
			table->capacity = capacity;
		}
		else
		{
			/* The list of chunks doubles whenever its length is a power of two. */
			if ((table->nchunks & (table->nchunks - 1)) == 0)
				table->chunks = repalloc(table->chunks,
										 (Size) table->nchunks * 2 * sizeof(char *));
			table->chunks[table->nchunks] =
				large_alloc(table->context, KEYTABLE_CHUNK * table->entry_size);
			table->nchunks++;
			table->capacity += KEYTABLE_CHUNK;
		}
	}
}

/* Makes the index of a table that has done without one, for this many keys. */
static void
make_index(KeyTable *table, uint64 count)
{
	reserve_slots(table, count);
	for (uint32 begin = 0; begin < table->count; begin += KEYTABLE_BATCH)
	{
		uint32		hashes[KEYTABLE_BATCH];
		uint32		n = Min(table->count - begin, KEYTABLE_BATCH);

		check_interrupts(begin / KEYTABLE_BATCH);
		for (uint32 i = 0; i < n; i++)
		{
			Key			key = keytable_key(table, begin + i);

			hashes[i] = hash_key(table->key_type, &key, table->seed);
			__builtin_prefetch(slot_at(table->slots, first_slot(table->nslots, hashes[i])), 1);
		}
		for (uint32 i = 0; i < n; i++)
		{
			uint64		at = first_slot(table->nslots, hashes[i]);

			while (slot_at(table->slots, at)->entry != 0)
				at = next_slot(table->nslots, at);
			*slot_at(table->slots, at) = (KeySlot) {hashes[i], begin + i + 1};
		}
	}
}

/* Makes room for this many keys in all, so that the table need not grow on the way. */
void
keytable_reserve(KeyTable *table, uint32 count)
{
	if (table->nslots == 0)
		make_index(table, Max(count, table->count));
	reserve_slots(table, count);
	reserve_entries(table, count);
}

/* Appends an entry with a payload of zeros; its memory has been allocated. */
static uint32
append(KeyTable *table, KeyType key_type, const Key *key)
{
	uint32		number = table->count++;
	char	   *entry = keytable_entry(table, number);

	switch (key_type)
	{
		case KEY_INT64:
			memcpy(entry, &key->number, 8);
			break;
		case KEY_FIXED16:
			memcpy(entry, key->fixed, 16);
			break;
		case KEY_FIXED20:
			memcpy(entry, key->fixed, 20);
			break;
		case KEY_BYTES:
			put_bytes(table, key, entry);
			break;
	}
	memset(entry + table->key_size, 0, table->entry_size - table->key_size);
	return number;
}

/* Fetches the bytes of a long key ahead; it may be a short one, if the hash is all that agrees. */
static pg_attribute_always_inline void
fetch_bytes(const char *entry)
{
	uint32		length;

	memcpy(&length, entry, sizeof(length));
	if (length > KEYTABLE_SHORT_MAX)
		__builtin_prefetch(keytable_entry_bytes(entry, length));
}

/* Whether a key is the one before it, in the same place. */
static inline bool
is_repeated(KeyType key_type, const Key *keys, int i)
{
	return key_type == KEY_BYTES && i > 0 && keys[i].bytes.data == keys[i - 1].bytes.data &&
		keys[i].bytes.length == keys[i - 1].bytes.length;
}

/* keytable_locate for one key type, which is a constant to the compiler. */
static inline void
locate(KeyTable *table, KeyType key_type, const Key *keys, int n, uint32 *entries)
{
	uint32		hashes[KEYTABLE_BATCH];
	uint32		candidates[KEYTABLE_BATCH];
	KeySlot   **slots = table->slots;
	uint64		nslots = table->nslots;

	for (int i = 0; i < n; i++)
	{
		if (is_repeated(key_type, keys, i))
		{
			hashes[i] = hashes[i - 1];
			continue;
		}
		hashes[i] = hash_key(key_type, &keys[i], table->seed);
		__builtin_prefetch(slot_at(slots, first_slot(nslots, hashes[i])));
	}

	/* The first entry whose 32 bits agree is nearly always the right one. */
	for (int i = 0; i < n; i++)
	{
		uint64		at;
		KeySlot    *slot;

		if (is_repeated(key_type, keys, i))
			continue;
		at = first_slot(nslots, hashes[i]);
		slot = slot_at(slots, at);
		while (slot->entry != 0 && slot->hash != hashes[i])
			slot = slot_at(slots, at = next_slot(nslots, at));
		candidates[i] = slot->entry;
		if (candidates[i] != 0)
		{
			char	   *entry = keytable_entry(table, candidates[i] - 1);

			__builtin_prefetch(entry, 1);
			__builtin_prefetch(entry + table->entry_size - 1, 1);
		}
	}

	/* What is not in the entry is fetched as well. */
	for (int i = 0; i < n && key_type == KEY_BYTES; i++)
		if (keys[i].bytes.length > KEYTABLE_SHORT_MAX && !is_repeated(key_type, keys, i) && candidates[i] != 0)
			fetch_bytes(keytable_entry(table, candidates[i] - 1));

	for (int i = 0; i < n; i++)
	{
		uint64		at;
		KeySlot    *slot;

		if (is_repeated(key_type, keys, i))
		{
			entries[i] = entries[i - 1];
			continue;
		}
		if (candidates[i] != 0 &&
			key_equals(key_type, keytable_entry(table, candidates[i] - 1), &keys[i]))
		{
			entries[i] = candidates[i] - 1;
			continue;
		}

		/* New, or just appended for an earlier key of the batch, or a false match. */
		for (at = first_slot(nslots, hashes[i]); (slot = slot_at(slots, at))->entry != 0;
			 at = next_slot(nslots, at))
			if (slot->hash == hashes[i] &&
				key_equals(key_type, keytable_entry(table, slot->entry - 1), &keys[i]))
				break;
		if (slot->entry == 0)
		{
			entries[i] = append(table, key_type, &keys[i]);
			slot->hash = hashes[i];
			slot->entry = entries[i] + 1;
		}
		else
			entries[i] = slot->entry - 1;
	}
}

static inline bool
same_keys(KeyType key_type, const Key *a, const Key *b)
{
	switch (key_type)
	{
		case KEY_INT64:
			return a->number == b->number;
		case KEY_FIXED16:
			return memcmp(a->fixed, b->fixed, 16) == 0;
		case KEY_FIXED20:
			return memcmp(a->fixed, b->fixed, 20) == 0;
		case KEY_BYTES:
			return a->bytes.length == b->bytes.length && memcmp(a->bytes.data, b->bytes.data, a->bytes.length) == 0;
	}
	pg_unreachable();
}

/*
 * The same.  Lines of one order mostly follow each other, so where many keys are
 * those of their neighbours, each is located once.
 */
static inline void
locate_runs(KeyTable *table, KeyType key_type, const Key *keys, int n, uint32 *entries)
{
	Key			different[KEYTABLE_BATCH];
	uint32		found[KEYTABLE_BATCH];
	int			run[KEYTABLE_BATCH];
	int			repeats = 0;
	int			runs = 0;

	for (int i = 1; i < n; i++)
		repeats += same_keys(key_type, &keys[i - 1], &keys[i]);
	if (repeats * 4 <= n)
	{
		locate(table, key_type, keys, n, entries);
		return;
	}
	different[0] = keys[0];
	run[0] = 0;
	for (int i = 1; i < n; i++)
	{
		if (!same_keys(key_type, &keys[i - 1], &keys[i]))
			different[++runs] = keys[i];
		run[i] = runs;
	}
	locate(table, key_type, different, runs + 1, found);
	for (int i = 0; i < n; i++)
		entries[i] = found[run[i]];
}

/* Finds or appends keys as long as they come in ascending order; false if one does not. */
static inline bool
append_ascending(KeyTable *table, KeyType key_type, const Key *keys, int n, uint32 *entries)
{
	for (int i = 0; i < n; i++)
	{
		int			order = -1;

		if (table->count > 0)
		{
			Key			last = keytable_entry_key(key_type, keytable_entry(table, table->count - 1));

			order = compare_keys(key_type, &last, &keys[i]);
		}
		if (order > 0)
			return false;
		entries[i] = order < 0 ? append(table, key_type, &keys[i]) : table->count - 1;
	}
	return true;
}

/* keytable_locate for one key type. */
static inline void
locate_keys(KeyTable *table, KeyType key_type, const Key *keys, int n, uint32 *entries)
{
	if (table->nslots == 0)
	{
		if (append_ascending(table, key_type, keys, n, entries))
			return;
		make_index(table, (uint64) table->count + n);
	}
	reserve_slots(table, (uint64) table->count + n);
	locate_runs(table, key_type, keys, n, entries);
}

/*
 * Finds the entries of up to KEYTABLE_BATCH keys, and appends missing ones with a
 * payload of zeros.
 */
void
keytable_locate(KeyTable *table, const Key *keys, int n, uint32 *entries)
{
	uint64		count = (uint64) table->count + n;

	Assert(n <= KEYTABLE_BATCH);
	CHECK_FOR_INTERRUPTS();
	if (count > KEYTABLE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a book cannot hold more than %u keys", KEYTABLE_MAX)));
	reserve_entries(table, count);

	switch (table->key_type)
	{
		case KEY_INT64:
			locate_keys(table, KEY_INT64, keys, n, entries);
			break;
		case KEY_FIXED16:
			locate_keys(table, KEY_FIXED16, keys, n, entries);
			break;
		case KEY_BYTES:
			locate_keys(table, KEY_BYTES, keys, n, entries);
			break;
		case KEY_FIXED20:
			locate_keys(table, KEY_FIXED20, keys, n, entries);
			break;
	}
}

/* Room for what keytable_store_keys will write: for numbers, the most it may be. */
Size
keytable_stored_size(const KeyTable *table)
{
	if (table->key_type == KEY_INT64)
		return packed_column_size_max(table->count);
	return (Size) table->count * (table->key_type == KEY_FIXED16 ? 16 : 4) + table->key_bytes;
}

/* Numbers as a packed column. */
static uint8 *
store_numbers(const KeyTable *table, const uint32 *order, uint8 *bytes)
{
	int64		numbers[PACKED_ROWS];
	int			n = 0;

	for (uint32 i = 0; i < table->count; i++)
	{
		check_interrupts(i);
		if (i + 16 < table->count)
			__builtin_prefetch(keytable_entry(table, order[i + 16]));
		memcpy(&numbers[n++], keytable_entry(table, order[i]), 8);
		if (n == PACKED_ROWS || i + 1 == table->count)
		{
			bytes = packed_store(numbers, n, bytes);
			n = 0;
		}
	}
	return bytes;
}

/*
 * Writes all keys in the given order of entries: numbers as a packed column, 16
 * bytes each, or all lengths (4 bytes each) followed by all bytes.  Returns the end.
 */
uint8 *
keytable_store_keys(const KeyTable *table, const uint32 *order, uint8 *bytes)
{
	uint8	   *data = bytes + (Size) table->count * 4;

	Assert(table->key_type != KEY_FIXED20);
	if (table->key_type == KEY_INT64)
		return store_numbers(table, order, bytes);
	for (uint32 i = 0; i < table->count; i++)
	{
		const char *entry = keytable_entry(table, order[i]);

		check_interrupts(i);
		if (i + 16 < table->count)
			keytable_prefetch(table, order[i + 16]);
		if (table->key_type == KEY_FIXED16)
		{
			memcpy(bytes, entry, 16);
			bytes += 16;
		}
		else
		{
			Key			key = keytable_entry_key(KEY_BYTES, entry);

			bytes = store_u32(bytes, key.bytes.length);
			memcpy(data, key.bytes.data, key.bytes.length);
			data += key.bytes.length;
		}
	}
	return table->key_type == KEY_BYTES ? data : bytes;
}

/* Orders two keys, numbers by value and others by bytes: below, at or above 0. */
int
keytable_compare_keys(KeyType key_type, const Key *a, const Key *b)
{
	return compare_keys(key_type, a, b);
}
