/*
 * keytable.c
 *	  The hash table under every book.
 */
#include "shared/keytable.h"

#include "common/hashfn.h"
#include "common/pg_prng.h"

#include "shared/bytes.h"

/* The index grows when more than 13 of 16 slots would be taken. */
#define SLOTS_FULL(count, nslots) ((uint64) (count) * 16 > (uint64) (nslots) * 13)

#define FIRST_ENTRIES 64
#define FIRST_SLOTS 128
#define ARENA_BLOCK_MIN 1024
#define ARENA_BLOCK_MAX (1024 * 1024)

/* In an entry, a KEY_BYTES key is a pointer to its length and bytes. */
typedef char *StoredKey;

/* Makes an empty table, its memory to come from the given context. */
void
keytable_init(KeyTable *table, KeyType key_type, Size payload_size, MemoryContext context)
{
	memset(table, 0, sizeof(*table));
	table->context = context;
	table->key_type = key_type;
	table->seed = pg_prng_uint64(&pg_global_prng_state);
	table->key_size = key_type == KEY_FIXED16 ? 16 : key_type == KEY_FIXED20 ? 20 : 8;
	table->entry_size = MAXALIGN(table->key_size + payload_size);
}

/*
 * Spreads an integer over 64 bits: the finalizer of MurmurHash3.  It and the
 * hashes below are never stored; every table has a seed of its own, so that
 * nobody can choose keys that all fall into one place.
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
			return (uint32) hash_bytes_extended((const unsigned char *) key->bytes.data,
												(int) key->bytes.length, seed);
	}
	pg_unreachable();
}

static inline bool
key_equals(KeyType key_type, const char *entry, const Key *key)
{
	StoredKey	stored;
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
			memcpy(&stored, entry, sizeof(stored));
			memcpy(&length, stored, sizeof(length));
			return length == key->bytes.length &&
				memcmp(stored + sizeof(length), key->bytes.data, length) == 0;
	}
	pg_unreachable();
}

/* Copies length and bytes of a key to where they stay. */
static StoredKey
keep_bytes(KeyTable *table, const Key *key)
{
	Size		need = sizeof(uint32) + key->bytes.length;
	char	   *place;

	if (need > table->arena_left)
	{
		Size		block = Min(Max(table->key_bytes, ARENA_BLOCK_MIN), ARENA_BLOCK_MAX);

		if (need > block / 4)
			place = MemoryContextAlloc(table->context, need);
		else
		{
			table->arena = place = MemoryContextAlloc(table->context, block);
			table->arena_left = block;
		}
	}
	else
		place = table->arena;
	if (place == table->arena)
	{
		table->arena += need;
		table->arena_left -= need;
	}
	memcpy(place, &key->bytes.length, sizeof(uint32));
	memcpy(place + sizeof(uint32), key->bytes.data, key->bytes.length);
	table->key_bytes += key->bytes.length;
	return place;
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
	return MemoryContextAllocZero(table->context, Min(nslots, KEYTABLE_SLOTS) * sizeof(KeySlot));
}

/*
 * Makes the index at least large enough for `count` entries.  If this fails half
 * way the table is of no use any more.
 */
static void
reserve_slots(KeyTable *table, uint64 count)
{
	uint64		nslots = Max(table->nslots, FIRST_SLOTS);
	KeySlot   **slots;

	while (SLOTS_FULL(count, nslots))
		nslots += nslots / 2;
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

/* Gives memory to at least `count` entries. */
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
				table->chunks[0] = repalloc(table->chunks[0], size);
			table->capacity = capacity;
		}
		else
		{
			/* The list of chunks doubles whenever its length is a power of two. */
			if ((table->nchunks & (table->nchunks - 1)) == 0)
				table->chunks = repalloc(table->chunks,
										 (Size) table->nchunks * 2 * sizeof(char *));
			table->chunks[table->nchunks] =
				MemoryContextAlloc(table->context, KEYTABLE_CHUNK * table->entry_size);
			table->nchunks++;
			table->capacity += KEYTABLE_CHUNK;
		}
	}
}

/* Makes room for this many keys in all, so that it need not grow on the way. */
void
keytable_reserve(KeyTable *table, uint32 count)
{
	reserve_slots(table, count);
	reserve_entries(table, count);
}

/*
 * Fills an empty table with what another holds, payloads included, without
 * hashing anything.  Not for KEY_BYTES, whose entries hold pointers.
 */
void
keytable_copy(KeyTable *table, const KeyTable *source)
{
	Assert(table->count == 0 && table->key_type == source->key_type);
	Assert(table->key_type != KEY_BYTES && table->entry_size == source->entry_size);
	if (source->count == 0)
		return;
	reserve_entries(table, source->count);
	for (uint32 done = 0; done < source->count; done += KEYTABLE_CHUNK)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(keytable_entry(table, done), keytable_entry(source, done),
			   Min(KEYTABLE_CHUNK, source->count - done) * table->entry_size);
	}
	table->slots = MemoryContextAlloc(table->context, count_chunks(source->nslots) * sizeof(KeySlot *));
	for (uint64 chunk = 0; chunk < count_chunks(source->nslots); chunk++)
	{
		CHECK_FOR_INTERRUPTS();
		table->slots[chunk] = make_chunk(table, source->nslots);
		memcpy(table->slots[chunk], source->slots[chunk],
			   Min(source->nslots, KEYTABLE_SLOTS) * sizeof(KeySlot));
	}
	table->nslots = source->nslots;
	table->seed = source->seed;
	table->count = source->count;
}

/* Appends an entry with a payload of zeros; there is memory for it. */
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
			{
				StoredKey	stored = keep_bytes(table, key);

				memcpy(entry, &stored, sizeof(stored));
			}
			break;
	}
	memset(entry + table->key_size, 0, table->entry_size - table->key_size);
	return number;
}

/* keytable_locate for one key type, which the compiler sees as a constant. */
static inline void
locate(KeyTable *table, KeyType key_type, const Key *keys, int n, uint32 *entries)
{
	uint32		hashes[KEYTABLE_BATCH];
	uint32		candidates[KEYTABLE_BATCH];
	KeySlot   **slots = table->slots;
	uint64		nslots = table->nslots;

	for (int i = 0; i < n; i++)
	{
		hashes[i] = hash_key(key_type, &keys[i], table->seed);
		__builtin_prefetch(slot_at(slots, first_slot(nslots, hashes[i])));
	}

	/* The first entry whose 32 bits agree is nearly always the right one. */
	for (int i = 0; i < n; i++)
	{
		uint64		at = first_slot(nslots, hashes[i]);
		KeySlot    *slot = slot_at(slots, at);

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

	for (int i = 0; i < n; i++)
	{
		uint64		at;
		KeySlot    *slot;

		if (candidates[i] != 0 &&
			key_equals(key_type, keytable_entry(table, candidates[i] - 1), &keys[i]))
		{
			entries[i] = candidates[i] - 1;
			continue;
		}

		/* New, or appended just now for an earlier key of the batch, or unlucky. */
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

/*
 * Finds the entries of up to KEYTABLE_BATCH keys, appending those that are not
 * there yet, with a payload of zeros.
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
	reserve_slots(table, count);
	reserve_entries(table, count);

	switch (table->key_type)
	{
		case KEY_INT64:
			locate(table, KEY_INT64, keys, n, entries);
			break;
		case KEY_FIXED16:
			locate(table, KEY_FIXED16, keys, n, entries);
			break;
		case KEY_BYTES:
			locate(table, KEY_BYTES, keys, n, entries);
			break;
		case KEY_FIXED20:
			locate(table, KEY_FIXED20, keys, n, entries);
			break;
	}
}

/* The key of an entry; bytes are not copied. */
Key
keytable_key(const KeyTable *table, uint32 entry)
{
	char	   *place = keytable_entry(table, entry);
	Key			key = {0};

	switch (table->key_type)
	{
		case KEY_INT64:
			memcpy(&key.number, place, 8);
			break;
		case KEY_FIXED16:
			memcpy(key.fixed, place, 16);
			break;
		case KEY_FIXED20:
			memcpy(key.fixed, place, 20);
			break;
		case KEY_BYTES:
			{
				StoredKey	stored;

				memcpy(&stored, place, sizeof(stored));
				memcpy(&key.bytes.length, stored, sizeof(uint32));
				key.bytes.data = stored + sizeof(uint32);
			}
			break;
	}
	return key;
}

/* Bytes that keytable_store_keys will write. */
Size
keytable_stored_size(const KeyTable *table)
{
	return (Size) table->count * (table->key_type == KEY_FIXED16 ? 16 :
								  table->key_type == KEY_INT64 ? 8 : 4) + table->key_bytes;
}

/*
 * Writes all keys, in the given order of entries or in their own: 8 or 16 bytes
 * each, or all lengths (4 bytes each) followed by all bytes.  Returns the end.
 */
uint8 *
keytable_store_keys(const KeyTable *table, const uint32 *order, uint8 *bytes)
{
	uint8	   *data = bytes + (Size) table->count * 4;

	Assert(table->key_type != KEY_FIXED20);
	for (uint32 i = 0; i < table->count; i++)
	{
		Key			key = keytable_key(table, order == NULL ? i : order[i]);

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		switch (table->key_type)
		{
			case KEY_INT64:
				bytes = store_u64(bytes, (uint64) key.number);
				break;
			case KEY_FIXED16:
			case KEY_FIXED20:
				memcpy(bytes, key.fixed, 16);
				bytes += 16;
				break;
			case KEY_BYTES:
				bytes = store_u32(bytes, key.bytes.length);
				memcpy(data, key.bytes.data, key.bytes.length);
				data += key.bytes.length;
				break;
		}
	}
	return table->key_type == KEY_BYTES ? data : bytes;
}

/* Orders two keys, numbers by value and all else by bytes: below, at or above 0. */
int
keytable_compare_keys(KeyType key_type, const Key *a, const Key *b)
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

/* What entries are sorted by: first by the beginning of their keys, as a number. */
typedef struct SortedKey
{
	uint64		prefix;
	uint32		entry;
} SortedKey;

static uint64
key_prefix(KeyType key_type, const Key *key)
{
	uint64		prefix = 0;

	switch (key_type)
	{
		case KEY_INT64:
			return (uint64) key->number ^ UINT64CONST(1) << 63;
		case KEY_FIXED16:
		case KEY_FIXED20:
			return load_u64(key->fixed);
		case KEY_BYTES:
			for (uint32 i = 0; i < 8; i++)
				prefix = prefix << 8 | (i < key->bytes.length ? (uint8) key->bytes.data[i] : 0);
	}
	return prefix;
}

/* Sorts by one byte of the prefix, keeping the order of equal ones. */
static void
sort_by_byte(const SortedKey *from, SortedKey *to, uint32 n, int shift)
{
	uint32		begins[256] = {0};
	uint32		sum = 0;

	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		begins[from[i].prefix >> shift & 0xFF]++;
	}
	for (int i = 0; i < 256; i++)
	{
		uint32		count = begins[i];

		begins[i] = sum;
		sum += count;
	}
	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		to[begins[from[i].prefix >> shift & 0xFF]++] = from[i];
	}
}

static int
compare_entries(const void *a, const void *b, void *table)
{
	Key			x = keytable_key(table, ((const SortedKey *) a)->entry);
	Key			y = keytable_key(table, ((const SortedKey *) b)->entry);

	return keytable_compare_keys(((KeyTable *) table)->key_type, &x, &y);
}

/*
 * The numbers of all entries in the order of their keys; to be freed by the
 * caller.  A radix sort of the first 8 bytes, skipping those that are the same
 * in all keys; a comparison is made only where all 8 agree.
 */
uint32 *
keytable_sorted(const KeyTable *table)
{
	Size		size = Max((Size) table->count, 1);
	SortedKey  *sorted = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(SortedKey));
	SortedKey  *spare = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(SortedKey));
	uint32	   *order;
	uint64		differing = 0;

	for (uint32 i = 0; i < table->count; i++)
	{
		Key			key = keytable_key(table, i);

		check_interrupts(i);
		sorted[i].prefix = key_prefix(table->key_type, &key);
		sorted[i].entry = i;
		differing |= sorted[i].prefix ^ sorted[0].prefix;
	}
	for (int shift = 0; shift < 64; shift += 8)
		if ((differing >> shift & 0xFF) != 0)
		{
			SortedKey  *swap = sorted;

			sort_by_byte(sorted, spare, table->count, shift);
			sorted = spare;
			spare = swap;
		}
	pfree(spare);

	if (table->key_type != KEY_INT64)
		for (uint32 begin = 0, end; begin < table->count; begin = end)
		{
			check_interrupts(begin);
			for (end = begin + 1; end < table->count && sorted[end].prefix == sorted[begin].prefix;)
				end++;
			if (end - begin > 1)
				qsort_interruptible(sorted + begin, end - begin, sizeof(SortedKey),
									compare_entries, (void *) table);
		}

	order = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(uint32));
	for (uint32 i = 0; i < table->count; i++)
	{
		check_interrupts(i);
		order[i] = sorted[i].entry;
	}
	pfree(sorted);
	return order;
}
