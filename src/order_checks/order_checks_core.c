/*
 * order_checks_core.c
 *	  Ids, prices and dates that are not what they should be.
 */
#include "order_checks/order_checks_core.h"

#include <math.h>

#include "shared/calendar_core.h"

/* ---------- ids ---------- */

/* Only ASCII counts, so that nothing depends on a locale. */
static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

static inline bool
is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/* Leaves out blanks at both ends. */
void
id_trim(const char **id, uint32 *length)
{
	while (*length > 0 && is_blank((*id)[*length - 1]))
		(*length)--;
	while (*length > 0 && is_blank(**id))
	{
		(*id)++;
		(*length)--;
	}
}

/* Writes an id without blanks at its ends and in lower case; returns its length. */
uint32
id_fold(const char *id, uint32 length, char *folded)
{
	id_trim(&id, &length);
	for (uint32 i = 0; i < length; i++)
		folded[i] = lower(id[i]);
	return length;
}

/* Says whether an id, folded, stands for nobody. */
bool
id_is_no_member(const char *id, uint32 length)
{
	static const char *const nobody[] = {"", "0", "-1", "guest", "unknown", "n/a", "null", "test", "anonymous"};
	char		folded[16];

	id_trim(&id, &length);
	if (length > 9)
		return false;
	length = id_fold(id, length, folded);
	for (Size i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		if (strlen(nobody[i]) == length && memcmp(nobody[i], folded, length) == 0)
			return true;
	return false;
}

/* Writes the shape of an id, as long as itself: 9 for digits, A for letters. */
void
id_shape(const char *id, uint32 length, char *shape)
{
	for (uint32 i = 0; i < length; i++)
		shape[i] = is_digit(id[i]) ? '9' : is_letter(id[i]) ? 'A' : id[i];
}

/* Says whether a spreadsheet has rounded an id: digit, perhaps a point and digits, e+, digits. */
bool
id_is_scientific(const char *id, uint32 length)
{
	uint32		i = 1;
	uint32		digits;

	if (length < 4 || !is_digit(id[0]))
		return false;
	if (id[i] == '.')
	{
		for (digits = ++i; i < length && is_digit(id[i]); i++)
			;
		if (i == digits)
			return false;
	}
	if (i + 2 >= length || lower(id[i]) != 'e' || id[i + 1] != '+')
		return false;
	for (i += 2; i < length; i++)
		if (!is_digit(id[i]))
			return false;
	return true;
}

/* Says whether "test" or "dummy" is in an id with no letter on either side. */
bool
id_has_test_word(const char *id, uint32 length)
{
	static const char *const words[] = {"test", "dummy"};

	for (uint32 i = 0; i < length; i++)
	{
		char		first = lower(id[i]);

		if ((first != 't' && first != 'd') || (i > 0 && is_letter(id[i - 1])))
			continue;
		for (int w = 0; w < 2; w++)
		{
			uint32		n = (uint32) strlen(words[w]);
			uint32		same = 0;

			while (same < n && i + same < length && lower(id[i + same]) == words[w][same])
				same++;
			if (same == n && (i + n == length || !is_letter(id[i + n])))
				return true;
		}
	}
	return false;
}

/* Says whether an id ends with a number, of at most 18 digits, and where that begins. */
bool
id_number(const char *id, uint32 length, uint32 *prefix)
{
	uint32		begin = length;

	while (begin > 0 && is_digit(id[begin - 1]))
		begin--;
	*prefix = begin;
	return begin < length && length - begin <= 18;
}

/* ---------- prices ---------- */

#define SELECT_NAME select_number
#define SELECT_TYPE CountedNumber
#define SELECT_LESS(a, b) ((a).number < (b).number)
#include "shared/quickselect.h"

/* How many numbers there are, each as often as it counts. */
static uint64
count_all(const CountedNumber *numbers, Size n)
{
	uint64		count = 0;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		count += numbers[i].count;
	}
	return count;
}

/*
 * The lower of the two middle numbers of those given, each as often as it counts,
 * and the upper one; the array is put into another order.  Halves that the middle
 * is not in are left out, so in all about two arrays are looked at.
 */
float8
lower_median(CountedNumber *numbers, Size n, float8 *upper)
{
	uint64		count = count_all(numbers, n);
	uint64		middle = (count - 1) / 2;
	uint64		before = 0;		/* numbers before `low` */
	Size		low = 0;
	Size		high = n;

	while (high - low > 1)
	{
		Size		half = (high - low) / 2;
		uint64		first;

		select_number(numbers + low, high - low, half);
		first = count_all(numbers + low, half);
		if (middle < before + first)
			high = low + half;
		else
		{
			before += first;
			low += half;
		}
	}
	*upper = numbers[low].number;
	if (count % 2 == 0 && middle + 1 == before + numbers[low].count)
	{
		*upper = numbers[low + 1].number;
		for (Size i = low + 2; i < n; i++)
		{
			check_interrupts(i);
			*upper = numbers[i].number < *upper ? numbers[i].number : *upper;
		}
	}
	return numbers[low].number;
}

/*
 * What is usual among the prices of an item's sales, all above 0; the array is
 * used up.  Medians of an even number are the mean of the two in the middle, of
 * logarithms as percentile_cont(0.5) has it.
 */
UsualPrice
usual_price(CountedNumber *prices, Size n)
{
	UsualPrice	usual = {0};
	uint64		count = count_all(prices, n);
	float8		lower_price;
	float8		upper_price;
	float8		smallest;
	float8		largest;
	float8		sum = 0;
	float8		deviation;

	if (count < CHECK_ITEM_SALES)
		return usual;
	smallest = largest = prices[0].number;
	for (Size i = 1; i < n; i++)
	{
		check_interrupts(i);
		smallest = prices[i].number < smallest ? prices[i].number : smallest;
		largest = prices[i].number > largest ? prices[i].number : largest;
	}

	/* The median lies in between, so no price can be far from it. */
	if (largest < smallest * CHECK_LOOK_TIMES)
		return usual;
	lower_price = lower_median(prices, n, &upper_price);
	usual.log_median = (log(lower_price) + log(upper_price)) / 2;
	usual.median = lower_price == upper_price ? lower_price : exp(usual.log_median);
	if (!price_may_be_far(&usual, smallest) && !price_may_be_far(&usual, largest))
	{
		usual.median = 0;
		return usual;
	}
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		prices[i].number = fabs(log(prices[i].number) - usual.log_median);
		sum += prices[i].number * (float8) prices[i].count;
	}
	lower_price = lower_median(prices, n, &upper_price);
	deviation = (lower_price + upper_price) / 2;
	usual.log_far = deviation > 0 ? CHECK_PRICE_Z * deviation / 0.67449 :
		CHECK_PRICE_Z * 1.25331 * (sum / (float8) count);
	return usual;
}

/* Says whether an outlier is the usual price with its point one to three digits off. */
static bool
is_slip(const UsualPrice *usual, float8 price)
{
	float8		power = 1;

	for (int i = 0; i < CHECK_SLIP_POWERS; i++)
	{
		power *= 10;
		if (fabs(price / (usual->median * power) - 1) <= CHECK_SLIP_TOLERANCE ||
			fabs(price * power / usual->median - 1) <= CHECK_SLIP_TOLERANCE)
			return true;
	}
	return false;
}

/* What a price, above 0, is: some of PriceVerdict. */
int
price_judge(const UsualPrice *usual, float8 price)
{
	const float8 times = CHECK_PRICE_TIMES * (1 - CHECK_TOLERANCE);

	if (!price_may_be_far(usual, price) || fabs(log(price) - usual->log_median) <= usual->log_far)
		return PRICE_USUAL;
	return (price >= usual->median * times || price * times <= usual->median ? PRICE_OUTLIER : 0) |
		(is_slip(usual, price) ? PRICE_SLIP : 0);
}

/* ---------- dates ---------- */

static inline int32
day_of(int64 time)
{
	return (int32) (time / CHECK_DAY_USECS) - (time % CHECK_DAY_USECS < 0);
}

/* A time with day and month exchanged; false if that is no other day. */
bool
day_month_exchanged(int64 time, int64 *exchanged)
{
	int32		day = day_of(time);
	int32		month = calendar_period_of_day(UNIT_MONTH, day);
	int32		january = calendar_period_of_day(UNIT_YEAR, day) * 12;
	int32		day_of_month = day - calendar_first_day(UNIT_MONTH, month);	/* from 0 */
	int32		month_of_year = month - january;

	if (day_of_month >= 12 || day_of_month == month_of_year)
		return false;
	*exchanged = time +
		(calendar_first_day(UNIT_MONTH, january + day_of_month) + month_of_year - day) * CHECK_DAY_USECS;
	return true;
}

/* Judges one order by those on both sides of it. */
static void
series_judge(OrderSeries *series, SwapCounts *counts, SwapFound found, void *context)
{
	int64		at = series->judged++;
	const SeriesOrder *order = &series->last[at % CHECK_SERIES_MIN];
	int64		times[2 * CHECK_NEIGHBOURS];
	int64		median;
	int64		exchanged;
	int			n = 0;

	for (int64 i = Max(at - CHECK_NEIGHBOURS, 0); i < series->seen && i <= at + CHECK_NEIGHBOURS; i++)
	{
		int64		time = series->last[i % CHECK_SERIES_MIN].time;
		int			place = n;

		if (i == at)
			continue;
		for (; place > 0 && times[place - 1] > time; place--)
			times[place] = times[place - 1];
		times[place] = time;
		n++;
	}
	counts->orders++;
	if (n == 0)
		return;
	median = times[(n - 1) / 2];
	if (order->time - median <= CHECK_SWAP_FAR_DAYS * CHECK_DAY_USECS &&
		median - order->time <= CHECK_SWAP_FAR_DAYS * CHECK_DAY_USECS)
		return;
	counts->far++;
	if (day_month_exchanged(order->time, &exchanged) &&
		exchanged - median <= CHECK_SWAP_NEAR_DAYS * CHECK_DAY_USECS &&
		median - exchanged <= CHECK_SWAP_NEAR_DAYS * CHECK_DAY_USECS)
	{
		counts->swapped++;
		found(context, order->order);
	}
}

/* Adds the order with the next number. */
void
series_add(OrderSeries *series, SeriesOrder order, SwapCounts *counts, SwapFound found, void *context)
{
	series->last[series->seen++ % CHECK_SERIES_MIN] = order;
	if (series->seen > CHECK_NEIGHBOURS)
		series_judge(series, counts, found, context);
}

/* Judges the last orders. */
void
series_end(OrderSeries *series, SwapCounts *counts, SwapFound found, void *context)
{
	while (series->judged < series->seen)
		series_judge(series, counts, found, context);
}

/* The number of days from `first` on, n of them, that are open days of the week. */
static int64
count_open(const bool *is_open, int32 first, int64 n)
{
	int64		open = 0;

	for (int i = 0; i < 7; i++)
		open += is_open[i];
	open *= n / 7;
	for (int i = 0; i < (int) (n % 7); i++)
		open += is_open[(((int64) first + i) % 7 + 7) % 7];
	return open;
}

/*
 * Looks for gaps between n days, ascending and each once.  A day of the week on
 * which there never is an order is closed.
 */
GapCounts
count_gaps(const int32 *days, Size n)
{
	GapCounts	gaps = {0};
	bool		is_open[7] = {false};

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		is_open[(days[i] % 7 + 7) % 7] = true;
	}
	for (Size i = 0; i < n; i++)
	{
		int64		missing;

		check_interrupts(i);
		gaps.open++;
		if (i == 0 || days[i] == days[i - 1] + 1)
			continue;
		missing = count_open(is_open, days[i - 1] + 1, (int64) days[i] - days[i - 1] - 1);
		gaps.open += missing;
		if (missing > 0 && (gaps.missing == 0 || days[i] - days[i - 1] - 1 > gaps.longest_last - gaps.longest_first + 1))
		{
			gaps.longest_first = days[i - 1] + 1;
			gaps.longest_last = days[i] - 1;
		}
		gaps.missing += missing;
	}
	return gaps;
}

/* Says whether a day is what a missing date is turned into. */
bool
day_is_placeholder(int32 day)
{
	/* The first and the last day of some years, from 2000-01-01. */
	static const int32 years[][2] = {
		{-730119, -729755},		/* 1 */
		{-90214, -89850},		/* 1753 */
		{-36889, -36525},		/* 1899 */
		{-36524, -36160},		/* 1900 */
		{13880, 14244},			/* 2038 */
		{2921575, 2921939}		/* 9999 */
	};

	/* Nearly all days are later than 1970 and earlier than 2038. */
	if (likely(day > -10957 && day < 13880))
		return false;
	if (day == -10957)			/* 1970-01-01 */
		return true;
	for (Size i = 0; i < sizeof(years) / sizeof(years[0]); i++)
		if (day >= years[i][0] && day <= years[i][1])
			return true;
	return false;
}
