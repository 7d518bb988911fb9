/*
 * order_checks_ids.c
 *	  Ids, each looked at once: nobody, rounded by a spreadsheet, of a test, written in
 *	  several ways, of a rare shape.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/bytes.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"

static bool
is_folded(CheckText name)
{
	const char *data = name.data;
	uint32		length = name.length;

	id_trim(&data, &length);
	if (length != name.length)
		return false;
	for (uint32 i = 0; i < length; i++)
		if (data[i] >= 'A' && data[i] <= 'Z')
			return false;
	return true;
}

/* Finds names that are equal but for blanks and case. */
static void
find_variants(CheckFindings *findings, CheckNames names)
{
	uint32		count = findings->checks.names[names].count;
	bool		all_folded = true;
	KeyTable	folded;
	uint32	   *entries;
	char	   *buffer = NULL;
	Size		room = 0;

	for (uint32 name = 1; name <= count && all_folded; name++)
	{
		check_interrupts(name);
		all_folded = is_folded(check_name_text(findings, names, name));
	}
	if (all_folded)
		return;
	keytable_init(&folded, KEY_BYTES, sizeof(uint32), CurrentMemoryContext);
	entries = large_alloc(CurrentMemoryContext, (Size) count * sizeof(uint32));
	for (uint32 name = 1; name <= count; name++)
	{
		CheckText	text = check_name_text(findings, names, name);
		Key			key;

		check_interrupts(name);
		if (text.length > room)
			buffer = array_grow(buffer, &room, text.length, 1, CurrentMemoryContext);
		memset(&key, 0, sizeof(key));
		key.bytes.length = text.length == 0 ? 0 : id_fold(text.data, text.length, buffer);
		key.bytes.data = buffer != NULL ? buffer : "";
		keytable_locate(&folded, &key, 1, &entries[name - 1]);
		++*(uint32 *) keytable_payload(&folded, entries[name - 1]);
	}
	for (uint32 i = 0; i < folded.count; i++)
	{
		uint32		forms = *(uint32 *) keytable_payload(&folded, i);

		check_interrupts(i);
		if (forms > 1)
		{
			findings->variants[names]++;
			findings->variant_forms[names] += forms;
		}
	}
	for (uint32 name = 1; name <= count; name++)
	{
		check_interrupts(name);
		if (*(uint32 *) keytable_payload(&folded, entries[name - 1]) > 1)
			findings->name_flags[names][name] |= NAME_IS_VARIANT;
	}
	pfree(entries);
	keytable_clear(&folded);
}

/* Every id once: what it is by itself, and which are written in several ways. */
void
scan_ids(Scan *scan)
{
	CheckFindings *findings = scan->findings;

	for (int names = 0; names < CHECK_NAMES; names++)
	{
		const NameList *list = &findings->checks.names[names];
		uint32	   *offsets = large_alloc(CurrentMemoryContext, ((Size) list->count + 1) * sizeof(uint32));
		uint8	   *flags = large_alloc_zeroed(CurrentMemoryContext, (Size) list->count + 1);

		findings->name_offsets[names] = offsets;
		findings->name_flags[names] = flags;
		offsets[0] = 0;
		if (names == CHECK_MEMBERS)
			flags[0] = NAME_IS_NOBODY;
		for (uint32 name = 1; name <= list->count; name++)
		{
			CheckText	text;

			check_interrupts(name);
			offsets[name] = offsets[name - 1] + load_u32(list->lengths + (Size) (name - 1) * 4);
			text = check_name_text(findings, names, name);
			if (names == CHECK_CURRENCIES)
				continue;
			if (names == CHECK_MEMBERS && id_is_no_member(text.data, text.length))
				flags[name] |= NAME_IS_NOBODY;
			if (id_is_scientific(text.data, text.length))
				flags[name] |= NAME_IS_SCIENTIFIC;
			if (id_has_test_word(text.data, text.length))
				flags[name] |= NAME_IS_TEST;
			findings->rounded_ids += (flags[name] & NAME_IS_SCIENTIFIC) != 0;
		}
		if (names != CHECK_CURRENCIES)
			find_variants(findings, names);
	}
}

/* Finds items whose shape is rare among the rows, once these are counted. */
void
scan_item_shapes(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	uint32		count = findings->checks.names[CHECK_ITEMS].count;
	KeyTable	shapes;
	uint32	   *entries = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(uint32));
	uint32	   *sorted;
	char	   *buffer = NULL;
	Size		room = 0;

	keytable_init(&shapes, KEY_BYTES, sizeof(int64), CurrentMemoryContext);
	for (uint32 item = 1; item <= count; item++)
	{
		CheckText	text = check_name_text(findings, CHECK_ITEMS, item);
		Key			key;

		check_interrupts(item);
		if (text.length > room)
			buffer = array_grow(buffer, &room, text.length, 1, CurrentMemoryContext);
		memset(&key, 0, sizeof(key));
		if (text.length > 0)
			id_shape(text.data, text.length, buffer);
		key.bytes.data = buffer != NULL ? buffer : "";
		key.bytes.length = text.length;
		keytable_locate(&shapes, &key, 1, &entries[item - 1]);
		*(int64 *) keytable_payload(&shapes, entries[item - 1]) += scan->item_rows[item];
	}
	for (uint32 item = 1; item <= count; item++)
	{
		int64		rows = *(int64 *) keytable_payload(&shapes, entries[item - 1]);

		check_interrupts(item);
		if ((float8) rows < CHECK_RARE_SHARE * (float8) findings->rows)
		{
			findings->name_flags[CHECK_ITEMS][item] |= NAME_IS_RARE;
			findings->rare_items++;
		}
	}

	/* Of which there are at most a hundred. */
	sorted = keytable_sorted(&shapes);
	findings->common_shapes = palloc(sizeof(CheckText) * (Size) (1 / CHECK_RARE_SHARE + 1));
	for (uint32 i = 0; i < shapes.count; i++)
	{
		Key			key = keytable_key(&shapes, sorted[i]);

		check_interrupts(i);
		if ((float8) *(int64 *) keytable_payload(&shapes, sorted[i]) >= CHECK_RARE_SHARE * (float8) findings->rows)
			findings->common_shapes[findings->common_shape_count++] = (CheckText) {key.bytes.data, key.bytes.length};
	}
	pfree(sorted);
	pfree(entries);
}
