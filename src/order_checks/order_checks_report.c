/*
 * order_checks_report.c
 *	  The report order_checks: one row a check.
 */
#include "order_checks/order_checks_text.h"

#include "catalog/pg_type.h"
#include "shared/arguments.h"
#include "shared/report.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define COLUMNS_HINT \
	"Name the columns in the order of the arguments of check_book: member, order_id, item, ordered_at, quantity, price, and perhaps currency."

typedef struct CheckInfo
{
	const char *name;
	bool		is_grave;		/* one row is an error */
} CheckInfo;

static const CheckInfo checks[ORDER_CHECKS] = {
	[CHECK_NO_MEMBER] = {"no_member", false},
	[CHECK_DOMINANT_MEMBER] = {"dominant_member", true},
	[CHECK_DUPLICATE_ROW] = {"duplicate_row", false},
	[CHECK_ORDER_TWO_MEMBERS] = {"order_two_members", true},
	[CHECK_ORDER_TWO_TIMES] = {"order_two_times", false},
	[CHECK_AFTER_AS_OF] = {"after_as_of", true},
	[CHECK_PLACEHOLDER_DATE] = {"placeholder_date", true},
	[CHECK_DAY_MONTH_SWAP] = {"day_month_swap", false},
	[CHECK_GAP] = {"gap", false},
	[CHECK_NEGATIVE_PRICE] = {"negative_price", true},
	[CHECK_ZERO_PRICE] = {"zero_price", false},
	[CHECK_PRICE_OUTLIER] = {"price_outlier", false},
	[CHECK_DECIMAL_SLIP] = {"decimal_slip", false},
	[CHECK_HUGE_REVERSAL] = {"huge_reversal", false},
	[CHECK_REFUND] = {"refund", false},
	[CHECK_ITEM_VARIANT] = {"item_variant", false},
	[CHECK_MEMBER_VARIANT] = {"member_variant", false},
	[CHECK_RARE_ITEM_SHAPE] = {"rare_item_shape", false},
	[CHECK_SCIENTIFIC_ID] = {"scientific_id", true},
	[CHECK_TEST_ROW] = {"test_row", false},
	[CHECK_MIXED_CURRENCY] = {"mixed_currency", true}
};

typedef struct ChecksReport
{
	CheckFindings findings;
	CheckSql	sql;
	int			next;
} ChecksReport;

/* The names of the caller's columns, quoted where SQL needs it; that of the currency, too, if rows have one. */
static CheckSql
sql_argument(FunctionCallInfo fcinfo, int argument, bool has_currencies)
{
	const char *names[CHECK_SQL_COLUMNS] = {"member", "order_id", "item", "ordered_at", "quantity", "price", "currency"};

	if (!PG_ARGISNULL(argument))
	{
		ArrayType  *columns = PG_GETARG_ARRAYTYPE_P(argument);
		Datum	   *values;
		bool	   *nulls;
		int			n;

		deconstruct_array(columns, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
		if (ARR_NDIM(columns) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("columns must be a list of names, not an array of %d dimensions", ARR_NDIM(columns)),
					 errhint(COLUMNS_HINT)));
		if (n != CHECK_SQL_COLUMNS && n != CHECK_SQL_COLUMNS - 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("columns must be a list of %d or %d names, not of %d", CHECK_SQL_COLUMNS - 1,
							CHECK_SQL_COLUMNS, n),
					 errhint(COLUMNS_HINT)));
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("columns must not contain NULL"),
						 errhint("Give a name for %s.", names[i])));
			if (VARSIZE_ANY_EXHDR(DatumGetPointer(values[i])) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("columns must not contain an empty name"),
						 errhint("Give a name for %s.", names[i])));
			names[i] = quote_identifier(TextDatumGetCString(values[i]));
		}
		if (n < CHECK_SQL_COLUMNS && has_currencies)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("columns must be a list of %d names, not of %d, for a book with currencies",
							CHECK_SQL_COLUMNS, n),
					 errhint("Name the column of the currency last.")));
	}
	return (CheckSql) {names[0], names[1], names[2], names[3], names[4], names[5], names[6]};
}

/* as_of for a book of what clocks showed: taken as it is, unless it says at which moment. */
static Timestamp
clock_argument(Zone *zone, Datum value, TimeType type)
{
	if (type == TYPE_TIMESTAMP)
		return time_check(DatumGetTimestamp(value), "as_of");
	if (type == TYPE_DATE)
		return date_clock_argument(date_check(DatumGetDateADT(value), "as_of"), "as_of");
	return zone_clock_argument(zone, zone_time_argument(zone, value, type, "as_of"), "as_of");
}

/* The variant is the type of as_of. */
static void *
open_checks(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	ChecksReport *report;
	CheckFindings *findings;
	text	   *timezone;

	if (PG_ARGISNULL(0))
		return NULL;
	argument_check_not_null(fcinfo, 2, "timezone");
	report = palloc0(sizeof(ChecksReport));
	findings = &report->findings;
	timezone = PG_GETARG_TEXT_PP(2);
	findings->zone = zone_find(VARDATA_ANY(timezone), VARSIZE_ANY_EXHDR(timezone));
	check_book_open(&findings->checks, PG_GETARG_DATUM(0));
	report->sql = sql_argument(fcinfo, 3, findings->checks.names[CHECK_CURRENCIES].count > 0);
	findings->has_as_of = !PG_ARGISNULL(1);
	if (findings->has_as_of)
	{
		if (findings->checks.reader.form == CHECK_BOOK_CLOCK)
			findings->as_of = clock_argument(findings->zone, PG_GETARG_DATUM(1), type);
		else
			findings->as_of = zone_time_argument(findings->zone, PG_GETARG_DATUM(1), type, "as_of");
	}
	order_checks_scan(findings);

	/* Days take the place of rows. */
	findings->of[CHECK_GAP].rows = findings->gaps.missing;
	return report;
}

static const char *
severity_of(const CheckFindings *findings, OrderCheck check, int64 rows, float8 share, float8 amount_share)
{
	if (check == CHECK_DAY_MONTH_SWAP && !findings->has_series)
		return "info";			/* that it cannot be told */
	if (rows == 0)
		return "ok";
	if (check == CHECK_REFUND)
		return "info";
	if (checks[check].is_grave || share >= CHECK_ERROR_SHARE ||
		amount_share >= CHECK_ERROR_SHARE || -amount_share >= CHECK_ERROR_SHARE)
		return "error";
	return "warning";
}

static int64
count_members(const CheckFindings *findings, const uint8 *bits)
{
	Size		bytes = findings->checks.names[CHECK_MEMBERS].count / 8 + 1;
	int64		n = 0;

	for (Size i = 0; i < bytes && bits != NULL; i++)
		n += __builtin_popcount(bits[i]);
	return n;
}

/* The days of the longest gap, as a text. */
static Datum
longest_gap(const CheckFindings *findings)
{
	Datum		first = DirectFunctionCall1(date_timestamp, DateADTGetDatum(findings->gaps.longest_first));
	Datum		last = DirectFunctionCall1(date_timestamp, DateADTGetDatum(findings->gaps.longest_last));
	char		days[2][TIME_TEXT_SIZE];

	time_clock_to_text(DatumGetTimestamp(first), days[0]);
	time_clock_to_text(DatumGetTimestamp(last), days[1]);
	for (int i = 0; i < 2; i++)
		*strchr(days[i], 'T') = '\0';
	return PointerGetDatum(cstring_to_text(psprintf("%s to %s", days[0], days[1])));
}

static bool
next_check(void *state, Datum *values, bool *nulls)
{
	ChecksReport *report = state;
	CheckFindings *findings = &report->findings;
	OrderCheck	check = report->next;
	const CheckFinding *finding = &findings->of[check];
	Decimal		all;
	Decimal		money;
	bytea	   *amount;
	float8		whole;
	float8		share;
	float8		amount_share = 0;
	StringInfoData text;

	if (report->next == ORDER_CHECKS)
		return false;
	report->next++;
	share = (float8) finding->rows / (float8) (check == CHECK_GAP ? Max(findings->gaps.open, 1) : findings->rows);
	all = check_money(findings, &findings->amount);
	money = check_money(findings, &finding->amount);
	whole = decimal_to_double(&all);
	if (whole != 0)
		amount_share = decimal_to_double(&money) / whole;
	values[0] = CStringGetTextDatum(checks[check].name);
	values[1] = CStringGetTextDatum(severity_of(findings, check, finding->rows, share, amount_share));
	values[2] = Int64GetDatum(finding->rows);
	values[3] = Float8GetDatum(share);
	if (check == CHECK_GAP)
		nulls[4] = nulls[5] = nulls[6] = true;
	else
	{
		amount = palloc(VARHDRSZ + DECIMAL_NUMERIC_SIZE);
		SET_VARSIZE(amount, VARHDRSZ + decimal_to_numeric(&money, (uint8 *) VARDATA(amount)));
		values[4] = PointerGetDatum(amount);
		values[5] = Float8GetDatum(amount_share);
		nulls[5] = whole == 0;
		values[6] = Int64GetDatum(count_members(findings, finding->members));
	}
	nulls[7] = finding->example.data == NULL;
	if (check == CHECK_GAP && finding->rows > 0)
	{
		values[7] = longest_gap(findings);
		nulls[7] = false;
	}
	else if (!nulls[7])
		values[7] = PointerGetDatum(cstring_to_text_with_len(finding->example.data, (int) finding->example.length));
	initStringInfo(&text);
	nulls[8] = !check_effect(findings, check, &text);
	if (!nulls[8])
		values[8] = PointerGetDatum(cstring_to_text_with_len(text.data, text.len));
	initStringInfo(&text);
	nulls[9] = !check_filter(findings, check, &report->sql, &text);
	if (!nulls[9])
		values[9] = PointerGetDatum(cstring_to_text_with_len(text.data, text.len));
	return true;
}

/* order_checks(check_book, as_of, timezone, columns): one row per check, those without rows, too. */
static Datum
order_checks(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report report = {open_checks, next_check, 10};

	return report_rows(fcinfo, &report, type);
}

AS_OF_FUNCTIONS(order_checks)
