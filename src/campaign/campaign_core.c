/*
 * campaign_core.c
 *	  Sums of a campaign, and what follows from them.
 */
#include "campaign/campaign_core.h"

#include <float.h>
#include <math.h>

#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "statistics/distributions.h"
#include "statistics/mean_difference.h"
#include "statistics/proportions.h"
#include "statistics/random_effects.h"

/* With fewer buyers in a group the mean of what they spent can be far from normal. */
#define SPEND_BUYERS_MIN 50

/* Fewer of a kind than this, and the variance of a rate is taken from one with one more of each kind. */
#define SPARSE 5

/* The variance that an adjustment leaves is rounding if it is less than this of the whole. */
#define NOTHING_LEFT 1e-12

const char *const campaign_measure_names[CAMPAIGN_MEASURES] = {"conversion", "spend", "adjusted spend"};

const char *const campaign_verdict_names[] = {"uplift", "loss", "not shown", "not comparable"};

const char *const campaign_label_names[] = {"persuadable", "sure thing", "lost cause", "sleeping dog"};

/* ---------- sums ---------- */

/* An integer as a decimal. */
static Decimal
decimal_of(int64 number)
{
	DecimalPool no_pool = {0};

	Assert(number >= 0 && number <= DECIMAL_PACKED_MAX);
	return decimal_unpack(decimal_pack_small(number, 0), &no_pool);
}

/* members * sum, false if it does not fit. */
static bool
multiply(const Decimal *sum, int64 members, Decimal *product)
{
	Decimal		factor = decimal_of(members);

	*product = *sum;
	return decimal_multiply(product, &factor);
}

static bool
fits(const Decimal *squares, int64 members)
{
	Decimal		product;

	/* Fewer than 192 bits always do. */
	return likely(squares->word[DECIMAL_WORDS - 1] == 0 && squares->word[DECIMAL_WORDS - 2] == 0) ||
		multiply(squares, members, &product);
}

static CampaignStatus
check_side(const CampaignSide *side)
{
	if (unlikely(side->members > CAMPAIGN_MEMBERS_MAX))
		return CAMPAIGN_TOO_MANY_MEMBERS;
	return fits(&side->squares, side->members) ? CAMPAIGN_OK : CAMPAIGN_SUM_OUT_OF_RANGE;
}

/* Adds one member; nothing has changed if that fails. */
CampaignStatus
campaign_side_add(CampaignSide *side, const Decimal *y)
{
	CampaignSide sum = *side;
	Decimal		square = *y;
	CampaignStatus status;

	/* Most members have bought nothing, and no decimals that are new. */
	sum.members++;
	if (decimal_sign(y) != 0 || y->scale > sum.sum.scale)
	{
		sum.buyers += decimal_sign(y) != 0;
		if (!decimal_multiply(&square, y) ||
			!decimal_add(&sum.squares, &square) || !decimal_add(&sum.sum, y))
			return CAMPAIGN_SUM_OUT_OF_RANGE;
	}
	status = check_side(&sum);
	if (likely(status == CAMPAIGN_OK))
		*side = sum;
	return status;
}

/* Adds the members of another side; nothing has changed if that fails. */
CampaignStatus
campaign_side_merge(CampaignSide *side, const CampaignSide *other)
{
	CampaignSide sum = *side;
	CampaignStatus status;

	sum.members += other->members;
	sum.buyers += other->buyers;
	if (!decimal_add(&sum.squares, &other->squares) || !decimal_add(&sum.sum, &other->sum))
		return CAMPAIGN_SUM_OUT_OF_RANGE;
	status = check_side(&sum);
	if (likely(status == CAMPAIGN_OK))
		*side = sum;
	return status;
}

/* Adds to what is known of outcomes before, of a side to which as much was added. */
static bool
add_before(CampaignBefore *before, const CampaignSide *side,
		   const Decimal *sum, const Decimal *squares, const Decimal *products)
{
	return decimal_add(&before->sum, sum) && decimal_add(&before->squares, squares) &&
		decimal_add(&before->products, products) && fits(&before->squares, side->members) &&
		decimal_set_scale(&before->products, side->sum.scale + before->sum.scale);
}

/* Adds one member, with an outcome before if the campaign has them; nothing has changed if that fails. */
CampaignStatus
campaign_add(Campaign *campaign, CampaignGroup group, const Decimal *y, const Decimal *before)
{
	CampaignSide side = campaign->side[group];
	CampaignBefore sum = campaign->before[group];
	CampaignStatus status = campaign_side_add(&side, y);

	if (campaign->has_before && status == CAMPAIGN_OK)
	{
		Decimal		square = *before;
		Decimal		product = *before;

		if (!decimal_multiply(&square, before) || !decimal_multiply(&product, y) ||
			!add_before(&sum, &side, before, &square, &product))
			status = CAMPAIGN_SUM_OUT_OF_RANGE;
	}
	if (likely(status == CAMPAIGN_OK))
	{
		campaign->side[group] = side;
		campaign->before[group] = sum;
	}
	return status;
}

/* Adds the members of another campaign of the same form; nothing has changed if that fails. */
CampaignStatus
campaign_merge(Campaign *campaign, const Campaign *other)
{
	Campaign	sum = *campaign;

	Assert(campaign->has_before == other->has_before);
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		const CampaignBefore *before = &other->before[g];
		CampaignStatus status = campaign_side_merge(&sum.side[g], &other->side[g]);

		if (status == CAMPAIGN_OK && sum.has_before &&
			!add_before(&sum.before[g], &sum.side[g], &before->sum, &before->squares, &before->products))
			status = CAMPAIGN_SUM_OUT_OF_RANGE;
		if (status != CAMPAIGN_OK)
			return status;
	}
	*campaign = sum;
	return CAMPAIGN_OK;
}

/* ---------- stored form ---------- */

/* The byte of the mantissa's two's complement, the lowest first. */
static inline uint8
mantissa_byte(const Decimal *d, int i)
{
	return (uint8) (d->word[i / 4] >> (i % 4 * 8));
}

static uint8 *
store_mantissa(const Decimal *d, uint8 *bytes)
{
	uint8		sign = decimal_sign(d) < 0 ? 0xFF : 0;
	int			words = DECIMAL_WORDS;
	int			length;

	while (words > 1 && d->word[words - 1] == (sign == 0 ? 0 : 0xFFFFFFFF))
		words--;
	length = Min(words + 1, DECIMAL_WORDS) * 4;

	/* What is left must still begin with the sign. */
	while (length > 0 && mantissa_byte(d, length - 1) == sign &&
		   (length == 1 ? sign == 0 : (mantissa_byte(d, length - 2) ^ sign) < 0x80))
		length--;
	*bytes++ = (uint8) length;
	while (length > 0)
		*bytes++ = mantissa_byte(d, --length);
	return bytes;
}

/* Reads a mantissa and advances past it; false if there is none, or one of more bytes than it needs. */
static bool
load_mantissa(const uint8 **bytes, const uint8 *end, int scale, Decimal *d)
{
	const uint8 *first = *bytes + 1;
	Size		length;
	uint32		sign;

	if (*bytes == end || **bytes > DECIMAL_WORDS * 4 || end - *bytes - 1 < **bytes)
		return false;
	length = *(*bytes)++;
	sign = length > 0 && *first >= 0x80 ? 0xFFFFFFFF : 0;

	/* A first byte that only repeats the sign could be left out. */
	if (length > 0 && *first == (uint8) sign &&
		(length == 1 ? sign == 0 : ((first[1] ^ sign) & 0x80) == 0))
		return false;
	for (int i = 0; i < DECIMAL_WORDS; i++)
		d->word[i] = sign;
	for (Size i = length; i > 0; i--)
	{
		int			shift = (int) ((i - 1) % 4 * 8);
		uint32	   *word = &d->word[(i - 1) / 4];

		*word = (*word & ~((uint32) 0xFF << shift)) | (uint32) *(*bytes)++ << shift;
	}
	d->scale = scale;
	return true;
}

uint8 *
campaign_side_store(const CampaignSide *side, uint8 *bytes)
{
	bytes = store_varint(bytes, (uint64) side->members);
	if (side->members == 0)
		return bytes;
	bytes = store_varint(bytes, (uint64) side->buyers);
	*bytes++ = (uint8) side->sum.scale;
	bytes = store_mantissa(&side->sum, bytes);
	return store_mantissa(&side->squares, bytes);
}

uint8 *
campaign_store(const Campaign *campaign, uint8 *bytes)
{
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		const CampaignBefore *before = &campaign->before[g];

		bytes = campaign_side_store(&campaign->side[g], bytes);
		if (!campaign->has_before || campaign->side[g].members == 0)
			continue;
		*bytes++ = (uint8) before->sum.scale;
		bytes = store_mantissa(&before->sum, bytes);
		bytes = store_mantissa(&before->squares, bytes);
		bytes = store_mantissa(&before->products, bytes);
	}
	return bytes;
}

/* Whether there are numbers, `members` of them, with this sum and this sum of squares. */
static const char *
check_sums(const Decimal *sum, const Decimal *squares, int64 members)
{
	Decimal		square = *sum;
	Decimal		product;

	if (decimal_sign(squares) < 0 || !multiply(squares, members, &product) || !decimal_multiply(&square, sum))
		return "a sum is out of range";
	return decimal_compare(&square, &product) > 0 ? "a sum is larger than its squares allow" : NULL;
}

/* Reads a side and advances past it; returns what is wrong, or NULL. */
const char *
campaign_side_check_and_load(const uint8 **bytes, const uint8 *end, CampaignSide *side)
{
	uint64		members;
	uint64		buyers;
	int			scale;

	memset(side, 0, sizeof(*side));
	if (!check_varint(bytes, end, &members))
		return "its groups are truncated";
	if (members > CAMPAIGN_MEMBERS_MAX)
		return "its number of members is out of range";
	side->members = (int64) members;
	if (members == 0)
		return NULL;
	if (!check_varint(bytes, end, &buyers) || *bytes == end)
		return "its groups are truncated";
	if (buyers > members)
		return "it has more buyers than members";
	side->buyers = (int64) buyers;
	scale = *(*bytes)++;
	if (scale > DECIMAL_MAX_SCALE)
		return "a sum has too large a scale";
	if (!load_mantissa(bytes, end, scale, &side->sum) || !load_mantissa(bytes, end, 2 * scale, &side->squares))
		return "a sum is truncated, or longer than necessary";
	if ((buyers == 0) != (decimal_sign(&side->squares) == 0))
		return "its buyers do not go with its sums";
	if (!fits(&side->squares, side->members))
		return "a sum is out of range";

	/* Only buyers are in the sums; without any both are 0. */
	if (buyers == 0)
		return decimal_sign(&side->sum) == 0 ? NULL : "its buyers do not go with its sums";
	return check_sums(&side->sum, &side->squares, side->buyers);
}

/* Reads a campaign, whose has_before is set, and advances past it; returns what is wrong, or NULL. */
const char *
campaign_check_and_load(const uint8 **bytes, const uint8 *end, Campaign *campaign)
{
	memset(campaign->before, 0, sizeof(campaign->before));
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		const CampaignSide *side = &campaign->side[g];
		CampaignBefore *before = &campaign->before[g];
		const char *wrong = campaign_side_check_and_load(bytes, end, &campaign->side[g]);
		Decimal		product;
		int			scale;

		if (wrong != NULL)
			return wrong;
		if (!campaign->has_before || side->members == 0)
			continue;
		if (*bytes == end)
			return "its groups are truncated";
		scale = *(*bytes)++;
		if (scale > DECIMAL_MAX_SCALE)
			return "a sum has too large a scale";
		if (!load_mantissa(bytes, end, scale, &before->sum) ||
			!load_mantissa(bytes, end, 2 * scale, &before->squares) ||
			!load_mantissa(bytes, end, side->sum.scale + scale, &before->products))
			return "a sum is truncated, or longer than necessary";
		if ((wrong = check_sums(&before->sum, &before->squares, side->members)) != NULL)
			return wrong;
		if (!multiply(&before->products, side->members, &product))
			return "a sum is out of range";
	}
	return NULL;
}

/* ---------- results ---------- */

/* The sum of (x - mean)(y - mean) of the members, from exact sums. */
static float8
deviations(int64 members, const Decimal *x, const Decimal *y, const Decimal *products)
{
	Decimal		square = *x;
	Decimal		difference;

	/* The checker has seen to it that both products fit. */
	(void) multiply(products, members, &difference);
	if (!decimal_multiply(&square, y) || !decimal_subtract(&difference, &square))
		return 0;
	return decimal_to_double(&difference) / (float8) members;
}

static float8
mean_of(const Decimal *sum, int64 members)
{
	return decimal_to_double(sum) / (float8) members;
}

/* Why two groups cannot be compared; NULL if both have members. */
const char *
campaign_missing_group(const CampaignSide *side)
{
	if (side[CAMPAIGN_CONTROL].members == 0)
		return "there was no control group, so nobody knows what would have happened without the campaign";
	if (side[CAMPAIGN_TREATED].members == 0)
		return "nobody was treated";
	return NULL;
}

static CampaignVerdict
verdict_of(float8 low, float8 high)
{
	return low > 0 ? VERDICT_UPLIFT : high < 0 ? VERDICT_LOSS : VERDICT_NOT_SHOWN;
}

static void
compare_conversion(CampaignResult *result, const CampaignSide *side, float8 alpha)
{
	Proportion	treated = {(float8) side[CAMPAIGN_TREATED].buyers, (float8) side[CAMPAIGN_TREATED].members};
	Proportion	control = {(float8) side[CAMPAIGN_CONTROL].buyers, (float8) side[CAMPAIGN_CONTROL].members};
	ProportionDifference d = proportion_difference(&treated, &control, alpha);

	result->uplift = d.difference;
	result->low = d.low;
	result->high = d.high;
	result->verdict = VERDICT_NOT_SHOWN;
	if (d.expected < PROPORTION_EXPECTED_MIN)
	{
		result->note = "fewer than 5 buyers, or fewer than 5 others, were to be expected in a group: too few for a test";
		return;
	}
	result->error = d.error;
	result->statistic = d.z;
	result->p = d.p;
	if (d.p < alpha)
		result->verdict = verdict_of(d.low, d.high);
}

/*
 * Compares means by Welch's test.  Where the groups differ in size and few have
 * bought, the smaller one often has no large sale; then its mean and its variance
 * are both too small, and Welch's interval excludes 0 far too often.  So a verdict
 * needs the test with one variance of both groups, too, which errs on the other side.
 * There a slope that was taken out counts as well, as it is fitted to the same members.
 */
static void
compare_spend(CampaignResult *result, const CampaignSide *side, float8 alpha, const float8 *deviation, bool has_slope)
{
	MeanVariance variance[CAMPAIGN_GROUPS];
	MeanVariance pooled[CAMPAIGN_GROUPS];
	float8		df = (float8) side[CAMPAIGN_CONTROL].members + (float8) side[CAMPAIGN_TREATED].members - (has_slope ? 3 : 2);
	MeanDifference welch;
	MeanDifference student;

	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		float8		n = (float8) side[g].members;

		variance[g] = (MeanVariance) {deviation[g] / (n - 1) / n, n - 1};
		pooled[g] = (MeanVariance) {(deviation[CAMPAIGN_CONTROL] + deviation[CAMPAIGN_TREATED]) / df / n, df};
	}
	result->verdict = VERDICT_NOT_SHOWN;
	if (side[CAMPAIGN_CONTROL].members < 2 || side[CAMPAIGN_TREATED].members < 2)
	{
		result->note = "a group has one member only, so nobody knows how much its members vary";
		return;
	}
	if (!mean_difference(result->uplift, &variance[CAMPAIGN_TREATED], &variance[CAMPAIGN_CONTROL], alpha, &welch))
	{
		result->note = "the members of neither group differ, so nothing can be said of chance";
		return;
	}
	(void) mean_difference(result->uplift, &pooled[CAMPAIGN_TREATED], &pooled[CAMPAIGN_CONTROL], alpha, &student);
	result->low = result->uplift - welch.margin;
	result->high = result->uplift + welch.margin;
	result->error = welch.error;
	result->statistic = welch.t;
	result->df = welch.df;
	result->p = welch.p;
	result->verdict = verdict_of(result->uplift - Max(welch.margin, student.margin),
								 result->uplift + Max(welch.margin, student.margin));
	if (side[CAMPAIGN_CONTROL].buyers < SPEND_BUYERS_MIN || side[CAMPAIGN_TREATED].buyers < SPEND_BUYERS_MIN)
		result->note = "a group has fewer than 50 buyers: the interval may be too narrow";
	else if (result->verdict == VERDICT_NOT_SHOWN && welch.p < alpha)
		result->note = "the variance of the smaller group may be too small by chance: with one variance of both nothing is shown";
}

/*
 * Takes out of y what the outcome before explains of it (CUPED, Deng and others
 * 2013): y - theta (x - mean of x), with the slope theta of both groups.
 */
static const char *
adjust(const Campaign *campaign, CampaignResult *result, float8 *deviation)
{
	float8		product[CAMPAIGN_GROUPS];
	float8		square[CAMPAIGN_GROUPS];
	float8		mean[CAMPAIGN_GROUPS];
	float8		members = 0;
	float8		sum = 0;
	float8		theta;

	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		const CampaignSide *side = &campaign->side[g];
		const CampaignBefore *before = &campaign->before[g];

		product[g] = deviations(side->members, &before->sum, &side->sum, &before->products);
		square[g] = deviations(side->members, &before->sum, &before->sum, &before->squares);
		mean[g] = mean_of(&before->sum, side->members);
		members += (float8) side->members;
		sum += decimal_to_double(&before->sum);
	}
	if (!(square[CAMPAIGN_CONTROL] + square[CAMPAIGN_TREATED] > 0))
		return "outcomes before do not differ, so nothing is adjusted";
	theta = (product[CAMPAIGN_CONTROL] + product[CAMPAIGN_TREATED]) / (square[CAMPAIGN_CONTROL] + square[CAMPAIGN_TREATED]);
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		float8		left = deviation[g] - 2 * theta * product[g] + theta * theta * square[g];

		result->mean[g] -= theta * (mean[g] - sum / members);
		deviation[g] = left > NOTHING_LEFT * deviation[g] ? left : 0;
	}
	return NULL;
}

/* What a campaign brought, by one measure, at level 1 - alpha. */
CampaignResult
campaign_result(const Campaign *campaign, CampaignMeasure measure, float8 alpha)
{
	CampaignResult result = {{NAN, NAN}, NAN, NAN, NAN, NAN, NAN, NAN, NAN, VERDICT_NOT_COMPARABLE, NULL};
	float8		deviation[CAMPAIGN_GROUPS] = {0};

	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		const CampaignSide *side = &campaign->side[g];

		if (side->members == 0)
			continue;
		if (measure == CAMPAIGN_CONVERSION)
			result.mean[g] = (float8) side->buyers / (float8) side->members;
		else
		{
			result.mean[g] = mean_of(&side->sum, side->members);
			deviation[g] = deviations(side->members, &side->sum, &side->sum, &side->squares);
		}
	}
	result.note = campaign_missing_group(campaign->side);
	if (result.note != NULL)
	{
		/* Nothing can be adjusted by a slope of both groups. */
		if (measure == CAMPAIGN_ADJUSTED_SPEND)
			result.mean[CAMPAIGN_CONTROL] = result.mean[CAMPAIGN_TREATED] = NAN;
		return result;
	}
	if (measure == CAMPAIGN_CONVERSION)
		compare_conversion(&result, campaign->side, alpha);
	else
	{
		const char *note = measure == CAMPAIGN_ADJUSTED_SPEND ? adjust(campaign, &result, deviation) : NULL;

		result.uplift = result.mean[CAMPAIGN_TREATED] - result.mean[CAMPAIGN_CONTROL];
		compare_spend(&result, campaign->side, alpha, deviation, measure == CAMPAIGN_ADJUSTED_SPEND);
		if (note != NULL)
			result.note = note;
	}
	return result;
}

/* Compares the sizes of the groups with a plan: chi-squared with 1 degree of freedom. */
CampaignRatio
campaign_ratio(const CampaignSide *side, float8 planned_share)
{
	float8		members = (float8) side[CAMPAIGN_CONTROL].members + (float8) side[CAMPAIGN_TREATED].members;
	float8		planned = members * planned_share;
	float8		surplus = (float8) side[CAMPAIGN_TREATED].members - planned;
	CampaignRatio ratio;

	/* Of a share of nearly 0 or 1 it may be more than a float8 holds. */
	ratio.chi_squared = Min(surplus * surplus / planned + surplus * surplus / (members * (1 - planned_share)), DBL_MAX);
	ratio.p = statistics_chi_squared_p(ratio.chi_squared, 1);
	return ratio;
}

/* ---------- segments ---------- */

/* The variance of a rate. */
static float8
rate_variance(const CampaignSide *side)
{
	float8		n = (float8) side->members;
	float8		rate = (float8) side->buyers / n;

	/* Of few it says too little, and of none that it does not vary at all. */
	if (side->buyers < SPARSE || side->members - side->buyers < SPARSE)
		rate = ((float8) side->buyers + 1) / (n + 2);
	return rate * (1 - rate) / n;
}

static void
measure_segment(const CampaignSide *side, float8 alpha, CampaignSegment *segment)
{
	Proportion	treated = {(float8) side[CAMPAIGN_TREATED].buyers, (float8) side[CAMPAIGN_TREATED].members};
	Proportion	control = {(float8) side[CAMPAIGN_CONTROL].buyers, (float8) side[CAMPAIGN_CONTROL].members};
	ProportionDifference d;

	*segment = (CampaignSegment) {{NAN, NAN}, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
		if (side[g].members > 0)
			segment->rate[g] = (float8) side[g].buyers / (float8) side[g].members;
	if (campaign_missing_group(side) != NULL)
		return;
	d = proportion_difference(&treated, &control, alpha);
	segment->uplift = d.difference;
	segment->low = d.low;
	segment->high = d.high;
	segment->p = d.expected < PROPORTION_EXPECTED_MIN ? NAN : d.p;
	segment->control_variance = rate_variance(&side[CAMPAIGN_CONTROL]);
	segment->variance = segment->control_variance + rate_variance(&side[CAMPAIGN_TREATED]);
}

/* Measures n segments, corrects for their number, and shrinks them. */
CampaignSegments
campaign_segments(const CampaignSide (*sides)[CAMPAIGN_GROUPS], Size n, float8 alpha, CampaignSegment *segments)
{
	CampaignSegments all = {.control_rate = NAN};
	Size		room = Max(n, 1);
	float8	   *effect = large_alloc(CurrentMemoryContext, room * sizeof(float8));
	float8	   *variance = large_alloc(CurrentMemoryContext, room * sizeof(float8));
	float8	   *p = large_alloc(CurrentMemoryContext, room * sizeof(float8));
	float8	   *q = large_alloc(CurrentMemoryContext, room * sizeof(float8));
	uint32	   *order = large_alloc(CurrentMemoryContext, room * sizeof(uint32));
	Size		tested = 0;
	float8		buyers = 0;
	float8		members = 0;
	RandomEffects effects;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		measure_segment(sides[i], alpha, &segments[i]);
		buyers += (float8) sides[i][CAMPAIGN_CONTROL].buyers;
		members += (float8) sides[i][CAMPAIGN_CONTROL].members;
		if (isnan(segments[i].uplift))
			continue;
		effect[all.compared] = segments[i].uplift;
		variance[all.compared++] = segments[i].variance;
		if (!isnan(segments[i].p))
			p[tested++] = segments[i].p;
	}
	if (members > 0)
		all.control_rate = buyers / members;
	statistics_benjamini_hochberg(p, order, tested, q);
	effects = random_effects(effect, variance, all.compared);
	all.cochran_q = effects.q;
	all.p = effects.p;
	all.mean = effects.mean;
	all.between = sqrt(effects.tau_squared);

	tested = 0;
	for (Size i = 0; i < n; i++)
	{
		CampaignSegment *segment = &segments[i];
		ShrunkEffect shrunk;

		check_interrupts(i);
		if (isnan(segment->uplift))
			continue;
		if (!isnan(segment->p))
			segment->q = q[tested++];
		shrunk = random_effects_shrink(&effects, segment->uplift, segment->variance);
		segment->shrunk = shrunk.effect;
		segment->given_error = shrunk.given_error;
		segment->error = shrunk.error;
	}
	pfree(effect);
	pfree(variance);
	pfree(p);
	pfree(q);
	pfree(order);
	return all;
}

/* Whether a segment differs, among all that were tested. */
CampaignVerdict
campaign_segment_verdict(const CampaignSegment *segment, float8 alpha)
{
	if (isnan(segment->uplift))
		return VERDICT_NOT_COMPARABLE;
	return segment->q < alpha ? verdict_of(segment->low, segment->high) : VERDICT_NOT_SHOWN;
}

/* What the members of a compared segment are, by the interval of their shrunk uplift. */
CampaignLabel
campaign_label(const CampaignSegment *segment, const CampaignSegments *all, float8 alpha)
{
	float8		margin = statistics_normal_quantile(alpha) * segment->error;

	if (segment->shrunk - margin > 0)
		return LABEL_PERSUADABLE;
	if (segment->shrunk + margin < 0)
		return LABEL_SLEEPING_DOG;
	return segment->rate[CAMPAIGN_CONTROL] >= all->control_rate ? LABEL_SURE_THING : LABEL_LOST_CAUSE;
}

/*
 * What an offer brings in a compared segment: with the rates p1 and p0,
 *
 *		(p1 - p0) margin - contact cost - p1 discount,
 *
 * as buyers who would have bought anyway take the discount, too.  Expected is what
 * it is by the shrunk uplift u.  The rate without the campaign is not known exactly,
 * either, and is measured together with the uplift: given u, with variances v1 and v0
 * of the measured rates and v of both, p0 is
 *
 *		(p0 v1 + (p1 - u) v0) / v, with the variance v0 v1 / v.
 */
OfferProfit
campaign_profit(const CampaignSegment *segment, const OfferTerms *terms)
{
	float8		p1 = segment->rate[CAMPAIGN_TREATED];
	float8		p0 = segment->rate[CAMPAIGN_CONTROL];
	float8		share0 = segment->control_variance / segment->variance;
	float8		treated_variance = segment->variance - segment->control_variance;
	float8		u = segment->shrunk;
	float8		rate = p0 * (1 - share0) + (p1 - u) * share0;
	float8		by_uplift = terms->margin - terms->discount * (1 - share0);
	float8		error = hypot(segment->error * by_uplift, terms->discount * sqrt(share0 * treated_variance));
	OfferProfit profit;

	profit.observed = (p1 - p0) * terms->margin - terms->contact_cost - terms->discount * p1;
	profit.expected = u * terms->margin - terms->contact_cost - terms->discount * (rate + u);
	profit.probability = error > 0 ? statistics_normal_below(profit.expected / error) : profit.expected > 0;
	return profit;
}
