/*
 * keytable_order.c
 *	  The order of all keys of a table, and their grouping by a part of them.
 */
#include "shared/keytable.h"

#include "shared/bit_sort.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"

#define FEW_ENTRIES 64			/* not worth the counters */

/* The first 8 bytes of a key after those that all keys share, as a number. */
static uint64
key_prefix(KeyType key_type, const Key *key, uint32 shared)
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
			if (key->bytes.length >= shared + 8)
				return load_u64((const uint8 *) key->bytes.data + shared);
			for (uint32 i = shared; i < shared + 8; i++)
				prefix = prefix << 8 | (i < key->bytes.length ? (uint8) key->bytes.data[i] : 0);
	}
	return prefix;
}

/* Bytes that all keys begin with. */
static uint32
shared_bytes(const KeyTable *table)
{
	Key			first;
	uint32		shared;

	if (table->key_type != KEY_BYTES || table->count == 0)
		return 0;
	first = keytable_key(table, 0);
	shared = first.bytes.length;
	for (uint32 i = 1; i < table->count && shared > 0; i++)
	{
		Key			key = keytable_key(table, i);

		check_interrupts(i);
		shared = Min(shared, key.bytes.length);
		while (shared > 0 && memcmp(first.bytes.data, key.bytes.data, shared) != 0)
			shared--;
	}
	return shared;
}

static int
compare_entries(const void *a, const void *b, void *table)
{
	Key			x = keytable_key(table, ((const SortedBits *) a)->entry);
	Key			y = keytable_key(table, ((const SortedBits *) b)->entry);

	return keytable_compare_keys(((KeyTable *) table)->key_type, &x, &y);
}

/*
 * Fills in what entries are sorted by: those bits of the first 8 bytes of its key that
 * differ between keys.  Member numbers and digits in texts have few such bits.  The key
 * type is a constant to the compiler.
 */
static pg_attribute_always_inline BitRuns
find_bits(KeyType key_type, const KeyTable *table, SortedBits *sorted)
{
	uint32		shared = shared_bytes(table);
	uint64		differing = 0;
	uint64		first = 0;
	BitRuns		runs;

	for (uint32 i = 0; i < table->count; i++)
	{
		Key			key = keytable_entry_key(key_type, keytable_entry(table, i));
		uint64		prefix = key_prefix(key_type, &key, shared);

		check_interrupts(i);
		if (i == 0)
			first = prefix;
		differing |= prefix ^ first;
	}
	runs = bit_runs(differing);
	for (uint32 i = 0; i < table->count; i++)
	{
		Key			key = keytable_entry_key(key_type, keytable_entry(table, i));

		check_interrupts(i);
		sorted[i].bits = bits_of(&runs, key_prefix(key_type, &key, shared));
		sorted[i].entry = i;
	}
	return runs;
}

/* Sorts by the bits in which keys differ; true if nothing is left to compare. */
static bool
sort_by_bits(const KeyTable *table, SortedBits **sorted)
{
	BitRuns		runs;

	switch (table->key_type)
	{
		case KEY_INT64:
			runs = find_bits(KEY_INT64, table, *sorted);
			break;
		case KEY_BYTES:
			runs = find_bits(KEY_BYTES, table, *sorted);
			break;
		default:				/* the first 8 bytes of both */
			runs = find_bits(KEY_FIXED16, table, *sorted);
			break;
	}
	*sorted = bit_sort(*sorted, table->count, &runs);
	return table->key_type == KEY_INT64 && runs.is_all;
}

/* Sorts a few entries by insertion; there may be a table for each of many groups. */
static uint32 *
sort_few(const KeyTable *table)
{
	uint32	   *order = large_alloc(CurrentMemoryContext, Max(table->count, 1) * sizeof(uint32));
	uint64		prefixes[FEW_ENTRIES];

	for (uint32 i = 0; i < table->count; i++)
	{
		Key			key = keytable_key(table, i);
		uint64		prefix = key_prefix(table->key_type, &key, 0);
		uint32		at = i;

		for (; at > 0 && prefixes[at - 1] >= prefix; at--)
		{
			if (prefixes[at - 1] == prefix)
			{
				Key			before = keytable_key(table, order[at - 1]);

				if (keytable_compare_keys(table->key_type, &before, &key) < 0)
					break;
			}
			prefixes[at] = prefixes[at - 1];
			order[at] = order[at - 1];
		}
		prefixes[at] = prefix;
		order[at] = i;
	}
	return order;
}

/* The numbers of all entries of a table whose keys came in ascending order. */
static uint32 *
order_of_arrival(uint32 count)
{
	uint32	   *order = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(uint32));

	for (uint32 i = 0; i < count; i++)
	{
		check_interrupts(i);
		order[i] = i;
	}
	return order;
}

/*
 * The numbers of all entries in the order of their keys; the caller frees them.
 * This is a radix sort by the bits in which keys differ; keys are compared only
 * where all of these bits are equal.
 */
uint32 *
keytable_sorted(const KeyTable *table)
{
	uint32		count = table->count;
	SortedBits *sorted;
	uint32	   *order;

	if (table->nslots == 0)
		return order_of_arrival(count);
	if (count <= FEW_ENTRIES)
		return sort_few(table);
	sorted = large_alloc(CurrentMemoryContext, (Size) count * sizeof(SortedBits));
	if (!sort_by_bits(table, &sorted))
		for (uint32 begin = 0, end; begin < count; begin = end)
		{
			check_interrupts(begin);
			for (end = begin + 1; end < count && sorted[end].bits == sorted[begin].bits;)
				end++;
			if (end - begin > 1)
				qsort_interruptible(sorted + begin, end - begin, sizeof(SortedBits),
									compare_entries, (void *) table);
		}

	/* In the same place: what is written is never ahead of what is read. */
	order = (uint32 *) sorted;
	for (uint32 i = 0; i < count; i++)
	{
		check_interrupts(i);
		order[i] = sorted[i].entry;
	}
	return order;
}

/*
 * All entries, grouped by a number of 4 bytes that their keys have at an offset, those
 * of group i from first[i] up to first[i + 1], which has room for one more than the
 * groups.  In a group they are in the order of arrival.
 */
uint32 *
keytable_grouped(const KeyTable *table, Size offset, uint32 groups, uint32 *first)
{
	uint32	   *entries = large_alloc(CurrentMemoryContext, Max((Size) table->count, 1) * sizeof(uint32));
	uint32		group;

	memset(first, 0, ((Size) groups + 1) * sizeof(uint32));
	for (uint32 i = 0; i < table->count; i++)
	{
		check_interrupts(i);
		memcpy(&group, keytable_entry(table, i) + offset, sizeof(group));
		first[group + 1]++;
	}
	for (group = 0; group < groups; group++)
		first[group + 1] += first[group];

	/* first[i] advances to the end of group i, which is where group i + 1 begins. */
	for (uint32 i = 0; i < table->count; i++)
	{
		check_interrupts(i);
		memcpy(&group, keytable_entry(table, i) + offset, sizeof(group));
		entries[first[group]++] = i;
	}
	memmove(first + 1, first, (Size) groups * sizeof(uint32));
	first[0] = 0;
	return entries;
}
