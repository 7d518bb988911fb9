/*
 * rfm_core.c
 *	  RFM in plain C: merging, storing, limits, scores, segments.
 */
#include "rfm/rfm_core.h"

#include <math.h>

#include "shared/stored_kind.h"

#define SELECT_NAME select_time
#define SELECT_TYPE int64
#define SELECT_LESS(a, b) ((a) < (b))
#include "shared/quickselect.h"

#define SELECT_NAME select_number
#define SELECT_TYPE float8
#define SELECT_LESS(a, b) ((a) < (b))
#include "shared/quickselect.h"

/* Adds another summary of the same member. */
RfmStatus
rfm_merge(RfmMember *member, DecimalPool *pool,
		  const RfmMember *other, const DecimalPool *other_pool)
{
	if (member->frequency == 0 && member->refunds == 0)
		member->money = decimal_is_pooled(other->money) ? 0 : other->money & 0xFF;
	if (!decimal_add_packed(&member->money, pool, other->money, other_pool))
		return RFM_SUM_OUT_OF_RANGE;
	if (other->frequency > 0)
	{
		if (member->frequency == 0)
		{
			member->first_order = other->first_order;
			member->last_order = other->last_order;
		}
		else
		{
			member->first_order = Min(member->first_order, other->first_order);
			member->last_order = Max(member->last_order, other->last_order);
		}
	}
	if (pg_add_u32_overflow(member->frequency, other->frequency, &member->frequency) ||
		pg_add_u32_overflow(member->refunds, other->refunds, &member->refunds))
		return RFM_TOO_MANY_ORDERS;
	return RFM_OK;
}

/* Checks all that a member says but the sign of the money; returns what is wrong, or NULL. */
const char *
rfm_check_member(const RfmMember *member, uint32 pool_count)
{
	if (member->frequency == 0)
	{
		if (member->refunds == 0)
			return "a member has neither orders nor refunds";
		if (member->first_order != 0 || member->last_order != 0)
			return "a member without orders has dates";
	}
	else
	{
		if (member->first_order < TIME_MIN || member->last_order >= TIME_END)
			return "a date is out of range";
		if (member->first_order > member->last_order)
			return "a first order is later than the last";
	}
	return decimal_check_packed(member->money, pool_count);
}

/* Checks whether the sign of the money is possible with these orders and refunds. */
const char *
rfm_check_money(const RfmMember *member, int sign)
{
	if (member->refunds == 0 && sign < 0)
		return "money is below zero without a refund";
	if (member->frequency == 0 && sign >= 0)
		return "money is not below zero although all are refunds";
	return NULL;
}

/* The packed money of a stored value. */
static inline int64
stored_money(const uint8 *bytes)
{
	return (int64) load_u64(bytes + RFM_HEADER_SIZE + 8);
}

/* The checker of a stored rfm_summary value. */
const char *
rfm_check(const uint8 *bytes, Size length)
{
	RfmMember	member;
	const char *wrong;
	bool		is_wide;
	Decimal		sum;

	if (length < RFM_STORED_SIZE)
		return "it is too short";
	if (bytes[0] != STORED_RFM)
		return "it is of another type";
	if (bytes[1] != RFM_VERSION)
		return "its version is unknown";
	if (bytes[2] != 0 || bytes[3] != 0)
		return "a reserved byte is not zero";
	is_wide = decimal_is_pooled(stored_money(bytes));
	if (length != (is_wide ? RFM_STORED_MAX : RFM_STORED_SIZE))
		return "its length is wrong";
	rfm_member_read(bytes + RFM_HEADER_SIZE, &member);
	if ((wrong = rfm_check_member(&member, is_wide)) != NULL)
		return wrong;
	if (is_wide)
	{
		wrong = decimal_check_and_load(bytes + RFM_STORED_SIZE, &sum);
		if (wrong != NULL)
			return wrong;
	}
	else
		sum = decimal_unpack(member.money, NULL);
	return rfm_check_money(&member, decimal_sign(&sum));
}

/*
 * rfm_check for a value that comes at each row: of one that is not wide, only what would lead
 * beyond its bytes is checked.
 */
const char *
rfm_check_state(const uint8 *bytes, Size length)
{
	if (unlikely(length != RFM_STORED_SIZE))
		return rfm_check(bytes, length);
	return decimal_check_packed(stored_money(bytes), 0);
}

/*
 * Reads a checked rfm_summary value.  A wide sum is read into *wide, and *pool becomes a
 * pool of that one sum.
 */
void
rfm_load(const uint8 *bytes, RfmMember *member, DecimalPool *pool, Decimal *wide)
{
	memset(pool, 0, sizeof(*pool));
	rfm_member_read(bytes + RFM_HEADER_SIZE, member);
	if (unlikely(decimal_is_pooled(member->money)))
	{
		(void) decimal_check_and_load(bytes + RFM_STORED_SIZE, wide);
		pool->item = wide;
		pool->count = pool->capacity = 1;
	}
}

/* Writes an rfm_summary value into at most RFM_STORED_MAX bytes; returns the length. */
Size
rfm_store(const RfmMember *member, const DecimalPool *pool, uint8 *bytes)
{
	RfmMember	canonical = *member;
	Size		length = RFM_STORED_SIZE;

	if (unlikely(decimal_is_pooled(member->money)))
	{
		const Decimal *wide = &pool->item[member->money >> 8];

		if (!decimal_fits_packed(wide, &canonical.money))
		{
			canonical.money = DECIMAL_IN_POOL;
			decimal_store(wide, bytes + RFM_STORED_SIZE);
			length = RFM_STORED_MAX;
		}
	}
	bytes[0] = STORED_RFM;
	bytes[1] = RFM_VERSION;
	bytes[2] = bytes[3] = 0;
	rfm_member_store(&canonical, bytes + RFM_HEADER_SIZE);
	return length;
}

/* ---------- blocks of members ---------- */

/* The columns of a block. */
typedef enum RfmColumn
{
	COLUMN_FREQUENCY,
	COLUMN_REFUNDS,
	COLUMN_MONEY,				/* the mantissa, or the number in the pool */
	COLUMN_SCALE,				/* or DECIMAL_IN_POOL */
	COLUMN_FIRST_ORDER,
	COLUMN_SPAN					/* from the first to the last order */
} RfmColumn;

/* The earliest first order of n members; 0 if none has orders. */
static int64
earliest_order(const RfmMember *members, int n)
{
	int64		earliest = PG_INT64_MAX;

	for (int i = 0; i < n; i++)
		if (members[i].frequency > 0)
			earliest = Min(earliest, members[i].first_order);
	return earliest == PG_INT64_MAX ? 0 : earliest;
}

/*
 * Stores a block of members, whose money is packed or renumbered for its pool;
 * returns its end, at most RFM_BLOCK_SIZE_MAX(n) bytes on.  Members without orders
 * are stored with the earliest first order of the others, which takes no room.
 */
uint8 *
rfm_block_store(const RfmMember *members, int n, uint8 *bytes)
{
	int64		earliest = earliest_order(members, n);
	int64		column[RFM_BLOCK_COLUMNS][PACKED_ROWS];

	for (int i = 0; i < n; i++)
	{
		column[COLUMN_FREQUENCY][i] = members[i].frequency;
		column[COLUMN_REFUNDS][i] = members[i].refunds;
		column[COLUMN_MONEY][i] = members[i].money >> 8;
		column[COLUMN_SCALE][i] = members[i].money & 0xFF;
		column[COLUMN_FIRST_ORDER][i] = members[i].frequency > 0 ? members[i].first_order : earliest;
		column[COLUMN_SPAN][i] = (int64) ((uint64) members[i].last_order - (uint64) members[i].first_order);
	}
	for (int i = 0; i < RFM_BLOCK_COLUMNS; i++)
		bytes = packed_store(column[i], n, bytes);
	return bytes;
}

/* Member i of the columns of a block. */
static inline RfmMember
member_of_columns(int64 column[RFM_BLOCK_COLUMNS][PACKED_ROWS], int i)
{
	RfmMember	member = {
		.frequency = (uint32) column[COLUMN_FREQUENCY][i],
		.refunds = (uint32) column[COLUMN_REFUNDS][i],
		.money = (int64) ((uint64) column[COLUMN_MONEY][i] << 8) | column[COLUMN_SCALE][i]
	};

	if (member.frequency > 0)
	{
		member.first_order = column[COLUMN_FIRST_ORDER][i];
		member.last_order = (int64) ((uint64) member.first_order + (uint64) column[COLUMN_SPAN][i]);
	}
	return member;
}

/* Reads a checked block of n members; returns its end. */
const uint8 *
rfm_block_load(const uint8 *bytes, int n, RfmMember *members)
{
	int64		column[RFM_BLOCK_COLUMNS][PACKED_ROWS];

	for (int i = 0; i < RFM_BLOCK_COLUMNS; i++)
		bytes = packed_load(bytes, n, column[i]);
	for (int i = 0; i < n; i++)
		members[i] = member_of_columns(column, i);
	return bytes;
}

/* The end of a block of n members; NULL if it is not all there. */
const uint8 *
rfm_block_skip(const uint8 *bytes, const uint8 *end, int n)
{
	for (int i = 0; i < RFM_BLOCK_COLUMNS && bytes != NULL; i++)
		bytes = packed_skip(bytes, end, n);
	return bytes;
}

/*
 * Reads a block of n members and advances past it; returns what is wrong with it
 * besides the sign of the money and the order of wide sums, or NULL.
 */
const char *
rfm_block_check_and_load(const uint8 **bytes, const uint8 *end, int n, uint32 pool_count, RfmMember *members)
{
	int64		column[RFM_BLOCK_COLUMNS][PACKED_ROWS];
	int64		earliest;
	const char *wrong;

	for (int i = 0; i < RFM_BLOCK_COLUMNS; i++)
		if ((wrong = packed_check_and_load(bytes, end, n, column[i])) != NULL)
			return wrong;
	for (int i = 0; i < n; i++)
	{
		int64		money = column[COLUMN_MONEY][i];

		if ((uint64) column[COLUMN_FREQUENCY][i] > PG_UINT32_MAX || (uint64) column[COLUMN_REFUNDS][i] > PG_UINT32_MAX)
			return "a number of orders is out of range";
		if (money < DECIMAL_PACKED_MIN || money > DECIMAL_PACKED_MAX || (uint64) column[COLUMN_SCALE][i] > 0xFF)
			return "a sum is out of range";
		members[i] = member_of_columns(column, i);
		if ((wrong = rfm_check_member(&members[i], pool_count)) != NULL)
			return wrong;
	}
	earliest = earliest_order(members, n);
	for (int i = 0; i < n; i++)
		if (members[i].frequency == 0 && (column[COLUMN_FIRST_ORDER][i] != earliest || column[COLUMN_SPAN][i] != 0))
			return "a member without orders has dates";
	return NULL;
}

/* ---------- limits ---------- */

/* The limit between two neighbouring times, rest / bins of the way, rounded up. */
static int64
interpolate_time(int64 low, int64 high, int rest, int bins)
{
	uint64		distance = (uint64) high - (uint64) low;
	uint64		part = distance / bins * rest + (distance % bins * rest + bins - 1) / bins;

	return (int64) ((uint64) low + part);
}

/*
 * The same between two numbers.  If rounding made the limit equal to the upper
 * number, that number would no longer be above it; then the next float8 below is
 * used, which still separates the two and keeps limits in ascending order.
 */
static float8
interpolate_number(float8 low, float8 high, int rest, int bins)
{
	float8		limit = low + (high - low) * ((float8) rest / bins);

	return limit >= high && low < high ? nextafter(high, low) : limit;
}

/* Position of limit i among n ordered values, and how far on to the next, in bins. */
static inline Size
limit_position(int i, int bins, Size n, int *rest)
{
	uint64		numerator = (uint64) i * (n - 1);

	*rest = (int) (numerator % bins);
	return (Size) (numerator / bins);
}

/*
 * The limits of one array.  Selecting the middle position first, then those in
 * either part, makes the parts small soon.  Afterwards all values between two
 * positions are between the values at these, so the neighbour of a position is
 * the least value up to the next one.
 */
#define DEFINE_LIMITS(name, type, select, interpolate) \
static void \
name##_positions(type *values, Size from, Size to, int first, int last, int bins, Size n) \
{ \
	int			middle = (first + last) / 2; \
	int			rest; \
	Size		position; \
	if (first > last) \
		return; \
	position = limit_position(middle, bins, n, &rest); \
	if (position >= from && position < to) \
		select(values + from, to - from, position - from); \
	name##_positions(values, from, Min(to, position), first, middle - 1, bins, n); \
	name##_positions(values, Max(from, position + 1), to, middle + 1, last, bins, n); \
} \
\
static void \
name(type *values, Size n, int bins, type *limits) \
{ \
	name##_positions(values, 0, n, 1, bins - 1, bins, n); \
	for (int i = 1; i < bins; i++) \
	{ \
		int			rest; \
		int			next_rest; \
		Size		position = limit_position(i, bins, n, &rest); \
		Size		next = i + 1 < bins ? limit_position(i + 1, bins, n, &next_rest) : n - 1; \
		type		low = values[position]; \
		type		high; \
		if (rest == 0) \
		{ \
			limits[i - 1] = low; \
			continue; \
		} \
		high = values[position + 1]; \
		for (Size j = position + 2; j <= next; j++) \
		{ \
			check_interrupts(j); \
			high = Min(high, values[j]); \
		} \
		limits[i - 1] = interpolate(low, high, rest, bins); \
	} \
}

DEFINE_LIMITS(time_limits, int64, select_time, interpolate_time)
DEFINE_LIMITS(number_limits, float8, select_number, interpolate_number)

/*
 * Finds the limits of n >= 1 members who have orders; the arrays are reordered.
 */
void
rfm_cuts_make(RfmCuts *cuts, int bins, bool per_order, Size n,
			  int64 *last_order, float8 *frequency, float8 *monetary)
{
	Assert(n > 0 && bins >= RFM_BINS_MIN && bins <= RFM_BINS_MAX);
	cuts->bins = bins;
	cuts->per_order = per_order;
	cuts->members = n;
	time_limits(last_order, n, bins, cuts->last_order);
	number_limits(frequency, n, bins, cuts->frequency);
	number_limits(monetary, n, bins, cuts->monetary);
}

/* The checker of stored rfm_cuts. */
const char *
rfm_cuts_check(const uint8 *bytes, Size length)
{
	RfmCuts		cuts;

	if (length < RFM_CUTS_HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != STORED_RFM_CUTS)
		return "it is of another type";
	if (bytes[1] != RFM_CUTS_VERSION)
		return "its version is unknown";
	if (bytes[3] > 1)
		return "it is not known which money its limits are for";
	if (bytes[2] < RFM_BINS_MIN || bytes[2] > RFM_BINS_MAX)
		return "the number of bins is not from 2 to 99";
	if (length != (Size) RFM_CUTS_STORED_SIZE(bytes[2]))
		return "its length is wrong";
	rfm_cuts_load(bytes, &cuts);
	for (int i = 0; i < cuts.bins - 1; i++)
	{
		if (!time_is_in_range(cuts.last_order[i]))
			return "a date is out of range";
		if (!(cuts.frequency[i] >= 1) || !(cuts.frequency[i] <= UINT32_MAX))
			return "a limit of frequency is out of range";
		if (!isfinite(cuts.monetary[i]) || (cuts.monetary[i] == 0 && signbit(cuts.monetary[i])))
			return "a limit of monetary is not a finite number, or is a negative zero";
		if (i > 0 && (cuts.last_order[i] < cuts.last_order[i - 1] ||
					  cuts.frequency[i] < cuts.frequency[i - 1] ||
					  cuts.monetary[i] < cuts.monetary[i - 1]))
			return "the limits are not in ascending order";
	}
	return NULL;
}

/* Reads rfm_cuts whose length is right. */
void
rfm_cuts_load(const uint8 *bytes, RfmCuts *cuts)
{
	int			n;

	cuts->bins = bytes[2];
	cuts->per_order = bytes[3] != 0;
	cuts->members = load_u64(bytes + 4);
	n = cuts->bins - 1;
	bytes += RFM_CUTS_HEADER_SIZE;
	for (int i = 0; i < n; i++)
	{
		cuts->last_order[i] = (int64) load_u64(bytes + 8 * i);
		cuts->frequency[i] = load_f64(bytes + 8 * (n + i));
		cuts->monetary[i] = load_f64(bytes + 8 * (2 * n + i));
	}
}

/* Writes rfm_cuts into RFM_CUTS_STORED_SIZE(bins) bytes. */
void
rfm_cuts_store(const RfmCuts *cuts, uint8 *bytes)
{
	int			n = cuts->bins - 1;

	bytes[0] = STORED_RFM_CUTS;
	bytes[1] = RFM_CUTS_VERSION;
	bytes[2] = (uint8) cuts->bins;
	bytes[3] = cuts->per_order;
	bytes = store_u64(bytes + 4, cuts->members);
	for (int i = 0; i < n; i++)
		bytes = store_u64(bytes, (uint64) cuts->last_order[i]);
	for (int i = 0; i < n; i++)
		bytes = store_f64(bytes, cuts->frequency[i]);
	for (int i = 0; i < n; i++)
		bytes = store_f64(bytes, cuts->monetary[i]);
}

/*
 * Scores a member: for frequency and monetary 1 + the number of limits below the
 * value; for recency bins - the number of limits after the last order, which is
 * the same for the days since then, reversed.
 */
RfmScore
rfm_score(const RfmCuts *cuts, int64 last_order, float8 frequency, float8 monetary)
{
	RfmScore	score = {cuts->bins, 1, 1};

	for (int i = 0; i < cuts->bins - 1; i++)
	{
		score.r -= last_order < cuts->last_order[i];
		score.f += cuts->frequency[i] < frequency;
		score.m += cuts->monetary[i] < monetary;
	}
	return score;
}

/* 555-style: one digit each, two digits each if there are more than 9 bins. */
int
rfm_score_number(RfmScore score, int bins)
{
	int			base = bins <= 9 ? 10 : 100;

	return (score.r * base + score.f) * base + score.m;
}

/* The place of a score among all of that many bins, in ascending order from 0. */
int
rfm_score_place(RfmScore score, int bins)
{
	return ((score.r - 1) * bins + score.f - 1) * bins + score.m - 1;
}

/* The same of a score as rfm_score_number writes it; -1 if it is none of that many bins. */
int
rfm_place_of_number(int number, int bins)
{
	int			base = bins <= 9 ? 10 : 100;
	RfmScore	score = {number / base / base, number / base % base, number % base};

	if (number < 0 || score.r < 1 || score.r > bins || score.f < 1 || score.f > bins || score.m < 1 || score.m > bins)
		return -1;
	return rfm_score_place(score, bins);
}

const char *const rfm_segment_names[RFM_SEGMENTS] = {
	"Champions", "Loyal", "Potential Loyalist", "New Customers", "Promising",
	"Need Attention", "About To Sleep", "At Risk", "Cannot Lose Them",
	"Hibernating", "Lost"
};

/* Segment of score rfm at [(r - 1) * 25 + (f - 1) * 5 + (m - 1)]; docs/rfm.md lists them. */
static const uint8 segment_of[125] = {
	/* 11x */ 10, 10, 8, 8, 8, /* 12x */ 10, 9, 9, 7, 7, /* 13x */ 10, 9, 7, 7, 7,
	/* 14x */ 10, 7, 7, 8, 7, /* 15x */ 10, 7, 7, 8, 8,
	/* 21x */ 9, 9, 6, 8, 8, /* 22x */ 6, 9, 9, 7, 7, /* 23x */ 6, 9, 9, 7, 7,
	/* 24x */ 6, 7, 7, 7, 7, /* 25x */ 6, 7, 7, 7, 7,
	/* 31x */ 3, 6, 4, 4, 4, /* 32x */ 6, 9, 2, 5, 5, /* 33x */ 6, 9, 2, 5, 1,
	/* 34x */ 2, 2, 5, 1, 1, /* 35x */ 2, 2, 2, 1, 1,
	/* 41x */ 3, 3, 4, 4, 4, /* 42x */ 3, 3, 2, 4, 4, /* 43x */ 2, 2, 2, 5, 1,
	/* 44x */ 2, 2, 5, 1, 0, /* 45x */ 2, 2, 2, 0, 0,
	/* 51x */ 3, 3, 4, 4, 4, /* 52x */ 4, 4, 4, 4, 4, /* 53x */ 2, 2, 2, 5, 5,
	/* 54x */ 2, 2, 1, 0, 0, /* 55x */ 2, 2, 2, 0, 0
};

/* The segment of a 5-bin score such as 543, or -1 if it is not one. */
int
rfm_segment_of_score(int score)
{
	int			place = rfm_place_of_number(score, 5);

	return place < 0 ? -1 : segment_of[place];
}

/*
 * The fifth in which a score of this number of bins lies: of 5 bins the score
 * itself, of 10 bins 1 for 1 and 2.  Fewer than 5 bins are spread over 1 .. 5,
 * rounding halves up.
 */
static int
fifth_of(int score, int bins)
{
	if (bins >= 5)
		return 1 + (score - 1) * 5 / bins;
	return 1 + ((score - 1) * 4 * 2 + (bins - 1)) / ((bins - 1) * 2);
}

/* The segment of a score with any number of bins. */
int
rfm_segment_of(RfmScore score, int bins)
{
	if (bins != 5)
	{
		score.r = fifth_of(score.r, bins);
		score.f = fifth_of(score.f, bins);
		score.m = fifth_of(score.m, bins);
	}
	return segment_of[rfm_score_place(score, 5)];
}
