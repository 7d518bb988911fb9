/*
 * contact_book.c
 *	  The type contact_book: what was sent to every member and what they did, in one
 *	  scan.
 */
#include "contact/contact_book.h"

#include "mb/pg_wchar.h"
#include "shared/time_arguments.h"

#define CONTACT_BOOK_VERSION 1

static const char *contact_book_check(const uint8 *bytes, Size length);
static const char *check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits);
static const char *check_encoding(const BookReader *reader);

static const EventLayout layouts[] = {EVENTS_NAMED};

const HistoryBookFormat contact_book_format = {
	.book = {
		.type = {"contact_book", contact_book_check},
		.stored_kind = STORED_CONTACT_BOOK,
		.stored_version = CONTACT_BOOK_VERSION,
		.size_hint = "Leave out rows that are too old to matter, or make one book per slice of the members, for example WHERE hashint8(member) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid).",
		.check_encoding = check_encoding,
		.merge_tails = history_book_merge_tails,
		.filter_tail = history_book_filter_tail
	},
	.layouts = layouts,
	.forms = lengthof(layouts),
	.check_settings = check_settings,
	.name_noun = CONTACT_NAME_NOUN
};

static const BookKind contact_book_kind = HISTORY_BOOK_KIND(&contact_book_format);

static const char *
check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits)
{
	return names_check(settings, size, CONTACT_KINDS, limits);
}

static const char *
contact_book_check(const uint8 *bytes, Size length)
{
	return history_book_check(&contact_book_format, bytes, length);
}

/* Channels from outside must be text in the encoding of this database. */
static const char *
check_encoding(const BookReader *reader)
{
	HistoryReader events = {.reader = *reader};
	EventName	names[NAMES_MAX];
	int			n;

	(void) history_book_split(&events, &contact_book_format);
	n = names_list(events.settings, events.settings_size, names);
	for (int i = 0; i < n; i++)
		if (!pg_verifymbstr((const char *) names[i].bytes, (int) names[i].length, true))
			return "a channel is not text in the encoding of this database";
	return NULL;
}

/* ---------- building ---------- */

/* Adds one row to the state: argument 1 is the member, then come channel, kind and time. */
static inline Datum
contact_book_step(FunctionCallInfo fcinfo, KeyType member_type)
{
	Book	   *book = book_of_state(fcinfo, &contact_book_kind, member_type, 0);
	text	   *channel;
	ContactKind kind;
	TimestampTz time;
	uint32		number;
	Key		   *key;
	Event	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		return book_skip_row(book);
	channel = PG_GETARG_TEXT_PP(2);
	kind = contact_kind_argument(fcinfo, 3);
	time = time_check(PG_GETARG_TIMESTAMPTZ(4), "occurred_at");
	number = history_book_name(book, VARDATA_ANY(channel), VARSIZE_ANY_EXHDR(channel));
	PG_FREE_IF_COPY(channel, 2);
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	history_book_note_time(book, time);
	row->value = time;
	row->tag = event_named_tag(number, kind);
	return book_push(book);
}

/* contact_book_step_<member>(contact_book, member, channel, kind, occurred_at) */
#define CONTACT_BOOK_STEP(name, member_type) \
CUSTMART_FUNCTION(custmart_contact_book_step_##name); \
Datum \
custmart_contact_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return contact_book_step(fcinfo, member_type); \
}

CONTACT_BOOK_STEP(bigint, KEY_INT64)
CONTACT_BOOK_STEP(uuid, KEY_FIXED16)
CONTACT_BOOK_STEP(text, KEY_BYTES)

/* ---------- text, binary, counts ---------- */

BOOK_FUNCTIONS(contact_book, &contact_book_kind)
BOOK_FORGET(contact_book, &contact_book_format.book, "members")
BOOK_MEMBER_COUNT(contact_book, &contact_book_kind)
