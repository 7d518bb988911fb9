/*
 * plain_decimal.h
 *	  Decimal arithmetic as taught in school, to compare decimal.c with.
 *
 * A number is a row of decimal digits and a sign.  Nothing here is shared with
 * what it is to judge, and nothing is quick.
 */
#ifndef PLAIN_DECIMAL_H
#define PLAIN_DECIMAL_H

#include "tap.h"

#define PLAIN_FRACTION 60		/* digits kept after the point */
#define PLAIN_DIGITS 200
#define PLAIN_TEXT_SIZE 240

typedef struct Plain
{
	bool		negative;
	int			scale;			/* digits shown after the point */
	uint8_t		digit[PLAIN_DIGITS];	/* lowest first, of 10^-PLAIN_FRACTION */
} Plain;

/* Takes only well-formed text. */
static Plain TAP_UNUSED
plain_from_text(const char *text)
{
	Plain		plain = {0};
	const char *point = strchr(text, '.');
	const char *end = text + strlen(text);
	int			at;

	plain.negative = *text == '-';
	text += plain.negative;
	plain.scale = point == NULL ? 0 : (int) (end - point - 1);
	at = PLAIN_FRACTION - plain.scale;
	for (const char *p = end; p-- > text;)
		if (*p != '.')
			plain.digit[at++] = *p - '0';
	return plain;
}

static bool TAP_UNUSED
plain_is_zero(const Plain *plain)
{
	for (int i = 0; i < PLAIN_DIGITS; i++)
		if (plain->digit[i] != 0)
			return false;
	return true;
}

static int
plain_compare_magnitude(const Plain *a, const Plain *b)
{
	for (int i = PLAIN_DIGITS - 1; i >= 0; i--)
		if (a->digit[i] != b->digit[i])
			return a->digit[i] < b->digit[i] ? -1 : 1;
	return 0;
}

static Plain TAP_UNUSED
plain_add(const Plain *a, const Plain *b)
{
	Plain		sum = {0};
	int			carry = 0;

	sum.scale = a->scale > b->scale ? a->scale : b->scale;
	if (a->negative != b->negative)
	{
		const Plain *larger = plain_compare_magnitude(a, b) >= 0 ? a : b;
		const Plain *smaller = larger == a ? b : a;

		sum.negative = larger->negative;
		for (int i = 0; i < PLAIN_DIGITS; i++)
		{
			int			d = larger->digit[i] - smaller->digit[i] - carry;

			carry = d < 0;
			sum.digit[i] = d + 10 * carry;
		}
		if (plain_is_zero(&sum))
			sum.negative = false;
		return sum;
	}
	sum.negative = a->negative;
	for (int i = 0; i < PLAIN_DIGITS; i++)
	{
		int			d = a->digit[i] + b->digit[i] + carry;

		carry = d >= 10;
		sum.digit[i] = d - 10 * carry;
	}
	return sum;
}

static Plain TAP_UNUSED
plain_negate(const Plain *plain)
{
	Plain		negative = *plain;

	negative.negative = !plain->negative && !plain_is_zero(plain);
	return negative;
}

/* Factors and product must fit. */
static Plain TAP_UNUSED
plain_multiply(const Plain *a, const Plain *b)
{
	int			digit[2 * PLAIN_DIGITS + 1] = {0};
	Plain		product = {0};

	for (int i = 0; i < PLAIN_DIGITS; i++)
		for (int j = 0; a->digit[i] != 0 && j < PLAIN_DIGITS; j++)
			digit[i + j] += a->digit[i] * b->digit[j];
	for (int i = 0; i < 2 * PLAIN_DIGITS; i++)
	{
		digit[i + 1] += digit[i] / 10;
		digit[i] %= 10;
		if (i >= PLAIN_FRACTION && i - PLAIN_FRACTION < PLAIN_DIGITS)
			product.digit[i - PLAIN_FRACTION] = digit[i];
		else if (digit[i] != 0)
			abort();
	}
	product.scale = a->scale + b->scale;
	product.negative = a->negative != b->negative && !plain_is_zero(&product);
	return product;
}

static int TAP_UNUSED
plain_compare(const Plain *a, const Plain *b)
{
	int			order = plain_compare_magnitude(a, b);

	if (plain_is_zero(a) && plain_is_zero(b))
		return 0;
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? -order : order;
}

static void TAP_UNUSED
plain_to_text(const Plain *plain, char *text)
{
	int			top = PLAIN_DIGITS - 1;

	while (top > PLAIN_FRACTION && plain->digit[top] == 0)
		top--;
	if (plain->negative && !plain_is_zero(plain))
		*text++ = '-';
	for (int i = top; i >= PLAIN_FRACTION - plain->scale; i--)
	{
		if (i == PLAIN_FRACTION - 1)
			*text++ = '.';
		*text++ = '0' + plain->digit[i];
	}
	*text = '\0';
}

/*
 * Some amount, as text: any number of digits and any scale, with a liking for
 * what is near an end of a range, the border of the packed form above all.
 */
static void TAP_UNUSED
random_amount(char *text, int most_digits, int most_scale)
{
	static const char *const borders[] = {
		"36028797018963967", "36028797018963968", "36028797018963969",	/* 2^55 */
		"9007199254740991", "9007199254740992", "9007199254740993", /* 2^53 */
		"9223372036854775807", "9223372036854775808", "18446744073709551616",
		"10000", "9999", "99999999", "100000000", "1", "0"
	};
	char	   *p = text;
	int			digits;
	int			scale = (int) random_below(most_scale + 1);

	if (random_below(3) == 0)
		*p++ = '-';
	switch (random_below(6))
	{
		case 0:
			{
				const char *border = borders[random_below(LENGTH_OF(borders))];
				int			length = (int) strlen(border);
				int			n = scale % (length + 1);

				/* The point somewhere inside, or before all of it. */
				if (length - n > most_digits || n > most_scale)
					n = Min(length, most_scale);
				p += sprintf(p, "%.*s", length - n, border);
				if (n == length)
					*p++ = '0';
				if (n > 0)
					p += sprintf(p, ".%s", border + length - n);
				break;
			}
		case 1:
			digits = 1 + (int) random_below(most_digits);
			for (int i = 0; i < digits; i++)
				*p++ = '9';
			if (scale > 0)
				*p++ = '.';
			for (int i = 0; i < scale; i++)
				*p++ = '9';
			break;
		case 2:					/* what shops have */
			p += sprintf(p, "%u", (unsigned) random_below(100000));
			if (most_scale >= 2)
				p += sprintf(p, ".%02u", (unsigned) random_below(100));
			break;
		case 3:
			*p++ = '0';
			if (scale > 0)
				*p++ = '.';
			for (int i = 0; i < scale; i++)
				*p++ = i < scale - 1 - (int) random_below(4) ? '0' : '0' + (char) random_below(10);
			break;
		default:
			digits = 1 + (int) random_below(random_below(2) ? most_digits : Min(15, most_digits));
			*p++ = digits == 1 ? '0' + (char) random_below(10) : '1' + (char) random_below(9);
			for (int i = 1; i < digits; i++)
				*p++ = '0' + (char) random_below(10);
			if (scale > 0)
				*p++ = '.';
			for (int i = 0; i < scale; i++)
				*p++ = '0' + (char) random_below(10);
	}
	*p = '\0';
	/* There is no negative zero. */
	if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1))
		memmove(text, text + 1, strlen(text));
}

#endif							/* PLAIN_DECIMAL_H */
