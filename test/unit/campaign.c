/* needs: money/decimal.c statistics/distributions.c statistics/proportions.c statistics/mean_difference.c statistics/random_effects.c campaign/campaign_core.c campaign/uplift_core.c */
#include "campaign/uplift_core.h"

#include <math.h>

#include "statistics/distributions.h"

#include "tap.h"

/* Whether they agree to this many significant digits, of which the last may have been rounded or cut off. */
static bool
same_digits(float8 got, float8 expected, int digits)
{
	float8		rounding = pow(10, floor(log10(fabs(expected))) + 1 - digits);

	return fabs(got - expected) <= rounding;
}

static Decimal
decimal_of(const char *text)
{
	Decimal		d = {.scale = 0};

	if (!decimal_from_text(text, strlen(text), &d))
		diag("%s is no decimal", text);
	return d;
}

static Decimal
cents(int64 n)
{
	Decimal		d = decimal_unpack(decimal_pack_small(n, 2), NULL);

	return d;
}

static CampaignStatus
add(Campaign *campaign, bool treated, const char *y, const char *before)
{
	Decimal		a = decimal_of(y);
	Decimal		b = decimal_of(before == NULL ? "0" : before);

	return campaign_add(campaign, treated ? CAMPAIGN_TREATED : CAMPAIGN_CONTROL, &a, before == NULL ? NULL : &b);
}

/* A campaign of so many buyers, who spend 1 each, of so many members. */
static Campaign
counted(int64 treated_buyers, int64 treated, int64 control_buyers, int64 control)
{
	Campaign	campaign = {.has_before = false};
	int64		buyers[] = {control_buyers, treated_buyers};
	int64		members[] = {control, treated};

	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		CampaignSide *side = &campaign.side[g];

		side->members = members[g];
		side->buyers = buyers[g];
		side->sum = side->squares = decimal_unpack(decimal_pack_small(buyers[g], 0), NULL);
	}
	return campaign;
}

/* ---------- sums and their stored form ---------- */

static size_t
bytes_of(const Campaign *campaign, uint8 *bytes)
{
	return campaign_store(campaign, bytes) - bytes;
}

static bool
same(const Campaign *a, const Campaign *b)
{
	uint8		x[CAMPAIGN_STORED_MAX];
	uint8		y[CAMPAIGN_STORED_MAX];
	size_t		length = bytes_of(a, x);

	return length == bytes_of(b, y) && memcmp(x, y, length) == 0;
}

/* Reads stored bytes from a block of their own length, so that a read beyond it is found. */
static const char *
load(const uint8 *bytes, size_t length, bool has_before, Campaign *campaign)
{
	uint8	   *copy = malloc(length + 1);
	const uint8 *at = copy;
	const char *wrong;

	memcpy(copy, bytes, length);
	memset(campaign, 0xAA, sizeof(*campaign));
	campaign->has_before = has_before;
	wrong = campaign_check_and_load(&at, copy + length, campaign);
	if (wrong == NULL && at != copy + length)
		wrong = "its length is wrong";
	free(copy);
	return wrong;
}

/* What members may have: most nothing, some a little, few a lot or a refund, with all kinds of decimals. */
static Decimal
random_amount(void)
{
	static const char *const odd[] = {
		"0", "0.00", "-5.5", "0.0000000001", "12345678901234567890123.45", "-99999999999999999999", "1e0"
	};
	uint64_t	kind = random_below(40);

	if (kind < 25)
		return cents(0);
	if (kind < 39)
		return cents((int64) random_below(100000) - 5000);
	return decimal_of(odd[random_below(LENGTH_OF(odd) - 1)]);
}

static void
test_sums(void)
{
	property("sums: any order, any parts, stored and loaded: the same bytes");
	for (int run = 0; run < 300; run++)
	{
		enum
		{
			N = 60, PARTS = 3
		};
		Decimal		y[N];
		Decimal		before[N];
		CampaignGroup group[N];
		int			order[N];
		int			n = (int) random_below(N + 1);
		Campaign	whole = {.has_before = run % 2};
		Campaign	parts[PARTS] = {{.has_before = run % 2}, {.has_before = run % 2}, {.has_before = run % 2}};
		Campaign	merged = {.has_before = run % 2};
		Campaign	loaded;
		uint8		bytes[CAMPAIGN_STORED_MAX];
		size_t		length;

		for (int i = 0; i < n; i++)
		{
			y[i] = random_amount();
			before[i] = random_amount();
			group[i] = (CampaignGroup) random_below(2);
			order[i] = i;
			holds(campaign_add(&whole, group[i], &y[i], &before[i]) == CAMPAIGN_OK, "run %d", run);
		}
		for (int i = n; i-- > 1;)
		{
			int			j = (int) random_below((uint64_t) i + 1);
			int			other = order[i];

			order[i] = order[j];
			order[j] = other;
		}
		for (int i = 0; i < n; i++)
			holds(campaign_add(&parts[random_below(PARTS)], group[order[i]], &y[order[i]], &before[order[i]]) == CAMPAIGN_OK, "run %d", run);
		for (int p = 0; p < PARTS; p++)
		{
			length = bytes_of(&parts[p], bytes);
			holds(load(bytes, length, run % 2, &loaded) == NULL && same(&loaded, &parts[p]), "run %d: %s", run, load(bytes, length, run % 2, &loaded));
			holds(campaign_merge(&merged, &loaded) == CAMPAIGN_OK, "run %d", run);
		}
		holds(same(&merged, &whole), "run %d", run);
	}
	property_end();

	property("sums: equal to sums of integers");
	for (int run = 0; run < 200; run++)
	{
		Campaign	campaign = {.has_before = true};
		int64		n[2] = {0};
		int64		buyers[2] = {0};
		int64		sums[2][5] = {{0}};

		for (int i = 0; i < 50; i++)
		{
			CampaignGroup g = (CampaignGroup) random_below(2);
			int64		y = random_below(2) ? 0 : (int64) random_below(2000) - 100;
			int64		x = (int64) random_below(2000) - 100;
			Decimal		a = cents(y);
			Decimal		b = cents(x);

			holds(campaign_add(&campaign, g, &a, &b) == CAMPAIGN_OK, "%d", run);
			n[g]++;
			buyers[g] += y != 0;
			sums[g][0] += y;
			sums[g][1] += y * y;
			sums[g][2] += x;
			sums[g][3] += x * x;
			sums[g][4] += x * y;
		}
		for (int g = 0; g < 2; g++)
		{
			const Decimal *has[] = {
				&campaign.side[g].sum, &campaign.side[g].squares,
				&campaign.before[g].sum, &campaign.before[g].squares, &campaign.before[g].products
			};

			holds(campaign.side[g].members == n[g] && campaign.side[g].buyers == buyers[g], "run %d", run);
			for (int k = 0; k < 5 && n[g] > 0; k++)
			{
				int64		packed;

				holds(decimal_fits_packed(has[k], &packed) && packed >> 8 == sums[g][k] && (packed & 0xFF) == (k == 0 || k == 2 ? 2 : 4),
					  "run %d, sum %d", run, k);
			}
		}
	}
	property_end();
}

static void
test_limits(void)
{
	Campaign	campaign = {.has_before = true};
	Campaign	before = campaign;
	Campaign	full;
	Decimal		one = decimal_of("1");

	/* 38 digits: their square has 76, and what is above 5.7e76 does not fit. */
	ok(add(&campaign, true, "99999999999999999999999999999999999999", "99999999999999999999999999999999999999") == CAMPAIGN_OK, "limits: a large amount");
	before = campaign;
	ok(add(&campaign, true, "0", "0") == CAMPAIGN_OK && add(&campaign, true, "0.00", "0") == CAMPAIGN_SUM_OUT_OF_RANGE &&
	   campaign.side[CAMPAIGN_TREATED].members == 2 && campaign.before[CAMPAIGN_TREATED].sum.scale == 0, "limits: too large, and nothing has changed");
	campaign = before;
	while (add(&campaign, true, "0", "0") == CAMPAIGN_OK && campaign.side[CAMPAIGN_TREATED].members < 100)
		;
	ok(campaign.side[CAMPAIGN_TREATED].members == 5, "limits: of members with a large amount among them");
	ok(campaign_merge(&campaign, &before) == CAMPAIGN_SUM_OUT_OF_RANGE && campaign.side[CAMPAIGN_TREATED].members == 5, "limits: the same of parts");
	full = counted(1, CAMPAIGN_MEMBERS_MAX, 0, 0);
	ok(campaign_side_add(&full.side[CAMPAIGN_TREATED], &one) == CAMPAIGN_TOO_MANY_MEMBERS && full.side[CAMPAIGN_TREATED].members == CAMPAIGN_MEMBERS_MAX,
	   "limits: too many members");
}

/* What cannot be is refused, and whatever is taken can be read, merged and written again. */
static void
test_forged(void)
{
	static const struct
	{
		const char *bytes;
		size_t		length;
		const char *wrong;
	}			known[] = {
		{"\0\0", 2, NULL},
		{"\0\1\0\0\0\0", 6, NULL},
		{"\0\1\1\2\1\5\1\x19", 8, NULL},
		{"\0", 1, "its groups are truncated"},
		{"", 0, "its groups are truncated"},
		{"\0\1\1", 3, "its groups are truncated"},
		{"\0\1\2\2\1\5\1\x19", 8, "it has more buyers than members"},
		{"\0\1\1\x1D\1\5\1\x19", 8, "a sum has too large a scale"},
		{"\0\1\1\2\1\5\1", 7, "a sum is truncated, or longer than necessary"},
		{"\0\1\1\2\2\0\5\1\x19", 9, "a sum is truncated, or longer than necessary"},
		{"\0\1\1\2\x21\5\1\x19", 8, "a sum is truncated, or longer than necessary"},
		{"\0\1\1\2\1\5\1\x18", 8, "a sum is larger than its squares allow"},
		{"\0\1\1\2\1\5\1\xE7", 8, "a sum is out of range"},
		{"\0\1\0\2\1\5\1\x19", 8, "its buyers do not go with its sums"},
		{"\0\1\1\2\0\0", 6, "its buyers do not go with its sums"},
		{"\0\x80\x80\x80\x80\x10\0\0\0\0", 10, "its number of members is out of range"},
		{"\0\0\0", 3, "its length is wrong"}
	};
	Campaign	campaign;

	property("stored: what is wrong");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		const char *wrong = load((const uint8 *) known[i].bytes, known[i].length, false, &campaign);

		holds(wrong == NULL ? known[i].wrong == NULL : known[i].wrong != NULL && strcmp(wrong, known[i].wrong) == 0, "%zu: %s", i, wrong);
	}
	property_end();

	property("stored: whatever is taken is written as it was, and answers are numbers or none");
	for (int run = 0; run < 200000; run++)
	{
		bool		has_before = run % 2;
		uint8		bytes[80];
		uint8		again[CAMPAIGN_STORED_MAX];
		size_t		length = 0;
		Campaign	sum = {.has_before = has_before};

		for (int g = 0; g < CAMPAIGN_GROUPS; g++)
		{
			static const uint8 lengths[] = {1, 2, 2, 4, 3};

			bytes[length++] = (uint8) random_below(4);
			if (bytes[length - 1] == 0)
				continue;
			bytes[length++] = (uint8) random_below(3);
			for (int k = 0; k < (has_before ? 5 : 2); k++)
			{
				size_t		n = random_below(lengths[k]);

				if (k == 0 || k == 2)
					bytes[length++] = (uint8) random_below(3);
				bytes[length++] = (uint8) n;
				while (n-- > 0)
					bytes[length++] = (uint8) (random_below(3) ? random_below(8) : random_u64());
			}
		}
		if (load(bytes, length, has_before, &campaign) != NULL)
			continue;
		holds(bytes_of(&campaign, again) == length && memcmp(bytes, again, length) == 0, "run %d", run);
		for (int m = 0; m < (has_before ? CAMPAIGN_MEASURES : CAMPAIGN_ADJUSTED_SPEND); m++)
		{
			CampaignResult r = campaign_result(&campaign, (CampaignMeasure) m, 0.05);
			float8		numbers[] = {r.mean[0], r.mean[1], r.uplift, r.low, r.high, r.error, r.statistic, r.df, r.p};

			for (size_t k = 0; k < LENGTH_OF(numbers); k++)
				holds(!isinf(numbers[k]), "run %d, measure %d, number %zu", run, m, k);
			holds(isnan(r.low) || (r.low <= r.uplift && r.uplift <= r.high && (isnan(r.p) || (r.p >= 0 && r.p <= 1))), "run %d, measure %d", run, m);
		}
		holds(campaign_merge(&sum, &campaign) == CAMPAIGN_OK && campaign_merge(&sum, &campaign) == CAMPAIGN_OK &&
			  load(again, bytes_of(&sum, again), has_before, &sum) == NULL, "run %d", run);
	}
	property_end();
}

/* ---------- the examples ---------- */

static void
test_conversion(void)
{
	Campaign	campaign = counted(56, 70, 48, 80);
	CampaignResult r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);

	ok(r.uplift == 0.2 && same_digits(r.low, 0.0524314724, 9) && same_digits(r.high, 0.3338726540, 9) &&
	   same_digits(r.statistic, 2.65017195126, 12) && same_digits(r.p, 0.00804508136820, 11) && r.verdict == VERDICT_UPLIFT && r.note == NULL,
	   "conversion: 56/70 and 48/80");
	campaign = counted(5, 56, 0, 29);
	r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
	ok(same_digits(r.uplift, 0.0892857143, 9) && same_digits(r.low, -0.0381371479, 9) && same_digits(r.high, 0.1925600139, 10) &&
	   isnan(r.p) && r.verdict == VERDICT_NOT_SHOWN && r.note != NULL, "conversion: 5/56 and 0/29, too few for a test");
	campaign = counted(1240, 20000, 515, 10000);
	r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
	ok(r.uplift == 0.0105 && same_digits(r.low, 0.00493856213, 9) && same_digits(r.high, 0.01589150832, 10) && same_digits(r.p, 0.000259144103920, 11) &&
	   same_digits(100 * r.uplift / r.mean[CAMPAIGN_CONTROL], 20.38834952, 10), "conversion: 1240/20000 and 515/10000");
	campaign = counted(48, 80, 56, 70);
	r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
	ok(r.verdict == VERDICT_LOSS && same_digits(r.high, -0.0524314724, 9), "conversion: the other way round");
	campaign = counted(56, 70, 0, 0);
	r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
	ok(isnan(r.uplift) && isnan(r.low) && isnan(r.p) && r.mean[CAMPAIGN_TREATED] == 0.8 && isnan(r.mean[CAMPAIGN_CONTROL]) &&
	   r.verdict == VERDICT_NOT_COMPARABLE && strstr(r.note, "no control group") != NULL, "conversion: no control group");
	campaign = counted(0, 0, 56, 70);
	r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
	is_text(r.note, "nobody was treated", "conversion: nobody was treated");
	campaign = counted(10, 10, 20, 20);
	r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
	ok(r.uplift == 0 && isnan(r.statistic) && r.verdict == VERDICT_NOT_SHOWN, "conversion: all have bought");
}

static Campaign
spend_example(void)
{
	static const char *const treated[] = {"0", "0", "25.5", "0", "40", "12", "0", "0", "80", "5", "0", "18.5"};
	static const char *const treated_before[] = {"3", "0", "20", "1", "30", "10", "2", "0", "70", "6", "0", "15"};
	static const char *const control[] = {"0", "0", "0", "22", "0", "0", "35", "0", "0", "10"};
	static const char *const control_before[] = {"2", "0", "1", "25", "0", "3", "30", "0", "4", "12"};
	Campaign	campaign = {.has_before = true};

	for (size_t i = 0; i < LENGTH_OF(treated); i++)
		(void) add(&campaign, true, treated[i], treated_before[i]);
	for (size_t i = 0; i < LENGTH_OF(control); i++)
		(void) add(&campaign, false, control[i], control_before[i]);
	return campaign;
}

static void
test_spend(void)
{
	Campaign	campaign = spend_example();
	CampaignResult r = campaign_result(&campaign, CAMPAIGN_SPEND, 0.05);
	Campaign	other = {.has_before = true};

	ok(same_digits(r.mean[CAMPAIGN_TREATED], 15.0833333333, 12) && r.mean[CAMPAIGN_CONTROL] == 6.7 && same_digits(r.uplift, 8.38333333333, 12) &&
	   same_digits(r.error, 7.98968558565, 12) && same_digits(r.df, 16.8953250905, 12) && same_digits(r.statistic, 1.04926949170, 12) &&
	   same_digits(r.p, 0.308832427006, 12) && same_digits(r.low, -8.48138882764, 12) && same_digits(r.high, 25.2480554943, 12), "spend: Welch");
	r = campaign_result(&campaign, CAMPAIGN_ADJUSTED_SPEND, 0.05);
	ok(same_digits(r.uplift, 2.09448908688, 12) && same_digits(r.error, 1.02461577115, 12) && same_digits(r.df, 18.4112070147, 12) &&
	   same_digits(r.p, 0.0555088554607, 12) && same_digits(r.low, -0.0547077076, 9) && same_digits(r.high, 4.2436858813, 11), "spend: adjusted by what was before");

	/* Of an outcome that is twice the one before and 3 more for the treated nothing is left to chance. */
	for (int i = 0; i < 20; i++)
	{
		Decimal		before = cents(100 * i);
		Decimal		y = cents(200 * i + (i % 2 ? 300 : 0));

		(void) campaign_add(&other, i % 2 ? CAMPAIGN_TREATED : CAMPAIGN_CONTROL, &y, &before);
	}
	r = campaign_result(&other, CAMPAIGN_ADJUSTED_SPEND, 0.05);
	ok(fabs(r.uplift - 3) < 1e-12 && isnan(r.low) && isnan(r.p) && r.verdict == VERDICT_NOT_SHOWN && r.note != NULL, "spend: adjusted by all there is");
	other = (Campaign) {.has_before = true};
	for (int i = 0; i < 20; i++)
		(void) add(&other, i % 2, i % 3 ? "1" : "2", "7");
	r = campaign_result(&other, CAMPAIGN_ADJUSTED_SPEND, 0.05);
	ok(r.uplift == campaign_result(&other, CAMPAIGN_SPEND, 0.05).uplift && strstr(r.note, "nothing is adjusted") != NULL, "spend: outcomes before that do not differ");
	other = (Campaign) {.has_before = false};
	(void) add(&other, true, "5", NULL);
	(void) add(&other, false, "2", NULL);
	(void) add(&other, false, "3", NULL);
	r = campaign_result(&other, CAMPAIGN_SPEND, 0.05);
	ok(r.uplift == 2.5 && isnan(r.error) && strstr(r.note, "one member only") != NULL, "spend: one member has no variance");
	other = counted(10, 10, 10, 10);
	r = campaign_result(&other, CAMPAIGN_SPEND, 0.05);
	ok(r.uplift == 0 && isnan(r.error) && strstr(r.note, "nothing can be said of chance") != NULL, "spend: all spent the same");
	other = (Campaign) {.has_before = true};
	(void) add(&other, true, "5", "1");
	r = campaign_result(&other, CAMPAIGN_ADJUSTED_SPEND, 0.05);
	ok(isnan(r.mean[CAMPAIGN_TREATED]) && isnan(r.uplift) && r.verdict == VERDICT_NOT_COMPARABLE, "spend: nothing is adjusted without a control group");

	/* A large offset, which would take all digits of sums that were rounded. */
	other = (Campaign) {.has_before = false};
	for (int i = 0; i < 12; i++)
		(void) add(&other, i % 2, (const char *const[]) {"1000000000000.25", "1000000000003.25", "1000000000001.25"} [i % 3], NULL);
	r = campaign_result(&other, CAMPAIGN_SPEND, 0.05);
	ok(r.uplift == 0 && same_digits(r.error, sqrt(2 * (28.0 / 3) / 5 / 6), 14), "spend: variance of large amounts");
}

static void
test_ratio(void)
{
	Campaign	campaign = counted(0, 10120, 0, 9880);
	CampaignRatio ratio = campaign_ratio(campaign.side, 0.5);

	ok(same_digits(ratio.chi_squared, 2.88, 14) && same_digits(ratio.p, 0.0896860218, 9), "ratio: 10120 and 9880 of a half");
	ok(isfinite(campaign_ratio(campaign.side, 5e-324).chi_squared) && campaign_ratio(campaign.side, 5e-324).p == 0 &&
	   isfinite(campaign_ratio(campaign.side, 1 - 1e-16).chi_squared), "ratio: of nearly nobody and nearly all");
	campaign = counted(0, 20000, 0, 0);
	ok(isfinite(campaign_ratio(campaign.side, 1 - 1e-16).chi_squared) && campaign_ratio(campaign.side, 1 - 1e-16).p > 0.999, "ratio: all");
	campaign = counted(0, 10120, 0, 9880);
	ok(campaign_ratio(campaign.side, 0.9).p == 0 && campaign_ratio(campaign.side, 0.506).p == 1, "ratio: another plan");
}

static const char *const segment_names[] = {"Champions", "Loyal", "At Risk", "Lost", "New"};

static void
test_segments(void)
{
	int64		counts[][4] = {{300, 1000, 280, 1000}, {220, 1000, 150, 1000}, {90, 1000, 40, 1000}, {12, 1000, 14, 1000}, {60, 500, 70, 500}};
	float8		shrunk[] = {0.02108393, 0.06028153, 0.04747207, -0.00141507, -0.00730914};
	float8		error[] = {0.01734046, 0.01535831, 0.01042081, 0.00500832, 0.01793592};
	float8		profit[] = {-0.24, 0.24, 0.21, -0.128, -0.38};
	CampaignLabel labels[] = {LABEL_SURE_THING, LABEL_PERSUADABLE, LABEL_PERSUADABLE, LABEL_LOST_CAUSE, LABEL_SURE_THING};
	CampaignSide sides[7][CAMPAIGN_GROUPS];
	CampaignSegment segments[7];
	CampaignSegments all;
	OfferTerms	terms = {8, 0.1, 1};

	for (int i = 0; i < 5; i++)
		memcpy(sides[i], counted(counts[i][0], counts[i][1], counts[i][2], counts[i][3]).side, sizeof(sides[i]));
	all = campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) sides, 5, 0.05, segments);
	ok(all.compared == 5 && same_digits(all.cochran_q, 33.1722585298, 12) && same_digits(all.p, 1.10130052231e-06, 12) &&
	   same_digits(all.between * all.between, 0.00111591873559, 12) && same_digits(all.mean, 0.0240226649294, 12) &&
	   same_digits(all.control_rate, 554 / 4500.0, 14), "segments: do they differ?");
	property("segments: shrunk, labels and profit of the example");
	for (int i = 0; i < 5; i++)
	{
		OfferProfit p = campaign_profit(&segments[i], &terms);

		holds(fabs(segments[i].shrunk - shrunk[i]) < 5.1e-9 && fabs(segments[i].given_error - error[i]) < 5.1e-9, "%s: %.9f", segment_names[i], segments[i].shrunk);
		holds(fabs(p.observed - profit[i]) < 1e-14, "%s: %.15f", segment_names[i], p.observed);
		holds(campaign_label(&segments[i], &all, 0.05) == labels[i], "%s", segment_names[i]);
		holds((p.probability >= 0.8) == (profit[i] > 0), "%s: %.3f", segment_names[i], p.probability);
	}
	property_end();

	/* Unshrunk, the expected profit is the observed one, with the variance of a sum of two rates. */
	property("segments: profit of rates that are independent");
	for (int i = 0; i < 5; i++)
	{
		float8		p1 = (float8) counts[i][0] / (float8) counts[i][1];
		float8		p0 = (float8) counts[i][2] / (float8) counts[i][3];
		float8		variance;
		OfferProfit p;

		(void) campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) &sides[i], 1, 0.05, segments);
		p = campaign_profit(&segments[0], &terms);
		variance = 49 * p1 * (1 - p1) / (float8) counts[i][1] + 64 * p0 * (1 - p0) / (float8) counts[i][3];
		holds(fabs(p.expected - profit[i]) < 1e-14 && fabs(p.probability - statistics_normal_below(profit[i] / sqrt(variance))) < 1e-12,
			  "%s: %.15f %.15f", segment_names[i], p.expected, p.probability);
	}
	property_end();

	/* Empty groups take no part, and hardly any buyers are no reason for certainty. */
	memcpy(sides[5], counted(5, 50, 0, 0).side, sizeof(sides[5]));
	memcpy(sides[6], counted(0, 30, 0, 30).side, sizeof(sides[6]));
	all = campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) sides, 7, 0.05, segments);
	ok(all.compared == 6 && isnan(segments[5].uplift) && isnan(segments[5].shrunk) && segments[5].rate[CAMPAIGN_TREATED] == 0.1 &&
	   campaign_segment_verdict(&segments[5], 0.05) == VERDICT_NOT_COMPARABLE, "segments: one without a control group");
	ok(segments[6].uplift == 0 && isnan(segments[6].p) && isnan(segments[6].q) && segments[6].variance > 0.001 && segments[6].error > 0.01 &&
	   campaign_segment_verdict(&segments[6], 0.05) == VERDICT_NOT_SHOWN, "segments: one without buyers");
	ok(same_digits(segments[2].q, 5 * segments[2].p, 12), "segments: q-values count those that were tested");
	all = campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) sides, 0, 0.05, segments);
	ok(all.compared == 0 && isnan(all.cochran_q) && isnan(all.mean) && isnan(all.control_rate), "segments: none");
	terms = (OfferTerms) {0, 0, 0};
	(void) campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) sides, 5, 0.05, segments);
	ok(campaign_profit(&segments[0], &terms).probability == 0, "segments: an offer that earns and costs nothing");
}

/* ---------- curves ---------- */

typedef struct Scored
{
	float8		score;
	bool		treated;
	int			y;
} Scored;

/* Area above chance and coefficient of members who are sorted by score, of which equal ones are one step. */
static void
curve_of(UpliftCurve curve, const Scored *member, int n, float8 *area, float8 *above, float8 *coefficient)
{
	UpliftPoint point = {{0}, {0}};
	UpliftArea	sum = {0};
	int64		members[CAMPAIGN_GROUPS] = {0};
	int64		buyers[CAMPAIGN_GROUPS] = {0};

	for (int i = 0; i < n; i++)
	{
		point.members[member[i].treated]++;
		point.sum[member[i].treated] += member[i].y;
		members[member[i].treated]++;
		buyers[member[i].treated] += member[i].y;
		if (i + 1 == n || member[i + 1].score != member[i].score)
			uplift_area_add(&sum, curve, &point);
	}
	*area = sum.area;
	*above = uplift_above_chance(&sum);
	*coefficient = *above / uplift_perfect(curve, members, buyers);
}

static void
test_curves(void)
{
	static const Scored example[] = {
		{0.9, 1, 1}, {0.8, 0, 0}, {0.8, 1, 1}, {0.7, 1, 1}, {0.6, 0, 0}, {0.5, 1, 0}, {0.5, 0, 0}, {0.3, 0, 1}, {0.2, 1, 0}, {0.1, 0, 0},
		{0.05, 1, 0}, {0.05, 0, 1}
	};
	static const float8 qini[] = {1, 2, 3, 3, 3, 2, 1.75, 2, 1};
	static const float8 gain[] = {1, 3, 4, 5, 5.25, 4, 3.15, 4, 2};
	/* The two that scikit-uplift's tests have, the highest score first. */
	static const Scored wrong_way[] = {{0.3, 0, 1}, {0.1, 1, 0}};
	static const Scored right_way[] = {{0.3, 1, 0}, {0.1, 0, 1}};
	UpliftPoint point = {{0}, {0}};
	int			step = 0;
	float8		area;
	float8		above;
	float8		coefficient;
	CampaignSide side;
	Decimal		two = cents(200);
	Decimal		one = cents(100);
	Decimal		zero = cents(0);

	property("curves: points of the example");
	for (size_t i = 0; i < LENGTH_OF(example); i++)
	{
		point.members[example[i].treated]++;
		point.sum[example[i].treated] += example[i].y;
		if (i + 1 < LENGTH_OF(example) && example[i + 1].score == example[i].score)
			continue;
		holds(fabs(uplift_value(UPLIFT_QINI, &point) - qini[step]) < 1e-14 && fabs(uplift_value(UPLIFT_GAIN, &point) - gain[step]) < 1e-14,
			  "step %d: %g %g", step, uplift_value(UPLIFT_QINI, &point), uplift_value(UPLIFT_GAIN, &point));
		step++;
	}
	property_end();
	is_int(step, 9, "curves: equal scores are one step");
	curve_of(UPLIFT_QINI, example, 12, &area, &above, &coefficient);
	ok(fabs(area - 24.25) < 1e-13 && fabs(above - 18.25) < 1e-13 && same_digits(coefficient, 0.776595744681, 12), "curves: Qini of the example");
	curve_of(UPLIFT_GAIN, example, 12, &area, &above, &coefficient);
	ok(fabs(area - 40.525) < 1e-13 && same_digits(coefficient, 0.760666666667, 12), "curves: gain of the example");
	curve_of(UPLIFT_QINI, wrong_way, 2, &area, &above, &coefficient);
	ok(coefficient == 1, "curves: Qini of the first of two");
	curve_of(UPLIFT_GAIN, wrong_way, 2, &area, &above, &coefficient);
	ok(coefficient == 0, "curves: gain of the first of two");
	curve_of(UPLIFT_QINI, right_way, 2, &area, &above, &coefficient);
	ok(coefficient == 1, "curves: Qini of the second");
	curve_of(UPLIFT_GAIN, right_way, 2, &area, &above, &coefficient);
	ok(coefficient == 1, "curves: gain of the second");

	memset(&side, 0, sizeof(side));
	ok(uplift_is_binary(&side), "curves: no outcome is binary");
	(void) campaign_side_add(&side, &one);
	(void) campaign_side_add(&side, &zero);
	ok(uplift_is_binary(&side), "curves: 1.00 and 0.00 are binary");
	(void) campaign_side_add(&side, &two);
	ok(!uplift_is_binary(&side), "curves: 2 is not");
}

/* ---------- what intervals and verdicts hold, in simulated campaigns ---------- */

static float8
uniform(void)
{
	return ((float8) (random_u64() >> 11) + 0.5) / 9007199254740992.0;
}

static float8
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* How many of n happen, each with this probability. */
static int64
binomial(int64 n, float8 p)
{
	int64		count = 0;

	/* From one that happens to the next. */
	for (int64 i = (int64) floor(log(uniform()) / log1p(-p)); i < n; i += 1 + (int64) floor(log(uniform()) / log1p(-p)))
		count++;
	return count;
}

static void
test_coverage_of_conversions(void)
{
	static const struct
	{
		int64		treated;
		int64		control;
		float8		treated_rate;
		float8		control_rate;
	}			cases[] = {
		{2000, 2000, 0.05, 0.05}, {5000, 500, 0.06, 0.05}, {300, 3000, 0.1, 0.08}, {60, 60, 0.3, 0.2}, {1000, 1000, 0.01, 0.005}, {40, 40, 0.9, 0.95}
	};

	property("simulated: intervals of conversions hold the truth in 93 to 98 %, verdicts are wrong in at most 3 % of either kind");
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		enum
		{
			RUNS = 4000
		};
		int			inside = 0;
		int			uplifts = 0;
		int			losses = 0;

		for (int run = 0; run < RUNS; run++)
		{
			float8		truth = cases[i].treated_rate - cases[i].control_rate;
			Campaign	campaign = counted(binomial(cases[i].treated, cases[i].treated_rate), cases[i].treated,
										   binomial(cases[i].control, cases[i].control_rate), cases[i].control);
			Campaign	placebo = counted(binomial(cases[i].treated, cases[i].control_rate), cases[i].treated,
										  binomial(cases[i].control, cases[i].control_rate), cases[i].control);
			CampaignResult r = campaign_result(&campaign, CAMPAIGN_CONVERSION, 0.05);
			CampaignVerdict verdict = campaign_result(&placebo, CAMPAIGN_CONVERSION, 0.05).verdict;

			inside += r.low <= truth && truth <= r.high;
			uplifts += verdict == VERDICT_UPLIFT;
			losses += verdict == VERDICT_LOSS;
		}
		holds(inside >= 0.93 * RUNS && inside <= 0.98 * RUNS && uplifts <= 0.03 * RUNS && losses <= 0.03 * RUNS,
			  "case %zu: %.3f inside, %.4f uplifts, %.4f losses", i, inside / (float8) RUNS, uplifts / (float8) RUNS, losses / (float8) RUNS);
	}
	property_end();
}

/* Members of whom a share spend, by a lognormal distribution, what they also spent before, as far as it correlates. */
static void
spend(Campaign *campaign, CampaignGroup group, int64 n, float8 rate, float8 sigma, float8 more)
{
	for (int64 i = 0; i < n; i++)
	{
		bool		buys = uniform() < rate;
		float8		level = sigma * normal();
		Decimal		y = cents(buys ? llround(100 * exp(3 + level) * more) : 0);
		Decimal		before = cents(buys || uniform() < rate / 4 ? llround(100 * exp(3 + 0.9 * level + 0.3 * normal())) : 0);

		(void) campaign_add(campaign, group, &y, &before);
	}
}

static void
test_coverage_of_spend(void)
{
	static const struct
	{
		int64		treated;
		int64		control;
		float8		rate;
		float8		sigma;
	}			cases[] = {{300, 300, 0.5, 0.8}, {500, 200, 0.8, 0.6}, {400, 40, 0.2, 1}};
	enum
	{
		RUNS = 1200
	};

	property("simulated: intervals of spend hold the truth in 93 to 98 % where buyers are many, verdicts are wrong in at most 3 % of either kind everywhere");
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		int			inside[CAMPAIGN_MEASURES] = {0};
		int			wrong[CAMPAIGN_MEASURES] = {0};
		float8		width[CAMPAIGN_MEASURES] = {0};

		for (int run = 0; run < RUNS; run++)
		{
			Campaign	campaign = {.has_before = true};

			spend(&campaign, CAMPAIGN_TREATED, cases[i].treated, cases[i].rate, cases[i].sigma, 1);
			spend(&campaign, CAMPAIGN_CONTROL, cases[i].control, cases[i].rate, cases[i].sigma, 1);
			for (int m = CAMPAIGN_SPEND; m < CAMPAIGN_MEASURES; m++)
			{
				CampaignResult r = campaign_result(&campaign, (CampaignMeasure) m, 0.05);

				inside[m] += r.low <= 0 && r.high >= 0;
				wrong[m] += r.verdict != VERDICT_NOT_SHOWN;
				width[m] += r.high - r.low;
			}
		}
		for (int m = CAMPAIGN_SPEND; m < CAMPAIGN_MEASURES; m++)
		{
			bool		many = cases[i].control * cases[i].rate >= 50;

			holds((!many || (inside[m] >= 0.93 * RUNS && inside[m] <= 0.98 * RUNS)) && wrong[m] <= 0.06 * RUNS,
				  "case %zu, %s: %.3f inside, %.4f verdicts", i, campaign_measure_names[m], inside[m] / (float8) RUNS, wrong[m] / (float8) RUNS);
		}
		holds(width[CAMPAIGN_ADJUSTED_SPEND] < 0.7 * width[CAMPAIGN_SPEND], "case %zu: adjusted intervals are %.2f as wide", i,
			  width[CAMPAIGN_ADJUSTED_SPEND] / width[CAMPAIGN_SPEND]);
	}
	property_end();
}

/*
 * Segments whose true uplifts differ by tau, and chance errors of about one
 * hundredth: how often the shrunk interval holds the truth, how often a label is
 * wrong, and how far off the best segment is, shrunk and not.
 */
static void
test_coverage_of_segments(void)
{
	static const struct
	{
		int			segments;
		float8		tau;
	}			cases[] = {{4, 0}, {4, 0.01}, {8, 0}, {8, 0.005}, {8, 0.03}, {20, 0}, {20, 0.01}, {60, 0.003}, {2, 0}, {3, 0.01}};
	enum
	{
		RUNS = 800, MOST = 60
	};

	property("simulated: shrunk intervals of segments hold the truth in at least 92 %, wrong signs in at most 5 %, and the best is not overrated by much");
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		int			n = cases[i].segments;
		int			inside = 0;
		int			narrow = 0;
		int			wrong = 0;
		float8		surplus = 0;
		float8		shrunk_surplus = 0;

		for (int run = 0; run < RUNS; run++)
		{
			CampaignSide sides[MOST][CAMPAIGN_GROUPS];
			CampaignSegment segments[MOST];
			float8		truth[MOST];
			CampaignSegments all;
			int			best = 0;
			int			best_shrunk = 0;

			for (int s = 0; s < n; s++)
			{
				float8		rate = 0.05 + 0.1 * uniform();
				int64		members = 1000 + (int64) random_below(1500);

				truth[s] = 0.01 + cases[i].tau * normal();
				truth[s] = Max(truth[s], 0.001 - rate);
				memcpy(sides[s], counted(binomial(members, rate + truth[s]), members, binomial(members, rate), members).side, sizeof(sides[s]));
			}
			all = campaign_segments((const CampaignSide (*)[CAMPAIGN_GROUPS]) sides, (Size) n, 0.05, segments);
			for (int s = 0; s < n; s++)
			{
				CampaignLabel label = campaign_label(&segments[s], &all, 0.05);

				inside += fabs(segments[s].shrunk - truth[s]) <= 1.96 * segments[s].error;
				narrow += fabs(segments[s].shrunk - truth[s]) <= 1.96 * segments[s].given_error;
				wrong += (label == LABEL_PERSUADABLE && truth[s] <= 0) || (label == LABEL_SLEEPING_DOG && truth[s] >= 0);
				if (segments[s].uplift > segments[best].uplift)
					best = s;
				if (segments[s].shrunk > segments[best_shrunk].shrunk)
					best_shrunk = s;
			}
			surplus += segments[best].uplift - truth[best];
			shrunk_surplus += segments[best_shrunk].shrunk - truth[best_shrunk];
		}
		holds(inside >= 0.92 * n * RUNS && wrong <= 0.05 * n * RUNS, "case %zu: %.3f inside, %.3f if all but the uplift were known, %.4f wrong", i,
			  inside / (float8) (n * RUNS), narrow / (float8) (n * RUNS), wrong / (float8) (n * RUNS));
		holds(n < 4 || shrunk_surplus < 0.6 * surplus, "case %zu: the best is overrated by %.4f, shrunk by %.4f", i, surplus / RUNS, shrunk_surplus / RUNS);
		if (getenv("CAMPAIGN_FIGURES") != NULL)
			diag("%d segments, tau %g: inside %.3f (given tau and mean %.3f), wrong %.4f, best %.4f, shrunk %.4f", n, cases[i].tau,
				 inside / (float8) (n * RUNS), narrow / (float8) (n * RUNS), wrong / (float8) (n * RUNS), surplus / RUNS, shrunk_surplus / RUNS);
	}
	property_end();
}

int
main(void)
{
	test_sums();
	test_limits();
	test_forged();
	test_conversion();
	test_spend();
	test_ratio();
	test_segments();
	test_curves();
	test_coverage_of_conversions();
	test_coverage_of_spend();
	test_coverage_of_segments();
	return done_testing();
}
