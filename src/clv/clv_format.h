/*
 * clv_format.h
 *	  A fitted model and its stored form, which docs/storage-format.md specifies.
 */
#ifndef CUSTMART_CLV_FORMAT_H
#define CUSTMART_CLV_FORMAT_H

#include "clv/clv_fit.h"
#include "clv/clv_predict.h"
#include "clv/clv_spend.h"

/* Warnings, besides those of a fit; the numbers are stored. */
#define CLV_SEASONAL					0x20
#define CLV_SPEND_DEPENDS_ON_FREQUENCY	0x40
#define CLV_SPEND_MEAN_UNDEFINED		0x80
#define CLV_SPEND_LEFT_OUT				0x100
#define CLV_STORED_WARNINGS				0x1FF

/* These depend on what is predicted, and are not stored. */
#define CLV_HOLDOUT_BIAS				0x200
#define CLV_HORIZON_LONG				0x400
#define CLV_WARNINGS 11

/* What was asked for.  The numbers are stored, as are those of ClvModel. */
typedef enum ClvChoice
{
	CLV_ASK_BG = CLV_BG,
	CLV_ASK_MBG = CLV_MBG,
	CLV_ASK_PARETO = CLV_PARETO,
	CLV_ASK_BEST
} ClvChoice;

/* A horizon is long if it is so many times the longest age. */
#define CLV_AGES_AHEAD 2

typedef struct ClvFitted
{
	ClvParameters orders;
	ClvChoice	asked;
	uint32		warnings;
	int64		members;
	int64		repeaters;
	int64		repeats;
	float8		max_age;
	float8		penalty;
	float8		log_likelihood;
	float8		nbd_log_likelihood;
	bool		has_covariance;
	ClvMatrix	covariance;

	int64		spend_members;	/* in the fit of spend; 0: there is none */
	int64		spend_left_out; /* members with repeats but not with money above 0 */
	float8		spend_log_likelihood;
	float8		spend[CLV_SPEND_PARAMETERS];
	bool		has_correlation;
	float8		correlation;	/* of mean spend and repeats */
	bool		has_spend_covariance;
	ClvMatrix	spend_covariance;

	/* Of a model made of a book; without a zone there is no day. */
	int32		until;
	uint32		zone_size;
	char		zone[256];
} ClvFitted;

/* The most bytes that one takes. */
#define CLV_STORED_MAX 600

extern Size clv_store(const ClvFitted *fitted, uint8 *bytes);
extern const char *clv_check_stored(const uint8 *bytes, Size length);
extern void clv_load(const uint8 *bytes, ClvFitted *fitted);

#endif							/* CUSTMART_CLV_FORMAT_H */
