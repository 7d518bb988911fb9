/*
 * pricebook_report.c
 *	  Opens a pricebook for a report and walks through it; money as a result.
 */
#include "pricebook/pricebook_report.h"

#include "shared/arguments.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* In error messages a group is truncated after this many bytes, a list after this many groups. */
#define NAME_SHOWN 60
#define NAMES_SHOWN 10

/* The first few groups of the book, for a message. */
static char *
list_groups(const PriceReport *report)
{
	StringInfoData list;

	initStringInfo(&list);
	for (uint32 i = 0; i < report->prices.group_count; i++)
	{
		char	   *name = TextDatumGetCString(report->groups[i]);

		if (i == NAMES_SHOWN)
		{
			appendStringInfo(&list, " and %u more", report->prices.group_count - i);
			break;
		}
		appendStringInfo(&list, "%s\"%.*s\"", i == 0 ? "" : ", ",
						 pg_mbcliplen(name, (int) strlen(name), NAME_SHOWN), name);
	}
	return list.data;
}

/*
 * Opens the book, argument `argument`, and looks for the group that the next
 * argument names.  False if the book has no prices at all.
 */
bool
price_report_open(PriceReport *report, FunctionCallInfo fcinfo, int argument)
{
	const uint8 *name;
	text	   *reference = PG_ARGISNULL(argument + 1) ? NULL : PG_GETARG_TEXT_PP(argument + 1);

	memset(report, 0, sizeof(*report));
	pricebook_open(&report->prices, PG_GETARG_DATUM(argument));
	if (report->prices.group_count == 0)
	{
		argument_check_not_null(fcinfo, argument + 1, "reference");
		return false;
	}

	report->context = CurrentMemoryContext;
	report->pool = pricebook_load_wide(&report->prices);
	report->groups = large_alloc(CurrentMemoryContext,
											report->prices.group_count * sizeof(Datum));
	report->reference = report->prices.group_count;
	name = report->prices.group_bytes;
	for (uint32 i = 0; i < report->prices.group_count; i++)
	{
		uint32		length = load_u32(report->prices.group_lengths + (Size) i * 4);

		check_interrupts(i);
		report->groups[i] = PointerGetDatum(cstring_to_text_with_len((const char *) name, (int) length));
		if (reference != NULL && length == VARSIZE_ANY_EXHDR(reference) &&
			memcmp(name, VARDATA_ANY(reference), length) == 0)
			report->reference = i;
		name += length;
	}
	if (reference == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("reference must not be NULL"),
				 errhint("Name the group that the others are compared with, one of %s.", list_groups(report))));
	if (report->reference == report->prices.group_count)
	{
		char	   *asked = text_to_cstring(reference);

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("reference \"%.*s\" is not a group of this pricebook",
						pg_mbcliplen(asked, (int) strlen(asked), NAME_SHOWN), asked),
				 errhint("Its groups are %s.", list_groups(report))));
	}
	return true;
}

/* Reads what the folds of the members paid for the next item. */
static void
load_folds(PriceReport *report, uint32 item)
{
	report->nfolds = load_u32(report->prices.item_folds + (Size) item * 4);
	if (report->nfolds > report->folds_room)
	{
		if (report->folds != NULL)
			pfree(report->folds);
		report->folds_room = report->nfolds;
		report->folds = large_alloc(report->context, report->folds_room * sizeof(PriceFold));
	}
	for (uint32 i = 0; i < report->nfolds; i++)
	{
		check_interrupts(i);
		report->folds[i] = pricebook_get_fold(&report->prices, report->next_fold++);
	}
}

/* Advances to the next item. */
void
price_report_load_item(PriceReport *report, uint32 item)
{
	if (pricebook_has_members(report->prices.reader.form))
		load_folds(report, item);
	report->npoints = load_u32(report->prices.item_rows + (Size) item * 4);
	if (report->npoints > report->room)
	{
		if (report->points != NULL)
			pfree(report->points);
		report->room = report->npoints;
		report->points = large_alloc(report->context, report->room * sizeof(PricePoint));
	}
	for (uint32 i = 0; i < report->npoints; i++)
	{
		check_interrupts(i);
		report->points[i] = pricebook_get_row(&report->prices, report->next_row++);
	}
}

/* Finds the reference's points among those of a cell; false if there are none. */
bool
price_report_find_reference(const PriceReport *report, uint32 begin, uint32 end, uint32 *first, uint32 *npoints)
{
	while (begin < end && report->points[begin].group < report->reference)
		begin++;
	if (begin == end || report->points[begin].group != report->reference)
		return false;
	*first = begin;
	*npoints = price_report_end_of_group(report, begin) - begin;
	return true;
}

/* A sum of money with the decimals with which prices were given, or more if it has more. */
Datum
price_report_money_datum(const Decimal *money, const PriceReport *report)
{
	Decimal		d = *money;
	NumericBuffer *buffer = palloc(sizeof(NumericBuffer));
	Size		size;

	if (!decimal_set_scale(&d, report->prices.decimals))
		d = *money;
	size = decimal_to_numeric(&d, (uint8 *) VARDATA(buffer->bytes));
	SET_VARSIZE(buffer->bytes, VARHDRSZ + size);
	return PointerGetDatum(buffer->bytes);
}

/* The same for a packed one. */
Datum
price_report_packed_datum(int64 packed, const PriceReport *report)
{
	Decimal		d = decimal_unpack(packed, &report->pool);

	return price_report_money_datum(&d, report);
}

void
price_raise_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("sums of prices and quantities need more than 76 digits"),
			 errhint("Exclude prices or quantities that are mistakes, or round them.")));
}
