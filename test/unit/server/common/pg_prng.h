/*
 * pg_prng.h
 *	  Random numbers of the server, which in unit tests are none: the tests set
 *	  the seed of a table themselves where it matters.
 */
#ifndef UNIT_PG_PRNG_H
#define UNIT_PG_PRNG_H

#define pg_prng_uint64(state) UINT64CONST(0x9E3779B97F4A7C15)

#endif							/* UNIT_PG_PRNG_H */
