/* Stored numbers: the loads and stores of bytes.h. */
#include "shared/bytes.h"

#include <math.h>

#include "tap.h"

static const uint64 interesting[] = {
	0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
	0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, UINT64CONST(0x100000000),
	UINT64CONST(0x0123456789ABCDEF), UINT64CONST(0x7FFFFFFFFFFFFFFF),
	UINT64CONST(0x8000000000000000), UINT64CONST(0xFFFFFFFFFFFFFFFF)
};

int
main(void)
{
	uint8		buffer[64];

	property("u32: bytes from the highest to the lowest, at any alignment, and back");
	for (int n = 0; n < 100000; n++)
	{
		uint32		v = (uint32) (n < (int) LENGTH_OF(interesting) ? interesting[n] : random_u64());
		uint8	   *p = buffer + n % 8;
		uint8	   *end;

		memset(buffer, 0xA5, sizeof(buffer));
		end = store_u32(p, v);
		holds(end == p + 4 && load_u32(p) == v &&
			  p[0] == v >> 24 && p[1] == (v >> 16 & 0xFF) && p[2] == (v >> 8 & 0xFF) && p[3] == (v & 0xFF) &&
			  p[4] == 0xA5 && (p == buffer || p[-1] == 0xA5), "%08x", v);
	}
	property_end();

	property("u64: bytes from the highest to the lowest, at any alignment, and back");
	for (int n = 0; n < 100000; n++)
	{
		uint64		v = n < (int) LENGTH_OF(interesting) ? interesting[n] : random_u64();
		uint8	   *p = buffer + n % 8;
		uint8	   *end;
		bool		right = true;

		memset(buffer, 0xA5, sizeof(buffer));
		end = store_u64(p, v);
		for (int i = 0; i < 8; i++)
			right &= p[i] == (v >> (56 - 8 * i) & 0xFF);
		holds(right && end == p + 8 && load_u64(p) == v && p[8] == 0xA5 && (p == buffer || p[-1] == 0xA5),
			  "%016" PRIx64, v);
	}
	property_end();

	/* Every bit pattern comes back: signed zeros, NaNs with their payload. */
	property("f64: every bit comes back");
	for (int n = 0; n < 100000; n++)
	{
		uint64		bits = n < (int) LENGTH_OF(interesting) ? interesting[n] : random_u64();
		uint64		back;
		float8		v;

		store_u64(buffer, bits);
		v = load_f64(buffer);
		holds(store_f64(buffer + 16, v) == buffer + 24, "end of %016" PRIx64, bits);
		back = load_u64(buffer + 16);
		/* On some machines a copy makes a signalling NaN a quiet one. */
		holds(back == bits || (isnan(v) && back == (bits | UINT64CONST(0x0008000000000000))),
			  "%016" PRIx64, bits);
	}
	property_end();

	store_f64(buffer, 1.5);
	ok(memcmp(buffer, "\x3F\xF8\0\0\0\0\0\0", 8) == 0, "1.5 is 3FF8000000000000, as IEEE 754 has it");
	store_f64(buffer, -0.0);
	ok(memcmp(buffer, "\x80\0\0\0\0\0\0\0", 8) == 0, "-0 is not 0");
	property("varints: read back in every way, at the end of memory or not");
	for (int n = 0; n < 100000; n++)
	{
		uint64		v = n < (int) LENGTH_OF(interesting) ? interesting[n] : random_u64() >> random_below(64);
		int			before = n % 11;
		int			after = n / 11 % 12;
		uint8	   *memory = malloc(before + VARINT_MAX + after);
		uint8	   *p = memory;
		const uint8 *at;
		const uint8 *end;
		Size		size = varint_size(v);
		uint64		read[3] = {0, 0, 0};

		/* What surrounds it are varints, too. */
		for (int i = 0; i < before; i++)
			p = store_varint(p, random_below(0x80));
		p = store_varint(p, v);
		memory = realloc(memory, before + size + after);
		p = memory + before;
		memset(p + size, n % 2 == 0 ? 0 : 0x7F, after);
		end = p + size + after;
		at = p;
		holds(load_varint(p, &read[0]) == p + size && load_varint_before(p, end, &read[1]) == p + size &&
			  check_varint(&at, end, &read[2]) && at == p + size && skip_varint(p) == p + size &&
			  read[0] == v && read[1] == v && read[2] == v, "%llx", (unsigned long long) v);
		holds(skip_varints(memory, end, before + 1) == p + size && skip_varints(memory, end, before + 1 + after) == end &&
			  skip_varints(memory, end, 0) == memory, "%llx: skipped wrongly", (unsigned long long) v);

		/* Cut off, or with a byte too many. */
		at = p;
		holds(!check_varint(&at, p + size - 1, &read[2]), "%llx: taken though cut off", (unsigned long long) v);
		if (after > 0)
		{
			p[size - 1] |= 0x80;
			p[size] = 0;
			at = p;
			holds(!check_varint(&at, end, &read[2]), "%llx: taken though longer than need be", (unsigned long long) v);
		}
		free(memory);
	}
	property_end();

	return done_testing();
}
