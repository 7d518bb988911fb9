-- campaign: what a campaign brought, exact sums of those who were treated and those who were not

-- @stored_type type=campaign_summary in=20 out=20 recv=20 send=1 storage=extended

COMMENT ON TYPE campaign_summary IS
	'What became of the members of a campaign, those who were treated and those who were not: how many, how many bought, exact sums of their outcomes and of the squares, and perhaps the same of their outcomes before. Made by the aggregate campaign(treated, y), merged by rollup() and +, read by campaign_results(), campaign_groups() and campaign_sample_ratios(). 30 to 100 bytes as a rule, at most 355.';

-- @merge type=campaign_summary cost=10 size=512

COMMENT ON AGGREGATE rollup(campaign_summary) IS
	'Merges summaries of different members, made on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if only some have outcomes before, 22003 for a sum of squares out of range, 54000 for more than 4294967295 members of a group.';
COMMENT ON OPERATOR + (campaign_summary, campaign_summary) IS 'Both summaries as one, as if made of all their members.';

-- Aggregates

CREATE FUNCTION campaign_step(campaign_summary, boolean, numeric) RETURNS campaign_summary
	AS 'MODULE_PATHNAME', 'custmart_campaign_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE campaign(treated boolean, y numeric) (
	SFUNC = campaign_step, STYPE = campaign_summary, SSPACE = 512,
	COMBINEFUNC = campaign_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION campaign_step(campaign_summary, boolean, numeric) IS 'Transition function of the aggregate campaign.';
COMMENT ON AGGREGATE campaign(boolean, numeric) IS
	'Adds up what became of the members of a campaign; one row = one member. treated: whether they got the offer, false = they were in the control group; y: what they did, such as the money they spent, 0 for those who bought nothing (they must be there), or 1 and 0. Who has a y other than 0 is a buyer. Rows with NULL are skipped and counted (rows_skipped); no rows: NULL. Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point, or a sum of squares times the number of members that has more than 76 digits; 54000 for more than 4294967295 members of a group.';

CREATE FUNCTION campaign_step_before(campaign_summary, boolean, numeric, numeric) RETURNS campaign_summary
	AS 'MODULE_PATHNAME', 'custmart_campaign_step_before' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE campaign(treated boolean, y numeric, y_before numeric) (
	SFUNC = campaign_step_before, STYPE = campaign_summary, SSPACE = 512,
	COMBINEFUNC = campaign_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION campaign_step_before(campaign_summary, boolean, numeric, numeric) IS 'Transition function of the aggregate campaign.';
COMMENT ON AGGREGATE campaign(boolean, numeric, numeric) IS
	'The same with what each member did before the campaign, which makes campaign_results() more precise. y_before: such as the money they spent in as long a time before anybody was chosen, 0 for those who bought nothing. It cannot be merged with a summary without outcomes before. Errors: the same.';

-- Reading a summary

CREATE FUNCTION campaign_results(summary campaign_summary, alpha double precision DEFAULT 0.05,
					OUT measure text, OUT treated bigint, OUT control bigint,
					OUT treated_mean double precision, OUT control_mean double precision,
					OUT uplift double precision, OUT uplift_low double precision, OUT uplift_high double precision,
					OUT uplift_pct double precision, OUT incremental double precision,
					OUT incremental_low double precision, OUT incremental_high double precision,
					OUT std_error double precision, OUT statistic double precision, OUT df double precision,
					OUT p_value double precision, OUT verdict text, OUT note text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_campaign_results' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 3;
CREATE FUNCTION campaign_groups(summary campaign_summary,
					OUT treated boolean, OUT members bigint, OUT buyers bigint, OUT total numeric, OUT total_before numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_campaign_groups' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 2;
CREATE FUNCTION campaign_sample_ratios(summary campaign_summary, planned_share double precision DEFAULT 0.5,
					OUT treated bigint, OUT control bigint, OUT treated_share double precision, OUT planned_share double precision,
					OUT chi_squared double precision, OUT p_value double precision, OUT is_void boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_campaign_sample_ratios' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 1;
CREATE FUNCTION campaign_group_size(control_rate double precision, treated_rate double precision,
					power double precision DEFAULT 0.8, alpha double precision DEFAULT 0.05) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_campaign_group_size' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION rows_skipped(summary campaign_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_campaign_summary_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION campaign_results(campaign_summary, double precision) IS
	'What did it bring? One row per measure: conversion, buyers per member; spend, y per member, buyers or not; with outcomes before also adjusted spend, y less what these explain of it (CUPED, Deng and others 2013). treated, control: members; treated_mean, control_mean: the measure; uplift: their difference; uplift_low, uplift_high: its interval at level 1 - alpha, of a conversion by Newcombe (1998), else by Welch (1947); uplift_pct: in percent of control_mean; incremental: uplift times members treated, that is buyers or money that would not be there otherwise, with its interval; std_error: of uplift, of a conversion if there is none; statistic: z of a conversion, else t; df: of t; p_value: two-sided. verdict: uplift, loss, not shown, or not comparable where a group is empty; for spend it also takes the test with one variance of both groups. note: what is in the way of an answer, or NULL. Without a control group all but counts and means is NULL, and note says so. A NULL summary gives no rows. Errors: 22023 if alpha is not above 0 and below 1, 22004 if it is NULL.';
COMMENT ON FUNCTION campaign_groups(campaign_summary) IS
	'What was added up: one row for those who were treated, then one for those who were not. members; buyers: those whose y is not 0; total: sum of y, equal to sum(y) to the last digit; total_before: that of y_before, NULL without.';
COMMENT ON FUNCTION campaign_sample_ratios(campaign_summary, double precision) IS
	'Are the groups as large as planned? One row; ask before anything else. planned_share: the share of members who were to be treated, above 0 and below 1; treated_share: that of those who were; chi_squared, with 1 degree of freedom, and p_value: of a difference by chance; is_void: p_value is below 0.001, so members were lost or added on one side, and no comparison of the groups says anything. Without members the last are NULL. Errors: 22023 for a share out of range, 22004 for NULL.';
COMMENT ON FUNCTION campaign_group_size(double precision, double precision, double precision, double precision) IS
	'How many members must each of two groups have? control_rate: the conversion without the campaign; treated_rate: the one that is worth finding; power: how probable it should be to find it; alpha: level of the test, two-sided. All are shares, above 0 and below 1. Errors: 22023 for a share out of range or equal rates, 22004 for NULL.';
COMMENT ON FUNCTION rows_skipped(campaign_summary) IS 'Number of rows left out because an argument was NULL.';

-- @comparison type=campaign_summary equality="Two summaries are equal if they hold the same sums, decimals included, and skipped as many rows, that is, if and only if their stored bytes are equal."
