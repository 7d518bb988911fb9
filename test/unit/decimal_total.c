/* needs: money/decimal.c money/decimal_total.c */
#include "money/decimal_total.h"

#include "tap.h"
#include "plain_decimal.h"

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

static void
clear(DecimalPool *pool)
{
	free(pool->item);
	memset(pool, 0, sizeof(*pool));
}

/* A product, each factor with a pool of its own as prices and quantities may have. */
typedef struct Term
{
	int			sign;
	int64		a;
	int64		b;
} Term;

static DecimalPool a_pool;
static DecimalPool b_pool;

static bool
add(DecimalTotal *total, const Term *term)
{
	return decimal_total_add(total, term->sign, term->a, &a_pool, term->b, &b_pool);
}

static int64
pack(const char *text, DecimalPool *pool)
{
	Decimal		d = from_text(text);

	return decimal_pack(&d, pool);
}

static const char *
text_of(const DecimalTotal *total)
{
	static char text[DECIMAL_TEXT_SIZE];
	Decimal		d;

	if (!decimal_total_get(total, &d))
		return NULL;
	decimal_to_text(&d, text);
	return text;
}

static void
shuffle(Term *terms, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) random_below(i + 1);
		Term		swap = terms[i];

		terms[i] = terms[j];
		terms[j] = swap;
	}
}

/* Adds terms in parts, parts of parts and so on, each a total of its own. */
static bool
add_in_parts(DecimalTotal *total, const Term *terms, int n)
{
	DecimalTotal parts[2] = {{0}};
	int			half = n < 2 ? n : 1 + (int) random_below(n - 1);

	if (n < 3 || random_below(3) == 0)
	{
		for (int i = 0; i < n; i++)
			if (!add(total, &terms[i]))
				return false;
		return true;
	}
	return add_in_parts(&parts[0], terms, half) && add_in_parts(&parts[1], terms + half, n - half) &&
		decimal_total_merge(total, &parts[0]) && decimal_total_merge(total, &parts[1]);
}

/* ---------- random sums ---------- */

#define TERMS 30

static void
test_random(void)
{
	property("a total is what school says, the same in any order and grouping");
	for (int run = 0; run < 6000; run++)
	{
		int			n = (int) random_below(TERMS + 1);
		/* Digits of a factor, before and after the point: from shops to what is near the end of 256 bits. */
		int			digits = 1 + (int) random_below(run % 3 == 0 ? 6 : run % 3 == 1 ? 18 : 22);
		int			scale = (int) random_below(run % 3 == 0 ? 4 : run % 3 == 1 ? 19 : 16);
		Term		terms[TERMS];
		Plain		school = {0};
		char		school_text[PLAIN_TEXT_SIZE];
		Decimal		first = {{0}};

		for (int i = 0; i < n; i++)
		{
			char		amount[2][PLAIN_TEXT_SIZE];
			Plain		plain[2];
			Plain		product;

			for (int k = 0; k < 2; k++)
			{
				random_amount(amount[k], digits, scale);
				/* Not all have the same scale, nor are all wide. */
				if (random_below(4) == 0)
					strcpy(amount[k], random_below(2) ? "3" : "0.10");
				plain[k] = plain_from_text(amount[k]);
			}
			terms[i].sign = random_below(2) ? 1 : -1;
			terms[i].a = pack(amount[0], &a_pool);
			terms[i].b = pack(amount[1], &b_pool);
			product = plain_multiply(&plain[0], &plain[1]);
			if (terms[i].sign < 0)
				product = plain_negate(&product);
			school = plain_add(&school, &product);
			/* Now and then the same is taken away again at once. */
			if (i + 1 < n && random_below(5) == 0)
			{
				terms[i + 1] = terms[i];
				terms[i + 1].sign = -terms[i].sign;
				product = plain_negate(&product);
				school = plain_add(&school, &product);
				i++;
			}
		}
		plain_to_text(&school, school_text);
		for (int try = 0; try < 6; try++)
		{
			DecimalTotal total = {0};
			Decimal		sum;
			const char *text = NULL;

			if (try % 2 == 0)
			{
				bool		fits = true;

				for (int i = 0; i < n; i++)
					fits = fits && add(&total, &terms[i]);
				if (fits)
					text = text_of(&total);
			}
			else if (add_in_parts(&total, terms, n))
				text = text_of(&total);
			if (!holds(text != NULL && strcmp(text, school_text) == 0, "%s instead of %s", text ? text : "no sum", school_text))
				break;
			(void) decimal_total_get(&total, &sum);
			if (try == 0)
				first = sum;
			holds(memcmp(&sum, &first, sizeof(sum)) == 0, "other bits of %s", text);
			shuffle(terms, n);
		}
		clear(&a_pool);
		clear(&b_pool);
	}
	property_end();
}

/* ---------- ends of ranges ---------- */

static DecimalTotal
total_of(int sign, const char *a, const char *b)
{
	DecimalTotal total = {0};
	Term		term = {sign, pack(a, &a_pool), pack(b, &b_pool)};

	if (!add(&total, &term))
		diag("%s * %s does not fit", a, b);
	return total;
}

static void
test_128_bits(void)
{
	/* (2^55 - 1)^2 = 2^110 - 2^56 + 1, and what doubling makes of it */
	static const char *const end = "36028797018963967";
	static const struct
	{
		int			doublings;
		const char *text;
	}			known[] = {
		{0, "1298074214633706835075030044377089"},
		{17, "170141183460469222286954337976593809408"}, /* below 2^127 */
		{18, "340282366920938444573908675953187618816"},
		{40, "1427247692705959801830123455185158642350424064"}
	};
	static const char *const scales[] = {
		"1", "0.1", "0.01", "0.0000000001", "0.000000000000000001", "0.0000000000000000001",
		"0.00000000000000000001", "0.0000000000000000000000000001"
	};

	for (int negative = 0; negative < 2; negative++)
	{
		DecimalTotal power[41];	/* doubled so often */
		DecimalTotal sum;
		char		expected[64];

		property(negative ? "a total goes below -2^127 and comes back" : "a total goes beyond 2^127 and comes back");
		power[0] = total_of(negative ? -1 : 1, end, end);
		for (int i = 1; i <= 40; i++)
		{
			power[i] = power[i - 1];
			holds(decimal_total_merge(&power[i], &power[i - 1]), "doubled %d times", i);
		}
		for (size_t i = 0; i < LENGTH_OF(known); i++)
		{
			sprintf(expected, "%s%s", negative ? "-" : "", known[i].text);
			holds(strcmp(text_of(&power[known[i].doublings]), expected) == 0, "doubled %d times: %s",
				  known[i].doublings, text_of(&power[known[i].doublings]));
		}
		sum = power[40];
		for (int i = 39; i >= 0; i--)
		{
			DecimalTotal less = total_of(negative ? 1 : -1, end, end);

			for (int k = 0; k < i; k++)
			{
				DecimalTotal copy = less;

				holds(decimal_total_merge(&less, &copy), "less, doubled %d times", k + 1);
			}
			holds(decimal_total_merge(&sum, &less), "less what was doubled %d times", i);
		}
		sprintf(expected, "%s%s", negative ? "-" : "", known[0].text);
		holds(strcmp(text_of(&sum), expected) == 0, "2^40 - 2^39 - ... - 1 times: %s", text_of(&sum));
		property_end();
	}

	property("a total on the border of 128 bits");
	for (int above = -2; above <= 2; above++)
		for (int negative = 0; negative < 2; negative++)
			for (int scale = 0; scale < 2; scale++)
			{
				/* 2^126, twice, and a little; or all of it divided by 10. */
				static const char *const expected[] = {
					"170141183460469231731687303715884105726", "170141183460469231731687303715884105727",
					"170141183460469231731687303715884105728", "170141183460469231731687303715884105729",
					"170141183460469231731687303715884105730"
				};
				const char *one = scale ? "0.1" : "1";
				DecimalTotal total = {0};
				char		text[64];

				for (int i = 0; i < 2; i++)
				{
					/* 2^54 * 2^18 is not packed, so the terms are made of 2^53 * 2^54, 2^19 of them. */
					DecimalTotal part = total_of(negative ? -1 : 1, scale ? "900719925474099.2" : "9007199254740992",
												 "18014398509481984");

					for (int k = 0; k < 19; k++)
					{
						DecimalTotal copy = part;

						holds(decimal_total_merge(&part, &copy), "2^%d", 108 + k);
					}
					holds(decimal_total_merge(&total, &part), "2^126");
				}
				for (int i = above; i != 0; i += i < 0 ? 1 : -1)
				{
					DecimalTotal step = total_of((i < 0) != (negative != 0) ? -1 : 1, one, "1");

					holds(decimal_total_merge(&total, &step), "a step");
				}
				sprintf(text, "%s%s", negative ? "-" : "", expected[above + 2]);
				if (scale)
				{
					size_t		length = strlen(text);

					memmove(text + length, text + length - 1, 2);
					text[length - 1] = '.';
				}
				holds(strcmp(text_of(&total), text) == 0, "%s instead of %s", text_of(&total), text);
			}
	property_end();

	property("all scales beside all others");
	for (size_t i = 0; i < LENGTH_OF(scales); i++)
		for (size_t j = 0; j < LENGTH_OF(scales); j++)
			for (size_t k = 0; k < LENGTH_OF(scales); k++)
				for (int merged = 0; merged < 2; merged++)
				{
					Plain		school[3];
					Plain		product;
					DecimalTotal total = {0};
					const char *factors[] = {scales[i], scales[j], scales[k]};
					char		expected[PLAIN_TEXT_SIZE];

					for (int at = 0; at < 3; at++)
						school[at] = plain_from_text(factors[at]);
					product = plain_multiply(&school[0], &school[1]);
					product = plain_add(&product, &school[2]);
					plain_to_text(&product, expected);
					if (merged)
					{
						DecimalTotal other = total_of(1, factors[0], factors[1]);

						total = total_of(1, factors[2], "1");
						holds(decimal_total_merge(&total, &other), "%s", expected);
					}
					else
					{
						total = total_of(1, factors[0], factors[1]);
						add(&total, &(Term) {1, pack(factors[2], &a_pool), pack("1", &b_pool)});
					}
					holds(strcmp(text_of(&total), expected) == 0, "%s instead of %s", text_of(&total), expected);
				}
	property_end();
	clear(&a_pool);
	clear(&b_pool);
}

static void
test_256_bits(void)
{
	static const char *const amount = "99999999999999999999999999999999999999";
	static const char *const widest = "99999999999999999999999999999999999999.9999999999999999999999999999";
	Decimal		end = {.scale = 0};
	DecimalTotal total = total_of(1, amount, amount);
	DecimalTotal other = total;
	Term		greatest = {1, pack(widest, &a_pool), pack(widest, &b_pool)};
	Term		one = {1, pack("1", &a_pool), pack("1", &b_pool)};
	Decimal		d;
	Term		term;

	is_text(text_of(&total), "9999999999999999999999999999999999999800000000000000000000000000000000000001",
			"the product of two amounts of 38 digits");
	for (int i = 2; i <= 5; i++)
		ok(decimal_total_merge(&total, &other), "%d of them fit", i);
	is_text(text_of(&total), "49999999999999999999999999999999999999000000000000000000000000000000000000005", "their sum");
	ok(!decimal_total_merge(&total, &other), "a sixth does not");
	term = (Term) {-1, pack(amount, &a_pool), pack(amount, &b_pool)};
	for (int i = 4; i >= 0; i--)
		ok(add(&total, &term), "back to %d", i);
	is_text(text_of(&total), "0", "and to none");

	memset(&total, 0, sizeof(total));
	ok(!add(&total, &greatest), "the product of two amounts of 66 digits does not fit");
	greatest.sign = -1;
	ok(!add(&total, &greatest), "nor does its negative");

	memset(end.word, 0xFF, sizeof(end.word));
	end.word[DECIMAL_WORDS - 1] = 0x7FFFFFFF;
	term = (Term) {1, decimal_pool_put(&a_pool, &end), pack("1", &b_pool)};
	memset(&total, 0, sizeof(total));
	ok(add(&total, &term) && decimal_total_get(&total, &d) && memcmp(&d, &end, sizeof(d)) == 0, "2^255 - 1 is held");
	ok(!add(&total, &term), "twice that is not");
	memset(&total, 0, sizeof(total));
	(void) add(&total, &one);
	ok(add(&total, &term), "1 and 2^255 - 1 are held apart");
	ok(!decimal_total_get(&total, &d), "but their sum is not");
	one.sign = -1;
	ok(add(&total, &one) && add(&total, &one) && decimal_total_get(&total, &d) && decimal_sign(&d) == 1 &&
	   d.word[0] == 0xFFFFFFFE, "2^255 - 2 is");
	term.sign = -1;
	ok(add(&total, &term) && strcmp(text_of(&total), "-1") == 0, "and less 2^255 - 1 it is -1");

	memset(&total, 0, sizeof(total));
	is_text(text_of(&total), "0", "a total of nothing is 0");
	clear(&a_pool);
	clear(&b_pool);
}

int
main(void)
{
	test_random();
	test_128_bits();
	test_256_bits();
	return done_testing();
}
