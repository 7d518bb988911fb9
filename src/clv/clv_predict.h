/*
 * clv_predict.h
 *	  What a fitted model expects of members.
 *
 * What a member who is active will order depends on the repeats and the age only,
 * so callers who predict for many members can keep it: expected orders are that
 * times p_alive.
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

/* Of a new member, on the day of the first order. */
extern float8 clv_new_orders(const ClvParameters *parameters, float8 days);
extern float8 clv_new_discounted(const ClvParameters *parameters, float8 days, float8 discount);
extern void clv_new_order_chances(const ClvParameters *parameters, float8 days, int n, float8 *chance);

#endif							/* CUSTMART_CLV_PREDICT_H */
