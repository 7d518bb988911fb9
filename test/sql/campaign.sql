-- campaign: what a campaign brought. Figures are published ones, by hand, or from plain SQL next to them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA campaign_test;
SET search_path = campaign_test, public;
SET timezone = 'UTC';

-- Significant digits, as the last ones differ between platforms.
-- Conversion: Newcombe (1998) has .0524 and .3339 for 56/70 and 48/80.
CREATE FUNCTION digits(x float8, n int DEFAULT 10) RETURNS numeric LANGUAGE sql AS $$ SELECT CASE WHEN x = 0 THEN 0 ELSE round(x::numeric, n - 1 - floor(log(abs(x::numeric)))::int) END $$;
CREATE VIEW buyers AS SELECT i <= 70 AS treated, (i <= 56 OR i BETWEEN 71 AND 118)::int AS y FROM generate_series(1, 150) i;
SELECT measure, treated, control, treated_mean, control_mean, digits(uplift) AS uplift, digits(uplift_low, 9) AS low, digits(uplift_high) AS high, digits(uplift_pct) AS pct, digits(incremental) AS incremental, digits(statistic) AS statistic, digits(df) AS df, digits(p_value) AS p, verdict, note
FROM (SELECT (campaign_results(campaign(treated, y))).* FROM buyers) r;
SELECT digits(uplift_low, 9) AS low, digits(uplift_high) AS high, std_error, statistic, p_value, verdict, note FROM (SELECT (campaign_results(campaign(i <= 56, (i <= 5)::int))).* FROM generate_series(1, 85) i) r WHERE measure = 'conversion';
SELECT digits(uplift_low, 9) AS low, digits(uplift_high) AS high, digits(statistic) AS z, digits(p_value) AS p, digits(uplift_pct) AS pct, verdict FROM (SELECT (campaign_results(campaign(i <= 20000, (i <= 1240 OR i > 29485)::int))).* FROM generate_series(1, 30000) i) r WHERE measure = 'conversion';
CREATE FUNCTION buyers_results(alpha float8) RETURNS TABLE (measure text, uplift_low float8, uplift_high float8) LANGUAGE sql AS $$ SELECT r.measure, r.uplift_low, r.uplift_high FROM (SELECT campaign(treated, y) AS c FROM buyers) s, campaign_results(c, alpha) r $$;
SELECT digits(uplift_low, 5) AS low, digits(uplift_high, 5) AS high FROM buyers_results(0.2) WHERE measure = 'conversion';
SELECT (SELECT uplift_low FROM buyers_results(0.2) WHERE measure = 'conversion') > (SELECT uplift_low FROM buyers_results(0.05) WHERE measure = 'conversion') AS narrower;

-- Spend, and less what was spent before.
CREATE TABLE member (treated boolean, y numeric, before numeric);
INSERT INTO member SELECT true, * FROM unnest('{0,0,25.5,0,40,12,0,0,80,5,0,18.5}'::numeric[], '{3,0,20,1,30,10,2,0,70,6,0,15}'::numeric[]);
INSERT INTO member SELECT false, * FROM unnest('{0,0,0,22,0,0,35,0,0,10}'::numeric[], '{2,0,1,25,0,3,30,0,4,12}'::numeric[]);
SELECT measure, digits(treated_mean) AS treated_mean, digits(control_mean) AS control_mean, digits(uplift) AS uplift, digits(uplift_low, 8) AS low, digits(uplift_high) AS high, digits(incremental) AS incremental, digits(std_error) AS error, digits(statistic) AS t, digits(df) AS df, digits(p_value) AS p, verdict, note
FROM (SELECT (campaign_results(campaign(treated, y, before))).* FROM member) r WHERE measure <> 'conversion';
-- welch_test says the same.
SELECT abs(r.uplift_low - w.difference_low) < 1e-12 AND abs(r.uplift_high - w.difference_high) < 1e-12 AND abs(r.p_value - w.p_value) < 1e-14 AS as_welch_test
FROM (SELECT campaign(treated, y) AS c, welch_test(count(*) FILTER (WHERE treated), avg(y::float8) FILTER (WHERE treated), var_samp(y::float8) FILTER (WHERE treated), count(*) FILTER (WHERE NOT treated), avg(y::float8) FILTER (WHERE NOT treated), var_samp(y::float8) FILTER (WHERE NOT treated)) AS w FROM member) s,
	LATERAL (SELECT * FROM campaign_results(c) WHERE measure = 'spend') r, LATERAL (SELECT (w).*) w;
SELECT * FROM (SELECT (campaign_groups(campaign(treated, y, before))).* FROM member) g;
SELECT * FROM (SELECT (campaign_groups(campaign(treated, y))).* FROM member) g;
-- Sums have as many decimals as sum() has, and are as exact.
SELECT g.total::text = s.total::text AS total, g.total::text AS text FROM (SELECT campaign(true, y) AS c, sum(y) AS total FROM unnest('{1e20,0.0000000001,-1e20,0.10,5}'::numeric[]) y) s, campaign_groups(c) g WHERE g.treated;

-- Without a control group nobody knows.
SELECT measure, treated, control, treated_mean, control_mean, uplift, uplift_low, uplift_high, uplift_pct, incremental, std_error, statistic, df, p_value, verdict, note FROM (SELECT (campaign_results(campaign(true, y, before))).* FROM member WHERE treated) r;
SELECT measure, treated, control, treated_mean, control_mean, uplift, verdict, note FROM (SELECT (campaign_results(campaign(treated, y))).* FROM member WHERE NOT treated) r;
SELECT measure, uplift, uplift_low, p_value, verdict, note FROM (SELECT (campaign_results(campaign(i = 1, i))).* FROM generate_series(1, 3) i) r;
SELECT measure, uplift, uplift_low, p_value, verdict, note FROM (SELECT (campaign_results(campaign(i % 2 = 0, 5))).* FROM generate_series(1, 200) i) r;
SELECT measure, digits(uplift, 5) AS uplift, note FROM (SELECT (campaign_results(campaign(i % 2 = 0, i, 3))).* FROM generate_series(1, 200) i) r;
-- The small group has none of the few large sales: Welch alone would claim a loss.
SELECT measure, digits(uplift, 5) AS uplift, digits(uplift_low, 5) AS low, digits(uplift_high, 5) AS high, digits(p_value, 3) AS p, verdict, note
FROM (SELECT (campaign_results(campaign(i <= 600, CASE WHEN i % 10 > 0 THEN 0 WHEN i > 600 AND i % 500 = 0 THEN 800 ELSE 10 + i % 7 END))).* FROM generate_series(1, 6600) i) r;
-- NULL is skipped and counted, also if there is nothing else; no rows are NULL.
SELECT rows_skipped(campaign(t, y)) AS two, rows_skipped(campaign(t, y, z)) AS three FROM (VALUES (true, 1, 1), (NULL, 1, 1), (false, NULL, 1), (true, 1, NULL), (NULL, NULL, NULL)) v(t, y, z);
SELECT rows_skipped(c), r.* FROM (SELECT campaign(NULL, NULL) AS c FROM generate_series(1, 3)) s, campaign_results(c) r;
SELECT r.* FROM (SELECT campaign(NULL, NULL) AS c FROM generate_series(1, 3)) s, campaign_sample_ratios(c) r;
SELECT campaign(treated, y) IS NULL AS no_rows, campaign(treated, y, before) IS NULL AS no_rows_before FROM member WHERE false;
SELECT count(*) FROM campaign_results(NULL);
SELECT count(*) FROM campaign_groups(NULL);
SELECT count(*) FROM campaign_sample_ratios(NULL);
SELECT campaign_group_size(NULL, 0.1);

-- Groups as planned, and their size.
SELECT treated, control, treated_share, planned_share, digits(chi_squared) AS chi_squared, digits(p_value, 9) AS p, is_void FROM (SELECT (campaign_sample_ratios(campaign(i <= 10120, 0))).* FROM generate_series(1, 20000) i) r;
SELECT digits(p_value, 5) AS p, is_void FROM (SELECT (campaign_sample_ratios(campaign(i <= 910, 0), planned_share => 0.88)).* FROM generate_series(1, 1000) i) r;
SELECT p_value < 0.001 AS p, is_void FROM (SELECT (campaign_sample_ratios(campaign(i <= 9150, 0), 0.9)).* FROM generate_series(1, 10000) i) r;
SELECT campaign_group_size(0.05, 0.055), campaign_group_size(0.055, 0.05) AS other_way, campaign_group_size(0.05, 0.055, power => 0.9) AS power, campaign_group_size(0.05, 0.055, alpha => 0.01) AS alpha, campaign_group_size(0.1, 0.9, 0.5) AS few;

-- Any order, any parts, in text and binary: the same bytes.
CREATE TABLE many AS SELECT n, n % 3 > 0 AS treated, CASE WHEN n % 5 = 0 THEN round(n * 7919 % 10007 / 100.0, n % 4) ELSE 0 END AS y, round(n * 104729 % 9973 / 100.0, 2) AS before, 'segment ' || n % 11 AS segment, n * 31 % 97 / 96.0 AS score FROM generate_series(1, 3000) n;
SELECT form, rolled_up = whole AS rolled_up, other_order = whole AS other_order, plus = whole AS plus, whole::text::campaign_summary = whole AS text_round_trip, campaign_summary_hash(whole) = campaign_summary_hash(rolled_up) AS hash, campaign_summary_hash_extended(whole, 7) = campaign_summary_hash_extended(rolled_up, 7) AS hash_extended, length(campaign_summary_send(whole)) AS length
FROM (SELECT 'spend' AS form, (SELECT campaign(treated, y) FROM many) AS whole, (SELECT rollup(c) FROM (SELECT campaign(treated, y) AS c FROM many GROUP BY n % 7) p) AS rolled_up, (SELECT campaign(treated, y ORDER BY y DESC, n) FROM many) AS other_order,
		(SELECT campaign(treated, y) FROM many WHERE n < 1000) + (SELECT campaign(treated, y) FROM many WHERE n >= 1000) AS plus
	UNION ALL SELECT 'before', (SELECT campaign(treated, y, before) FROM many), (SELECT rollup(c) FROM (SELECT campaign(treated, y, before) AS c FROM many GROUP BY n % 7) p), (SELECT campaign(treated, y, before ORDER BY y DESC, n) FROM many),
		(SELECT campaign(treated, y, before) FROM many WHERE n < 1000) + (SELECT campaign(treated, y, before) FROM many WHERE n >= 1000)) s;
SELECT count(*) FROM (SELECT n, campaign(treated, y) OVER (ORDER BY n) AS running FROM many WHERE n <= 100) s WHERE running <> (SELECT campaign(treated, y) FROM many m WHERE m.n <= s.n);
SELECT count(DISTINCT c), count(*) FROM (SELECT campaign(treated, y) AS c FROM many GROUP BY n % 10 UNION ALL SELECT campaign(treated, y ORDER BY y) FROM many GROUP BY n % 10) s;
-- The bytes of docs/storage-format.md: kind 17, version 1, form 1; nothing skipped; 1 control with 0; 2 treated, of whom one with 2.50; before 0.5, -1 and 1.5.
SELECT campaign_summary_send(c) = '\x11010100 0000000000000000 01 00 00 00 00 01 01 05 01 19 00 02 01 02 02 00fa 03 00f424 01 01 05 02 0145 02 f63c'::bytea AS as_specified
FROM (SELECT campaign(t, y, z) AS c FROM (VALUES (false, 0, 0.5), (true, 2.50, -1), (true, 0, 1.5)) v(t, y, z)) s;

-- Segments.
CREATE TABLE outcome AS SELECT v.segment, g.treated, (i <= g.buyers)::int AS y FROM (VALUES ('Champions', 300, 1000, 280, 1000), ('Loyal', 220, 1000, 150, 1000), ('At Risk', 90, 1000, 40, 1000), ('Lost', 12, 1000, 14, 1000), ('New', 60, 500, 70, 500)) v(segment, a, b, c, d), LATERAL (VALUES (true, a, b), (false, c, d)) g(treated, buyers, members), generate_series(1, members) i;
SELECT segment, treated, control, treated_rate, control_rate, digits(uplift) AS uplift, digits(uplift_low, 6) AS low, digits(uplift_high, 6) AS high, digits(p_value, 6) AS p, digits(q_value, 6) AS q, digits(shrunk_uplift, 6) AS shrunk, digits(shrunk_low, 6) AS shrunk_low, digits(shrunk_high, 6) AS shrunk_high, verdict, note
FROM (SELECT (campaign_segments(campaign_book(segment, treated, y))).* FROM outcome) s;
SELECT segments, digits(mean_uplift) AS mean, digits(uplift_sd ^ 2) AS variance, digits(cochran_q) AS q, df, digits(p_value) AS p, verdict FROM (SELECT (campaign_differences(campaign_book(segment, treated, y))).* FROM outcome) d;
SELECT segment, control_rate, digits(uplift, 6) AS uplift, label, digits(observed_profit, 6) AS observed, digits(expected_profit, 6) AS expected, digits(probability, 6) AS probability, offer, note
FROM (SELECT (campaign_offers(campaign_book(segment, treated, y), margin => 8, contact_cost => 0.1, discount => 1)).* FROM outcome) o;
-- Each segment alone says what the summary of its members says.
SELECT count(*) AS differ FROM (SELECT segment, campaign(treated, y) AS c FROM outcome GROUP BY 1) a, campaign_results(c) r, (SELECT (campaign_segments(campaign_book(segment, treated, y))).* FROM outcome) s
WHERE s.segment = a.segment AND measure = 'conversion' AND (r.uplift, r.uplift_low, r.uplift_high, r.p_value) IS DISTINCT FROM (s.uplift, s.uplift_low, s.uplift_high, s.p_value);
-- One without a control group, one that nobody treated, one without buyers, a sleeping dog.
INSERT INTO outcome SELECT v.segment, g.treated, (i <= g.buyers)::int FROM (VALUES ('alone', 5, 50, 0, 0), ('left out', 0, 0, 5, 50), ('never', 0, 30, 0, 30), ('sleeping', 40, 1000, 160, 1000)) v(segment, a, b, c, d), LATERAL (VALUES (true, a, b), (false, c, d)) g(treated, buyers, members), generate_series(1, members) i;
SELECT segment, treated, control, treated_rate, control_rate, uplift, digits(q_value, 3) AS q, digits(shrunk_uplift, 3) AS shrunk, verdict, note FROM (SELECT (campaign_segments(campaign_book(segment, treated, y))).* FROM outcome) s WHERE segment ~ '^[a-z]';
SELECT segment, control_rate, digits(uplift, 3) AS uplift, label, digits(observed_profit, 3) AS observed, offer, note FROM (SELECT (campaign_offers(campaign_book(segment, treated, y), 8)).* FROM outcome) o WHERE segment ~ '^[a-z]';
SELECT count(*) FILTER (WHERE offer) AS offers, min(probability) FILTER (WHERE offer) >= 0.95 AS as_asked FROM (SELECT (campaign_offers(campaign_book(segment, treated, y), 8, min_probability => 0.95)).* FROM outcome) o;
SELECT (campaign_differences(campaign_book(segment, treated, y))).* FROM outcome WHERE segment IN ('alone', 'Loyal');
SELECT (campaign_differences(campaign_book(segment, treated, y))).* FROM outcome WHERE segment = 'alone';
SELECT rows_skipped(b), s.* FROM (SELECT campaign_book(NULL::text, true, 1) AS b) x, campaign_differences(b) s;
SELECT count(*) FROM (SELECT campaign_book(NULL::text, true, 1) AS b) x, campaign_segments(b);
SELECT rows_skipped(campaign_book(s, t, y)) FROM (VALUES ('a', true, 1), (NULL, true, 1), ('a', NULL, 1), ('a', true, NULL)) v(s, t, y);
SELECT campaign_book(segment, treated, y) IS NULL AS no_rows FROM outcome WHERE false;
SELECT count(*) FROM campaign_segments(NULL);

-- Scores, the highest first; equal ones are one step.
CREATE TABLE scored AS SELECT s.score, t = 1 AS treated, y FROM unnest('{.9,.8,.8,.7,.6,.5,.5,.3,.2,.1,.05,.05}'::float8[], '{1,0,1,1,0,1,0,0,1,0,1,0}'::int[], '{1,0,1,1,0,0,0,1,0,0,0,1}'::int[]) s(score, t, y);
SELECT score, members, digits(members_share, 5) AS share, treated, control, treated_total, control_total, digits(qini) AS qini, digits(gain) AS gain FROM (SELECT (uplift_points(campaign_book(score, treated, y))).* FROM scored) p;
SELECT curve, scores, treated, control, last_value, digits(area) AS area, digits(above_chance) AS above_chance, perfect, digits(coefficient, 12) AS coefficient, note FROM (SELECT (uplift_curves(campaign_book(score, treated, y))).* FROM scored) c;
SELECT curve, coefficient FROM (SELECT (uplift_curves(campaign_book(score, treated, y))).* FROM (VALUES (0.1, true, 0), (0.3, false, 1)) v(score, treated, y)) c;
SELECT curve, coefficient FROM (SELECT (uplift_curves(campaign_book(score, treated, y))).* FROM (VALUES (0.1, false, 1), (0.3, true, 0)) v(score, treated, y)) c;
-- Money has no perfect order, one group no curve, members who do not buy no coefficient.
SELECT curve, digits(area, 5) AS area, digits(above_chance, 5) AS above_chance, perfect, coefficient, note FROM (SELECT (uplift_curves(campaign_book(score, treated, y * 2.5))).* FROM scored) c;
SELECT curve, scores, treated, control, area, coefficient, note FROM (SELECT (uplift_curves(campaign_book(score, true, y))).* FROM scored) c;
SELECT count(*), count(qini), count(gain) FROM (SELECT (uplift_points(campaign_book(score, true, y))).* FROM scored) p;
SELECT curve, area, coefficient, note FROM (SELECT (uplift_curves(campaign_book(score, treated, 0))).* FROM scored) c;
-- Any order and any parts; a score of -0 is 0; numbers of all sizes come back.
SELECT a = b AS same FROM (SELECT campaign_book(score, treated, y ORDER BY y, score) AS a FROM scored) a, (SELECT rollup(p) AS b FROM (SELECT campaign_book(score, treated, y) AS p FROM scored GROUP BY y) p) b;
SELECT score, members FROM (SELECT (uplift_points(campaign_book(s, true, 1))).* FROM unnest('{0,-0,1e308,-1e308,5e-324,-5e-324,1,-1,1.5}'::float8[]) s) p;
SELECT count(*) AS differ FROM (SELECT (uplift_points(campaign_book(score, treated, y))).* FROM many) p JOIN LATERAL (SELECT sum(y) FILTER (WHERE treated) AS t, coalesce(sum(y) FILTER (WHERE NOT treated), 0) AS c, count(*) AS n FROM many WHERE many.score::float8 >= p.score) s ON (treated_total, control_total, members) IS DISTINCT FROM (t, c, n);

-- The book: parts, text and binary.
SELECT (SELECT rollup(b) FROM (SELECT campaign_book(segment, treated, y) AS b FROM many GROUP BY n % 7) p) = whole AS rolled_up, (SELECT campaign_book(segment, treated, y ORDER BY n DESC) FROM many) = whole AS other_order,
	whole::text::campaign_book = whole AS text_round_trip, campaign_book_hash(whole) = campaign_book_hash(whole::text::campaign_book) AS hash, campaign_book_cmp(whole, whole + whole) <> 0 AS other
FROM (SELECT campaign_book(segment, treated, y) AS whole FROM many) s;
SELECT campaign_book_send(campaign_book(s, t, y)) = '\x12010300 00000002 0000000000000001 00000001 00000001 61 62 01 01 02 02 00fa 03 00f424 00 00 02 01 00 01 01 01 01'::bytea AS as_specified
FROM (VALUES ('a', false, 2.50), ('b', true, 0), ('b', true, 1), (NULL, true, 1)) v(s, t, y);
SELECT campaign_book_send(campaign_book(s, true, 0)) = '\x12010100 00000003 0000000000000000 08 c00fffffffffffff 0000000000000000 3ff0000000000000 7fe0000000000001 00 01 00 00 00 00 00 01 00 00 00 00 00 01 00 00 00 00'::bytea AS scores FROM unnest('{0,1,-1}'::float8[]) s;

-- Errors.
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT campaign(true, 'NaN');
SELECT campaign(true, 1, 'Infinity');
SELECT campaign(true, 1e38);
SELECT campaign(true, y) FROM unnest('{0.0000000000000000000000000001,1e20}'::numeric[]) y;
SELECT campaign_book('a'::text, true, '-Infinity');
SELECT campaign_book('NaN'::float8, true, 1);
SELECT campaign_results(campaign(true, 1), 0);
SELECT campaign_results(campaign(true, 1), NULL);
SELECT campaign_sample_ratios(campaign(true, 1), 1);
SELECT campaign_group_size(0.05, 0.05);
SELECT campaign_group_size(5, 10);
SELECT campaign_offers(campaign_book('a'::text, true, 1), -1);
SELECT campaign_offers(campaign_book('a'::text, true, 1), NULL);
SELECT campaign_offers(campaign_book('a'::text, true, 1), 8, min_probability => 80);
SELECT campaign_segments(campaign_book(0.5, true, 1));
SELECT uplift_curves(campaign_book('a'::text, true, 1));
SELECT campaign(true, 1) + campaign(true, 1, 1);
SELECT rollup(c) FROM (SELECT campaign(true, 1, 1) AS c UNION ALL SELECT campaign(true, 1)) s;
SELECT campaign_book('a'::text, true, 1) + campaign_book(0.5, true, 1);
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement), 5) AS state
FROM unnest(ARRAY['campaign_step(NULL, true, 1)', 'campaign_step_before(NULL, true, 1, 1)', 'campaign_summary_combine(NULL, NULL)', 'campaign_book_step_segment(NULL, ''a'', true, 1)', 'campaign_book_step_score(NULL, 1, true, 1)', 'campaign_book_combine(NULL, NULL)',
	'campaign(true, 1e-29)', 'campaign(true, 1, ''NaN'')', 'campaign_book(''infinity''::float8, true, 1)', 'campaign_group_size(0.05, 0.055, 1)', 'campaign_group_size(0.05, 0.055, 0.8, 0)', 'campaign_group_size(0.5, 0.5000000000000001, 0.8, 1e-300)',
	'campaign_sample_ratios(campaign(true, 1), ''NaN'')', 'campaign_sample_ratios(campaign(true, 1), NULL)', 'campaign_segments(campaign_book(''a''::text, true, 1), 1)', 'campaign_differences(campaign_book(''a''::text, true, 1), NULL)', 'campaign_offers(campaign_book(''a''::text, true, 1), 8, ''NaN'')',
	'campaign_offers(campaign_book(''a''::text, true, 1), 8, 0, ''Infinity'')', 'campaign_offers(campaign_book(''a''::text, true, 1), 8, 0, 0, NULL)', 'campaign_offers(campaign_book(''a''::text, true, 1), 8, 0, 0, 0.8, 2)', 'campaign_offers(campaign_book(1.0, true, 1), 8)', 'campaign_differences(campaign_book(1.0, true, 1))', 'uplift_points(campaign_book(''a''::text, true, 1))']) statement;

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(type, v) AS (SELECT 'campaign_summary', campaign(treated, y, before)::text FROM member UNION ALL SELECT 'campaign_book', campaign_book(segment, treated, y)::text FROM outcome)
SELECT type, unnest(ARRAY['', ' ', type, type || ':', ':', type || ': ', type || ':=', type || ':====', type || ':AAAA', type || ':%%%%', '{}', 'null', '0', type || ':EQEA', type || ':EgED', type || ':EQEAAAAAAAAAAAAAAA==', 'rfm_book:AwEB']) AS literal FROM valid
UNION ALL SELECT type, replace(v, type || ':', x) FROM valid, unnest(ARRAY['', type, 'spend_summary:', upper(type) || ':', ' ' || type || ':']) x
UNION ALL SELECT type, left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT type, v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x;
SELECT type, count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type ' || type || ': "%') AS refused FROM (SELECT type, hostile.error_of(format('SELECT %L::%s', literal, type)) AS error FROM bad_literals) s GROUP BY 1 ORDER BY 1;
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, type)' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images; whatever is accepted must be harmless.
CREATE TABLE valid_images AS
SELECT row_number() OVER () AS id, type, image
FROM (SELECT 'campaign_summary' AS type, campaign_summary_send(campaign(treated, y)) AS image FROM member
	  UNION ALL SELECT 'campaign_summary', campaign_summary_send(campaign(treated, y, before)) FROM member
	  UNION ALL SELECT 'campaign_summary', campaign_summary_send(campaign(true, 99999999999999999999999999999999999999, -1e-28))
	  UNION ALL SELECT 'campaign_book', campaign_book_send(campaign_book(segment, treated, y)) FROM outcome WHERE segment IN ('alone', 'never', 'New')
	  UNION ALL SELECT 'campaign_book', campaign_book_send(campaign_book(score, treated, y * 1.25)) FROM scored WHERE score > 0.6) s;
CREATE TABLE images (type text, image bytea, answer text);
SELECT format('INSERT INTO images SELECT type, m, hostile.receive(type, m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT type, count(*) > 400 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary ' || type || ' is not valid: %') > 200 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary ' || type || ' is not valid: %' AND answer NOT LIKE 'accepted: ' || type || ':%') AS other
FROM images GROUP BY 1 ORDER BY 1;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) FILTER (WHERE type = 'campaign_summary') > 20 AND count(*) FILTER (WHERE type = 'campaign_book') > 20 AS accepted, count(DISTINCT left(e, 5)) FILTER (WHERE left(e, 5) NOT IN ('22003', '54000', '42804')) AS surprises
FROM (SELECT type, hostile.error_of(format(CASE type WHEN 'campaign_book' THEN 'SELECT (SELECT count(*) FROM campaign_segments(b)), rows_skipped(b), b + b FROM (SELECT %L::campaign_book AS b) s UNION ALL SELECT (SELECT count(*) FROM uplift_curves(b)), 1, b FROM (SELECT %1$L::campaign_book AS b) s'
	ELSE 'SELECT (SELECT count(*) FROM campaign_results(b)), (SELECT count(*) FROM campaign_groups(b)), rows_skipped(b), b + b FROM (SELECT %L::campaign_summary AS b) s' END, substr(answer, 11))) AS e FROM images WHERE answer LIKE 'accepted%') s;
-- No answer is NaN or infinite.
SELECT count(*) AS answers, count(*) FILTER (WHERE r::text ~* 'nan|inf') AS not_numbers FROM images, LATERAL (SELECT r FROM campaign_results(CASE WHEN type = 'campaign_summary' AND answer LIKE 'accepted%' THEN substr(answer, 11)::campaign_summary END) r) r;

RESET search_path;
DROP SCHEMA campaign_test CASCADE;
