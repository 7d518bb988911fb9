/*
 * host.h
 *	  A backend for one function call at a time, so that the SQL faces of
 *	  custmart can be fuzzed in a plain program.
 *
 * The files of src/ are compiled against PostgreSQL's headers as they are.
 * What they call of the server, and nothing else, is in host.c, made so that
 * mistakes show: every palloc is a malloc of that very size, freed when its
 * context goes; an error is a value that can be looked at; rows of a set are
 * checked one by one.
 */
#ifndef HOST_H
#define HOST_H

#include "custmart.h"

#include "funcapi.h"
#include "nodes/execnodes.h"
#include "pgtime.h"
#include "utils/timestamp.h"

#include "shared/compat.h"

/* What came of a call: a value, a null, or an error. */
typedef struct Outcome
{
	bool		raised;
	bool		is_soft;		/* the error was saved, not raised */
	bool		is_null;
	Datum		value;
	int			sqlstate;
	char		message[1024];
} Outcome;

#define ARG(datum) {(datum), false}
#define NULL_ARG {(Datum) 0, true}

#define CALL(function, ...) \
	host_call(function, (NullableDatum[]) {__VA_ARGS__}, \
			  lengthof(((NullableDatum[]) {__VA_ARGS__})), HOST_PLAIN)
#define CALL_IN_AGGREGATE(function, ...) \
	host_call(function, (NullableDatum[]) {__VA_ARGS__}, \
			  lengthof(((NullableDatum[]) {__VA_ARGS__})), HOST_AGGREGATE)
#define CALL_SOFT(function, ...) \
	host_call(function, (NullableDatum[]) {__VA_ARGS__}, \
			  lengthof(((NullableDatum[]) {__VA_ARGS__})), HOST_SOFT)

typedef enum HostCaller
{
	HOST_PLAIN,
	HOST_AGGREGATE,				/* an aggregate */
	HOST_SOFT,					/* pg_input_is_valid(), from release 16 on */
	HOST_ROWS					/* host_rows */
} HostCaller;

extern Outcome host_call(PGFunction function, const NullableDatum *args, int nargs, HostCaller caller);

/*
 * A call from a plan, of which the FmgrInfo stays: what the function keeps in
 * fn_extra is there at the next call.  Other calls have no FmgrInfo at all.
 */
extern Outcome host_call_in_plan(FmgrInfo *plan, PGFunction function, const NullableDatum *args, int nargs);

/*
 * Calls a function that returns a set whose columns are of these types; every
 * row is checked.  Returns the number of rows in ->value.
 */
extern Outcome host_rows(PGFunction function, const NullableDatum *args, int nargs, const Oid *types, int ntypes);

/* A type of column: a float8 that may be infinite, as a bound may. */
#define HOST_BOUND InvalidOid

/* If not NULL, called with every row of a set. */
extern void (*host_each_row) (const Datum *values, const bool *nulls);

/* A set with more rows than this is broken off, as a user may do it at any time (57014). */
extern long host_rows_end;

/* And so is a call that looks for interrupts more often than this. */
extern long host_checks_end;

/* Whether too much memory is an error of the call (53200), until the input ends, or of the program. */
extern bool host_memory_ends;

/* Ends the program, loudly, unless the condition holds. */
extern void host_require(bool condition, const char *format,...) pg_attribute_printf(2, 3);

/* Before and after each input; no input may need more memory than this. */
extern void host_begin(Size most_memory);
extern void host_end(void);

/* A varlena with a long header. */
extern Datum host_varlena(const void *bytes, Size length);

/*
 * The same value as it lies in a table: with a header of one byte, at an odd
 * address, if it is short enough.
 */
extern Datum host_packed(Datum varlena);

/* The same value stored out of line, uncompressed, until the input ends. */
extern Datum host_toasted(Datum varlena);

/* A text[] of texts that end with a zero; NULL for a null. */
extern Datum host_text_array(const char *const *texts, int n);
extern Datum host_text_pairs(const char *const *texts, int n);
extern Datum host_number_array(Datum *elements, int n, Oid type);

/* A boolean[]. */
#define HOST_NULL_BOOL 2
extern Datum host_bool_array(const uint8 *values, int n);

/* A numeric[]. */
extern Datum host_numeric_array(const Datum *numerics, int n);

/* Of a zone of the host, at a time in seconds from 1970 on. */
extern long host_zone_offset(const pg_tz *zone, int64 time);

extern bool host_is_numeric(const uint8 *bytes, Size length);
extern bool host_is_utf8(const char *text, Size length);

#endif							/* HOST_H */
