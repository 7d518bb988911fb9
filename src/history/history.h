/*
 * history.h
 *	  A summary of one member that keeps rows of him: times, periods, amounts.
 *
 * A history is an expanded object while it is built and a varlena of bytes
 * (docs/storage-format.md) when it is at rest.  This room does what all of them
 * have in common: growing, putting in order, merging, flattening, limits and
 * errors.  What a row is, and how rows are stored, is plugged in by a capability
 * through a HistoryKind.
 */
#ifndef CUSTMART_HISTORY_H
#define CUSTMART_HISTORY_H

#include "custmart.h"

#include "money/decimal.h"
#include "shared/aggregate.h"
#include "shared/stored_value.h"
#include "utils/expandeddatum.h"

#define HISTORY_SETTINGS_MAX 264

typedef struct History History;

typedef struct HistoryKind
{
	StoredType	type;			/* name and checker */
	Size		row_size;
	bool		keeps_all;		/* no two rows are one: putting them in order does not make room */

	/* Puts all rows in order and melts together those that are one; sets count. */
	void		(*arrange) (History *history);

	/* All stored bytes of an arranged history. */
	Size		(*stored_size) (const History *history);
	void		(*store) (const History *history, uint8 *bytes);

	/*
	 * Adds the settings of a stored one, which was checked, with history_set (its
	 * result need not be looked at), and then its rows with history_append or
	 * history_append_rows.
	 */
	void		(*load) (History *history, const uint8 *bytes, Size length);

	const char *settings_hint;	/* what to do about parts with different settings */
	const char *size_hint;		/* and about one that is too large */
} HistoryKind;

struct History
{
	ExpandedObjectHeader hdr;
	const HistoryKind *kind;
	char	   *rows;			/* kind->row_size each */
	Size		count;
	Size		capacity;
	bool		is_arranged;
	bool		is_broken;		/* something is being merged, or could not be */
	DecimalPool pool;			/* of wide amounts, in the history's context */

	/* What all rows must have been made with, in the bytes in which it is stored. */
	Size		settings_size;	/* 0: not known yet */
	uint8	   *settings;
};

extern const ExpandedObjectMethods history_methods;
extern History *history_make(const HistoryKind *kind, MemoryContext parent);
extern History *history_of_other_state(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern bool history_set(History *history, const void *settings, Size size);
extern void history_reserve(History *history, Size n);
extern const History *history_open(Datum value, const HistoryKind *kind);
extern Datum history_combine(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_add(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_in(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_out(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_recv(FunctionCallInfo fcinfo, const HistoryKind *kind);

/*
 * The state of an aggregate, argument 0 of its transition function: the history
 * being built, at every row but the first, or a new one.
 */
static inline History *
history_of_state(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	History	   *history = (History *) aggregate_expanded_state(fcinfo, &history_methods);

	if (likely(history != NULL && history->kind == kind && !history->is_broken))
		return history;
	return history_of_other_state(fcinfo, kind);
}

/*
 * Room for n more rows, one after the other; they count from now on, so fill
 * them in before anything else can fail.
 */
static inline void *
history_append_rows(History *history, Size n)
{
	void	   *rows;

	if (unlikely(n > history->capacity - history->count))
		history_reserve(history, n);
	rows = history->rows + history->count * history->kind->row_size;
	history->count += n;
	history->is_arranged = false;
	return rows;
}

static inline void *
history_append(History *history)
{
	return history_append_rows(history, 1);
}

/* The functions of a type that is a history: in, out, recv, combine and add (+). */
#define HISTORY_FUNCTIONS(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_in); \
Datum custmart_##type##_in(PG_FUNCTION_ARGS) { return history_in(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_out); \
Datum custmart_##type##_out(PG_FUNCTION_ARGS) { return history_out(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_recv); \
Datum custmart_##type##_recv(PG_FUNCTION_ARGS) { return history_recv(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_combine); \
Datum custmart_##type##_combine(PG_FUNCTION_ARGS) { return history_combine(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_add); \
Datum custmart_##type##_add(PG_FUNCTION_ARGS) { return history_add(fcinfo, kind); }

#endif							/* CUSTMART_HISTORY_H */
