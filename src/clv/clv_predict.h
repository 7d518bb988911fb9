/*
 * clv_predict.h
 *	  What a fitted model expects of members.
 *
 * What a member who is active will order depends on the repeats and the age only;
 * expected orders are that times p_alive.
 */
#ifndef CUSTMART_CLV_PREDICT_H
#define CUSTMART_CLV_PREDICT_H

#include "clv/clv_likelihood.h"

typedef struct ClvParameters
{
	ClvModel	model;
	float8		value[CLV_MATRIX_MAX];
} ClvParameters;

/* Of a member, at age. */
extern float8 clv_p_alive(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age);
extern float8 clv_p_order(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age, float8 days);
extern float8 clv_expected_orders(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age, float8 days);
extern float8 clv_discounted_orders(const ClvParameters *parameters, uint32 repeats, float8 last_age, float8 age,
									float8 days, float8 discount);

/* The same of one who is active. */
extern float8 clv_orders_if_alive(const ClvParameters *parameters, uint32 repeats, float8 age, float8 days);
extern float8 clv_discounted_if_alive(const ClvParameters *parameters, uint32 repeats, float8 age, float8 days, float8 discount);

/*
 * The same for all members of a table, who have the same days before them.  Many have
 * the same repeats and age, so what was computed for others is kept: of those whose
 * place is in the same bucket, as much as there is room for.
 */
#define CLV_FORECAST_BUCKET 4
#define CLV_FORECAST_SLOTS 131072

typedef struct ClvForecastSlot
{
	float8		age;
	uint32		repeats;
	bool		is_used;
	float8		orders;
	float8		discounted;
} ClvForecastSlot;

typedef struct ClvForecast
{
	ClvParameters parameters;
	float8		days;
	float8		discount;
	Size		buckets;		/* a power of two */
	ClvForecastSlot *slot;
} ClvForecast;

extern void clv_forecast_init(ClvForecast *forecast, const ClvParameters *parameters, float8 days, float8 discount,
							  float8 members);
extern void clv_forecast_free(ClvForecast *forecast);
extern void clv_forecast_if_alive(ClvForecast *forecast, uint32 repeats, float8 age, float8 *orders, float8 *discounted);

/* Of a new member, on the day of the first order. */
extern float8 clv_new_orders(const ClvParameters *parameters, float8 days);
extern float8 clv_new_discounted(const ClvParameters *parameters, float8 days, float8 discount);
extern void clv_new_order_chances(const ClvParameters *parameters, float8 days, int n, float8 *chance);

#endif							/* CUSTMART_CLV_PREDICT_H */
