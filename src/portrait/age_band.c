/*
 * age_band.c
 *	  Whole years of age on a day, as the name of a band such as 25-34.
 */
#include "custmart.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#define AGE_MAX 120				/* nobody known was older than 122; a date of 1900-01-01 stands for "unknown" */

static DateADT
get_date(FunctionCallInfo fcinfo, int argument, const char *name)
{
	DateADT		date = PG_GETARG_DATEADT(argument);

	if (DATE_NOT_FINITE(date))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite date, not \"%s\"", name, DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity"),
				 errhint("Use NULL for a date that is not known.")));
	return date;
}

/* The bounds: ascending ages from which a new band begins. */
static const int32 *
get_bounds(FunctionCallInfo fcinfo, int *n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);
	const int32 *bounds;

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds must be a list of one or more ages without NULL"),
				 errhint("Give the ages at which a band begins, such as ARRAY[18, 25, 35, 45, 55, 65].")));
	bounds = (const int32 *) ((char *) array + (ARR_HASNULL(array) ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(1)));
	for (int i = 0; i < *n; i++)
	{
		if (bounds[i] < 0 || bounds[i] > AGE_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds must be ages from 0 to %d, not %d", AGE_MAX, bounds[i]),
					 errhint("Give the ages at which a band begins, such as ARRAY[18, 25, 35, 45, 55, 65].")));
		if (i > 0 && bounds[i] <= bounds[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds must ascend: %d is not above %d", bounds[i], bounds[i - 1]),
					 errhint("Give the ages at which a band begins, such as ARRAY[18, 25, 35, 45, 55, 65].")));
	}
	return bounds;
}

/*
 * Age in whole years, as age() counts: who was born on 29 February is a year
 * older on 1 March of a year without one.
 */
static int
age_in_years(DateADT birth, DateADT as_of)
{
	int			birth_year;
	int			birth_month;
	int			birth_day;
	int			year;
	int			month;
	int			day;

	j2date(birth + POSTGRES_EPOCH_JDATE, &birth_year, &birth_month, &birth_day);
	j2date(as_of + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return year - birth_year - (month < birth_month || (month == birth_month && day < birth_day));
}

/* age_band(date, date, integer[]): the band, or NULL if nobody can have that age. */
CUSTMART_FUNCTION(custmart_age_band);
Datum
custmart_age_band(PG_FUNCTION_ARGS)
{
	DateADT		birth = get_date(fcinfo, 0, "birth");
	DateADT		as_of = get_date(fcinfo, 1, "as_of");
	int			n;
	const int32 *bounds = get_bounds(fcinfo, &n);
	int			age;
	int			band = 0;
	char		name[32];

	if (birth > as_of)
		PG_RETURN_NULL();
	age = age_in_years(birth, as_of);
	if (age > AGE_MAX)
		PG_RETURN_NULL();
	while (band < n && age >= bounds[band])
		band++;
	if (band == 0)
		snprintf(name, sizeof(name), "<%d", bounds[0]);
	else if (band == n)
		snprintf(name, sizeof(name), "%d+", bounds[n - 1]);
	else if (bounds[band] - bounds[band - 1] == 1)
		snprintf(name, sizeof(name), "%d", bounds[band - 1]);
	else
		snprintf(name, sizeof(name), "%d-%d", bounds[band - 1], bounds[band] - 1);
	PG_RETURN_TEXT_P(cstring_to_text(name));
}
