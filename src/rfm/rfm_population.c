/*
 * rfm_population.c
 *	  The members of a book, their limits, and the segments of one's own.
 *
 * Everything is read from the flat book; no table is built again.
 */
#include "rfm/rfm_population.h"

#include "catalog/pg_type.h"
#include "shared/large_memory.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Opens a book; its limits are chosen afterwards. */
void
rfm_open_population(Population *population, Datum book)
{
	book_open(&population->reader, book, &rfm_book_format);
	(void) rfm_book_split_tail(&population->reader, &population->tail);
	population->pool = rfm_book_load_wide(&population->tail);
}

/* ---------- limits ---------- */

/* Finds the limits of the members themselves; false if none has orders. */
bool
rfm_find_cuts(Population *population, int bins, bool per_order)
{
	uint32		count = population->reader.count;
	uint32		n = 0;
	RfmMemberCursor members;
	int64	   *last_order;
	float8	   *frequency;
	float8	   *monetary;

	last_order = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(int64));
	frequency = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(float8));
	monetary = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(float8));
	rfm_member_cursor(&members, &population->tail, count);
	for (uint32 i = 0; i < count; i++)
	{
		const RfmMember *member = rfm_next_member(&members);

		check_interrupts(i);
		if (member->frequency == 0)
			continue;
		last_order[n] = member->last_order;
		frequency[n] = member->frequency;
		monetary[n] = rfm_scored_money(member, &population->pool, per_order);
		n++;
	}
	if (n > 0)
		rfm_cuts_make(&population->cuts, bins, per_order, n, last_order, frequency, monetary);
	pfree(last_order);
	pfree(frequency);
	pfree(monetary);
	return n > 0;
}

/*
 * Takes the limits from an argument or, if it is NULL, of the members themselves;
 * the argument bins must agree.  False if there are none, because nobody has orders.
 */
bool
rfm_choose_cuts(FunctionCallInfo fcinfo, int bins_argument, int argument, const char *name, Population *population)
{
	int			bins = PG_ARGISNULL(bins_argument) ? 0 : rfm_check_bins(PG_GETARG_INT32(bins_argument));

	if (PG_ARGISNULL(argument))
	{
		population->cuts.bins = bins != 0 ? bins : RFM_BINS_DEFAULT;
		return rfm_find_cuts(population, population->cuts.bins, false);
	}
	rfm_cuts_read(PG_GETARG_DATUM(argument), &population->cuts);
	if (bins != 0 && bins != population->cuts.bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be %d, as many as %s are for, not %d", population->cuts.bins, name, bins),
				 errhint("Omit bins where %s are given.", name)));
	return true;
}

/* An argument as_of; NULL is the time of the latest row, which may be a refund. */
TimestampTz
rfm_get_as_of(FunctionCallInfo fcinfo, int argument, const char *name, const Population *population)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argument))
		return population->tail.latest;
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(argument), name);
	if (population->reader.count > 0 && population->tail.latest > as_of)
		time_too_early_error(as_of, name, population->tail.latest, "a row", false);
	return as_of;
}

/* ---------- segments ---------- */

#define NO_SEGMENT PG_UINT16_MAX

static void
segments_error(const char *message, int bins)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("Give a pair of score and name for each of the %d scores of %d bins: ARRAY(SELECT ARRAY[score::text, segment] FROM ...).",
					 bins * bins * bins, bins)));
}

/* The place of a score that is written as a text; -1 if it is none. */
static int
place_of_text(text *score, int bins)
{
	const char *digit = VARDATA_ANY(score);
	int			length = (int) VARSIZE_ANY_EXHDR(score);
	int			number = 0;

	if (length < 3 || length > 6)
		return -1;
	for (int i = 0; i < length; i++)
	{
		if (digit[i] < '0' || digit[i] > '9')
			return -1;
		number = number * 10 + (digit[i] - '0');
	}
	return digit[0] == '0' ? -1 : rfm_place_of_number(number, bins);
}

/* A score by its place, as it is written. */
static int
number_of_place(int place, int bins)
{
	RfmScore	score = {place / bins / bins + 1, place / bins % bins + 1, place % bins + 1};

	return rfm_score_number(score, bins);
}

/* Reads pairs of score and name; segments are in the order in which their names come first. */
static void
read_own_segments(ArrayType *array, int bins, Segments *segments)
{
	int			scores = bins * bins * bins;
	KeyTable	table;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if ((ARR_NDIM(array) != 2 || ARR_DIMS(array)[1] != 2) && ARR_NDIM(array) != 0)
		segments_error("segments must be a list of pairs of score and name", bins);
	if (array_contains_nulls(array))
		segments_error("segments must not have NULL in it", bins);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);

	segments->count = 0;
	segments->names = palloc(RFM_OWN_SEGMENTS_MAX * sizeof(Datum));
	segments->of_place = palloc(scores * sizeof(uint16));
	for (int i = 0; i < scores; i++)
		segments->of_place[i] = NO_SEGMENT;
	keytable_init(&table, KEY_BYTES, 0, CurrentMemoryContext);
	for (int i = 0; i < n; i += 2)
	{
		text	   *score = DatumGetTextPP(elements[i]);
		text	   *name = DatumGetTextPP(elements[i + 1]);
		int			place = place_of_text(score, bins);
		Key			key;
		uint32		segment;

		check_interrupts(i);
		if (place < 0)
			segments_error(psprintf("segments has \"%s\", which is not a score of %d bins", text_to_cstring(score), bins), bins);
		if (segments->of_place[place] != NO_SEGMENT)
			segments_error(psprintf("segments has score %d twice", number_of_place(place, bins)), bins);
		memset(&key, 0, sizeof(key));
		key.bytes.data = VARDATA_ANY(name);
		key.bytes.length = (uint32) VARSIZE_ANY_EXHDR(name);
		keytable_locate(&table, &key, 1, &segment);
		if (segment == RFM_OWN_SEGMENTS_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("segments must not have more than %d different names", RFM_OWN_SEGMENTS_MAX),
					 errhint("Several scores may have the same name.")));
		segments->of_place[place] = (uint16) segment;
		segments->names[segment] = PointerGetDatum(name);
		segments->count = (int) table.count;
	}
	keytable_clear(&table);
	for (int place = 0; place < scores; place++)
		if (segments->of_place[place] == NO_SEGMENT)
			segments_error(psprintf("segments has no name for score %d", number_of_place(place, bins)), bins);
}

/* The argument segments, for scores of so many bins; NULL: the eleven of docs/rfm.md. */
void
rfm_get_segments(FunctionCallInfo fcinfo, int argument, int bins, Segments *segments)
{
	if (!PG_ARGISNULL(argument))
	{
		read_own_segments(PG_GETARG_ARRAYTYPE_P(argument), bins, segments);
		return;
	}
	segments->count = RFM_SEGMENTS;
	segments->of_place = NULL;
	segments->names = palloc(RFM_SEGMENTS * sizeof(Datum));
	for (int i = 0; i < RFM_SEGMENTS; i++)
		segments->names[i] = CStringGetTextDatum(rfm_segment_names[i]);
}
