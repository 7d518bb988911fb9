/*
 * order_checks_scan.c
 *	  Goes through a check_book and finds what the checks look for, pass by pass.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/large_memory.h"

/* What the clocks of the shop showed. */
int64
check_local_time(const CheckFindings *findings, int64 time)
{
	return findings->checks.reader.form == CHECK_BOOK_CLOCK ? time : zone_local(findings->zone, time);
}

CheckText
check_name_text(const CheckFindings *findings, CheckNames names, uint32 name)
{
	CheckText	text = {NULL, 0};

	if (name > 0)
	{
		const uint32 *offsets = findings->name_offsets[names] + name - 1;

		text.data = (const char *) findings->checks.names[names].bytes + offsets[0];
		text.length = offsets[1] - offsets[0];
	}
	return text;
}

/* Fills in the findings; the book, zone and as_of are there. */
void
order_checks_scan(CheckFindings *findings)
{
	const CheckReader *checks = &findings->checks;
	Scan		scan = {.findings = findings};

	findings->pool = check_book_load_wide(checks);
	scan.member_orders = large_alloc_zeroed(CurrentMemoryContext, ((Size) checks->names[CHECK_MEMBERS].count + 1) * sizeof(uint32));
	scan.order_flags = large_alloc_zeroed(CurrentMemoryContext, checks->reader.count);
	scan.order_times = large_alloc(CurrentMemoryContext, Max((Size) checks->reader.count, 1) * sizeof(int64));
	scan.order_series = large_alloc(CurrentMemoryContext, Max((Size) checks->reader.count, 1) * sizeof(uint32));
	keytable_init(&scan.series, KEY_BYTES, sizeof(int64), CurrentMemoryContext);

	scan_ids(&scan);
	scan_orders(&scan);
	find_swaps(&scan);
	find_gaps(&scan);
	scan_items(&scan);
	scan_item_shapes(&scan);
	scan_reversals(&scan);
	scan_rows(&scan);
}
