/*
 * keytable.h
 *	  A hash table for one job: summarising millions of rows by key.
 *
 * Entries (key, then payload) are stored consecutively in the order of arrival,
 * in chunks that never move.  A separate index of 8-byte slots uses open
 * addressing with linear probing; a slot holds 32 bits of the hash and the
 * entry's number.  A key's first slot is proportional to its hash, so when the
 * index grows, slots move in order to ascending places.  The index is
 * in chunks, too, and each is freed as soon as its slots have moved: growing
 * needs no memory for a second index.  Entries never move, and a scan or a flat
 * copy of the table is a walk through consecutive memory.
 *
 * As long as keys come in ascending order, as members do from a table of customers or
 * from a report, there is no index: a key is the last one or new.  The first key that
 * is lower than the last makes the index.
 *
 * Look-ups come in batches.  In a table larger than the cache a look-up costs
 * two cache misses, one in the index and one at the entry; processing a batch
 * in steps (hash all and prefetch their slots, probe all and prefetch their
 * entries, then compare) lets the misses of the whole batch overlap.
 *
 * Texts of up to 12 bytes, as most ids are, stay in the entry itself; a longer one
 * is elsewhere, which is a third miss.
 */
#ifndef CUSTMART_KEYTABLE_H
#define CUSTMART_KEYTABLE_H

#include "shared/core.h"

#define KEYTABLE_BATCH 64

typedef enum KeyType
{
	KEY_INT64 = 1,
	KEY_FIXED16 = 2,			/* 16 bytes, such as a uuid */
	KEY_BYTES = 3,				/* any bytes, such as a text */
	KEY_FIXED20 = 4				/* 20 bytes; not for the keys of a book */
} KeyType;

typedef union Key
{
	int64		number;
	uint8		fixed[20];
	struct
	{
		const char *data;
		uint32		length;
	}			bytes;
} Key;

typedef struct KeySlot
{
	uint32		hash;			/* the lower half of the key's hash */
	uint32		entry;			/* number of the entry + 1; 0: free */
} KeySlot;

typedef struct KeyTable
{
	MemoryContext context;
	KeyType		key_type;
	uint64		seed;			/* of the hash */
	Size		key_size;		/* in an entry */
	Size		entry_size;
	uint32		count;			/* entries */
	uint32		capacity;		/* entries with memory allocated */
	char	  **chunks;
	uint32		nchunks;
	KeySlot   **slots;			/* chunks of the index */
	uint64		nslots;			/* 0: keys came in ascending order */
	struct KeyBlock *blocks;	/* of bytes of long keys, the latest first */
	char	   *free_bytes;		/* unused rest of the latest block */
	Size		free_bytes_left;
	Size		key_bytes;		/* of all KEY_BYTES keys */
} KeyTable;

/* Largest number of entries: 32 bits of hash still distinguish their slots. */
#define KEYTABLE_MAX 0x7FFFFFFF

/*
 * Entries of a chunk; only the first chunk starts smaller.  Chunks are so large that
 * the kernel can make them of large pages.
 */
#define KEYTABLE_CHUNK_BITS 18
#define KEYTABLE_CHUNK (1u << KEYTABLE_CHUNK_BITS)

/* Slots of a chunk of the index; a smaller index is one chunk of its size. */
#define KEYTABLE_SLOT_BITS 20
#define KEYTABLE_SLOTS (UINT64CONST(1) << KEYTABLE_SLOT_BITS)

extern void keytable_init(KeyTable *table, KeyType key_type, Size payload_size,
						  MemoryContext context);
extern void keytable_reserve(KeyTable *table, uint32 count);
extern void keytable_clear(KeyTable *table);
extern void keytable_locate(KeyTable *table, const Key *keys, int n, uint32 *entries);

static inline char *
keytable_entry(const KeyTable *table, uint32 entry)
{
	return table->chunks[entry >> KEYTABLE_CHUNK_BITS] +
		(entry & (KEYTABLE_CHUNK - 1)) * table->entry_size;
}

/*
 * Fetches an entry ahead, which may lie in two lines of the cache.  Inlined always:
 * gcc takes a function that does nothing but prefetch for one without effects, and
 * leaves out calls of it.
 */
static pg_attribute_always_inline void
keytable_prefetch(const KeyTable *table, uint32 entry)
{
	const char *place = keytable_entry(table, entry);

	__builtin_prefetch(place);
	__builtin_prefetch(place + table->entry_size - 1);
}

static inline void *
keytable_payload(const KeyTable *table, uint32 entry)
{
	return keytable_entry(table, entry) + table->key_size;
}

/*
 * In an entry, a KEY_BYTES key is its length and then either its bytes or, if it is
 * long, unused bytes and a pointer to them.
 */
#define KEYTABLE_BYTES_SIZE 16
#define KEYTABLE_SHORT_MAX (KEYTABLE_BYTES_SIZE - sizeof(uint32))
#define KEYTABLE_POINTER_OFFSET (KEYTABLE_BYTES_SIZE - sizeof(char *))

/* The bytes of such a key. */
static inline const char *
keytable_entry_bytes(const char *entry, uint32 length)
{
	const char *bytes;

	if (length <= KEYTABLE_SHORT_MAX)
		return entry + sizeof(uint32);
	memcpy(&bytes, entry + KEYTABLE_POINTER_OFFSET, sizeof(bytes));
	return bytes;
}

/*
 * The key at the beginning of an entry; bytes are not copied, so they move with the
 * entry, which the first chunk does while it grows.
 */
static inline Key
keytable_entry_key(KeyType key_type, const char *entry)
{
	Key			key;

	/* A union that is initialized with {0} may keep other bytes than its first member's. */
	memset(&key, 0, sizeof(key));
	switch (key_type)
	{
		case KEY_INT64:
			memcpy(&key.number, entry, 8);
			break;
		case KEY_FIXED16:
			memcpy(key.fixed, entry, 16);
			break;
		case KEY_FIXED20:
			memcpy(key.fixed, entry, 20);
			break;
		case KEY_BYTES:
			memcpy(&key.bytes.length, entry, sizeof(uint32));
			key.bytes.data = keytable_entry_bytes(entry, key.bytes.length);
			break;
	}
	return key;
}

/* The same for an entry given by its number. */
static inline Key
keytable_key(const KeyTable *table, uint32 entry)
{
	return keytable_entry_key(table->key_type, keytable_entry(table, entry));
}

extern Size keytable_stored_size(const KeyTable *table);
extern uint8 *keytable_store_keys(const KeyTable *table, const uint32 *order, uint8 *bytes);
extern int	keytable_compare_keys(KeyType key_type, const Key *a, const Key *b);

/* keytable_order.c */
extern uint32 *keytable_sorted(const KeyTable *table);
extern uint32 *keytable_grouped(const KeyTable *table, Size offset, uint32 groups, uint32 *first);

#endif							/* CUSTMART_KEYTABLE_H */
