/*
 * tap.h
 *	  What a unit test needs to say: TAP lines, properties, random numbers.
 *
 * A check that is made a thousand times over is one TAP line, a *property*: say
 * what should hold, try it on as many cases as you like, and only cases that
 * speak against it are printed.
 *
 *		property("addition is commutative");
 *		for (...)
 *			holds(a + b == b + a, "%d and %d", a, b);
 *		property_end();
 *
 * Random numbers are the same on every run and machine, so that a failure can
 * be looked at again.
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAP_UNUSED __attribute__((unused))
#define TAP_PRINTF(f, a) __attribute__((format(printf, f, a), unused))

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static int	tap_count;
static int	tap_failures;
static const char *tap_property;
static long tap_cases;
static long tap_counterexamples;

static void TAP_PRINTF(1, 2)
diag(const char *format, ...)
{
	va_list		arguments;

	fflush(stdout);
	fputs("# ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static bool TAP_PRINTF(2, 3)
ok(bool passed, const char *format, ...)
{
	va_list		arguments;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	tap_failures += !passed;
	return passed;
}

static bool TAP_UNUSED
is_int(int64_t got, int64_t expected, const char *name)
{
	if (!ok(got == expected, "%s", name))
		diag("got %" PRId64 ", expected %" PRId64, got, expected);
	return got == expected;
}

/* NULL is a text, too: nothing is wrong. */
static bool TAP_UNUSED
is_text(const char *got, const char *expected, const char *name)
{
	bool		same = got == NULL || expected == NULL ? got == expected : strcmp(got, expected) == 0;

	if (!ok(same, "%s", name))
		diag("got \"%s\", expected \"%s\"", got ? got : "(null)", expected ? expected : "(null)");
	return same;
}

static void TAP_UNUSED
property(const char *name)
{
	tap_property = name;
	tap_cases = tap_counterexamples = 0;
}

static bool TAP_PRINTF(2, 3)
holds(bool condition, const char *format, ...)
{
	va_list		arguments;

	tap_cases++;
	if (condition)
		return true;
	if (++tap_counterexamples > 5)
		return false;
	fflush(stdout);
	fputs("# not so: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return false;
}

static void TAP_UNUSED
property_end(void)
{
	if (tap_counterexamples > 5)
		diag("and %ld cases more", tap_counterexamples - 5);
	/* A property that was tried on nothing is an error of the test. */
	ok(tap_counterexamples == 0 && tap_cases > 0, "%s", tap_property);
	if (tap_cases == 0)
		diag("no case was tried");
}

/* The exit status of the program. */
static int TAP_UNUSED
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures == 0 ? 0 : 1;
}

/* SplitMix64 (Steele, Lea, Flood 2014): any seed will do, also 0. */
static uint64_t tap_seed;

static uint64_t TAP_UNUSED
random_u64(void)
{
	uint64_t	z = (tap_seed += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* From 0 to n - 1. */
static uint64_t TAP_UNUSED
random_below(uint64_t n)
{
	return random_u64() % n;
}

/* A copy with nothing behind it, so that the sanitizer sees every overrun. */
static TAP_UNUSED void *
exact_copy(const void *bytes, size_t length)
{
	void	   *copy = malloc(length);

	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

#endif							/* TAP_H */
