-- clv: will members come back, how often, and for how much

-- @stored_type type=clv_model in=50 out=50 recv=50 send=1 storage=extended

COMMENT ON TYPE clv_model IS
	'A fitted model of repeat orders, and of the money of an order: parameters with their covariance, likelihoods, counts, warnings, and the day and time zone of the book it was made of. Made by clv_fit(), read by clv_parameters(), clv_details(), warnings() and is_reliable(), used by clv_members(), p_alive(), expected_orders() and others. Store it to fit once a month and score every night. At most 539 bytes.';

-- Fitting

CREATE FUNCTION clv_fit(book retention_book, model text DEFAULT 'mbg/nbd', until date DEFAULT NULL, penalty double precision DEFAULT 0) RETURNS clv_model
	AS 'MODULE_PATHNAME', 'custmart_clv_fit' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;

CREATE FUNCTION clv_fit_step(bigint[], bigint, double precision, double precision, numeric, text) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_clv_fit_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION clv_fit_combine(bigint[], bigint[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_clv_fit_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION clv_fit_final(bigint[]) RETURNS clv_model
	AS 'MODULE_PATHNAME', 'custmart_clv_fit_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
CREATE AGGREGATE clv_fit(repeats bigint, last_age double precision, age double precision, mean_spend numeric, model text) (
	SFUNC = clv_fit_step, STYPE = bigint[], SSPACE = 32768,
	FINALFUNC = clv_fit_final, COMBINEFUNC = clv_fit_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION clv_fit(retention_book, text, date, double precision) IS
	'Fits a model to the members of a book of days with amounts, made by retention_book(member, ordered_at, amount, ''day'', timezone). model: mbg/nbd (Batislam et al. 2007; members may leave after any order), bg/nbd (Fader, Hardie, Lee 2005; not after the first), pareto/nbd (Schmittlein et al. 1987; at any time), or best, which takes the one of the highest likelihood; until: the last day that counts, from the first to the last of the book, NULL or omitted for the last; penalty: the weight, in members, of a guess that parameters are not far from where the search begins, 0 for none. The money of an order is fitted by the Gamma-Gamma model (Fader, Hardie, Lee 2005). If nobody leaves, the model is nbd, in which all stay for ever. What speaks against a fit is in warnings(). A NULL book, or one without members, gives NULL. Errors: 22023 if the book is not of days with amounts, no member has ordered on a second day, the model is unknown, until lies outside the book, or penalty is negative or not finite; 22004 for a NULL model or penalty; 22003 if parameters or a sum of money are out of range.';
COMMENT ON FUNCTION clv_fit_step(bigint[], bigint, double precision, double precision, numeric, text) IS
	'Transition function of the aggregate clv_fit.';
COMMENT ON FUNCTION clv_fit_combine(bigint[], bigint[]) IS 'Combine function of the aggregate clv_fit.';
COMMENT ON FUNCTION clv_fit_final(bigint[]) IS 'Final function of the aggregate clv_fit.';
COMMENT ON AGGREGATE clv_fit(bigint, double precision, double precision, numeric, text) IS
	'Fits a model to members in columns, one row = one member, such as those of clv_summaries(). repeats: days with orders after the first such day; last_age: days from the first to the last one; age: days from the first one to the day until which orders are known; mean_spend: mean money of a repeat day, NULL if it is not known or there is none; model: mbg/nbd, bg/nbd, pareto/nbd or best, the same in all rows. The result does not depend on the order of the rows. Rows with NULL in another argument are skipped; no rows: NULL. Errors: 22023 if figures are negative, not finite, out of range or do not fit together, if no member has repeats, or for an unknown model or more than one; 22003 for a mean_spend that is NaN, infinite or has more than 38 digits before or 28 after the point; 54000 for more than 25 million members.';

-- What a model says of itself

CREATE FUNCTION clv_parameters(model clv_model, OUT part text, OUT name text, OUT estimate double precision,
							   OUT std_error double precision, OUT ci_low double precision, OUT ci_high double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10 ROWS 7;
CREATE FUNCTION clv_details(model clv_model, OUT model_used text, OUT model_asked text, OUT until date, OUT timezone text,
							OUT members bigint, OUT repeaters bigint, OUT repeats bigint, OUT longest_age double precision,
							OUT penalty double precision, OUT log_likelihood double precision,
							OUT nbd_log_likelihood double precision, OUT spend_members bigint, OUT spend_left_out bigint,
							OUT spend_log_likelihood double precision, OUT spend_correlation double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_details' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10 ROWS 1;
CREATE FUNCTION log_likelihood(model clv_model) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_clv_model_log_likelihood' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION warnings(model clv_model, horizon interval DEFAULT NULL) RETURNS text[]
	AS 'MODULE_PATHNAME', 'custmart_clv_model_warnings' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
CREATE FUNCTION is_reliable(model clv_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_clv_model_is_reliable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION clv_parameters(clv_model) IS
	'The parameters, one row each. part: the model of the orders (mbg/nbd, bg/nbd, pareto/nbd or nbd) or gamma-gamma, that of the money of an order; name: r and alpha (in days) of the rate of orders, a and b of the chance to leave after one, s and beta (in days) of the rate at which members leave, p, q and gamma (in money) of spend, as in the literature; estimate: the maximum of the likelihood; std_error: from its curvature there, NULL if it has none; ci_low, ci_high: an interval of 95 %, made for the logarithm, NULL without a std_error. A NULL model gives no rows.';
COMMENT ON FUNCTION clv_details(clv_model) IS
	'What the model was made of and how well it fits, in one row. model_used: nbd if nobody leaves, otherwise what was asked for, or the best; model_asked: as given to clv_fit(); until, timezone: of the book, NULL of columns; members: who ordered until then; repeaters: those of them who ordered on a second day; repeats: days with orders after the first, of all members; longest_age: days from the earliest first order; penalty: as given to clv_fit(); log_likelihood: of the orders, without the penalty; nbd_log_likelihood: the same if nobody left; spend_members: those in the fit of spend; spend_left_out: repeaters whose repeat days brought no money above 0; spend_log_likelihood: of their mean spend, NULL without such members; spend_correlation: of their mean spend with their repeats, which the model takes for 0, NULL if one of them does not vary. A NULL model gives no rows.';
COMMENT ON FUNCTION log_likelihood(clv_model) IS
	'The log-likelihood of the orders of all members, times in days, without the penalty: the higher, the better the fit to the same members.';
COMMENT ON FUNCTION warnings(clv_model, interval) IS
	'Why not to rely on the model; empty if there is no reason. few_repeaters: fewer than 100; short_history: the mean age is below two mean gaps between orders; no_dropout: nobody seems to leave, so all are taken to stay; weak_prior_used: the likelihood has no maximum, and a guess as if of one member was added; one_member_dominates: more than 5 % of all repeats; seasonal: in some four weeks until the last day the repeats were off by more than 30 % and three standard deviations (models of books only); spend_depends_on_frequency: their correlation is above 0.2 or below -0.2; spend_mean_undefined: members differ so much that the spend of a new one has no mean; spend_left_out: more than 5 % of repeaters have no money above 0; horizon_long: horizon is more than twice the longest age. horizon: the time ahead for which orders are to be expected, NULL for none. Errors: 22023 for a horizon that is not above 0.';
COMMENT ON FUNCTION is_reliable(clv_model) IS 'True if warnings(model) is empty.';

-- Members in columns

CREATE FUNCTION p_alive(model clv_model, repeats bigint, last_age double precision, age double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION p_order(model clv_model, repeats bigint, last_age double precision, age double precision, days double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_p_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION expected_orders(model clv_model, repeats bigint, last_age double precision, age double precision, days double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_expected_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION discounted_orders(model clv_model, repeats bigint, last_age double precision, age double precision, days double precision,
								  annual_discount double precision DEFAULT 0.10) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_discounted_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
CREATE FUNCTION expected_spend(model clv_model, repeats bigint, mean_spend numeric) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_expected_spend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv(model clv_model, repeats bigint, last_age double precision, age double precision, mean_spend numeric, days double precision,
					annual_discount double precision DEFAULT 0.10, margin double precision DEFAULT 1) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
CREATE FUNCTION new_member_value(model clv_model, horizon interval DEFAULT '1 year',
								 annual_discount double precision DEFAULT 0.10, margin double precision DEFAULT 1,
								 OUT expected_orders double precision, OUT expected_spend double precision, OUT clv double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_new_member_value' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500 ROWS 1;

COMMENT ON FUNCTION p_alive(clv_model, bigint, double precision, double precision) IS
	'The chance that the member has not left for good. repeats: days with orders after the first such day; last_age: days from the first to the last one; age: days from the first one to today. 1 by assumption in bg/nbd without repeats, and in nbd. Errors: 22023 for figures that are negative, not finite, out of range or do not fit together.';
COMMENT ON FUNCTION p_order(clv_model, bigint, double precision, double precision, double precision) IS
	'The chance of at least one order in the next days. repeats, last_age, age and errors as for p_alive(); days: how many, from 0 to 1000000000.';
COMMENT ON FUNCTION expected_orders(clv_model, bigint, double precision, double precision, double precision) IS
	'Days with orders that are expected in the next days. repeats, last_age, age and errors as for p_alive(); days: how many, from 0 to 1000000000; 22003 if the result is out of range.';
COMMENT ON FUNCTION discounted_orders(clv_model, bigint, double precision, double precision, double precision, double precision) IS
	'The same as expected_orders(), an order counting the less the later it comes. annual_discount: what is lost in a year of 365.25 days, as a share of what is left, 0 for nothing. With pareto/nbd and an annual_discount above 0, days may be infinite. Errors: as for expected_orders(), and 22023 for a negative annual_discount.';
COMMENT ON FUNCTION expected_spend(clv_model, bigint, numeric) IS
	'The money that is expected of an order of the member. repeats: as for p_alive(); mean_spend: mean money of the repeat days, below 0 counting as 0. It lies between that mean and the one of all members, the closer to the first the more repeats there are; without repeats it is that of all. NULL if the model has no spend or its mean is undefined, or if mean_spend is NULL and there are repeats. Errors: 22023 for negative repeats; 22003 for a mean_spend that is NaN, infinite or too long.';
COMMENT ON FUNCTION clv(clv_model, bigint, double precision, double precision, numeric, double precision, double precision, double precision) IS
	'What the member''s orders of the next days will be worth: margin * expected_spend() * discounted_orders(). margin: the share of an order''s money that is earned, from 0 on; the other arguments and errors are those of these functions. NULL if a figure or expected_spend() is NULL; 22004 for a NULL annual_discount or margin.';
COMMENT ON FUNCTION new_member_value(clv_model, interval, double precision, double precision) IS
	'What a new member will bring from the day after the first order on, in one row: what an acquisition may cost beyond what the first order brings. horizon: the time ahead, by the calendar from the model''s last day, or with years of 365.25 days if it is made of columns; annual_discount: what is lost in a year, as a share; margin: the share of an order''s money that is earned. expected_orders: not discounted; expected_spend: of an order, NULL if it is undefined; clv: margin * spend * discounted orders. A NULL model gives no rows. Errors: 22023 for a horizon that is not above 0, or is infinite with another model than pareto/nbd or without a discount, or for negative or infinite numbers; 22004 for NULL ones.';

-- All members of a book

-- @template clv_reports first member symbol
CREATE FUNCTION clv_members({first}book retention_book, model clv_model, horizon interval DEFAULT '1 year', as_of date DEFAULT NULL,
							annual_discount double precision DEFAULT 0.10, margin double precision DEFAULT 1,
							OUT member {member}, OUT repeats bigint, OUT last_age double precision, OUT age double precision,
							OUT p_alive double precision, OUT p_order double precision, OUT expected_orders double precision,
							OUT expected_spend double precision, OUT clv double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_members{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
CREATE FUNCTION clv_summaries({first}book retention_book, until date DEFAULT NULL,
							  OUT member {member}, OUT repeats bigint, OUT last_age double precision, OUT age double precision,
							  OUT mean_spend numeric, OUT holdout_days bigint, OUT holdout_net numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_summaries{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @clv_reports first="" member=bigint symbol=""
-- @clv_reports first="member_type anyelement, " member=anyelement symbol=_typed

COMMENT ON FUNCTION clv_members(retention_book, clv_model, interval, date, double precision, double precision) IS
	'What is expected of every member of a book whose members are bigint, in their order. book: days with amounts, as for clv_fit(); model: of this book or of another one with the same time zone, fitted until the same day or an earlier one; horizon: the time ahead, from as_of by the calendar; as_of: the last day that counts, NULL or omitted for the last of the book; annual_discount: what is lost in a year of 365.25 days, as a share; margin: the share of an order''s money that is earned. repeats: days with orders after the first such day; last_age: days from the first to the last one; age: days from the first one to as_of; p_alive: the chance not to have left for good; p_order: the chance of an order within horizon; expected_orders: days with orders within horizon, NULL if it is infinite; expected_spend: money of an order, NULL if the model has no spend or its mean is undefined; clv: margin * spend * discounted orders, NULL without expected_spend. Members whose first order is after as_of are left out. Errors: 22023 if the book is not of days with amounts, its time zone is not that of the model, no member has an order until as_of, horizon is not above 0, or is infinite with another model than pareto/nbd or without a discount, or a number is negative or infinite; 22004 for a NULL horizon, annual_discount or margin; 42804 if the members are of another type: then pass it first; 22003 if a result is out of range.';
COMMENT ON FUNCTION clv_members(anyelement, retention_book, clv_model, interval, date, double precision, double precision) IS
	'The same for a book whose members are bigint, uuid or text: clv_members(NULL::uuid, book, model), clv_members(NULL::text, book, model). Only the type of the first argument matters; columns, other arguments and errors are those of clv_members(book, model).';
COMMENT ON FUNCTION clv_summaries(retention_book, date) IS
	'What a fit sees of every member of a book whose members are bigint, in their order, and what came later. book: days with amounts, as for clv_fit(); until: the last day that the fit sees, NULL or omitted for the last of the book. repeats: days with orders after the first such day, so that two orders of a day are one; last_age: days from the first to the last of them; age: days from the first to until; mean_spend: net money after the first day, refunds taken off, divided by repeats, NULL without them; holdout_days: days with orders after until; holdout_net: their money. Members whose first order is after until are left out. Errors: 22023 if the book is not of days with amounts, or until lies outside it; 42804 if the members are of another type: then pass it first.';
COMMENT ON FUNCTION clv_summaries(anyelement, retention_book, date) IS
	'The same for a book whose members are bigint, uuid or text: clv_summaries(NULL::uuid, book), clv_summaries(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of clv_summaries(book).';

-- Does it fit?

CREATE FUNCTION clv_check(book retention_book, until date, model text DEFAULT 'mbg/nbd', penalty double precision DEFAULT 0,
						  OUT fitted_until date, OUT holdout_days integer, OUT model_used text, OUT members bigint, OUT members_alive double precision,
						  OUT actual bigint, OUT predicted double precision, OUT bias_pct double precision,
						  OUT mae double precision, OUT rmse double precision,
						  OUT naive double precision, OUT naive_bias_pct double precision,
						  OUT naive_mae double precision, OUT naive_rmse double precision,
						  OUT as_before double precision, OUT as_before_bias_pct double precision,
						  OUT as_before_mae double precision, OUT as_before_rmse double precision,
						  OUT actual_net numeric, OUT predicted_net double precision, OUT warnings text, OUT verdict text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_check' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 1;
CREATE FUNCTION clv_check_deciles(book retention_book, until date, model text DEFAULT 'mbg/nbd', penalty double precision DEFAULT 0,
								  OUT decile integer, OUT members bigint, OUT predicted double precision, OUT actual double precision,
								  OUT predicted_net double precision, OUT actual_net double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_check_deciles' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 10;
CREATE FUNCTION clv_frequencies(book retention_book, model clv_model, OUT repeats integer, OUT or_more boolean,
								OUT members bigint, OUT expected double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_frequencies' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 8;
CREATE FUNCTION clv_tracking(book retention_book, model clv_model, OUT week_end date, OUT is_holdout boolean,
							 OUT repeats bigint, OUT expected double precision,
							 OUT repeats_so_far bigint, OUT expected_so_far double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_clv_tracking' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100;

COMMENT ON FUNCTION clv_check(retention_book, date, text, double precision) IS
	'Would the model have foretold what came? It is fitted until a day and held against the rest of the book, in one row. book, model, penalty: as for clv_fit(); until: the last day that the fit sees, before the last of the book. fitted_until: that day; holdout_days: days after it; model_used: as in clv_details(); members: who ordered until then; members_alive: how many of them are expected not to have left; actual, predicted: their days with orders in the rest; bias_pct: by how much predicted is above actual, NULL if that is 0; mae, rmse: mean absolute error and root mean square error of a member; naive...: the same if all went on at their rate so far, repeats * holdout_days / age; as_before...: if each had as many days with orders as in as many days before; actual_net: their money in the rest; predicted_net: expected orders * expected spend, NULL if the spend of a new member is undefined; warnings: those of the model, separated by a comma and a blank, and besides holdout_bias if bias_pct is above 20 or below -20, and horizon_long; verdict: biased with holdout_bias, no better than naive if a naive mae is as low, otherwise good. A NULL book, or one without members, gives no rows. Errors: as for clv_fit(), 22004 for a NULL until, 22023 if it is the last day of the book.';
COMMENT ON FUNCTION clv_check_deciles(retention_book, date, text, double precision) IS
	'The same by tenths of members, those with the highest predictions first. decile: 1 + the tenths of members with a higher prediction, so that equal ones are in the same decile, and there may be fewer than ten; members: in it; predicted, actual: mean of their days with orders after until; predicted_net, actual_net: mean of their money, predicted_net NULL if the spend of a new member is undefined. Arguments and errors: as for clv_check().';
COMMENT ON FUNCTION clv_frequencies(retention_book, clv_model) IS
	'How many members have so many repeats, and how many the model expects, until the day that it was fitted until (of columns: until the last of the book). repeats: from 0 to 7; or_more: true for 7, which stands for more as well; members: who have so many; expected: according to the model. A NULL book or model, or a book without members, gives no rows. Errors: 22023 if the book is not of days with amounts, its time zone is not that of the model, or no member has an order until that day; 54000 if the members came in more than 65536 days.';
COMMENT ON FUNCTION clv_tracking(retention_book, clv_model) IS
	'Repeats week by week, and how many the model expects, of the members who came until the day that it was fitted until (of columns: until the last of the book). week_end: the last day of the week; weeks end with that day, and the last one may be shorter; is_holdout: true if it lies after that day; repeats, expected: in the week; repeats_so_far, expected_so_far: since the first order of all. A NULL book or model, or a book without members, gives no rows. Errors: as for clv_frequencies().';

-- @comparison type=clv_model equality="Two models are equal if and only if their stored bytes are."
