-- campaign_book: what a campaign brought in every segment, or at every score, in one scan

-- @stored_type type=campaign_book

COMMENT ON TYPE campaign_book IS
	'What became of the members of a campaign, by segment or by score. Made by campaign_book() in one scan, merged by rollup() and +; of segments read by campaign_segments(), campaign_differences() and campaign_offers(), of scores by uplift_curves() and uplift_points(). At most 704 MB, about 30 million scores.';

-- @merge type=campaign_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(campaign_book) IS
	'Merges books of different members, made on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 for books of segments with books of scores, 22003 for a sum of squares out of range, 54000 for more than 4294967295 members of a group or a book over 704 MB.';
COMMENT ON OPERATOR + (campaign_book, campaign_book) IS 'Both books as one, as if made of all their members.';

-- Aggregates

CREATE FUNCTION campaign_book_step_segment(campaign_book, text, boolean, numeric) RETURNS campaign_book
	AS 'MODULE_PATHNAME', 'custmart_campaign_book_step_segment' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE campaign_book(segment text, treated boolean, y numeric) (
	SFUNC = campaign_book_step_segment, STYPE = campaign_book, SSPACE = 65536,
	COMBINEFUNC = campaign_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION campaign_book_step_segment(campaign_book, text, boolean, numeric) IS
	'Transition function of the aggregate campaign_book.';
COMMENT ON AGGREGATE campaign_book(text, boolean, numeric) IS
	'Adds up what became of the members of a campaign in each segment; one row = one member. segment: what kind of member they were before anybody was chosen, compared byte by byte; cast numbers to text; treated: whether they got the offer, false = control group; y: what they did, 0 for those who bought nothing. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point, or a sum of squares times the number of members that has more than 76 digits; 54000 for more than 4294967295 members of a group or a book over 704 MB.';

CREATE FUNCTION campaign_book_step_score(campaign_book, double precision, boolean, numeric) RETURNS campaign_book
	AS 'MODULE_PATHNAME', 'custmart_campaign_book_step_score' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE campaign_book(score double precision, treated boolean, y numeric) (
	SFUNC = campaign_book_step_score, STYPE = campaign_book, SSPACE = 65536,
	COMBINEFUNC = campaign_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION campaign_book_step_score(campaign_book, double precision, boolean, numeric) IS
	'Transition function of the aggregate campaign_book.';
COMMENT ON AGGREGATE campaign_book(double precision, boolean, numeric) IS
	'The same at each score. score: how much a member was expected to be moved, the highest first to be treated; any finite number, and members with equal scores are one step. Errors: the same, and 22003 for a score that is NaN or infinite.';

-- Segments

CREATE FUNCTION campaign_segments(book campaign_book, alpha double precision DEFAULT 0.05,
					OUT segment text, OUT treated bigint, OUT control bigint,
					OUT treated_rate double precision, OUT control_rate double precision,
					OUT uplift double precision, OUT uplift_low double precision, OUT uplift_high double precision,
					OUT p_value double precision, OUT q_value double precision,
					OUT shrunk_uplift double precision, OUT shrunk_low double precision, OUT shrunk_high double precision,
					OUT verdict text, OUT note text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_campaign_segments' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 20;
CREATE FUNCTION campaign_differences(book campaign_book, alpha double precision DEFAULT 0.05,
					OUT segments bigint, OUT mean_uplift double precision, OUT uplift_sd double precision,
					OUT cochran_q double precision, OUT df double precision, OUT p_value double precision, OUT verdict text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_campaign_differences' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
CREATE FUNCTION campaign_offers(book campaign_book, margin double precision, contact_cost double precision DEFAULT 0,
					discount double precision DEFAULT 0, min_probability double precision DEFAULT 0.8,
					alpha double precision DEFAULT 0.05,
					OUT segment text, OUT treated bigint, OUT control bigint, OUT control_rate double precision,
					OUT uplift double precision, OUT uplift_low double precision, OUT uplift_high double precision,
					OUT label text, OUT observed_profit double precision, OUT expected_profit double precision,
					OUT probability double precision, OUT offer boolean, OUT note text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_campaign_offers' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 20;

COMMENT ON FUNCTION campaign_segments(campaign_book, double precision) IS
	'What did the campaign bring in each segment? One row per segment, in byte order. treated, control: members; treated_rate, control_rate: buyers per member; uplift: their difference; uplift_low, uplift_high: its interval at level 1 - alpha by Newcombe (1998); p_value: two-sided, by z; q_value: corrected for the number of segments (Benjamini and Hochberg 1995); shrunk_uplift: uplift drawn towards the mean of all segments, as far as its difference from them can be chance (DerSimonian and Laird 1986), for the best of many is most likely too good; shrunk_low, shrunk_high: its interval. With fewer than 4 segments nothing is drawn. verdict: uplift, loss, not shown, or not comparable where a group is empty; note: why something is NULL. Errors: 22023 if alpha is not above 0 and below 1, 22004 if it is NULL, 42804 for a book of scores.';
COMMENT ON FUNCTION campaign_differences(campaign_book, double precision) IS
	'Do segments differ in what the campaign brought, beyond chance? One row. segments: those that have both groups; mean_uplift: the mean of their uplifts, weighted by DerSimonian and Laird (1986); uplift_sd: by how much true uplifts differ, a standard deviation, by the same; cochran_q: the sum of squared differences from the mean in standard errors (Cochran 1954), chi-squared with df degrees of freedom if there are none; p_value; verdict: segments differ, not shown, or not comparable for fewer than 2 segments, whose differences are NULL. Errors: 22023 if alpha is not above 0 and below 1, 22004 if it is NULL, 42804 for a book of scores.';
COMMENT ON FUNCTION campaign_offers(campaign_book, double precision, double precision, double precision, double precision, double precision) IS
	'Who should get the next offer? One row per segment, in byte order. margin: what a sale earns; contact_cost: of each member who gets the offer; discount: what each buyer among them gets, those too who would have bought anyway; min_probability: how probable a profit must be for an offer; alpha: of the intervals. uplift, uplift_low, uplift_high: shrunk uplift and its interval, as in campaign_segments(). label: persuadable (uplift_low above 0), sleeping dog (uplift_high below 0), else sure thing if control_rate is at least that of all control groups, else lost cause. observed_profit: (treated rate - control rate) margin - contact_cost - treated rate * discount, per member treated; expected_profit: the same by the shrunk uplift; probability: that it is above 0; offer: probability is at least min_probability. Without a control group all from uplift on is NULL, and note says so. Errors: 22023 for money below 0 or above 1e30, min_probability not from 0.5 to below 1 or alpha not above 0 and below 1; 22004 if one is NULL; 42804 for a book of scores.';

-- Scores

CREATE FUNCTION uplift_curves(book campaign_book,
					OUT curve text, OUT scores bigint, OUT treated bigint, OUT control bigint,
					OUT last_value double precision, OUT area double precision, OUT above_chance double precision,
					OUT perfect double precision, OUT coefficient double precision, OUT note text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_uplift_curves' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 2;
CREATE FUNCTION uplift_points(book campaign_book,
					OUT score double precision, OUT members bigint, OUT members_share double precision,
					OUT treated bigint, OUT control bigint, OUT treated_total numeric, OUT control_total numeric,
					OUT qini double precision, OUT gain double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_uplift_points' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
CREATE FUNCTION rows_skipped(book campaign_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_campaign_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION uplift_curves(campaign_book) IS
	'Does the score put those first whom the campaign moves? Two rows: curve qini (Radcliffe 2007), Y_t - Y_c N_t / N_c of those so far, and gain, (Y_t / N_t - Y_c / N_c) N, also known as the uplift curve of AUUC. scores: how many different ones; treated, control: members; last_value: the curve of all members; area: by trapezoids over the number of members; above_chance: area less the triangle below a straight line to last_value; perfect: the same of the best order there is; coefficient: above_chance / perfect, 1 for the best order, about 0 for chance, below 0 for a score that is the wrong way round. If outcomes are not all 0 or 1 the last two are NULL; without one of the groups all but the counts is, and note says why. Errors: 42804 for a book of segments.';
COMMENT ON FUNCTION uplift_points(campaign_book) IS
	'The curves themselves, one row per score, the highest first; equal scores are one step. members: how many have this score or a higher one; members_share: of all; treated, control: of these; treated_total, control_total: sums of their y; qini, gain: as in uplift_curves(), NULL without one of the groups. Errors: 42804 for a book of segments.';
COMMENT ON FUNCTION rows_skipped(campaign_book) IS 'Number of rows left out because an argument was NULL.';

-- @comparison type=campaign_book equality="Two books are equal if they hold the same keys with the same sums, decimals included, and skipped as many rows, that is, if and only if their stored bytes are equal."
