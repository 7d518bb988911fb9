/*
 * order_checks_rows.c
 *	  Every row, judged: which checks it fails, and what these rows sum up to.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/growing_array.h"
#include "shared/large_memory.h"

static CheckListed *
list_next(CheckList *list)
{
	if (list->count == list->room)
		list->items = array_grow(list->items, &list->room, list->count + 1, sizeof(CheckListed), CurrentMemoryContext);
	return &list->items[list->count++];
}

#define FLAG(check) (UINT32_C(1) << (check))

/* A line as the last pass sees it. */
typedef struct JudgedLine
{
	CheckText	order;
	uint32		member;
	int64		price;
	int64		quantity;
	int64		count;
} JudgedLine;

/* Adds rows to a sum: price times quantity times count. */
static void
add_money(CheckFindings *findings, DecimalTotal *total, const JudgedLine *line, int64 count)
{
	int64		quantity = line->quantity;
	DecimalPool scratch = {.context = CurrentMemoryContext};
	bool		fits;

	if (line->price == CHECK_NO_NUMBER || quantity == CHECK_NO_NUMBER)
		return;
	if (likely(count == 1))
	{
		if (!decimal_total_add(total, 1, line->price, &findings->pool, quantity, &findings->pool))
			decimal_sum_error();
		return;
	}
	{
		Decimal		all = decimal_unpack(quantity, &findings->pool);
		Decimal		factor = decimal_unpack(decimal_from_int64(count, &scratch), &scratch);

		fits = decimal_multiply(&all, &factor);
		quantity = fits ? decimal_pack(&all, &scratch) : 0;
	}
	if (!fits || !decimal_total_add(total, 1, line->price, &findings->pool, quantity, &scratch))
		decimal_sum_error();
	decimal_pool_clear(&scratch);
}

/* Adds rows to a finding. */
static void
add_rows(CheckFindings *findings, OrderCheck check, const JudgedLine *line, int64 count)
{
	CheckFinding *finding = &findings->of[check];
	float8		money = 0;

	finding->rows += count;
	add_money(findings, &finding->amount, line, count);
	if (line->member > 0)
	{
		if (finding->members == NULL)
			finding->members = large_alloc_zeroed(CurrentMemoryContext, (Size) findings->checks.names[CHECK_MEMBERS].count / 8 + 1);
		finding->members[line->member / 8] |= 1 << line->member % 8;
	}
	if (line->order.data == NULL)
		return;
	if (line->price != CHECK_NO_NUMBER && line->quantity != CHECK_NO_NUMBER)
		money = absolute(to_double(findings, line->price) * to_double(findings, line->quantity));
	if (finding->example.data == NULL || money > finding->example_money)
	{
		finding->example = line->order;
		finding->example_money = money;
	}
}

/* The checks that an order, and its part with one time and one member, fails. */
static uint32
judge_head(const Scan *scan, uint8 order_flags, int64 time, uint32 member)
{
	const CheckFindings *findings = scan->findings;
	uint8		member_flags = findings->name_flags[CHECK_MEMBERS][member];
	uint32		failed = 0;

	if (order_flags != 0)
	{
		failed |= (order_flags & ORDER_TWO_MEMBERS) != 0 ? FLAG(CHECK_ORDER_TWO_MEMBERS) : 0;
		failed |= (order_flags & ORDER_TWO_TIMES) != 0 ? FLAG(CHECK_ORDER_TWO_TIMES) : 0;
		failed |= (order_flags & ORDER_SWAPPED) != 0 && findings->has_series ? FLAG(CHECK_DAY_MONTH_SWAP) : 0;
		failed |= (order_flags & ORDER_SCIENTIFIC) != 0 ? FLAG(CHECK_SCIENTIFIC_ID) : 0;
		failed |= (order_flags & ORDER_TEST) != 0 ? FLAG(CHECK_TEST_ROW) : 0;
	}
	if (member_flags != 0)
	{
		failed |= (member_flags & NAME_IS_NOBODY) != 0 ? FLAG(CHECK_NO_MEMBER) : 0;
		failed |= (member_flags & NAME_IS_VARIANT) != 0 ? FLAG(CHECK_MEMBER_VARIANT) : 0;
		failed |= (member_flags & NAME_IS_SCIENTIFIC) != 0 ? FLAG(CHECK_SCIENTIFIC_ID) : 0;
		failed |= (member_flags & NAME_IS_TEST) != 0 ? FLAG(CHECK_TEST_ROW) : 0;
	}
	if (scan->has_dominant_member && member == findings->top_member)
		failed |= FLAG(CHECK_DOMINANT_MEMBER);
	if (time != CHECK_NO_TIME)
	{
		if (TIMESTAMP_NOT_FINITE(time) || day_is_placeholder(day_of_time(check_local_time(findings, time))))
			failed |= FLAG(CHECK_PLACEHOLDER_DATE);
		else if (findings->has_as_of && time > findings->as_of)
			failed |= FLAG(CHECK_AFTER_AS_OF);
	}
	return failed;
}

/* The checks that a line fails. */
static uint32
judge_line(Scan *scan, uint32 item, int64 price, int64 quantity)
{
	CheckFindings *findings = scan->findings;
	uint8		item_flags = findings->name_flags[CHECK_ITEMS][item];
	uint32		failed = 0;

	if (item_flags != 0)
	{
		failed |= (item_flags & NAME_IS_VARIANT) != 0 ? FLAG(CHECK_ITEM_VARIANT) : 0;
		failed |= (item_flags & NAME_IS_RARE) != 0 ? FLAG(CHECK_RARE_ITEM_SHAPE) : 0;
		failed |= (item_flags & NAME_IS_SCIENTIFIC) != 0 ? FLAG(CHECK_SCIENTIFIC_ID) : 0;
		failed |= (item_flags & NAME_IS_TEST) != 0 ? FLAG(CHECK_TEST_ROW) : 0;
	}
	if (unlikely(is_zero(price)))
		failed |= FLAG(CHECK_ZERO_PRICE);
	else if (unlikely(is_negative(findings, price)))
		failed |= FLAG(CHECK_NEGATIVE_PRICE);
	if (unlikely(is_negative(findings, quantity)))
		failed |= FLAG(CHECK_REFUND);
	if (unlikely(scan->usual[item].median > 0) &&
		is_positive(findings, price) && is_positive(findings, quantity))
	{
		const UsualPrice *usual = &scan->usual[item];
		float8		p = to_double(findings, price);
		int			verdict = price_judge(usual, p);

		if ((verdict & PRICE_OUTLIER) != 0)
		{
			failed |= FLAG(CHECK_PRICE_OUTLIER);
			findings->farthest = Max(findings->farthest, p > usual->median ? p / usual->median : usual->median / p);
		}
		if ((verdict & PRICE_SLIP) != 0)
			failed |= FLAG(CHECK_DECIMAL_SLIP);
	}
	return failed;
}

/* All rows, judged. */
static void
judge_rows(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	BookKeyCursor keys;
	uint32		at = 0;
	Size		reversed = 0;

	findings->currency_rows = large_alloc_zeroed(CurrentMemoryContext, ((Size) checks->names[CHECK_CURRENCIES].count + 1) * sizeof(int64));
	check_cursor_open(cursor, checks);
	book_key_cursor(&keys, &checks->reader);
	for (uint32 i = 0; i < checks->reader.count; i++)
	{
		Key			key = book_next_key(&keys);
		JudgedLine	line = {.order = order_text(&key)};
		int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);
		bool		is_all_zero = true;

		if ((scan->order_flags[i] & ORDER_SWAPPED) != 0 && findings->has_series)
			list_next(&findings->swapped)->order = line.order;
		for (int64 h = 0; h < nheads; h++)
		{
			int64		time = column_next(&columns[COLUMN_TIME]);
			uint32		currency = (uint32) column_next(&columns[COLUMN_CURRENCY]);
			int64		lines = column_next(&columns[COLUMN_HEAD_LINES]);
			uint32		head_failed;

			line.member = (uint32) column_next(&columns[COLUMN_MEMBER]);
			head_failed = judge_head(scan, scan->order_flags[i], time, line.member);
			for (int64 k = 0; k < lines; k++, at++)
			{
				uint32		item = (uint32) column_next(&columns[COLUMN_ITEM]);
				uint32		failed;

				check_interrupts(at);
				line.price = column_next(&columns[COLUMN_PRICE]);
				line.quantity = column_next(&columns[COLUMN_QUANTITY]);
				line.count = column_next(&columns[COLUMN_COUNT]);
				add_money(findings, &findings->amount, &line, line.count);
				findings->currency_rows[currency] += line.count;
				failed = head_failed | judge_line(scan, item, line.price, line.quantity);
				is_all_zero &= (failed & FLAG(CHECK_ZERO_PRICE)) != 0;
				if (reversed < scan->nreversed && scan->reversed[reversed] == at)
				{
					reversed++;
					failed |= FLAG(CHECK_HUGE_REVERSAL);
					*list_next(&findings->reversals) =
						(CheckListed) {line.order, time, item, line.quantity, line.price};
				}
				if (unlikely(line.count > 1))
				{
					findings->duplicate_groups++;
					add_rows(findings, CHECK_DUPLICATE_ROW, &line, line.count - 1);
				}
				if ((failed & FLAG(CHECK_PRICE_OUTLIER)) != 0)
					*list_next(&findings->outliers) = (CheckListed) {.item = item, .price = line.price};
				if ((failed & FLAG(CHECK_DECIMAL_SLIP)) != 0)
					*list_next(&findings->slips) = (CheckListed) {.item = item, .price = line.price};
				for (; failed != 0; failed &= failed - 1)
					add_rows(findings, __builtin_ctz(failed), &line, line.count);
			}
		}
		findings->zero_orders += is_all_zero && line.order.data != NULL;
	}
	pfree(cursor);
}

/* Rows that are not in the currency of most rows: a pass of its own, where there are several. */
static void
judge_currencies(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	CheckCursor *cursor;
	ColumnReader *columns;
	BookKeyCursor keys;

	findings->currencies = checks->names[CHECK_CURRENCIES].count;
	for (uint32 currency = 1; currency <= findings->currencies; currency++)
		if (findings->main_currency == 0 ||
			findings->currency_rows[currency] > findings->currency_rows[findings->main_currency])
			findings->main_currency = currency;
	if (findings->currencies < 2)
		return;
	cursor = palloc(sizeof(CheckCursor));
	columns = cursor->columns;
	check_cursor_open(cursor, checks);
	book_key_cursor(&keys, &checks->reader);
	for (uint32 i = 0; i < checks->reader.count; i++)
	{
		Key			key = book_next_key(&keys);
		JudgedLine	line = {.order = order_text(&key)};
		int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);

		for (int64 h = 0; h < nheads; h++)
		{
			uint32		currency = (uint32) column_next(&columns[COLUMN_CURRENCY]);
			int64		lines = column_next(&columns[COLUMN_HEAD_LINES]);

			line.member = (uint32) column_next(&columns[COLUMN_MEMBER]);
			for (int64 k = 0; k < lines; k++)
			{
				check_interrupts(k);
				line.price = column_next(&columns[COLUMN_PRICE]);
				line.quantity = column_next(&columns[COLUMN_QUANTITY]);
				line.count = column_next(&columns[COLUMN_COUNT]);
				if (currency != 0 && currency != findings->main_currency)
					add_rows(findings, CHECK_MIXED_CURRENCY, &line, line.count);
			}
		}
	}
	pfree(cursor);
}

/* All rows, now that everything else is known. */
void
scan_rows(Scan *scan)
{
	judge_rows(scan);
	judge_currencies(scan);
}
