/*
 * series.h
 *	  A summary of one member that keeps rows of him: times, periods, amounts.
 *
 * A series is an expanded object while it is built and a varlena of bytes
 * (docs/storage-format.md) when it is at rest.  This room does what all of them
 * have in common: growing, putting in order, merging, flattening, limits and
 * errors.  What a row is, and how rows are stored, is plugged in by a capability
 * through a SeriesKind.
 */
#ifndef CUSTMART_SERIES_H
#define CUSTMART_SERIES_H

#include "custmart.h"

#include "decimal.h"
#include "stored.h"
#include "utils/expandeddatum.h"

#define SERIES_SETTINGS_MAX 264

typedef struct Series Series;

typedef struct SeriesKind
{
	StoredType	type;			/* name and checker */
	Size		row_size;

	/* Puts all rows in order and melts together those that are one; sets count. */
	void		(*arrange) (Series *series);

	/* All stored bytes of an arranged series. */
	Size		(*stored_size) (const Series *series);
	void		(*store) (const Series *series, uint8 *bytes);

	/*
	 * Adds the rows, with series_append, of a stored one, which was checked, and
	 * its settings, with series_set.
	 */
	void		(*load) (Series *series, const uint8 *bytes, Size length);

	const char *settings_hint;	/* what to do about parts with different settings */
	const char *size_hint;		/* and about one that is too large */
} SeriesKind;

struct Series
{
	ExpandedObjectHeader hdr;
	const SeriesKind *kind;
	char	   *rows;			/* kind->row_size each */
	Size		count;
	Size		capacity;
	bool		is_arranged;
	DecimalPool pool;			/* of wide amounts, in the series' context */

	/* What all rows must have been made with, in the bytes in which it is stored. */
	Size		settings_size;	/* 0: not known yet */
	uint8		settings[SERIES_SETTINGS_MAX];
};

extern Series *series_make(const SeriesKind *kind, MemoryContext parent);
extern Series *series_of_state(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern bool series_set(Series *series, const void *settings, Size size);
extern void *series_append(Series *series);
extern const Series *series_open(Datum value, const SeriesKind *kind);
extern Datum series_combine(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_add(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_in(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_out(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_recv(FunctionCallInfo fcinfo, const SeriesKind *kind);

/* The functions of a type that is a series: in, out, recv, combine and add (+). */
#define SERIES_FUNCTIONS(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_in); \
Datum custmart_##type##_in(PG_FUNCTION_ARGS) { return series_in(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_out); \
Datum custmart_##type##_out(PG_FUNCTION_ARGS) { return series_out(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_recv); \
Datum custmart_##type##_recv(PG_FUNCTION_ARGS) { return series_recv(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_combine); \
Datum custmart_##type##_combine(PG_FUNCTION_ARGS) { return series_combine(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_add); \
Datum custmart_##type##_add(PG_FUNCTION_ARGS) { return series_add(fcinfo, kind); }

#endif							/* CUSTMART_SERIES_H */
