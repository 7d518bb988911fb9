/*
 * short_text.h
 *	  Texts of up to 16 bytes as two numbers, which are compared faster than bytes.
 */
#ifndef CUSTMART_SHORT_TEXT_H
#define CUSTMART_SHORT_TEXT_H

#include "shared/core.h"

#define SHORT_TEXT_MAX 16

/* The first and the last eight bytes, or four, which may overlap; all bytes are in them. */
static inline void
short_text_ends(const char *bytes, uint32 length, uint64 *first, uint64 *last)
{
	*first = *last = 0;
	if (length >= 8)
	{
		memcpy(first, bytes, 8);
		memcpy(last, bytes + length - 8, 8);
	}
	else if (length >= 4)
	{
		uint32		half;

		memcpy(&half, bytes, 4);
		*first = half;
		memcpy(&half, bytes + length - 4, 4);
		*last = half;
	}
	else if (length > 0)
		*first = (uint64) (uint8) bytes[0] | (uint64) (uint8) bytes[length / 2] << 8 |
			(uint64) (uint8) bytes[length - 1] << 16;
}

/* Whether two texts of the same length, of any, are equal. */
static inline bool
text_equals(const char *a, const char *b, uint32 length)
{
	uint64		first[2];
	uint64		last[2];

	if (length > SHORT_TEXT_MAX)
		return memcmp(a, b, length) == 0;
	short_text_ends(a, length, &first[0], &last[0]);
	short_text_ends(b, length, &first[1], &last[1]);
	return first[0] == first[1] && last[0] == last[1];
}

#endif							/* CUSTMART_SHORT_TEXT_H */
