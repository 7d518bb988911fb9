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
	bool		keeps_all;		/* no two rows are one: putting them in order does not make room */

	/* Puts all rows in order and melts together those that are one; sets count. */
	void		(*arrange) (Series *series);

	/* All stored bytes of an arranged series. */
	Size		(*stored_size) (const Series *series);
	void		(*store) (const Series *series, uint8 *bytes);

	/*
	 * Adds the settings of a stored one, which was checked, with series_set (its
	 * result need not be looked at), and then its rows with series_append or
	 * series_append_rows.
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
	bool		is_broken;		/* something is being merged, or could not be */
	DecimalPool pool;			/* of wide amounts, in the series' context */

	/* What all rows must have been made with, in the bytes in which it is stored. */
	Size		settings_size;	/* 0: not known yet */
	uint8	   *settings;
};

extern const ExpandedObjectMethods series_methods;
extern Series *series_make(const SeriesKind *kind, MemoryContext parent);
extern Series *series_of_other_state(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_same_state(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern bool series_set(Series *series, const void *settings, Size size);
extern void series_reserve(Series *series, Size n);
extern const Series *series_open(Datum value, const SeriesKind *kind);
extern Datum series_combine(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_add(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_in(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_out(FunctionCallInfo fcinfo, const SeriesKind *kind);
extern Datum series_recv(FunctionCallInfo fcinfo, const SeriesKind *kind);

/*
 * The state of an aggregate, argument 0 of its transition function: the series
 * being built, at every row but the first, or a new one.
 */
static inline Series *
series_of_state(FunctionCallInfo fcinfo, const SeriesKind *kind)
{
	if (likely(!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)) &&
			   AggCheckCallContext(fcinfo, NULL)))
	{
		Series	   *series = (Series *) DatumGetEOHP(PG_GETARG_DATUM(0));

		if (likely(series->hdr.eoh_methods == &series_methods && series->kind == kind &&
				   !series->is_broken))
			return series;
	}
	return series_of_other_state(fcinfo, kind);
}

/*
 * Room for n more rows, one after the other; they count from now on, so fill
 * them in before anything else can fail.
 */
static inline void *
series_append_rows(Series *series, Size n)
{
	void	   *rows;

	if (unlikely(n > series->capacity - series->count))
		series_reserve(series, n);
	rows = series->rows + series->count * series->kind->row_size;
	series->count += n;
	series->is_arranged = false;
	return rows;
}

static inline void *
series_append(Series *series)
{
	return series_append_rows(series, 1);
}

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
