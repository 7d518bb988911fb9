/* needs: money/decimal.c shared/packed_column.c rfm/rfm_core.c */
#include "rfm/rfm_core.h"

#include "tap.h"
#include "plain_decimal.h"

/* ---------- the value of one member ---------- */

/* A member with a pool of its own. */
typedef struct Sum
{
	RfmMember	member;
	DecimalPool pool;
} Sum;

typedef struct Stored
{
	uint8		bytes[RFM_STORED_MAX];
	size_t		length;
} Stored;

static void
clear(Sum *sum)
{
	free(sum->pool.item);
	memset(sum, 0, sizeof(*sum));
}

static Stored
stored(const Sum *sum)
{
	Stored		result = {{0}};

	result.length = rfm_store(&sum->member, &sum->pool, result.bytes);
	return result;
}

static bool
same_bytes(const Stored *a, const Stored *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static Decimal
from_text(const char *text)
{
	Decimal		d;

	if (!decimal_from_text(text, strlen(text), &d))
	{
		diag("%s is refused", text);
		exit(1);
	}
	return d;
}

static Stored
value(uint32 frequency, uint32 refunds, const char *money, int64 first_order, int64 last_order)
{
	Sum			sum = {{0}};
	Decimal		d = from_text(money);
	Stored		result;

	sum.member.frequency = frequency;
	sum.member.refunds = refunds;
	sum.member.first_order = first_order;
	sum.member.last_order = last_order;
	if (!decimal_fits_packed(&d, &sum.member.money))
		sum.member.money = decimal_pool_put(&sum.pool, &d);
	result = stored(&sum);
	clear(&sum);
	return result;
}

/* Checks bytes with nothing behind them; what is taken must be canonical. */
static bool
taken(const uint8 *bytes, size_t length)
{
	uint8	   *copy = exact_copy(bytes, length);
	const char *wrong = rfm_check(copy, length);

	if (wrong == NULL)
	{
		RfmMember	member;
		DecimalPool pool;
		Decimal		wide;
		uint8		again[RFM_STORED_MAX];

		rfm_load(copy, &member, &pool, &wide);
		holds(rfm_store(&member, &pool, again) == length && memcmp(again, bytes, length) == 0,
			  "a value of %zu bytes is taken but stored differently", length);
	}
	free(copy);
	return wrong == NULL;
}

static void
test_checker(void)
{
	static const char wide[] = "36028797018963968.00";
	static const char least[] = "-99999999999999999999999999999999999999.9999999999999999999999999999";
	Stored		values[] = {
		value(1, 0, "20.50", 0, 0),
		value(2, 0, "0", -1, 1),
		value(7, 3, "-20.50", 1000000, 86400000000),
		value(0, 1, "-0.01", 0, 0),
		value(0, UINT32_MAX, least, 0, 0),
		value(UINT32_MAX, UINT32_MAX, wide, TIME_MIN, TIME_END - 1),
		value(UINT32_MAX, 0, least + 1, TIME_END - 1, TIME_END - 1),
		value(1, 0, "0.0000000000000000000000000000", TIME_MIN, TIME_MIN),
		value(1, 1, "-36028797018963968", 5, 6),
		value(1, 1, "-36028797018963969", 5, 6)
	};
	struct
	{
		Stored		value;
		const char *what;
	}			wrong[] = {
		{value(0, 0, "0", 0, 0), "neither orders nor refunds"},
		{value(0, 1, "-1", 1, 0), "a first date without orders"},
		{value(0, 1, "-1", 0, 1), "a last date without orders"},
		{value(0, 1, "0", 0, 0), "only refunds, but nothing paid back"},
		{value(0, 1, "1", 0, 0), "only refunds, but money"},
		{value(0, 1, wide, 0, 0), "only refunds, but much money"},
		{value(1, 0, "-0.01", 0, 0), "no refund, but money below zero"},
		{value(1, 0, least, 0, 0), "no refund, but money far below zero"},
		{value(1, 0, "1", 1, 0), "a first order after the last"},
		{value(1, 0, "1", TIME_MIN - 1, 0), "a date before all time"},
		{value(1, 0, "1", 0, TIME_END), "a date after all time"},
		{value(1, 0, "1", INT64_MIN, 0), "-infinity"},
		{value(1, 0, "1", 0, INT64_MAX), "infinity"}
	};

	property("good values are taken");
	for (size_t i = 0; i < LENGTH_OF(values); i++)
		holds(taken(values[i].bytes, values[i].length), "value %zu: %s", i,
			  rfm_check(values[i].bytes, values[i].length));
	property_end();

	property("values that make no sense are refused");
	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
		holds(!taken(wrong[i].value.bytes, wrong[i].value.length), "%s", wrong[i].what);
	property_end();

	property("cut off anywhere, or with bytes behind, none is taken");
	for (size_t i = 0; i < LENGTH_OF(values); i++)
		for (size_t length = 0; length <= RFM_STORED_MAX + 8; length++)
		{
			uint8		bytes[RFM_STORED_MAX + 8] = {0};

			memcpy(bytes, values[i].bytes, values[i].length);
			holds(taken(bytes, length) == (length == values[i].length), "value %zu, %zu bytes", i, length);
		}
	property_end();

	property("with any one byte changed, what is taken is stored as it came");
	for (size_t i = 0; i < LENGTH_OF(values); i++)
		for (size_t at = 0; at < values[i].length; at++)
			for (int change = 1; change < 256; change++)
			{
				Stored		mutant = values[i];

				mutant.bytes[at] ^= change;
				holds(!taken(mutant.bytes, mutant.length) || at >= RFM_HEADER_SIZE,
					  "value %zu with another header", i);
			}
	property_end();

	property("with any two bytes changed, too");
	for (size_t i = 0; i < LENGTH_OF(values); i++)
		for (size_t a = RFM_HEADER_SIZE; a < values[i].length; a++)
			for (size_t b = RFM_HEADER_SIZE; b < a; b++)
			{
				static const uint8 bytes[] = {0, 1, 0x1C, 0x1D, 0x7F, 0x80, 0xFE, 0xFF};
				Stored		mutant = values[i];

				mutant.bytes[a] = bytes[random_below(LENGTH_OF(bytes))];
				mutant.bytes[b] = bytes[random_below(LENGTH_OF(bytes))];
				holds(taken(mutant.bytes, mutant.length) || true, "never");
			}
	property_end();

	/* The format itself, pinned: docs/storage-format.md. */
	ok(values[0].length == RFM_STORED_SIZE &&
	   memcmp(values[0].bytes,
			  "\x01\x01\0\0" "\0\0\0\x01" "\0\0\0\0" "\0\0\0\0\0\x08\x02\x02" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0",
			  RFM_STORED_SIZE) == 0, "one order of 20.50 at the beginning of 2000, byte for byte");
	ok(values[8].length == RFM_STORED_SIZE && values[9].length == RFM_STORED_MAX,
	   "-2^55 is stored packed, one less is stored wide");
}

/* ---------- adding and merging ---------- */

#define LINES 30

typedef struct Line
{
	int64		time;
	int64		amount;
	bool		is_refund;
	int			order;
} Line;

static Sum
sum_lines(const Line *lines, const DecimalPool *pool, int n)
{
	Sum			sum = {{0}};
	bool		seen[2][LINES] = {{0}};

	for (int i = 0; i < n; i++)
	{
		bool	   *seen_this = &seen[lines[i].is_refund][lines[i].order];

		if (rfm_add_line(&sum.member, &sum.pool, lines[i].time, lines[i].amount, pool,
						 lines[i].is_refund, !*seen_this) != RFM_OK)
			diag("a line cannot be added");
		*seen_this = true;
	}
	return sum;
}

/* Summed in random groups, at times stored and loaded on the way. */
static Sum
sum_in_groups(const Line *lines, const DecimalPool *pool, int n)
{
	Sum			sum = {{0}};
	int			half;

	if (n < 2 || random_below(4) == 0)
		return sum_lines(lines, pool, n);
	half = 1 + (int) random_below(n - 1);
	for (int i = 0; i < 2; i++)
	{
		Sum			part = i == 0 ? sum_in_groups(lines, pool, half) : sum_in_groups(lines + half, pool, n - half);

		if (random_below(2))
		{
			Stored		bytes = stored(&part);
			RfmMember	member;
			DecimalPool read;
			Decimal		wide;

			rfm_load(bytes.bytes, &member, &read, &wide);
			if (rfm_merge(&sum.member, &sum.pool, &member, &read) != RFM_OK)
				diag("a stored part cannot be merged");
		}
		else if (rfm_merge(&sum.member, &sum.pool, &part.member, &part.pool) != RFM_OK)
			diag("a part cannot be merged");
		clear(&part);
	}
	return sum;
}

static void
test_sums(void)
{
	property("a member is the same, to the byte, in whatever order and groups its lines come");
	for (int run = 0; run < 20000; run++)
	{
		int			n = 1 + (int) random_below(LINES);
		int			digits = 1 + (int) random_below(random_below(3) ? 6 : DECIMAL_MAX_DIGITS);
		int			scale = (int) random_below(random_below(3) ? 3 : DECIMAL_MAX_SCALE + 1);
		int			refunds_per_100 = (int[]) {0, 10, 50, 100}[random_below(4)];
		DecimalPool pool = {0};
		Line		lines[LINES];
		Plain		money = {0};
		/* Orders of several lines can be counted only where all of them are seen. */
		bool		has_lines = run % 2;
		bool		seen[2][LINES] = {{0}};
		uint32		frequency = 0;
		uint32		refunds = 0;
		int64		first = INT64_MAX;
		int64		last = INT64_MIN;
		char		expected[PLAIN_TEXT_SIZE];
		char		text[DECIMAL_TEXT_SIZE];
		Stored		bytes = {{0}};

		for (int i = 0; i < n; i++)
		{
			char		amount[PLAIN_TEXT_SIZE + 1];
			const char *p = amount + 1;
			Plain		plain;
			Decimal		d;

			random_amount(amount + 1, digits, scale);
			p += *p == '-';
			if ((int) random_below(100) < refunds_per_100 && strspn(p, "0.") < strlen(p))
			{
				p--;
				*(char *) p = '-';
			}
			plain = plain_from_text(p);
			d = from_text(p);
			money = plain_add(&money, &plain);
			if (!decimal_fits_packed(&d, &lines[i].amount))
				lines[i].amount = decimal_pool_put(&pool, &d);
			lines[i].is_refund = rfm_is_refund(lines[i].amount, &pool);
			holds(lines[i].is_refund == (*p == '-'), "%s is a refund, or not", p);
			lines[i].order = has_lines ? (int) random_below(5) : i;
			lines[i].time = random_below(20) == 0 ? (random_below(2) ? TIME_MIN : TIME_END - 1) :
				(int64) random_below(1000) - 500;
			if (lines[i].is_refund)
				refunds += !seen[1][lines[i].order];
			else
			{
				frequency += !seen[0][lines[i].order];
				first = Min(first, lines[i].time);
				last = Max(last, lines[i].time);
			}
			seen[lines[i].is_refund][lines[i].order] = true;
		}
		if (frequency == 0)
			first = last = 0;
		plain_to_text(&money, expected);

		for (int try = 0; try < 6; try++)
		{
			Sum			sum = has_lines || try < 2 ? sum_lines(lines, &pool, n) : sum_in_groups(lines, &pool, n);
			Decimal		d = decimal_unpack(sum.member.money, &sum.pool);
			Stored		again = stored(&sum);

			decimal_to_text(&d, text);
			holds(sum.member.frequency == frequency && sum.member.refunds == refunds &&
				  sum.member.first_order == first && sum.member.last_order == last && strcmp(text, expected) == 0,
				  "%u orders, %u refunds, money %s; expected %u, %u, %s", sum.member.frequency, sum.member.refunds,
				  text, frequency, refunds, expected);
			holds(try == 0 || same_bytes(&again, &bytes), "other bytes for %s", text);
			holds(rfm_check(again.bytes, again.length) == NULL, "refused: %s", rfm_check(again.bytes, again.length));
			bytes = again;
			clear(&sum);

			for (int i = n - 1; i > 0; i--)
			{
				int			j = (int) random_below(i + 1);
				Line		swap = lines[i];

				lines[i] = lines[j];
				lines[j] = swap;
			}
		}
		free(pool.item);
	}
	property_end();
}

static void
test_rules(void)
{
	Sum			sum = {{0}};

	rfm_add_line(&sum.member, &sum.pool, 500, decimal_pack_small(0, 2), NULL, false, true);
	ok(sum.member.frequency == 1 && sum.member.refunds == 0 && sum.member.first_order == 500,
	   "an amount of zero is an order");
	rfm_add_line(&sum.member, &sum.pool, 900, decimal_pack_small(-300, 2), NULL, true, true);
	ok(sum.member.frequency == 1 && sum.member.refunds == 1 && sum.member.last_order == 500 &&
	   sum.member.money == decimal_pack_small(-300, 2), "a refund moves no date and is no order");
	clear(&sum);

	rfm_add_line(&sum.member, &sum.pool, 5, decimal_pack_small(-1, 0), NULL, true, true);
	rfm_add_line(&sum.member, &sum.pool, -7, decimal_pack_small(1, 0), NULL, false, true);
	ok(sum.member.first_order == -7 && sum.member.last_order == -7, "a refund before the first order leaves no date");
	clear(&sum);

	sum.member = (RfmMember) {.frequency = UINT32_MAX, .money = decimal_pack_small(1, 0)};
	is_int(rfm_add_line(&sum.member, &sum.pool, 0, decimal_pack_small(1, 0), NULL, false, false), RFM_OK,
		   "a member of 2^32 - 1 orders can have one more line");
	is_int(rfm_add_line(&sum.member, &sum.pool, 0, decimal_pack_small(1, 0), NULL, false, true), RFM_TOO_MANY_ORDERS,
		   "but not one more order");
	sum.member = (RfmMember) {.refunds = UINT32_MAX, .money = decimal_pack_small(-1, 0)};
	is_int(rfm_add_line(&sum.member, &sum.pool, 0, decimal_pack_small(-1, 0), NULL, true, true), RFM_TOO_MANY_ORDERS,
		   "nor a member of 2^32 - 1 refunds one more");
	{
		RfmMember	many = {.frequency = 0x80000000u, .money = decimal_pack_small(1, 0)};
		RfmMember	other = many;

		is_int(rfm_merge(&many, &sum.pool, &other, NULL), RFM_TOO_MANY_ORDERS, "2^32 orders by merging");
		many = other = (RfmMember) {.refunds = 0x80000000u, .money = decimal_pack_small(-1, 0)};
		is_int(rfm_merge(&many, &sum.pool, &other, NULL), RFM_TOO_MANY_ORDERS, "2^32 refunds by merging");
	}
	clear(&sum);
	{
		Decimal		huge = from_text("57896044618658097711785492504343953926634992332820282019728792003956564819967");
		DecimalPool pool = {.item = &huge, .count = 1, .capacity = 1};
		RfmMember	forged = {.frequency = 1, .money = DECIMAL_IN_POOL};

		is_int(rfm_merge(&sum.member, &sum.pool, &forged, &pool), RFM_OK, "a forged sum can be merged once");
		is_int(rfm_merge(&sum.member, &sum.pool, &forged, &pool), RFM_SUM_OUT_OF_RANGE, "but not twice");
		clear(&sum);
	}
}

/* ---------- blocks of members ---------- */

#define WIDE_SUMS 1000

/* A block with nothing before or behind it. */
static uint8 *
stored_block(const RfmMember *members, int n, size_t *size)
{
	uint8	   *bytes = malloc(RFM_BLOCK_SIZE_MAX(n));
	uint8	   *copy;

	*size = rfm_block_store(members, n, bytes) - bytes;
	copy = exact_copy(bytes, *size);
	free(bytes);
	return copy;
}

/* Checks a block; what is taken must be stored as it came. */
static const char *
check_block(const uint8 *bytes, size_t size, int n, RfmMember *members)
{
	const uint8 *end = bytes;
	const char *wrong = rfm_block_check_and_load(&end, bytes + size, n, WIDE_SUMS, members);

	if (wrong == NULL)
	{
		size_t		again_size;
		uint8	   *again = stored_block(members, n, &again_size);

		holds(end == bytes + again_size && memcmp(again, bytes, again_size) == 0, "%d members are taken but stored differently", n);
		free(again);
	}
	return wrong;
}

static bool
same_member(const RfmMember *a, const RfmMember *b)
{
	return a->frequency == b->frequency && a->refunds == b->refunds && a->money == b->money &&
		a->first_order == b->first_order && a->last_order == b->last_order;
}

/* A member that can be; extremes are frequent. */
static RfmMember
random_member(int orders_per_100)
{
	static const int64 times[] = {TIME_MIN, TIME_END - 1, 0, -1, 1};
	RfmMember	member = {0};
	bool		has_orders = (int) random_below(100) < orders_per_100;

	if (has_orders)
	{
		int64		a = random_below(20) ? (int64) random_below(1000000) : times[random_below(LENGTH_OF(times))];
		int64		b = random_below(20) ? (int64) random_below(1000000) : times[random_below(LENGTH_OF(times))];

		member.frequency = random_below(50) ? 1 + (uint32) random_below(5) : UINT32_MAX;
		member.first_order = Min(a, b);
		member.last_order = Max(a, b);
	}
	if (!has_orders || random_below(5) == 0)
		member.refunds = random_below(50) ? 1 + (uint32) random_below(5) : UINT32_MAX;
	if (random_below(10) == 0)
		member.money = (int64) (random_below(WIDE_SUMS) << 8 | DECIMAL_IN_POOL);
	else
	{
		int64		mantissa = random_below(10) ? (int64) random_below(100000) : random_below(2) ? DECIMAL_PACKED_MAX : DECIMAL_PACKED_MIN;

		member.money = (int64) ((uint64) mantissa << 8) | (int64) random_below(random_below(5) ? 3 : DECIMAL_MAX_SCALE + 1);
	}
	return member;
}

static void
test_blocks(void)
{
	RfmMember	members[PACKED_ROWS];
	RfmMember	read[PACKED_ROWS];

	property("a block of members comes back as it was stored");
	for (int run = 0; run < 2000; run++)
	{
		int			n = run < PACKED_ROWS ? run + 1 : 1 + (int) random_below(PACKED_ROWS);
		int			orders_per_100 = (int[]) {0, 50, 95, 100}[random_below(4)];
		size_t		size;
		uint8	   *bytes;
		const char *wrong;
		bool		is_same = true;

		for (int i = 0; i < n; i++)
			members[i] = random_member(orders_per_100);
		bytes = stored_block(members, n, &size);
		holds(size <= RFM_BLOCK_SIZE_MAX(n), "%d members have %zu bytes", n, size);
		holds(rfm_block_skip(bytes, bytes + size, n) == bytes + size, "%d members are not skipped", n);
		wrong = check_block(bytes, size, n, read);
		holds(wrong == NULL, "%d members: %s", n, wrong);
		for (int i = 0; i < n; i++)
			is_same &= same_member(&members[i], &read[i]);
		memset(read, 0x5A, sizeof(read));
		holds(rfm_block_load(bytes, n, read) == bytes + size, "%d members have another end", n);
		for (int i = 0; i < n; i++)
			is_same &= same_member(&members[i], &read[i]);
		holds(is_same, "%d members are read as others", n);
		free(bytes);
	}
	property_end();

	property("a block that is cut off is neither skipped nor read");
	for (int run = 0; run < 20; run++)
	{
		int			n = 1 + (int) random_below(20);
		size_t		size;
		uint8	   *bytes;

		for (int i = 0; i < n; i++)
			members[i] = random_member(80);
		bytes = stored_block(members, n, &size);
		for (size_t length = 0; length < size; length++)
		{
			uint8	   *piece = exact_copy(bytes, length);
			const char *wrong = check_block(piece, length, n, read);

			holds(rfm_block_skip(piece, piece + length, n) == NULL, "%zu bytes of %zu are skipped", length, size);
			holds(wrong != NULL && strcmp(wrong, "a column is truncated") == 0, "%zu bytes of %zu are read", length, size);
			free(piece);
		}
		free(bytes);
	}
	property_end();

	property("with any byte changed, a block is refused, or stored as it came");
	for (int run = 0; run < 50; run++)
	{
		int			n = 1 + (int) random_below(4);
		size_t		size;
		uint8	   *bytes;

		for (int i = 0; i < n; i++)
			members[i] = random_member(70);
		bytes = stored_block(members, n, &size);
		for (size_t at = 0; at < size; at++)
			for (int change = 1; change < 256; change++)
			{
				bytes[at] ^= change;
				holds(check_block(bytes, size, n, read) == NULL || true, "never");
				bytes[at] ^= change;
			}
		free(bytes);
	}
	property_end();

	/* Two orders of 3.00 from 1 s to 3 s, and a refund of 0.5: docs/storage-format.md. */
	members[0] = (RfmMember) {.frequency = 2, .money = decimal_pack_small(300, 2), .first_order = 1000000, .last_order = 3000000};
	members[1] = (RfmMember) {.refunds = 1, .money = decimal_pack_small(-5, 1)};
	{
		static const char expected[] = "\x01\0\0\0\0\0\0\0\0\x02\0" "\x01\0\0\0\0\0\0\0\0\0\x01"
			"\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFB\x01\x31\0\0" "\x01\0\0\0\0\0\0\0\x01\x01\0"
			"\0\0\0\0\0\0\x0F\x42\x40" "\x03\0\0\0\0\0\0\0\0\x1E\x84\x80\0\0\0";
		size_t		size;
		uint8	   *bytes = stored_block(members, 2, &size);

		ok(size == sizeof(expected) - 1 && memcmp(bytes, expected, size) == 0, "two members, byte for byte");
		free(bytes);
	}
}

/* ---------- scores and segments ---------- */

/* Copied from statistics.md, not from the table that it checks. */
static const struct
{
	const char *name;
	const char *scores;
}			segments[RFM_SEGMENTS] = {
	{"Champions", "555 554 544 545 454 455 445"},
	{"Loyal", "543 444 435 355 354 345 344 335"},
	{"Potential Loyalist", "553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323"},
	{"New Customers", "512 511 422 421 412 411 311"},
	{"Promising", "525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313"},
	{"Need Attention", "535 534 443 434 343 334 325 324"},
	{"About To Sleep", "331 321 312 221 213 231 241 251"},
	{"At Risk", "255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124"},
	{"Cannot Lose Them", "155 154 144 214 215 115 114 113"},
	{"Hibernating", "332 322 233 232 223 222 132 123 122 212 211"},
	{"Lost", "111 112 121 131 141 151"}
};

/* The name of the segment of a score, NULL if there is none. */
static const char *
segment_name(int score)
{
	int			segment = rfm_segment_of_score(score);

	return segment < 0 ? NULL : segment < RFM_SEGMENTS ? rfm_segment_names[segment] : "no such segment";
}

static const char *
expected_segment(int score)
{
	char		digits[16];

	sprintf(digits, "%d", score);
	if (strlen(digits) == 3)
		for (int i = 0; i < RFM_SEGMENTS; i++)
			if (strstr(segments[i].scores, digits) != NULL)
				return segments[i].name;
	return NULL;
}

static void
test_segments(void)
{
	int			scores = 0;

	property("every score has the segment that statistics.md gives it, and no other number has one");
	for (int score = -2000; score <= 100000; score++)
	{
		const char *expected = expected_segment(score);
		const char *name = segment_name(score);

		scores += expected != NULL;
		holds(expected == NULL ? name == NULL : name != NULL && strcmp(name, expected) == 0,
			  "%d: %s, not %s", score, name ? name : "(none)", expected ? expected : "(none)");
	}
	holds(segment_name(INT32_MIN) == NULL && segment_name(INT32_MAX) == NULL, "the ends of int");
	holds(scores == 125, "%d scores in the lists", scores);
	property_end();

	property("segments come in the order of the lists");
	for (int i = 0; i < RFM_SEGMENTS; i++)
		holds(strcmp(rfm_segment_names[i], segments[i].name) == 0, "%d: %s", i, rfm_segment_names[i]);
	property_end();

	property("with 5 bins each score keeps its segment");
	for (int r = 1; r <= 5; r++)
		for (int f = 1; f <= 5; f++)
			for (int m = 1; m <= 5; m++)
			{
				RfmScore	score = {r, f, m};

				holds(rfm_score_number(score, 5) == r * 100 + f * 10 + m, "number of %d%d%d", r, f, m);
				holds(rfm_segment_of(score, 5) == rfm_segment_of_score(r * 100 + f * 10 + m), "%d%d%d", r, f, m);
			}
	property_end();

	property("with more bins in each fifth, the segment is that of the fifth");
	for (int bins = 5; bins <= RFM_BINS_MAX; bins += 5)
		for (int r = 1; r <= bins; r++)
			for (int f = 1; f <= bins; f++)
				for (int m = 1; m <= bins; m += (bins > 30 ? 3 : 1))
				{
					int			per_fifth = bins / 5;
					RfmScore	score = {r, f, m};
					int			fifths = ((r - 1) / per_fifth + 1) * 100 + ((f - 1) / per_fifth + 1) * 10 +
						(m - 1) / per_fifth + 1;

					holds(rfm_segment_of(score, bins) == rfm_segment_of_score(fifths),
						  "%d bins, %d %d %d", bins, r, f, m);
				}
	property_end();

	property("with any bins the least scores are Lost, the greatest are Champions, and nothing is undefined");
	for (int bins = RFM_BINS_MIN; bins <= RFM_BINS_MAX; bins++)
	{
		RfmScore	least = {1, 1, 1};
		RfmScore	greatest = {bins, bins, bins};

		holds(strcmp(rfm_segment_names[rfm_segment_of(least, bins)], "Lost") == 0, "least of %d", bins);
		holds(strcmp(rfm_segment_names[rfm_segment_of(greatest, bins)], "Champions") == 0, "greatest of %d", bins);
		for (int i = 0; i < 500; i++)
		{
			RfmScore	score = {
				1 + (int) random_below(bins), 1 + (int) random_below(bins), 1 + (int) random_below(bins)
			};
			int			segment = rfm_segment_of(score, bins);

			holds(segment >= 0 && segment < RFM_SEGMENTS, "%d bins: %d %d %d", bins, score.r, score.f, score.m);
		}
	}
	property_end();

	property("scores have places in ascending order, and no other number has one");
	for (int bins = RFM_BINS_MIN; bins <= RFM_BINS_MAX; bins += bins < 12 ? 1 : 29)
	{
		int			place = 0;
		int			last = bins <= 9 ? 999 : 999999;

		for (int number = 0; number <= last; number++)
		{
			int			base = bins <= 9 ? 10 : 100;
			int			digit[] = {number / base / base, number / base % base, number % base};
			bool		is_score = true;

			for (int i = 0; i < 3; i++)
				is_score = is_score && digit[i] >= 1 && digit[i] <= bins;
			holds(rfm_place_of_number(number, bins) == (is_score ? place : -1), "%d of %d bins", number, bins);
			if (is_score)
				holds(rfm_score_place((RfmScore) {digit[0], digit[1], digit[2]}, bins) == place++, "place of %d", number);
		}
		holds(place == bins * bins * bins, "%d places of %d bins", place, bins);
		holds(rfm_place_of_number(INT32_MIN, bins) < 0 && rfm_place_of_number(-111, bins) < 0 &&
			  rfm_place_of_number(INT32_MAX, bins) < 0, "the ends of int");
	}
	property_end();

	is_int(rfm_score_number((RfmScore) {9, 1, 4}, 9), 914, "one digit each up to 9 bins");
	is_int(rfm_score_number((RfmScore) {10, 1, 4}, 10), 100104, "two digits each from 10 on");
	is_int(rfm_score_number((RfmScore) {99, 99, 99}, 99), 999999, "the greatest score");
}

int
main(void)
{
	test_checker();
	test_sums();
	test_rules();
	test_blocks();
	test_segments();
	return done_testing();
}
