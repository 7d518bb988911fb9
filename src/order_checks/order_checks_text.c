/*
 * order_checks_text.c
 *	  What a finding does to results, in a sentence, and the SQL that leaves it out.
 *
 * Sentences say what was counted and nothing else.  A filter is false or NULL for
 * exactly the rows of its check and true for all others, so NULLs in it are turned
 * into what they mean.  Lists in it have at most LISTED_MAX entries.
 */
#include "order_checks/order_checks_text.h"

#include "utils/builtins.h"

#define LISTED_MAX 1000

/* ---------- pieces ---------- */

/* A sum with as many decimals as prices have, or as it needs. */
Decimal
check_money(const CheckFindings *findings, const DecimalTotal *total)
{
	Decimal		money;

	if (!decimal_total_get(total, &money) || !decimal_set_scale(&money, findings->checks.price_scale))
		decimal_sum_error();
	return money;
}

void
append_money(StringInfo text, const CheckFindings *findings, const DecimalTotal *total, bool negated)
{
	Decimal		money = check_money(findings, total);
	char		digits[DECIMAL_TEXT_SIZE];

	if (negated)
	{
		Decimal		zero = {.scale = 0};

		if (!decimal_subtract(&zero, &money))
			decimal_sum_error();
		money = zero;
	}
	appendBinaryStringInfo(text, digits, decimal_to_text(&money, digits));
}

static void
append_time(StringInfo text, const CheckFindings *findings, int64 time)
{
	char		string[TIME_TEXT_SIZE];

	if (TIMESTAMP_NOT_FINITE(time))
		appendStringInfoString(text, TIMESTAMP_IS_NOBEGIN(time) ? "-infinity" : "infinity");
	else
	{
		if (findings->checks.reader.form == CHECK_BOOK_CLOCK)
			time_clock_to_text(time, string);
		else
			time_to_text(time, string);
		appendStringInfoString(text, string);
	}
}

static void
append_day(StringInfo text, int32 day)
{
	char		string[TIME_TEXT_SIZE];

	time_clock_to_text(day * USECS_PER_DAY, string);
	*strchr(string, 'T') = '\0';
	appendStringInfoString(text, string);
}

static void
append_day_of(StringInfo text, const CheckFindings *findings, int64 time)
{
	if (TIMESTAMP_NOT_FINITE(time))
		append_time(text, findings, time);
	else
	{
		int64		local = check_local_time(findings, time);

		append_day(text, (int32) (local / USECS_PER_DAY) - (local % USECS_PER_DAY < 0));
	}
}

static void
append_literal(StringInfo text, CheckText value)
{
	char	   *string = pnstrdup(value.data, value.length);

	appendStringInfoString(text, quote_literal_cstr(string));
	pfree(string);
}

static void
append_number(StringInfo text, const CheckFindings *findings, int64 number)
{
	Decimal		d = decimal_unpack(number, &findings->pool);
	char		digits[DECIMAL_TEXT_SIZE];

	appendBinaryStringInfo(text, digits, decimal_to_text(&d, digits));
}

/* ---------- sentences ---------- */

/* A number, and words that agree with it. */
static void
append_count(StringInfo text, int64 n, const char *one, const char *many)
{
	appendStringInfo(text, INT64_FORMAT " %s", n, n == 1 ? one : many);
}

/* What the sum of all money would be without the rows. */
static void
append_money_without(StringInfo text, const CheckFindings *findings, OrderCheck check)
{
	DecimalTotal rest = findings->amount;
	DecimalTotal without = findings->of[check].amount;
	Decimal		money = check_money(findings, &without);
	Decimal		zero = {.scale = 0};

	if (!decimal_subtract(&zero, &money))
		decimal_sum_error();
	memset(&without, 0, sizeof(without));
	without.has_far = true;
	without.far = zero;
	if (!decimal_total_merge(&rest, &without))
		decimal_sum_error();
	appendStringInfoString(text, "ithout them the money of all rows is ");
	append_money(text, findings, &rest, false);
	appendStringInfoString(text, " instead of ");
	append_money(text, findings, &findings->amount, false);
	appendStringInfoChar(text, '.');
}

/* Writes what a finding does to results; false if there is nothing to say. */
bool
check_effect(const CheckFindings *findings, OrderCheck check, StringInfo text)
{
	const CheckFinding *finding = &findings->of[check];

	if (check == CHECK_DAY_MONTH_SWAP && findings->rows > 0)
	{
		if (findings->has_series)
		{
			appendStringInfo(text, "Of " INT64_FORMAT " orders with a number, ", findings->swaps.orders);
			append_count(text, findings->swaps.swapped, "lies far from its neighbours, and next to them",
						 "lie far from their neighbours, and next to them");
			appendStringInfoString(text, " with day and month exchanged.");
		}
		else if (findings->swaps.orders > 0)
		{
			appendStringInfo(text, "Cannot tell: of " INT64_FORMAT " orders with a number, ", findings->swaps.orders);
			append_count(text, findings->swaps.far, "lies far from its neighbours", "lie far from their neighbours");
			appendStringInfoString(text, ", so the numbers do not follow time.");
		}
		else
			appendStringInfoString(text, "Cannot tell: the order ids are not numbers in a series.");
		return true;
	}
	if (check == CHECK_GAP && findings->gaps.missing > 0)
	{
		int32		longest = findings->gaps.longest_last - findings->gaps.longest_first + 1;

		appendStringInfo(text, INT64_FORMAT " of " INT64_FORMAT " days on which the shop is open %s no order; "
						 "the longest stretch without one has ", findings->gaps.missing, findings->gaps.open,
						 findings->gaps.missing == 1 ? "has" : "have");
		append_count(text, longest, "day, which counts", "days, which count");
		appendStringInfoString(text, " in everybody's recency.");
		return true;
	}
	if (finding->rows == 0)
		return false;
	switch (check)
	{
		case CHECK_NO_MEMBER:
			if (findings->top_orders > 0)
			{
				appendStringInfoString(text, "As one member they would have ");
				append_count(text, findings->no_member_orders, "order", "orders");
				appendStringInfo(text, ", %.1f times as many as the member with most.",
								 (float8) findings->no_member_orders / (float8) findings->top_orders);
			}
			else
				appendStringInfoString(text, "No row has a member.");
			break;
		case CHECK_DOMINANT_MEMBER:
			appendStringInfo(text, "One member has %.1f %% of all orders, %.1f times as many as the second.",
							 100.0 * (float8) findings->top_orders / (float8) findings->orders,
							 (float8) findings->top_orders / (float8) findings->second_orders);
			break;
		case CHECK_DUPLICATE_ROW:
			append_count(text, findings->duplicate_groups, "row is there more than once. W",
						 "different rows are there more than once. W");
			append_money_without(text, findings, check);
			break;
		case CHECK_ORDER_TWO_MEMBERS:
			append_count(text, findings->two_member_orders, "order belongs to several members and counts",
						 "orders belong to several members and count");
			appendStringInfoString(text, " for each of them.");
			break;
		case CHECK_ORDER_TWO_TIMES:
			append_count(text, findings->two_time_orders, "order has several times: counted by time it is ",
						 "orders have several times: counted by time they are ");
			appendStringInfo(text, INT64_FORMAT ".", findings->times_of_these);
			break;
		case CHECK_AFTER_AS_OF:
			appendStringInfoString(text, "Functions with this as_of raise an error: the latest row is of ");
			append_time(text, findings, findings->last_real_time);
			appendStringInfoChar(text, '.');
			break;
		case CHECK_PLACEHOLDER_DATE:
			appendStringInfoString(text, "With them the table goes from ");
			append_day_of(text, findings, findings->first_time);
			appendStringInfoString(text, " to ");
			append_day_of(text, findings, findings->last_time);
			if (findings->first_real_time <= findings->last_real_time)
			{
				appendStringInfoString(text, ", without them from ");
				append_day_of(text, findings, findings->first_real_time);
				appendStringInfoString(text, " to ");
				append_day_of(text, findings, findings->last_real_time);
			}
			appendStringInfoChar(text, '.');
			break;
		case CHECK_ZERO_PRICE:
			append_count(text, findings->zero_orders, "order consists of such rows alone: it counts as an order and brings",
						 "orders consist of such rows alone: they count as orders and bring");
			appendStringInfoString(text, " no money.");
			break;
		case CHECK_PRICE_OUTLIER:
			appendStringInfo(text, "The farthest price differs from the median of its item by a factor of %.1f. W",
							 findings->farthest);
			append_money_without(text, findings, check);
			break;
		case CHECK_HUGE_REVERSAL:
			appendStringInfoString(text, "Sums of sales alone count ");
			append_money(text, findings, &finding->amount, false);
			appendStringInfoString(text, " that was taken back later.");
			break;
		case CHECK_REFUND:
			appendStringInfoString(text, "They change the money of all rows by ");
			append_money(text, findings, &finding->amount, false);
			appendStringInfoString(text, " and are no orders.");
			break;
		case CHECK_ITEM_VARIANT:
			appendStringInfo(text, "They count as " INT64_FORMAT " items instead of " INT64_FORMAT ".",
							 findings->variant_forms[CHECK_ITEMS], findings->variants[CHECK_ITEMS]);
			break;
		case CHECK_MEMBER_VARIANT:
			appendStringInfo(text, "They count as " INT64_FORMAT " members instead of " INT64_FORMAT ".",
							 findings->variant_forms[CHECK_MEMBERS], findings->variants[CHECK_MEMBERS]);
			break;
		case CHECK_RARE_ITEM_SHAPE:
			appendStringInfo(text, "%u of %u items %s a rare shape. W", findings->rare_items,
							 findings->checks.names[CHECK_ITEMS].count, findings->rare_items == 1 ? "has" : "have");
			append_money_without(text, findings, check);
			break;
		case CHECK_SCIENTIFIC_ID:
			append_count(text, findings->rounded_ids, "id has", "ids have");
			appendStringInfoString(text, " lost digits: what was different may have become equal.");
			break;
		case CHECK_MIXED_CURRENCY:
			appendStringInfo(text, "Sums add up %u currencies as if they were one.", findings->currencies);
			break;
		default:
			appendStringInfoChar(text, 'W');
			append_money_without(text, findings, check);
			break;
	}
	return true;
}

/* ---------- filters ---------- */

/* \v is the letter v before PostgreSQL 17. */
#define SQL_BLANKS "E' \\t\\n\\x0b\\f\\r'"

/* An id without blanks at its ends, in lower case. */
static void
append_folded(StringInfo text, const char *column)
{
	appendStringInfo(text, "lower(btrim(%s::text, " SQL_BLANKS ") COLLATE \"C\")", column);
}

/* Leaves out rows whose id is none; only the ways of saying so that occur are in it. */
static void
filter_no_member(const CheckFindings *findings, const CheckSql *sql, StringInfo text)
{
	StringInfoData list;
	char	   *seen[16];
	int			nseen = 0;

	initStringInfo(&list);
	for (uint32 member = 1; member <= findings->checks.names[CHECK_MEMBERS].count; member++)
	{
		CheckText	name;
		char		folded[64];
		char	   *copy;
		bool		is_new = true;

		check_interrupts(member);
		if ((findings->name_flags[CHECK_MEMBERS][member] & NAME_IS_NOBODY) == 0)
			continue;
		name = check_name_text(findings, CHECK_MEMBERS, member);
		id_trim(&name.data, &name.length);
		copy = pnstrdup(folded, id_fold(name.data, name.length, folded));
		for (int i = 0; i < nseen && is_new; i++)
			is_new = strcmp(seen[i], copy) != 0;
		if (!is_new)
			continue;
		seen[nseen++] = copy;
		appendStringInfo(&list, "%s%s", list.len == 0 ? "" : ", ", quote_literal_cstr(copy));
	}
	if (list.len == 0)
		appendStringInfo(text, "%s IS NOT NULL", sql->member);
	else
	{
		append_folded(text, sql->member);
		appendStringInfo(text, " NOT IN (%s)", list.data);
	}
}

/* Leaves out groups in which an expression has more than one value. */
static void
filter_one_value(const char *value, const char *type, const char *by, StringInfo text)
{
	appendStringInfo(text, "(min(%s%s) OVER (PARTITION BY %s) <> max(%s%s) OVER (PARTITION BY %s)) IS NOT TRUE",
					 value, type, by, value, type, by);
}

static void
filter_variant(const char *column, StringInfo text)
{
	StringInfoData folded;

	initStringInfo(&folded);
	append_folded(&folded, column);
	filter_one_value(column, "::text COLLATE \"C\"", folded.data, text);
}

static int
compare_listed_prices(const void *a, const void *b, void *pool)
{
	const CheckListed *x = a;
	const CheckListed *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return compare_check_numbers(x->price, y->price, pool);
}

/* Leaves out items at the listed prices. */
static bool
filter_prices(CheckFindings *findings, CheckList *list, const CheckSql *sql, StringInfo text)
{
	Size		kept = 0;

	qsort_interruptible(list->items, list->count, sizeof(CheckListed), compare_listed_prices, &findings->pool);
	for (Size i = 1; i < list->count; i++)
	{
		check_interrupts(i);
		if (compare_listed_prices(&list->items[kept], &list->items[i], &findings->pool) != 0)
			list->items[++kept] = list->items[i];
	}
	list->count = kept + 1;
	if (list->count > LISTED_MAX)
		return false;
	appendStringInfo(text, "((%s, %s) IN (", sql->item, sql->price);
	for (Size i = 0; i < list->count; i++)
	{
		appendStringInfoString(text, i == 0 ? "(" : ", (");
		append_literal(text, check_name_text(findings, CHECK_ITEMS, list->items[i].item));
		appendStringInfoString(text, ", ");
		append_number(text, findings, list->items[i].price);
		appendStringInfoChar(text, ')');
	}
	/* Only sales can be outliers. */
	appendStringInfo(text, ") AND %s > 0) IS NOT TRUE", sql->quantity);
	return true;
}

/* Leaves out the listed sales; false if they are too many, or if other rows are like them. */
static bool
filter_reversals(const CheckFindings *findings, const CheckSql *sql, StringInfo text)
{
	const CheckList *list = &findings->reversals;
	bool		is_first = true;

	if (list->count > LISTED_MAX || findings->has_alike_reversals)
		return false;
	appendStringInfoChar(text, '(');
	for (int has_order = 0; has_order < 2; has_order++)
	{
		bool		is_open = false;

		for (Size i = 0; i < list->count; i++)
		{
			const CheckListed *row = &list->items[i];

			if ((row->order.data != NULL) != has_order)
				continue;
			if (!is_open)
				appendStringInfo(text, "%s%s%s(%s%s%s, %s, %s, %s) IN (", is_first ? "" : " OR ",
								 has_order ? "" : sql->order_id, has_order ? "" : " IS NULL AND ",
								 has_order ? sql->order_id : "", has_order ? ", " : "",
								 sql->ordered_at, sql->item, sql->quantity, sql->price);
			appendStringInfoString(text, is_open ? ", (" : "(");
			if (has_order)
			{
				append_literal(text, row->order);
				appendStringInfoString(text, ", ");
			}
			appendStringInfoChar(text, '\'');
			append_time(text, findings, row->time);
			appendStringInfoString(text, "', ");
			append_literal(text, check_name_text(findings, CHECK_ITEMS, row->item));
			appendStringInfoString(text, ", ");
			append_number(text, findings, row->quantity);
			appendStringInfoString(text, ", ");
			append_number(text, findings, row->price);
			appendStringInfoChar(text, ')');
			is_open = true;
			is_first = false;
		}
		if (is_open)
			appendStringInfoChar(text, ')');
	}
	appendStringInfoString(text, ") IS NOT TRUE");
	return true;
}

/* Says whether a time is a placeholder. */
static void
append_is_placeholder(const CheckFindings *findings, const CheckSql *sql, StringInfo text)
{
	StringInfoData local;

	initStringInfo(&local);
	appendStringInfoString(&local, sql->ordered_at);
	if (findings->checks.reader.form == CHECK_BOOK_MOMENTS)
		appendStringInfo(&local, " AT TIME ZONE %s", quote_literal_cstr(zone_name(findings->zone)));
	appendStringInfo(text, "(NOT isfinite(%s) OR (%s)::date = '1970-01-01' OR "
					 "extract(year FROM %s) IN (1, 1753, 1899, 1900, 2038, 9999))",
					 sql->ordered_at, local.data, local.data);
}

/* Leaves out items of rare shape; NULL is none. */
static void
filter_shapes(const CheckFindings *findings, const CheckSql *sql, StringInfo text)
{
	if (findings->common_shape_count == 0)
	{
		appendStringInfo(text, "%s IS NULL", sql->item);
		return;
	}
	appendStringInfo(text, "(regexp_replace(regexp_replace(%s::text COLLATE \"C\", '[0-9]', '9', 'g'), '[A-Za-z]', 'A', 'g') NOT IN (",
					 sql->item);
	for (uint32 i = 0; i < findings->common_shape_count; i++)
	{
		if (i > 0)
			appendStringInfoString(text, ", ");
		append_literal(text, findings->common_shapes[i]);
	}
	appendStringInfoString(text, ")) IS NOT TRUE");
}

/* Leaves out rows with an id that matches a pattern. */
static void
filter_pattern(const CheckSql *sql, const char *pattern, StringInfo text)
{
	appendStringInfo(text, "(%s::text COLLATE \"C\" ~* '%s' OR %s::text COLLATE \"C\" ~* '%s' OR %s::text COLLATE \"C\" ~* '%s') IS NOT TRUE",
					 sql->member, pattern, sql->order_id, pattern, sql->item, pattern);
}

/* Writes the SQL that leaves out the rows of a finding; false if there is none. */
bool
check_filter(CheckFindings *findings, OrderCheck check, const CheckSql *sql, StringInfo text)
{
	if (findings->of[check].rows == 0)
		return false;
	switch (check)
	{
		case CHECK_NO_MEMBER:
			filter_no_member(findings, sql, text);
			break;
		case CHECK_DOMINANT_MEMBER:
			appendStringInfo(text, "(%s = ", sql->member);
			append_literal(text, check_name_text(findings, CHECK_MEMBERS, findings->top_member));
			appendStringInfoString(text, ") IS NOT TRUE");
			break;
		case CHECK_DUPLICATE_ROW:
			appendStringInfo(text, "row_number() OVER (PARTITION BY %s, %s, %s, %s, %s, %s", sql->member, sql->order_id,
							 sql->item, sql->ordered_at, sql->quantity, sql->price);
			if (findings->currencies > 0)
				appendStringInfo(text, ", %s", sql->currency);
			appendStringInfoString(text, ") = 1");
			break;
		case CHECK_ORDER_TWO_MEMBERS:
			appendStringInfo(text, "(%s IS NULL OR ", sql->order_id);
			filter_one_value(sql->member, "::text COLLATE \"C\"", sql->order_id, text);
			appendStringInfoChar(text, ')');
			break;
		case CHECK_ORDER_TWO_TIMES:
			appendStringInfo(text, "(%s IS NULL OR ", sql->order_id);
			filter_one_value(sql->ordered_at, "", sql->order_id, text);
			appendStringInfoChar(text, ')');
			break;
		case CHECK_AFTER_AS_OF:
			appendStringInfo(text, "(%s > '", sql->ordered_at);
			append_time(text, findings, findings->as_of);
			appendStringInfoChar(text, '\'');
			if (findings->of[CHECK_PLACEHOLDER_DATE].rows > 0)
			{
				appendStringInfoString(text, " AND NOT ");
				append_is_placeholder(findings, sql, text);
			}
			appendStringInfoString(text, ") IS NOT TRUE");
			break;
		case CHECK_PLACEHOLDER_DATE:
			append_is_placeholder(findings, sql, text);
			appendStringInfoString(text, " IS NOT TRUE");
			break;
		case CHECK_DAY_MONTH_SWAP:
			if (findings->swapped.count > LISTED_MAX)
				return false;
			appendStringInfo(text, "(%s IN (", sql->order_id);
			for (Size i = 0; i < findings->swapped.count; i++)
			{
				if (i > 0)
					appendStringInfoString(text, ", ");
				append_literal(text, findings->swapped.items[i].order);
			}
			appendStringInfoString(text, ")) IS NOT TRUE");
			break;
		case CHECK_GAP:
			return false;
		case CHECK_NEGATIVE_PRICE:
			appendStringInfo(text, "(%s < 0) IS NOT TRUE", sql->price);
			break;
		case CHECK_ZERO_PRICE:
			appendStringInfo(text, "(%s = 0) IS NOT TRUE", sql->price);
			break;
		case CHECK_PRICE_OUTLIER:
			return filter_prices(findings, &findings->outliers, sql, text);
		case CHECK_DECIMAL_SLIP:
			return filter_prices(findings, &findings->slips, sql, text);
		case CHECK_HUGE_REVERSAL:
			return filter_reversals(findings, sql, text);
		case CHECK_REFUND:
			appendStringInfo(text, "(%s < 0) IS NOT TRUE", sql->quantity);
			break;
		case CHECK_ITEM_VARIANT:
			filter_variant(sql->item, text);
			break;
		case CHECK_MEMBER_VARIANT:
			filter_variant(sql->member, text);
			break;
		case CHECK_RARE_ITEM_SHAPE:
			filter_shapes(findings, sql, text);
			break;
		case CHECK_SCIENTIFIC_ID:
			filter_pattern(sql, "^[0-9]([.][0-9]+)?e[+][0-9]+$", text);
			break;
		case CHECK_TEST_ROW:
			filter_pattern(sql, "(^|[^a-z])(test|dummy)([^a-z]|$)", text);
			break;
		case CHECK_MIXED_CURRENCY:
			appendStringInfo(text, "(%s <> ", sql->currency);
			append_literal(text, check_name_text(findings, CHECK_CURRENCIES, findings->main_currency));
			appendStringInfoString(text, ") IS NOT TRUE");
			break;
	}
	return true;
}
