/* needs: money/decimal.c */
#include "money/decimal.h"

#include <math.h>

#include "tap.h"
#include "plain_decimal.h"

/* The canonical bytes of a sum: what any stored format makes of it. */
static size_t
canonical(int64 packed, const DecimalPool *pool, uint8 *bytes)
{
	Decimal		d = decimal_unpack(packed, pool);

	if (decimal_fits_packed(&d, &packed))
	{
		memcpy(bytes, &packed, 8);
		return 8;
	}
	decimal_store(&d, bytes);
	return DECIMAL_STORED_SIZE;
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

static int64
pack(const Decimal *d, DecimalPool *pool)
{
	int64		packed;

	return decimal_fits_packed(d, &packed) ? packed : decimal_pool_put(pool, d);
}

/*
 * The widest decimals, 2^255 - 1 and its negative.  -2^255 is not among them:
 * its magnitude does not fit, so it could be written as text but not read.
 */
static Decimal
widest(bool negative, int scale)
{
	Decimal		d = {.scale = scale};

	memset(d.word, negative ? 0 : 0xFF, sizeof(d.word));
	d.word[DECIMAL_WORDS - 1] = negative ? 0x80000000u : 0x7FFFFFFF;
	d.word[0] |= negative;
	return d;
}

static void
clear(DecimalPool *pool)
{
	free(pool->item);
	memset(pool, 0, sizeof(*pool));
}

/* ---------- text ---------- */

static void
test_text(void)
{
	static const char *const good[] = {
		"0", "0.0", "0.00", "1", "-1", "0.5", "-0.5", "10", "100.00", "0.0000000000000000000000000001",
		"99999999999999999999999999999999999999",
		"-99999999999999999999999999999999999999.9999999999999999999999999999",
		"36028797018963967", "36028797018963968", "-36028797018963968", "-36028797018963969",
		/* 2^255 - 1: more than any sum can be, but what 256 bits hold. */
		"57896044618658097711785492504343953926634992332820282019728792003956564819967",
		"-57896044618658097711785492504343953926634992332820282019728792003956564819967",
		"5789604461865809771178549250434395392663499233282.0282019728792003956564819967"
	};
	static const char *const bad[] = {
		"", "-", "+", ".", "-.", "1.", "-1.", ".5", "-.5", "+1", "--1", "- 1", " 1", "1 ", "1 2", "1e5", "1E5",
		"1..2", "1.2.3", "1,5", "1_000", "0x10", "NaN", "nan", "Infinity", "-Infinity", "inf", "abc", "1a", "a1",
		"1-", "1.-5", "\xD9\xA1", "1\n", "\t1",
		"0.00000000000000000000000000001",	/* 29 digits */
		"57896044618658097711785492504343953926634992332820282019728792003956564819968",
		"100000000000000000000000000000000000000000000000000000000000000000000000000000",
		"999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	};
	char		text[DECIMAL_TEXT_SIZE];
	Decimal		d;

	for (size_t i = 0; i < LENGTH_OF(good); i++)
	{
		d = from_text(good[i]);
		is_int(decimal_to_text(&d, text), strlen(good[i]), "length of text");
		is_text(text, good[i], "text comes back");
	}
	property("no other text is taken");
	for (size_t i = 0; i < LENGTH_OF(bad); i++)
	{
		size_t		length = strlen(bad[i]);
		char	   *copy = exact_copy(bad[i], length);

		holds(!decimal_from_text(copy, length, &d), "\"%s\"", bad[i]);
		free(copy);
	}
	property_end();

	{
		/* Hundreds of megabytes of zeros are no reason to read them all. */
		static char zeros[1000];

		memset(zeros, '0', sizeof(zeros));
		ok(!decimal_from_text(zeros, sizeof(zeros), &d), "a text longer than any decimal has is refused");
	}
	ok(decimal_from_text("12.345", 4, &d) && decimal_to_text(&d, text) == 4 && strcmp(text, "12.3") == 0,
	   "only as many characters are read as are given");
	ok(!decimal_from_text("12.345", 3, &d), "a point at the end of what is given is an error");

	property("random amounts come back as they were, and as school has it");
	for (int i = 0; i < 100000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		char		school[PLAIN_TEXT_SIZE];
		Plain		plain;

		random_amount(amount, DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		d = from_text(amount);
		decimal_to_text(&d, text);
		plain = plain_from_text(amount);
		plain_to_text(&plain, school);
		holds(strcmp(text, amount) == 0 && strcmp(school, amount) == 0, "%s: %s", amount, text);
	}
	property_end();

	property("random bytes are taken only if they come back");
	for (int i = 0; i < 300000; i++)
	{
		static const char alphabet[] = "0123456789..--+e \0aN";
		char		bytes[12];
		size_t		length = random_below(sizeof(bytes));
		char	   *copy;

		for (size_t j = 0; j < length; j++)
			bytes[j] = random_below(20) ? alphabet[random_below(sizeof(alphabet))] : (char) random_u64();
		copy = exact_copy(bytes, length);
		if (decimal_from_text(copy, length, &d))
		{
			size_t		zeros = bytes[0] == '-';
			size_t		n = decimal_to_text(&d, text);

			/* Zeros in front and the sign of zero are all that may be lost. */
			while (zeros + 1 < length && bytes[zeros] == '0' && bytes[zeros + 1] != '.')
				zeros++;
			holds(n >= length - zeros && memcmp(text + n - (length - zeros), bytes + zeros, length - zeros) == 0,
				  "\"%.*s\": %s", (int) length, bytes, text);
		}
		free(copy);
	}
	property_end();
}

/* ---------- numeric ---------- */

#define IMAGE_SIZE 64

enum Form
{
	SHORT_FORM, LONG_FORM
};

/*
 * The bytes of a numeric as PostgreSQL would store this text; made from the
 * text alone, in groups of four digits to both sides of the point.
 */
static size_t
numeric_image(const char *text, enum Form form, uint8 *image)
{
	bool		negative = *text == '-';
	const char *digits = text + negative;
	const char *point = strchr(digits, '.');
	size_t		before = point == NULL ? strlen(digits) : (size_t) (point - digits);
	size_t		scale = point == NULL ? 0 : strlen(point + 1);
	int16		group[32];
	int			groups = 0;
	int			weight = (int) (before + 3) / 4 - 1;
	int			first = 0;
	uint16		header;
	uint8	   *p = image;

	for (size_t i = 0; i < (before + 3) / 4; i++)
	{
		int			value = 0;

		for (size_t j = 0; j < 4; j++)
		{
			int64		at = (int64) (before + 4 * i + j) - 4 * (int64) ((before + 3) / 4);

			value = value * 10 + (at < 0 ? 0 : digits[at] - '0');
		}
		group[groups++] = value;
	}
	for (size_t i = 0; i < (scale + 3) / 4; i++)
	{
		int			value = 0;

		for (size_t j = 4 * i; j < 4 * i + 4; j++)
			value = value * 10 + (j < scale ? point[1 + j] - '0' : 0);
		group[groups++] = value;
	}
	while (groups > 0 && group[groups - 1] == 0)
		groups--;
	while (first < groups && group[first] == 0)
	{
		first++;
		weight--;
	}
	if (first == groups)
	{
		negative = false;
		weight = 0;
	}

	if (form == SHORT_FORM)
	{
		header = 0x8000 | (negative ? 0x2000 : 0) | scale << 7 | (weight & 0x7F);
		memcpy(p, &header, 2);
		p += 2;
	}
	else
	{
		int16		weight16 = (int16) weight;

		header = (negative ? 0x4000 : 0) | scale;
		memcpy(p, &header, 2);
		memcpy(p + 2, &weight16, 2);
		p += 4;
	}
	for (int i = first; i < groups; i++, p += 2)
		memcpy(p, &group[i], 2);
	return p - image;
}

/* A numeric by its words, as decimal_numeric.c would write them. */
#define WORDS(...) ((const uint16[]) {__VA_ARGS__}), sizeof((const uint16[]) {__VA_ARGS__})

static DecimalStatus
read_words(const uint16 *words, size_t length, char *text)
{
	uint8	   *copy = exact_copy(words, length);
	Decimal		d;
	DecimalStatus status = decimal_from_numeric(copy, length, &d);

	if (status == DECIMAL_OK)
		decimal_to_text(&d, text);
	else
		*text = '\0';
	free(copy);
	return status;
}

static void
test_numeric_by_hand(void)
{
	char		text[DECIMAL_TEXT_SIZE];

	read_words(WORDS(0x8000), text);
	is_text(text, "0", "0");
	read_words(WORDS(0x8000 | 2 << 7), text);
	is_text(text, "0.00", "0.00");
	read_words(WORDS(0x8000, 1), text);
	is_text(text, "1", "1");
	read_words(WORDS(0xA000, 1), text);
	is_text(text, "-1", "-1");
	read_words(WORDS(0x8000 | 2 << 7, 12, 3400), text);
	is_text(text, "12.34", "12.34");
	read_words(WORDS(0x8001, 1), text);
	is_text(text, "10000", "10000 has no zero digits behind");
	read_words(WORDS(0x8000 | 4 << 7 | 0x7F, 1), text);
	is_text(text, "0.0001", "a negative weight");
	read_words(WORDS(0x8000 | 5 << 7 | 0x7E, 1000), text);
	is_text(text, "0.00001", "and one below");
	read_words(WORDS(0x8000 | 28 << 7 | 0x79, 1), text);
	is_text(text, "0.0000000000000000000000000001", "1e-28");
	read_words(WORDS(0x0002, 0, 12, 3400), text);
	is_text(text, "12.34", "the long form");
	read_words(WORDS(0x4002, 0, 12, 3400), text);
	is_text(text, "-12.34", "the long form, below zero");
	read_words(WORDS(0x8009, 99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999), text);
	is_text(text, "99999999999999999999999999999999999999", "38 digits");

	is_int(read_words(WORDS(0xC000), text), DECIMAL_NAN, "NaN");
	is_int(read_words(WORDS(0xD000), text), DECIMAL_INFINITE, "infinity");
	is_int(read_words(WORDS(0xF000), text), DECIMAL_INFINITE, "-infinity");
	is_int(read_words(WORDS(0x8009, 100), text), DECIMAL_OUT_OF_RANGE, "1e38");
	is_int(read_words(WORDS(0xA009, 100), text), DECIMAL_OUT_OF_RANGE, "-1e38");
	is_int(read_words(WORDS(0x800A, 1), text), DECIMAL_OUT_OF_RANGE, "1e40");
	is_int(read_words(WORDS(0x803F, 1), text), DECIMAL_OUT_OF_RANGE, "1e252, the greatest short weight");
	is_int(read_words(WORDS(0x0000, 0x7FFF, 1), text), DECIMAL_OUT_OF_RANGE, "1e131068");
	is_int(read_words(WORDS(0x8000 | 29 << 7 | 0x78, 10), text), DECIMAL_OUT_OF_RANGE, "29 digits after the point");
	is_int(read_words(WORDS(0x3FFF, 0xF000, 1), text), DECIMAL_OUT_OF_RANGE, "1e-16383");
	is_int(read_words(WORDS(0x8000 | 63 << 7), text), DECIMAL_OUT_OF_RANGE, "0 with 63 digits after the point");
	is_int(read_words(WORDS(0x3FFF, 0), text), DECIMAL_OUT_OF_RANGE, "0 with 16383 digits after the point");

	/* Bytes that decimal_numeric.c would never write. */
	is_int(read_words(NULL, 0, text), DECIMAL_OUT_OF_RANGE, "no bytes at all");
	is_int(read_words((const uint16[]) {0x8000}, 1, text), DECIMAL_OUT_OF_RANGE, "half a header");
	is_int(read_words((const uint16[]) {0x0000}, 2, text), DECIMAL_OUT_OF_RANGE, "a long form without a weight");
	is_int(read_words((const uint16[]) {0x0000, 0}, 3, text), DECIMAL_OUT_OF_RANGE, "half a weight");
	is_int(read_words(WORDS(0x8000, 10000), text), DECIMAL_OUT_OF_RANGE, "a digit of 10000");
	is_int(read_words(WORDS(0x8000, 0x7FFF), text), DECIMAL_OUT_OF_RANGE, "a digit of 32767");
	is_int(read_words(WORDS(0x8000, 0xFFFF), text), DECIMAL_OUT_OF_RANGE, "a digit of -1");
	is_int(read_words(WORDS(0x8000, 1, 0x8000), text), DECIMAL_OUT_OF_RANGE, "a digit of -32768");
	is_int(read_words(WORDS(0x8000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1), text), DECIMAL_OUT_OF_RANGE,
		   "digits far behind the scale");
	is_int(read_words((const uint16[]) {0x8000 | 2 << 7, 12, 3400}, 6, text), DECIMAL_OK, "12.34 again");
	ok(read_words((const uint16[]) {0x8000 | 2 << 7, 12, 3400}, 5, text) != DECIMAL_OK || strcmp(text, "12.00") == 0,
	   "half a digit is refused or left out");
}

static void
test_numeric(void)
{
	property("numeric, short and long, is read and written as the text says");
	for (int i = 0; i < 100000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		char		text[DECIMAL_TEXT_SIZE];
		uint8		image[IMAGE_SIZE];
		uint8		written[DECIMAL_NUMERIC_SIZE];
		size_t		length;
		uint8	   *copy;
		Decimal		d;
		int64		packed;

		random_amount(amount, DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		for (int form = SHORT_FORM; form <= LONG_FORM; form++)
		{
			length = numeric_image(amount, form, image);
			copy = exact_copy(image, length);
			if (holds(decimal_from_numeric(copy, length, &d) == DECIMAL_OK, "%s is refused", amount))
			{
				decimal_to_text(&d, text);
				holds(strcmp(text, amount) == 0, "%s: %s", amount, text);
			}
			if (decimal_packed_from_numeric(copy, length, &packed))
				holds(decimal_fits_packed(&d, &(int64) {0}) && packed == decimal_pack_small(packed >> 8, d.scale) &&
					  memcmp(&d, &(Decimal[]) {decimal_unpack(packed, NULL)}, sizeof(d)) == 0,
					  "%s read in short: %" PRIx64, amount, packed);
			free(copy);
		}

		/* What is written is what PostgreSQL would write, byte for byte. */
		length = numeric_image(amount, SHORT_FORM, image);
		holds(decimal_to_numeric(&d, written) == length && memcmp(written, image, length) == 0, "%s written", amount);
		if (decimal_fits_packed(&d, &packed))
			holds(decimal_packed_to_numeric(packed, NULL, written) == length && memcmp(written, image, length) == 0,
				  "%s written from its packed form", amount);
		else
		{
			DecimalPool pool = {.item = &d, .count = 1};

			holds(decimal_packed_to_numeric(DECIMAL_IN_POOL, &pool, written) == length &&
				  memcmp(written, image, length) == 0, "%s written from a pool", amount);
		}
	}
	property_end();

	property("every amount of up to 13 digits and 4 after the point is read without a detour");
	for (int i = 0; i < 20000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		uint8		image[IMAGE_SIZE];
		int64		packed;

		random_amount(amount, 12, 4);
		if (strlen(amount) > 14)
			continue;
		holds(decimal_packed_from_numeric(image, numeric_image(amount, SHORT_FORM, image), &packed), "%s", amount);
	}
	property_end();

	property("the two readers agree on whatever both take, valid or not");
	for (int i = 0; i < 2000000; i++)
	{
		uint16		words[6];
		size_t		length = random_below(sizeof(words) + 1);
		uint8	   *copy;
		int64		packed;
		Decimal		d;

		words[0] = (uint16) (random_below(4) ? 0x8000 | (random_u64() & 0x2F87) | random_below(8) << 7 : random_u64());
		for (size_t j = 1; j < LENGTH_OF(words); j++)
			words[j] = (uint16) (random_below(50) ? random_below(10000) : random_u64());
		copy = exact_copy(words, length);
		if (decimal_packed_from_numeric(copy, length, &packed) && decimal_from_numeric(copy, length, &d) == DECIMAL_OK)
		{
			int64		again;

			holds(decimal_fits_packed(&d, &again) && again == packed,
				  "%04x %04x %04x %04x %04x, %zu bytes", words[0], words[1], words[2], words[3], words[4], length);
		}
		free(copy);
	}
	property_end();

	property("the quick reader takes nothing that the other refuses");
	for (int i = 0; i < 2000000; i++)
	{
		uint16		words[5];
		int			digits = (int) random_below(5);
		int64		packed;
		Decimal		d;

		/* As decimal_numeric.c leaves them: no zero digit at either end, zero has none. */
		words[0] = (uint16) (random_u64() & 0x3FFF) | 0x8000;
		for (int j = 1; j <= digits; j++)
			words[j] = (uint16) (j == 1 || j == digits ? 1 + random_below(9999) : random_below(10000));
		if (digits == 0)
			words[0] &= ~0x207F;
		if (decimal_packed_from_numeric((uint8 *) words, 2 + 2 * digits, &packed))
			holds(decimal_from_numeric((uint8 *) words, 2 + 2 * digits, &d) == DECIMAL_OK,
				  "%04x %04x %04x %04x %04x, %d digits", words[0], words[1], words[2], words[3], words[4], digits);
	}
	property_end();

	property("the widest sums fit into the room for a numeric");
	for (int scale = 0; scale <= DECIMAL_MAX_SCALE; scale++)
		for (int negative = 0; negative < 2; negative++)
		{
			Decimal		d = widest(negative, scale);
			uint8		written[DECIMAL_NUMERIC_SIZE];
			uint8		image[IMAGE_SIZE];
			char		text[DECIMAL_TEXT_SIZE];
			size_t		length;

			decimal_to_text(&d, text);
			length = numeric_image(text, SHORT_FORM, image);
			holds(decimal_to_numeric(&d, written) == length && memcmp(written, image, length) == 0, "%s", text);
		}
	property_end();
}

/* ---------- sums ---------- */

#define TERMS 40

static int64
sum_of(const int64 *terms, const DecimalPool *terms_pool, const int *order, int n, DecimalPool *pool)
{
	int64		sum = 0;

	for (int i = 0; i < n; i++)
		if (!decimal_add_packed(&sum, pool, terms[order[i]], terms_pool))
			diag("a sum does not fit");
	return sum;
}

/* Sums two halves apart, each with a pool of its own, then both together. */
static int64
sum_in_groups(const int64 *terms, const DecimalPool *terms_pool, const int *order, int n, DecimalPool *pool)
{
	DecimalPool pools[2] = {{0}};
	int64		halves[2];
	int64		sum = 0;
	int			half;

	if (n < 2)
		return sum_of(terms, terms_pool, order, n, pool);
	half = 1 + (int) random_below(n - 1);
	halves[0] = sum_in_groups(terms, terms_pool, order, half, &pools[0]);
	halves[1] = sum_in_groups(terms, terms_pool, order + half, n - half, &pools[1]);
	for (int i = 0; i < 2; i++)
	{
		if (!decimal_add_packed(&sum, pool, halves[i], &pools[i]))
			diag("a sum does not fit");
		clear(&pools[i]);
	}
	return sum;
}

static void
shuffle(int *order, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) random_below(i + 1);
		int			swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

static void
test_sums(void)
{
	property("a sum is what school says, and has the same bytes in any order and grouping");
	for (int run = 0; run < 4000; run++)
	{
		int			n = 1 + (int) random_below(TERMS);
		int			digits = 1 + (int) random_below(DECIMAL_MAX_DIGITS);
		int			scale = (int) random_below(DECIMAL_MAX_SCALE + 1);
		DecimalPool terms_pool = {0};
		int64		terms[TERMS];
		int			order[TERMS];
		Plain		school = {0};
		char		school_text[PLAIN_TEXT_SIZE];
		char		text[DECIMAL_TEXT_SIZE];
		uint8		bytes[DECIMAL_STORED_SIZE];
		size_t		length = 0;

		for (int i = 0; i < n; i++)
		{
			char		amount[PLAIN_TEXT_SIZE];
			Plain		plain;
			Decimal		d;

			random_amount(amount, digits, scale);
			plain = plain_from_text(amount);
			school = plain_add(&school, &plain);
			d = from_text(amount);
			terms[i] = pack(&d, &terms_pool);
			order[i] = i;
		}
		plain_to_text(&school, school_text);
		for (int try = 0; try < 6; try++)
		{
			DecimalPool pool = {0};
			int64		sum = try % 2 ? sum_of(terms, &terms_pool, order, n, &pool) :
				sum_in_groups(terms, &terms_pool, order, n, &pool);
			Decimal		d = decimal_unpack(sum, &pool);
			uint8		again[DECIMAL_STORED_SIZE];
			size_t		again_length = canonical(sum, &pool, again);

			decimal_to_text(&d, text);
			holds(strcmp(text, school_text) == 0, "%s instead of %s", text, school_text);
			holds(try == 0 || (again_length == length && memcmp(again, bytes, length) == 0), "bytes of %s", text);
			memcpy(bytes, again, again_length);
			length = again_length;
			clear(&pool);
			shuffle(order, n);
		}
		clear(&terms_pool);
	}
	property_end();

	property("all pairs of scales: the sum has the larger one");
	for (int a = 0; a <= DECIMAL_MAX_SCALE; a++)
		for (int b = 0; b <= DECIMAL_MAX_SCALE; b++)
		{
			DecimalPool pool = {0};
			int64		sum = decimal_pack_small(7, a);
			Decimal		d;

			holds(decimal_add_packed(&sum, &pool, decimal_pack_small(-3, b), NULL), "%d, %d", a, b);
			d = decimal_unpack(sum, &pool);
			holds(d.scale == Max(a, b), "%d, %d: %d", a, b, d.scale);
			clear(&pool);
		}
	property_end();
}

static void
test_border(void)
{
	static const struct
	{
		int64		a;
		int64		b;
		const char *sum;
		bool		packed;
	}			cases[] = {
		{DECIMAL_PACKED_MAX, 0, "36028797018963967", true},
		{DECIMAL_PACKED_MAX, 1, "36028797018963968", false},
		{DECIMAL_PACKED_MAX, -1, "36028797018963966", true},
		{DECIMAL_PACKED_MAX, DECIMAL_PACKED_MAX, "72057594037927934", false},
		{DECIMAL_PACKED_MIN, 0, "-36028797018963968", true},
		{DECIMAL_PACKED_MIN, -1, "-36028797018963969", false},
		{DECIMAL_PACKED_MIN, 1, "-36028797018963967", true},
		{DECIMAL_PACKED_MIN, DECIMAL_PACKED_MIN, "-72057594037927936", false},
		{DECIMAL_PACKED_MIN, DECIMAL_PACKED_MAX, "-1", true},
	};

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		DecimalPool pool = {0};
		int64		sum = decimal_pack_small(cases[i].a, 0);
		int64		packed;
		char		text[DECIMAL_TEXT_SIZE] = "";
		Decimal		d;

		if (decimal_add_packed(&sum, &pool, decimal_pack_small(cases[i].b, 0), NULL))
		{
			d = decimal_unpack(sum, &pool);
			decimal_to_text(&d, text);
		}
		is_text(text, cases[i].sum, "a sum at the border of the packed form");
		ok(decimal_is_pooled(sum) != cases[i].packed && decimal_fits_packed(&d, &packed) == cases[i].packed,
		   "... and it is %s", cases[i].packed ? "packed" : "wide");
		clear(&pool);
	}

	property("a sum that goes over the border and back a thousand times keeps one place in the pool");
	{
		DecimalPool pool = {0};
		int64		sum = decimal_pack_small(DECIMAL_PACKED_MAX, 2);
		uint8		bytes[DECIMAL_STORED_SIZE];
		int64		packed;

		for (int i = 0; i < 1000; i++)
		{
			holds(decimal_add_packed(&sum, &pool, decimal_pack_small(5, 2), NULL), "up %d", i);
			holds(canonical(sum, &pool, bytes) == DECIMAL_STORED_SIZE, "wide %d", i);
			holds(decimal_add_packed(&sum, &pool, decimal_pack_small(-5, 2), NULL), "down %d", i);
			holds(canonical(sum, &pool, bytes) == 8, "packed %d", i);
			memcpy(&packed, bytes, 8);
			holds(packed == decimal_pack_small(DECIMAL_PACKED_MAX, 2) && pool.count <= 1, "%d: pool %u", i, pool.count);
		}
		clear(&pool);
	}
	property_end();

	property("whole numbers from int64");
	for (int i = 0; i < 10000; i++)
	{
		int64		numbers[] = {
			0, 1, -1, INT64_MAX, INT64_MIN, DECIMAL_PACKED_MAX, DECIMAL_PACKED_MAX + 1,
			DECIMAL_PACKED_MIN, DECIMAL_PACKED_MIN - 1
		};
		int64		number = i < (int) LENGTH_OF(numbers) ? numbers[i] : (int64) random_u64() >> random_below(64);
		DecimalPool pool = {0};
		Decimal		d = decimal_unpack(decimal_from_int64(number, &pool), &pool);
		char		text[DECIMAL_TEXT_SIZE];
		char		expected[32];

		sprintf(expected, "%" PRId64, number);
		decimal_to_text(&d, text);
		holds(strcmp(text, expected) == 0, "%s: %s", expected, text);
		clear(&pool);
	}
	property_end();
}

/*
 * decimal.h promises that 2^33 of the greatest amounts fit; they are doubled
 * rather than added one by one.
 */
static void
test_extremes(void)
{
	for (int negative = 0; negative < 2; negative++)
	{
		Decimal		sum = from_text("-99999999999999999999999999999999999999.9999999999999999999999999999" + !negative);
		Decimal		before;
		int			doublings = 0;

		for (;;)
		{
			before = sum;
			if (!decimal_add(&sum, &sum))
				break;
			doublings++;
		}
		if (!ok(doublings >= 33, "2^33 of the greatest amounts %s zero can be added up", negative ? "below" : "above"))
			diag("2^%d", doublings);
		ok(memcmp(&before, &sum, sizeof(sum)) == 0, "a sum that cannot be made leaves its first term as it was");
		ok(decimal_sign(&sum) == (negative ? -1 : 1), "its sign is right");
	}
	{
		DecimalPool pool = {0};
		Decimal		huge = widest(false, 0);
		Decimal		tiny = widest(true, 0);
		int64		sum = decimal_pool_put(&pool, &huge);

		ok(!decimal_add_packed(&sum, &pool, decimal_pack_small(1, 0), NULL), "2^255 does not fit");
		ok(!decimal_add_packed(&sum, &pool, decimal_pack_small(0, 1), NULL), "nor 2^255 - 1 at a larger scale");
		ok(decimal_add_packed(&sum, &pool, decimal_pack_small(-1, 0), NULL), "2^255 - 2 does");
		sum = decimal_pool_put(&pool, &tiny);
		ok(!decimal_add_packed(&sum, &pool, decimal_pack_small(-1, 0), NULL),
		   "-2^255 does not, for it has no text that could be read");
		clear(&pool);
	}
}

/* ---------- products, differences, scales ---------- */

static bool
says(const Decimal *d, const Plain *school)
{
	char		text[DECIMAL_TEXT_SIZE];
	char		school_text[PLAIN_TEXT_SIZE];

	decimal_to_text(d, text);
	plain_to_text(school, school_text);
	return strcmp(text, school_text) == 0;
}

static void
test_products(void)
{
	/* 7 times this is 2^255 - 1 */
	static const char *const seventh = "8270863516951156815969356072049136275233570333260040288532684571993794974281";
	static const struct
	{
		const char *a;
		const char *b;
		const char *product;	/* NULL: does not fit */
	}			known[] = {
		{"0", "0", "0"},
		{"0.0", "-1.00", "0.000"},
		{"-1", "-1", "1"},
		{"-1", "1", "-1"},
		{"12.5", "0.8", "10.00"},
		{"4294967295", "4294967295", "18446744065119617025"},
		{"4294967296", "4294967296", "18446744073709551616"},
		/* 2^128 - 1 squared has 256 bits, 2^127 squared 254 and one bit */
		{"340282366920938463463374607431768211455", "340282366920938463463374607431768211455", NULL},
		{"170141183460469231731687303715884105728", "170141183460469231731687303715884105728",
		"28948022309329048855892746252171976963317496166410141009864396001978282409984"},
		{"170141183460469231731687303715884105728", "340282366920938463463374607431768211456", NULL},
		{"-170141183460469231731687303715884105728", "340282366920938463463374607431768211456", NULL}
	};
	char		text[DECIMAL_TEXT_SIZE];
	Decimal		seven = from_text("7");
	Decimal		d;

	property("products by hand");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		Decimal		a = from_text(known[i].a);
		Decimal		b = from_text(known[i].b);
		Decimal		before = a;
		bool		fits = decimal_multiply(&a, &b);

		holds(fits == (known[i].product != NULL), "%s * %s", known[i].a, known[i].b);
		decimal_to_text(&a, text);
		holds(fits ? strcmp(text, known[i].product) == 0 : memcmp(&a, &before, sizeof(a)) == 0,
			  "%s * %s: %s", known[i].a, known[i].b, text);
	}
	property_end();

	property("up to 2^255 - 1, to both sides");
	for (int negative = 0; negative < 2; negative++)
	{
		Decimal		end = widest(negative, 0);
		Decimal		minus_one = from_text("-1");

		d = from_text(seventh);
		if (negative)
			holds(decimal_multiply(&d, &minus_one), "the sign");
		holds(decimal_multiply(&d, &seven) && memcmp(&d, &end, sizeof(d)) == 0, "seven sevenths");
		holds(decimal_multiply(&d, &minus_one) && decimal_multiply(&d, &minus_one) && memcmp(&d, &end, sizeof(d)) == 0,
			  "twice another sign");
		holds(!decimal_multiply(&d, &seven), "and no farther");
		d = seven;
		holds(!decimal_multiply(&d, &end) && memcmp(&d, &seven, sizeof(d)) == 0, "nor the other way round");
		d = from_text("28948022309329048855892746252171976963317496166410141009864396001978282409984");
		end = from_text(negative ? "-2" : "2");
		holds(!decimal_multiply(&d, &end), "not to 2^255, nor to what has its bits");
	}
	property_end();

	property("products and differences are what school says, or do not fit");
	for (int i = 0; i < 20000; i++)
	{
		char		amount[2][PLAIN_TEXT_SIZE];
		Plain		plain[2];
		Plain		expected;
		Decimal		factor[2];
		char		expected_text[PLAIN_TEXT_SIZE];
		int			digits = (int) random_below(DECIMAL_MAX_DIGITS) + 1;
		int			scale = (int) random_below(DECIMAL_MAX_SCALE + 1);
		Plain		end = plain_from_text("57896044618658097711785492504343953926634992332820282019728792003956564819968");

		for (int k = 0; k < 2; k++)
		{
			random_amount(amount[k], digits, scale);
			plain[k] = plain_from_text(amount[k]);
			factor[k] = from_text(amount[k]);
		}
		expected = plain_multiply(&plain[0], &plain[1]);
		/* As a mantissa it must stay below 2^255. */
		memmove(expected.digit + expected.scale, expected.digit, PLAIN_DIGITS - expected.scale);
		memset(expected.digit, 0, expected.scale);
		d = factor[0];
		if (decimal_multiply(&d, &factor[1]))
		{
			holds(plain_compare_magnitude(&expected, &end) < 0, "%s * %s does not fit", amount[0], amount[1]);
			expected = plain_multiply(&plain[0], &plain[1]);
			holds(says(&d, &expected), "%s * %s", amount[0], amount[1]);
		}
		else
			holds(plain_compare_magnitude(&expected, &end) >= 0, "%s * %s fits", amount[0], amount[1]);

		d = factor[0];
		expected = plain_negate(&plain[1]);
		expected = plain_add(&plain[0], &expected);
		plain_to_text(&expected, expected_text);
		holds(decimal_subtract(&d, &factor[1]) && says(&d, &expected), "%s - %s, not %s", amount[0], amount[1],
			  expected_text);
	}
	property_end();

	property("a difference that does not fit leaves its first number as it was");
	for (int scale = 0; scale <= DECIMAL_MAX_SCALE; scale++)
	{
		Decimal		least = widest(true, scale);
		Decimal		greatest = widest(false, scale);
		Decimal		one = {.word = {1}, .scale = scale};

		d = least;
		holds(!decimal_subtract(&d, &one) && memcmp(&d, &least, sizeof(d)) == 0, "least, %d", scale);
		holds(!decimal_subtract(&d, &greatest) && memcmp(&d, &least, sizeof(d)) == 0, "least - greatest, %d", scale);
		holds(decimal_subtract(&d, &least) && decimal_sign(&d) == 0 && d.scale == scale, "least - least, %d", scale);
		d = greatest;
		holds(!decimal_subtract(&d, &least) && memcmp(&d, &greatest, sizeof(d)) == 0, "greatest - least, %d", scale);
		holds(decimal_subtract(&d, &one) && decimal_sign(&d) == 1, "greatest - 1, %d", scale);
	}
	property_end();
}

/* Without zeros at the end of its decimals, by its text. */
static void
strip_zeros(char *text)
{
	size_t		n = strlen(text);

	if (strchr(text, '.') == NULL)
		return;
	while (text[n - 1] == '0')
		n--;
	text[text[n - 1] == '.' ? n - 1 : n] = '\0';
}

static void
test_scales(void)
{
	property("a scale that is set is the one asked for, or the least that keeps all digits");
	for (int i = 0; i < 50000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		char		expected[PLAIN_TEXT_SIZE];
		char		text[DECIMAL_TEXT_SIZE];
		int			scale = (int) random_below(DECIMAL_MAX_SCALE + 1);
		int			decimals;
		Decimal		d;

		random_amount(amount, DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE - 4);
		if (strchr(amount, '.') != NULL)
			sprintf(strchr(amount, '\0'), "%.*s", (int) random_below(5), "0000");
		d = from_text(amount);
		strcpy(expected, amount);
		strip_zeros(expected);
		decimals = strchr(expected, '.') == NULL ? 0 : (int) strlen(strchr(expected, '.') + 1);
		if (decimals == 0 && scale > 0)
			strcat(expected, ".");
		for (; decimals < scale; decimals++)
			strcat(expected, "0");
		holds(decimal_set_scale(&d, scale), "%s does not fit at %d", amount, scale);
		decimal_to_text(&d, text);
		holds(strcmp(text, expected) == 0, "%s at %d: %s, not %s", amount, scale, text, expected);
	}
	property_end();

	property("a scale that does not fit is told");
	for (int negative = 0; negative < 2; negative++)
	{
		Decimal		d = widest(negative, 3);

		holds(decimal_set_scale(&d, 3), "its own");
		holds(decimal_set_scale(&d, 2), "a smaller one, which would lose digits");
		holds(d.scale == 3, "%d", d.scale);
		holds(!decimal_set_scale(&d, 4), "a larger one");
	}
	property_end();

	property("packing, packing again and leaving out zeros keep the number");
	for (int i = 0; i < 50000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		char		text[DECIMAL_TEXT_SIZE];
		char		filler[PLAIN_TEXT_SIZE];
		DecimalPool pool = {0};
		Decimal		d;
		Decimal		one = from_text("1");
		int64		packed;
		int64		small;
		bool		fits;

		random_amount(amount, random_below(2) ? 16 : DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		random_amount(filler, DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		if (random_below(2))
			(void) decimal_pool_put(&pool, &one);
		d = from_text(amount);
		fits = decimal_fits_packed(&d, &small);
		packed = decimal_pack(&d, &pool);
		holds(decimal_is_pooled(packed) == !fits && (!fits || packed == small), "%s packed", amount);
		d = decimal_unpack(packed, &pool);
		decimal_to_text(&d, text);
		holds(strcmp(text, amount) == 0, "%s unpacked: %s", amount, text);

		/* Where it need not be in the pool, it is not any more. */
		packed = decimal_repack(decimal_pool_put(&pool, &d), &pool);
		holds(fits ? packed == small : packed == ((int64) (pool.count - 1) << 8 | DECIMAL_IN_POOL), "%s repacked", amount);
		holds(decimal_repack(packed, &pool) == packed, "%s repacked twice", amount);

		strip_zeros(amount);
		for (int k = 0; k < 2; k++)
		{
			/* From the pool, even if it fits; then without, if it does. */
			int64		normal = decimal_normalize(k == 0 ? decimal_pool_put(&pool, &d) : packed, &pool);
			Decimal		e = decimal_unpack(normal, &pool);

			decimal_to_text(&e, text);
			holds(strcmp(text, amount) == 0, "%s normalized: %s", amount, text);
			holds(decimal_is_pooled(normal) == !decimal_fits_packed(&e, &small), "%s normalized, but not packed", amount);
		}
		clear(&pool);
	}
	property_end();
}

/* ---------- order, float8, storing ---------- */

#define ZOO 220

static void
test_order(void)
{
	static Decimal zoo[ZOO];
	static Plain plain[ZOO];
	static signed char order[ZOO][ZOO];
	DecimalPool pool = {0};
	int64		packed[ZOO];

	for (int i = 0; i < ZOO; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];

		/* Many of them equal but for their scale. */
		if (i % 5 == 4 && strchr(amount, '.') != NULL && strlen(strchr(amount, '.')) < DECIMAL_MAX_SCALE)
			strcat(amount, "0");
		else
			random_amount(amount, i % 3 ? DECIMAL_MAX_DIGITS : 2, i % 2 ? DECIMAL_MAX_SCALE : 1);
		zoo[i] = from_text(amount);
		plain[i] = plain_from_text(amount);
		packed[i] = pack(&zoo[i], &pool);
	}
	property("decimals are ordered as school orders them, packed or not");
	for (int i = 0; i < ZOO; i++)
		for (int j = 0; j < ZOO; j++)
		{
			int			expected = plain_compare(&plain[i], &plain[j]);

			order[i][j] = decimal_compare(&zoo[i], &zoo[j]);
			holds(order[i][j] == expected, "%d and %d: %d, not %d", i, j, order[i][j], expected);
			holds(decimal_packed_compare(packed[i], packed[j], &pool) == expected, "packed %d and %d", i, j);
		}
	property_end();

	property("that order is total");
	for (int i = 0; i < ZOO; i++)
	{
		holds(order[i][i] == 0, "%d is not equal to itself", i);
		holds(decimal_sign(&zoo[i]) == (plain_is_zero(&plain[i]) ? 0 : plain[i].negative ? -1 : 1), "sign of %d", i);
		for (int j = 0; j < ZOO; j++)
		{
			holds(order[i][j] == -order[j][i], "%d and %d", i, j);
			for (int k = 0; k < ZOO; k++)
				holds(!(order[i][j] <= 0 && order[j][k] <= 0) || order[i][k] <= 0, "%d, %d, %d", i, j, k);
		}
	}
	property_end();

	property("the widest decimals are ordered, too");
	for (int scale = 0; scale <= DECIMAL_MAX_SCALE; scale++)
	{
		Decimal		least = widest(true, scale);
		Decimal		greatest = widest(false, scale);

		holds(decimal_compare(&least, &greatest) < 0 && decimal_compare(&greatest, &least) > 0, "scale %d", scale);
		holds(decimal_compare(&least, &least) == 0 && decimal_compare(&greatest, &greatest) == 0, "equal, %d", scale);
		holds(decimal_sign(&least) < 0 && decimal_sign(&greatest) > 0, "signs, %d", scale);
	}
	property_end();
	clear(&pool);
}

static void
test_double(void)
{
	property("as a float8 a decimal is what its text is, rounded once");
	for (int i = 0; i < 100000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		Decimal		d;
		DecimalPool pool = {0};
		int64		packed;

		random_amount(amount, random_below(2) ? 17 : DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		d = from_text(amount);
		packed = pack(&d, &pool);
		holds(decimal_to_double(&d) == strtod(amount, NULL), "%s: %.17g", amount, decimal_to_double(&d));
		holds(decimal_packed_to_double(packed, &pool) == strtod(amount, NULL), "%s, packed", amount);
		holds(signbit(decimal_to_double(&d)) == (amount[0] == '-'), "sign of %s", amount);
		clear(&pool);
	}
	property_end();
}

static void
test_mean(void)
{
	static const struct
	{
		const char *sum;
		uint32		n;
		float8		mean;		/* of Python's fractions */
	}			by_hand[] = {
		{"0.00", 7, 0},
		{"-10.00", 4, -2.5},
		{"0.0000000000000000000000000001", UINT32_MAX, 0x1.fb0f6be701110p-126},
		{"-99999999999999999999999999999999999999.9999999999999999999999999999", 7, -0x1.57ea83019dd5dp+123},
		{"1234567890123.4567890123", 3, 411522630041.1523},
		{"9007199254740993", 3, 3002399751580331.0}
	};
	DecimalPool pool = {0};

	property("means that are known");
	for (size_t i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++)
	{
		Decimal		d = from_text(by_hand[i].sum);
		float8		mean = decimal_packed_mean(pack(&d, &pool), &pool, by_hand[i].n);

		holds(mean == by_hand[i].mean, "%s / %u: %.17g", by_hand[i].sum, by_hand[i].n, mean);
	}
	property_end();

	property("a mean is rounded once: of multiples, and of wide forms, it is the same");
	for (int i = 0; i < 100000; i++)
	{
		int64		cents = (int64) random_below(UINT64_C(10000000000)) - 5000000000;
		uint32		n = 1 + (uint32) random_below(5000);
		uint32		factor = 1 + (uint32) random_below(200);
		float8		mean = (float8) cents / (float8) (n * UINT64_C(100));	/* both are exact */
		int64		multiple = decimal_pack_small(cents * factor, 2);
		Decimal		wide = decimal_unpack(decimal_pack_small(cents, 2), NULL);

		holds(decimal_packed_mean(decimal_pack_small(cents, 2), NULL, n) == mean, "%lld / %u", (long long) cents, n);
		holds(decimal_packed_mean(multiple, NULL, n * factor) == mean, "%lld / %u, %u times", (long long) cents, n, factor);
		holds(decimal_set_scale(&wide, DECIMAL_MAX_SCALE), "a scale");
		pool.count = 0;
		holds(decimal_packed_mean(decimal_pool_put(&pool, &wide), &pool, n) == mean, "%lld / %u, wide", (long long) cents, n);
	}
	property_end();

	property("the mean of one is the sum");
	for (int i = 0; i < 10000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		Decimal		d;
		int64		packed;

		random_amount(amount, random_below(2) ? 17 : DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		d = from_text(amount);
		pool.count = 0;
		packed = pack(&d, &pool);
		holds(decimal_packed_mean(packed, &pool, 1) == decimal_packed_to_double(packed, &pool), "%s", amount);
	}
	property_end();
	clear(&pool);
}

static void
test_difference(void)
{
	property("a difference as a float8 is that of the decimals, rounded once");
	for (int i = 0; i < 100000; i++)
	{
		char		amount[2][PLAIN_TEXT_SIZE];
		char		text[PLAIN_TEXT_SIZE];
		DecimalPool pool = {0};
		int64		packed[2];
		Plain		plain[2];
		float8		difference;

		for (int k = 0; k < 2; k++)
		{
			Decimal		d;

			/* Often the same but for the last digits. */
			if (k == 1 && i % 3 == 0)
			{
				strcpy(amount[1], amount[0]);
				amount[1][strlen(amount[1]) - 1] = '0' + (char) random_below(10);
				if (strspn(amount[1], "-0.") == strlen(amount[1]))
					strcpy(amount[1], "0");
			}
			else
				random_amount(amount[k], i % 2 ? 17 : DECIMAL_MAX_DIGITS, i % 5 ? DECIMAL_MAX_SCALE : 3);
			plain[k] = plain_from_text(amount[k]);
			d = from_text(amount[k]);
			packed[k] = pack(&d, &pool);
		}
		plain[1] = plain_negate(&plain[1]);
		plain[0] = plain_add(&plain[0], &plain[1]);
		plain_to_text(&plain[0], text);
		difference = decimal_packed_difference(packed[0], packed[1], &pool);
		holds(difference == strtod(text, NULL), "%s - %s: %.17g", amount[0], amount[1], difference);
		holds(decimal_packed_difference(packed[1], packed[0], &pool) == -difference, "%s - %s", amount[1], amount[0]);
		clear(&pool);
	}
	property_end();
}

static void
test_stored(void)
{
	property("a wide decimal comes back from its bytes, a narrow one is refused");
	for (int i = 0; i < 50000; i++)
	{
		char		amount[PLAIN_TEXT_SIZE];
		uint8	   *bytes = malloc(DECIMAL_STORED_SIZE);
		Decimal		d;
		Decimal		back;
		int64		packed;

		random_amount(amount, DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE);
		d = from_text(amount);
		decimal_store(&d, bytes);
		if (decimal_fits_packed(&d, &packed))
			holds(decimal_check_and_load(bytes, &back) != NULL, "%s is not wide", amount);
		else
			holds(decimal_check_and_load(bytes, &back) == NULL && memcmp(&d, &back, sizeof(d)) == 0, "%s", amount);
		free(bytes);
	}
	property_end();

	property("stored bytes that are taken have a text that is taken, and are stored again as they were");
	for (int i = 0; i < 100000; i++)
	{
		uint8		bytes[DECIMAL_STORED_SIZE];
		uint8		again[DECIMAL_STORED_SIZE];
		char		text[DECIMAL_TEXT_SIZE];
		Decimal		d;
		Decimal		back;

		for (int j = 0; j < DECIMAL_STORED_SIZE; j++)
			bytes[j] = (uint8) random_u64();
		bytes[0] = (uint8) random_below(i % 2 ? 256 : 32);
		/* Some narrower than all 32 bytes, some of few bits: borders. */
		if (i % 3 == 0)
			memset(bytes + 1, i % 2 ? 0xFF : 0, random_below(30));
		if (i % 7 == 0)
		{
			memset(bytes + 1, i % 2 ? 0xFF : 0, 32);
			bytes[1 + random_below(32)] ^= 1 << random_below(8);
		}
		/* The least that 32 bytes can say. */
		if (i % 1000 == 0)
		{
			memset(bytes, 0, sizeof(bytes));
			bytes[1] = 0x80;
		}
		if (decimal_check_and_load(bytes, &d) != NULL)
			continue;
		holds(bytes[0] <= DECIMAL_MAX_SCALE, "scale %d", bytes[0]);
		decimal_store(&d, again);
		holds(memcmp(bytes, again, sizeof(bytes)) == 0, "stored again");
		decimal_to_text(&d, text);
		holds(decimal_from_text(text, strlen(text), &back) && memcmp(&d, &back, sizeof(d)) == 0, "text %s", text);
	}
	property_end();

	property("a packed decimal is valid with a scale up to 28, or if its wide sum is there");
	for (int scale = 0; scale < 255; scale++)
		for (int i = 0; i < 20; i++)
			holds((decimal_check_packed(decimal_pack_small((int64) random_u64() >> 8, scale), 0) == NULL) ==
				  (scale <= DECIMAL_MAX_SCALE), "scale %d", scale);
	for (uint32 count = 0; count < 4; count++)
		for (int64 place = -3; place < 6; place++)
			holds((decimal_check_packed((int64) ((uint64) place << 8) | DECIMAL_IN_POOL, count) == NULL) ==
				  (place >= 0 && place < count), "place %" PRId64 " of %u", place, count);
	property_end();
}

int
main(void)
{
	test_text();
	test_numeric_by_hand();
	test_numeric();
	test_sums();
	test_border();
	test_extremes();
	test_products();
	test_scales();
	test_order();
	test_double();
	test_mean();
	test_difference();
	test_stored();
	return done_testing();
}
