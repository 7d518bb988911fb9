/*
 * history_format.h
 *	  The stored form of what one member did: the same bytes for every type.
 *
 * A value is its kind, its version, settings and events (docs/storage-format.md).
 * A capability says which kind and layout it is, and what its settings may be.
 * Books keep settings once and the events of each member in the same form.
 */
#ifndef CUSTMART_HISTORY_FORMAT_H
#define CUSTMART_HISTORY_FORMAT_H

#include "history/history_core.h"
#include "history/history_names.h"
#include "shared/stored_kind.h"

#define HISTORY_SETTINGS_MAX NAMES_SIZE_MAX

typedef struct HistoryFormat
{
	StoredKind	kind;
	uint8		version;
	EventLayout layout;			/* of events in memory; names_layout tells how named ones are stored */

	/* What is wrong with stored settings, or NULL and what they allow.  NULL: there are none. */
	const char *(*check_settings) (const uint8 *settings, Size size, EventLimits *limits);
} HistoryFormat;

/* A checked value, taken apart. */
typedef struct StoredHistory
{
	const uint8 *settings;
	Size		settings_size;
	const uint8 *events;
	const uint8 *end;
	Size		count;			/* of events */
} StoredHistory;

extern Size history_stored_size(const HistoryFormat *format, const uint8 *settings, Size settings_size,
								const Event *events, Size n);
extern void history_store(const HistoryFormat *format, const uint8 *settings, Size settings_size,
						  const Event *events, Size n, const DecimalPool *pool, uint8 *bytes);
extern const char *history_check(const HistoryFormat *format, const uint8 *bytes, Size length);
extern StoredHistory history_read(const uint8 *bytes, Size length);

extern uint8 *history_store_settings(const uint8 *settings, Size size, uint8 *bytes);
extern bool history_read_settings(const uint8 **bytes, const uint8 *end,
								  const uint8 **settings, Size *size);
extern const char *history_check_events(const uint8 **bytes, const uint8 *end, EventLayout layout,
										EventLimits *limits, int64 *last);

#endif							/* CUSTMART_HISTORY_FORMAT_H */
