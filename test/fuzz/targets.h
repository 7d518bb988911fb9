/*
 * targets.h
 *	  What the files of targets share.
 *
 * targets.c has the program and the targets of rfm, targets_audience.c those of
 * audience_book, targets_basket.c those of basket_book, targets_behaviour.c those of all else that keeps events of
 * members, targets_campaign.c those of campaign, targets_clv.c those of clv,
 * targets_contact.c those of contact, targets_funnel.c levels of funnels by the
 * definition, targets_interaction.c those of interaction_book and
 * interaction_stage, targets_order_checks.c those of check_book,
 * targets_preference.c those of preference_book, targets_price.c those of
 * pricebook, price_check and price_slope, targets_tag.c those of tagbloom and
 * tagquery.  What several of them do is in targets_values.c.
 */
#ifndef TARGETS_H
#define TARGETS_H

#include "host.h"

#include <math.h>

#define FUNCTION(name) extern Datum name(PG_FUNCTION_ARGS)

FUNCTION(custmart_stored_send);
FUNCTION(custmart_stored_eq);
FUNCTION(custmart_stored_lt);
FUNCTION(custmart_stored_cmp);
FUNCTION(custmart_stored_hash);
FUNCTION(custmart_stored_hash_extended);

/* The input, read piece by piece; zeros when it is used up. */
typedef struct Input
{
	const uint8 *at;
	const uint8 *end;
} Input;

extern uint8 take_byte(Input *input);
extern uint64 take_number(Input *input, int bytes);
extern Size left(const Input *input);

/* A type with all its ways in and out. */
typedef struct Type
{
	const char *name;
	PGFunction	in;
	PGFunction	out;
	PGFunction	recv;
	PGFunction	eq;
	PGFunction	lt;
	PGFunction	cmp;
	PGFunction	hash;
	PGFunction	hash_extended;
} Type;

extern bool same_bytes(Datum a, Datum b);
extern char *base64(const char *type, const void *bytes, Size length);
extern bool is_limit(const Outcome *outcome);
extern Datum flat(Datum book);
extern Datum must(Outcome outcome, const char *what);
extern void check_round_trips(const Type *type, Datum value);
extern struct varlena *from_binary(const Type *type, const void *bytes, Size length);
extern struct varlena *from_text(const Type *type, const void *bytes, Size length);

extern void seed(const void *bytes, Size length);
extern void seed_text(const char *text);
extern void seed_values(const Type *type, const char *const *texts, int n, bool binary);

/* targets_values.c */

/*
 * A type whose values are merged and made of rows, which are a few bytes each.  There
 * may be several kinds of rows, or of steps that take them, which are numbered.
 */
typedef struct Made
{
	const Type *type;
	PGFunction	add;
	PGFunction	combine;
	PGFunction	rows_skipped;	/* or NULL */
	void		(*use) (Datum value);
	int			row_size;
	Outcome		(*add_row) (NullableDatum state, const void *row, int kind);
	void		(*seed_row) (void *row, int i, int pattern);
	int			first_kind;
	int			kinds;
	bool		may_fail;		/* numbers of rows may be too large for their sums */
	void		(*expect) (const void *rows, int n);	/* the value used next is of these rows; none: of any; or NULL */
} Made;

extern NullableDatum number_argument(const char *text);
extern int64 count_rows(PGFunction report, const NullableDatum *args, int nargs, const Oid *columns, int ncolumns,
						void (*check) (const Datum *values, const bool *nulls));
extern Datum merge_values(PGFunction add, PGFunction combine, Datum a, Datum b);
extern struct varlena *receive_both(const Type *type, Input *input);
extern struct varlena *forge(const Type *type, Datum value, const uint32 *change, int changes);
extern void seed_value(const Type *type, Datum value, bool binary);
extern void target_made_recv(const Made *made, Input *input);
extern void target_made_in(const Made *made, Input *input);
extern void target_made_rows(const Made *made, int kind, Input *input);
extern void seeds_made(const Made *made, bool binary);
extern void seeds_made_rows(const Made *made);

#define COUNT_ROWS(report, args, columns, check) count_rows(report, args, lengthof(args), columns, lengthof(columns), check)

/* The targets in and recv of such a type, and their seeds. */
#define MADE_TARGETS(name, made) \
void target_##name##_in(Input *input) { target_made_in(made, input); } \
void target_##name##_recv(Input *input) { target_made_recv(made, input); } \
void seeds_##name##_in(void) { seeds_made(made, false); } \
void seeds_##name##_recv(void) { seeds_made(made, true); }

/* targets_behaviour.c */
extern void target_activity_in(Input *input);
extern void target_activity_recv(Input *input);
extern void target_activity_forged(Input *input);
extern void target_retention_book_in(Input *input);
extern void target_retention_book_recv(Input *input);
extern void target_retention_book_forged(Input *input);
extern void target_funnel_in(Input *input);
extern void target_funnel_recv(Input *input);
extern void target_funnel_forged(Input *input);
extern void target_funnel_book_in(Input *input);
extern void target_funnel_book_recv(Input *input);
extern void target_funnel_book_forged(Input *input);
extern void target_session_book_in(Input *input);
extern void target_session_book_recv(Input *input);
extern void target_session_book_forged(Input *input);
extern void target_spend_in(Input *input);
extern void target_spend_recv(Input *input);
extern void target_spend_forged(Input *input);
extern void target_points_in(Input *input);
extern void target_points_recv(Input *input);
extern void target_points_forged(Input *input);
extern void target_interaction_book_forged(Input *input);
extern void target_zone(Input *input);
extern void seeds_activity_in(void);
extern void seeds_activity_recv(void);
extern void seeds_activity_forged(void);
extern void seeds_retention_book_in(void);
extern void seeds_retention_book_recv(void);
extern void seeds_retention_book_forged(void);
extern void seeds_funnel_in(void);
extern void seeds_funnel_recv(void);
extern void seeds_funnel_forged(void);
extern void seeds_funnel_book_in(void);
extern void seeds_funnel_book_recv(void);
extern void seeds_funnel_book_forged(void);
extern void seeds_session_book_in(void);
extern void seeds_session_book_recv(void);
extern void seeds_session_book_forged(void);
extern void seeds_spend_in(void);
extern void seeds_spend_recv(void);
extern void seeds_spend_forged(void);
extern void seeds_points_in(void);
extern void seeds_points_recv(void);
extern void seeds_points_forged(void);
extern void seeds_interaction_book_forged(void);
extern void seeds_zone(void);

/* targets_price.c */
extern void target_pricebook_in(Input *input);
extern void target_pricebook_recv(Input *input);
extern void target_pricebook_rows(Input *input);
extern void target_pricebook_forged(Input *input);
extern void target_price_check(Input *input);
extern void target_price_slope_in(Input *input);
extern void target_price_slope_recv(Input *input);
extern void target_price_slope_forged(Input *input);
extern void seeds_pricebook_in(void);
extern void seeds_pricebook_recv(void);
extern void seeds_pricebook_rows(void);
extern void seeds_pricebook_forged(void);
extern void seeds_price_check(void);
extern void seeds_price_slope_in(void);
extern void seeds_price_slope_recv(void);
extern void seeds_price_slope_forged(void);

/* targets_tag.c */
extern void target_tagbloom_in(Input *input);
extern void target_tagbloom_recv(Input *input);
extern void target_tagbloom_sets(Input *input);
extern void target_tagbloom_state(Input *input);
extern void target_tagquery_in(Input *input);
extern void target_tagquery_recv(Input *input);
extern void seeds_tagbloom_in(void);
extern void seeds_tagbloom_recv(void);
extern void seeds_tagbloom_sets(void);
extern void seeds_tagbloom_state(void);
extern void seeds_tagquery_in(void);
extern void seeds_tagquery_recv(void);

/* targets_funnel.c */
extern void target_funnel_rows(Input *input);
extern void target_funnel_mode(Input *input);
extern void target_funnel_rules(Input *input);
extern void seeds_funnel_rows(void);
extern void seeds_funnel_mode(void);
extern void seeds_funnel_rules(void);

/* targets_clv.c */
extern void target_clv_model_in(Input *input);
extern void target_clv_model_recv(Input *input);
extern void target_clv_model_forged(Input *input);
extern void target_clv_fit_final(Input *input);
extern void target_clv_rows(Input *input);
extern void target_clv_book(Input *input);
extern void seeds_clv_model_in(void);
extern void seeds_clv_model_recv(void);
extern void seeds_clv_model_forged(void);
extern void seeds_clv_fit_final(void);
extern void seeds_clv_rows(void);
extern void seeds_clv_book(void);

/* targets_interaction.c */
extern void target_interaction_book_in(Input *input);
extern void target_interaction_book_recv(Input *input);
extern void target_interaction_book_rows(Input *input);
extern void target_interaction_stage_state(Input *input);
extern void seeds_interaction_book_in(void);
extern void seeds_interaction_book_recv(void);
extern void seeds_interaction_book_rows(void);
extern void seeds_interaction_stage_state(void);

/* targets_campaign.c */
extern void target_campaign_in(Input *input);
extern void target_campaign_recv(Input *input);
extern void target_campaign_book_in(Input *input);
extern void target_campaign_book_recv(Input *input);
extern void target_campaign_rows(Input *input);
extern void seeds_campaign_in(void);
extern void seeds_campaign_recv(void);
extern void seeds_campaign_book_in(void);
extern void seeds_campaign_book_recv(void);
extern void seeds_campaign_rows(void);

/* targets_audience.c */
extern void target_audience_book_in(Input *input);
extern void target_audience_book_recv(Input *input);
extern void target_audience_book_rows(Input *input);
extern void seeds_audience_book_in(void);
extern void seeds_audience_book_recv(void);
extern void seeds_audience_book_rows(void);

/* targets_basket.c */
extern void target_basket_book_in(Input *input);
extern void target_basket_book_recv(Input *input);
extern void target_basket_book_rows(Input *input);
extern void seeds_basket_book_in(void);
extern void seeds_basket_book_recv(void);
extern void seeds_basket_book_rows(void);

/* targets_preference.c */
extern void target_preference_book_in(Input *input);
extern void target_preference_book_recv(Input *input);
extern void target_preference_book_rows(Input *input);
extern void seeds_preference_book_in(void);
extern void seeds_preference_book_recv(void);
extern void seeds_preference_book_rows(void);

/* targets_order_checks.c */
extern void target_check_book_in(Input *input);
extern void target_check_book_recv(Input *input);
extern void target_check_book_rows(Input *input);
extern void seeds_check_book_in(void);
extern void seeds_check_book_recv(void);
extern void seeds_check_book_rows(void);

/* targets_contact.c */
extern void target_contact_book_in(Input *input);
extern void target_contact_book_recv(Input *input);
extern void target_contact_trail_in(Input *input);
extern void target_contact_trail_recv(Input *input);
extern void target_contact_rows(Input *input);
extern void seeds_contact_book_in(void);
extern void seeds_contact_book_recv(void);
extern void seeds_contact_trail_in(void);
extern void seeds_contact_trail_recv(void);
extern void seeds_contact_rows(void);

#endif							/* TARGETS_H */
