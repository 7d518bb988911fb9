/*
 * clv_model.h
 *	  The type clv_model, and arguments that functions of models share.
 */
#ifndef CUSTMART_CLV_MODEL_H
#define CUSTMART_CLV_MODEL_H

#include "custmart.h"

#include "clv/clv_format.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* What is predicted, and how it is valued. */
typedef struct ClvTerms
{
	float8		days;
	float8		discount;		/* a day */
	float8		margin;
} ClvTerms;

extern Datum clv_model_datum(const ClvFitted *fitted);
extern void clv_model_get(Datum value, ClvFitted *fitted);
extern Datum clv_warnings_datum(uint32 warnings);
extern Datum clv_warnings_text(uint32 warnings);
extern const char *clv_choice_name(ClvChoice choice);

extern ClvChoice clv_choice_argument(FunctionCallInfo fcinfo, int argument);
extern float8 clv_penalty_argument(FunctionCallInfo fcinfo, int argument);
extern float8 clv_discount_argument(FunctionCallInfo fcinfo, int argument);
extern float8 clv_margin_argument(FunctionCallInfo fcinfo, int argument);
extern float8 clv_horizon_days(const Interval *horizon, bool has_day, DateADT day);
extern void clv_check_endless(const ClvParameters *orders, float8 days, float8 discount);
extern void clv_raise_row(ClvRowStatus status, int64 repeats, float8 last_age, float8 age);
extern float8 clv_finite(float8 result);

#endif							/* CUSTMART_CLV_MODEL_H */
