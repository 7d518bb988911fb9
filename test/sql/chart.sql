-- Charts and the page of them. What a browser makes of it is in test/t/101_chart.pl.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA chart_test;
SET search_path = chart_test, public;

-- Numbers and names
SELECT x, chart_number(x) AS whole, chart_number(x, 2) AS two, chart_short(x) AS short, chart_percent(x) AS pct
FROM unnest('{0,-0.004,0.004,0.4193,-0.05,0.0995,0.994,1,9.999,12.34,999,1000,9999,10000,12345.678,-1234567.5,999999999,1e12,123456789012345678901234567890,NULL}'::numeric[]) x;
SELECT value, chart_escape(value) FROM unnest(ARRAY['', 'plain', '<b>"it''s" & so</b>', '&lt;', E'a\tb\nc', E'\x01\x08\x0b\x1f\x7f']) value;
-- 20 letters wide: of 40 letters, of 20, of Chinese.
SELECT chart_label(repeat('x', 40), 20), chart_label(repeat('x', 20), 20), chart_label('<<<<', 3), chart_label('', 5);
SELECT CASE WHEN getdatabaseencoding() <> 'UTF8' THEN '6 6' ELSE length(replace(chart_label(repeat(chr(20013), 12), 14), '&#8230;', '')) || ' ' || length(chart_label(repeat(chr(20013), 7), 14)) - 1 END AS chinese;
SELECT low, high, wanted, chart_ticks(low, high, wanted) FROM (VALUES (0.0, 1.0, 5), (0, 0, 5), (-3, 17, 4), (-0.002, 0.0031, 5), (0, 123456, 6), (99, 101, 2)) v(low, high, wanted) ORDER BY low, high;
-- No number and no room: said as it is, or refused.
SELECT x, chart_short(x) AS short, chart_number(x) AS whole FROM unnest('{NaN,Infinity,-Infinity}'::numeric[]) x;
SELECT width, chart_label('name', width) AS label FROM unnest('{2147483647,4,1,0,-2147483648}'::integer[]) width ORDER BY width DESC;
SELECT hostile.error_of(format('SELECT chart_ticks(%s)', arguments)), arguments FROM unnest(ARRAY['''NaN'', 1, 5', '0, ''NaN'', 5', '0, ''Infinity'', 5', '''-Infinity'', 0, 5', '2, 1, 5', '0, 1, 0', '0, 1, 1001']) arguments;
SELECT cardinality(chart_ticks(0, 1, 1000)) AS steps, chart_ticks(2, 2, 1000) AS one, chart_ticks(-1e100, 1e100, 1) AS far;

-- A whole chart. Its style sheet is left out here.
CREATE FUNCTION drawn(chart text) RETURNS text LANGUAGE sql RETURN replace(replace(chart, chart_style(), ''), '><', E'>\n<');
SELECT drawn(funnel_chart('[{"step":1,"members":200},{"step":2,"members":50},{"step":3,"members":5}]', 'Where they <stop>', '{visit,"cart & coupon",paid}'));

-- What is drawn is in proportion to what it stands for.
CREATE FUNCTION part(chart text, pattern text) RETURNS SETOF text[] LANGUAGE sql AS $$ SELECT regexp_matches($1, $2, 'g') $$;
-- Areas of circles and discs are shares of members and money; money below 0 has none, and who never ordered has no place.
CREATE TABLE segments (segment text, members bigint, monetary numeric, avg_recency float8, avg_frequency float8);
INSERT INTO segments VALUES ('best', 100, 900, 4, 16), ('most', 300, 100, 100, 1), ('back', 100, -50, 25, 4), (NULL, 10, -5, NULL, 0);
CREATE TABLE charts AS SELECT rfm_chart(json_agg(s ORDER BY segment), unit => 'EUR') AS rfm FROM segments s;
SELECT class, tip, round((r::numeric / max(r::numeric) OVER (PARTITION BY class)) ^ 2, 2) AS area, x, y
FROM charts, LATERAL (SELECT p[1] AS class, p[5] AS tip, p[4] AS r, p[2] AS x, p[3] AS y FROM part(rfm, '<circle class="([^"]*)" cx="([^"]*)" cy="([^"]*)" r="([^"]*)"(?:><title>([^<]*))?') p) p;
SELECT p[1] AS legend FROM charts, part(rfm, '<text[^>]*>([^<]*)</text>') p;
SELECT p[1] AS described FROM charts, part(rfm, '<desc>([^<]*)') p;
-- Stacks: above zero and below, and what they are together; a period that is not over has no sum.
CREATE TABLE growth (period date, new_members bigint, resurrecting_members bigint, dormant_members bigint);
INSERT INTO growth VALUES ('2026-01-01', 40, 0, 0), ('2026-02-01', 20, 10, 60), ('2026-03-01', 10, 0, NULL);
SELECT p[4] AS bar, p[1] AS y, p[2] AS height FROM (SELECT lifecycle_chart(json_agg(g)) AS chart FROM growth g) c, part(chart, '<rect class="[^"]*" x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)"()><title>([^<]*)') p;
SELECT p[1] AS net FROM (SELECT lifecycle_chart(json_agg(g)) AS chart FROM growth g) c, part(chart, '<path class="n" d="M[0-9.]+ ([0-9.]+)') p;
SELECT p[1] AS axis FROM (SELECT lifecycle_chart(json_agg(g)) AS chart FROM growth g) c, part(chart, '<text class="m s r"[^>]*y="[^"]*">([^<]*)') p;
-- A heat map: the first period is the number of members, and a cell without a rate is dotted.
SELECT p[1] AS class, p[2] AS cell FROM (SELECT retention_chart('[{"cohort":"2026-02-01","periods_later":0,"members":9,"rate":1},{"cohort":"2026-02-01","periods_later":1,"members":9,"rate":null},
	{"cohort":"2026-01-01","periods_later":0,"members":1234,"rate":1},{"cohort":"2026-01-01","periods_later":1,"members":1234,"rate":0.5},{"cohort":"2026-01-01","periods_later":2,"members":1234,"rate":0.123}]', unit => 'month') AS chart) c,
	part(chart, '<rect class="([^"]*)"[^>]*><title>([^<]*)') p;
-- A forest plot: the square is filled where 0 is not in the interval.
SELECT p[1] AS square, p[2] AS of FROM (SELECT price_gap_chart('[{"member_group":"a","reference":"new","premium_pct":1,"premium_pct_low":-1,"premium_pct_high":3,"verdict":"fair"},
	{"member_group":"b","reference":"new","premium_pct":2,"premium_pct_low":1,"premium_pct_high":3,"verdict":"unfair"},{"member_group":"c","reference":"new","premium_pct":null,"premium_pct_low":null,"premium_pct_high":null,"verdict":"not comparable"}]') AS chart) c,
	part(chart, '<rect class="([^"]*)"[^>]*><title>([^<]*)') p;
-- Moves: bands as wide as there are members; up is towards what comes first.
SELECT p[1] AS band, round(p[3]::numeric - p[2]::numeric, 1) AS width, p[4] AS of FROM (SELECT flow_chart('[{"from_tier":"gold","to_tier":"silver","members":10},{"from_tier":"silver","to_tier":"gold","members":20},
	{"from_tier":"silver","to_tier":"silver","members":40},{"from_tier":null,"to_tier":"silver","members":10}]') AS chart) c, part(chart, '<path class="([^"]*)" d="M122 [^ ]*C[0-9. ]* 238 ([0-9.]+)V([0-9.]+)C[^"]*"><title>([^<]*)') p;
-- The same rows with the names in another order turn up and down around.
SELECT p[1] AS band, p[2] AS of FROM (SELECT flow_chart('[{"from_tier":"gold","to_tier":"silver","members":10},{"from_tier":"silver","to_tier":"gold","members":20}]', names => '{silver,gold}') AS chart) c,
	part(chart, '<path class="([^"]*) v"[^>]*><title>([^<]*)') p;
SELECT p[1] AS worth FROM (SELECT clv_chart('[{"segment":"a","members":2,"clv":10,"avg_clv":5},{"segment":"b","members":1,"clv":20,"avg_clv":20}]') AS chart) c, part(chart, '<title>([^<]*)') p;
-- The point of diminishing return, and none.
SELECT coalesce(p[1], p[2]) AS says FROM unnest('{true,false}'::boolean[]) tired, LATERAL (SELECT fatigue_chart(format('[{"prior":0,"contacts":10,"rate_ratio":1,"ratio_ci_low":null,"ratio_ci_high":null,"is_tired":false},
	{"prior":1,"contacts":9,"rate_ratio":0.5,"ratio_ci_low":0.4,"ratio_ci_high":0.6,"is_tired":%s}]', to_json(tired))::json) AS chart) c, part(chart, '<text class="(?:w h|w h r|m r)"[^>]*>([^<]*)|<desc>([^<]*)') p;
SELECT p[1] AS says FROM (SELECT table_chart('[{"a":1,"b":"x","c":true,"d":null,"e":0.123456,"f":12345678}]') AS chart) c, part(chart, '<text[^>]*>([^<]*)') p;

-- No rows, and rows of nothing: a chart all the same.
SELECT name, chart LIKE '%>no rows<%' AS says_so, chart LIKE '<svg %</svg>' AS is_svg
FROM (VALUES ('rfm', rfm_chart(NULL)), ('retention', retention_chart('[]')), ('lifecycle', lifecycle_chart(NULL)), ('revenue', revenue_chart(NULL)), ('funnel', funnel_chart('null')),
	('price_gap', price_gap_chart('{"rows":[]}')), ('flow', flow_chart(NULL)), ('clv', clv_chart(NULL)), ('fatigue', fatigue_chart(NULL)), ('table', table_chart(NULL))) c(name, chart);
SELECT name, regexp_replace(chart, '<metadata>.*</metadata>', '') ~* '[^a-z](nan|infinity|null)[^a-z]' AS is_broken, chart LIKE '<svg %</svg>' AS is_svg
FROM (VALUES
	('rfm', rfm_chart('[{"segment":null,"members":null,"monetary":null,"avg_recency":null,"avg_frequency":null}]', NULL)),
	('rfm', rfm_chart('[{"segment":"a","members":7,"monetary":-1,"avg_recency":null,"avg_frequency":0}]')),
	('rfm', rfm_chart('[{"segment":"a","members":0,"monetary":0,"avg_recency":0,"avg_frequency":0},{"segment":"b","members":1,"monetary":-1,"avg_recency":1e9,"avg_frequency":1e-9}]', '')),
	('retention', retention_chart('[{"cohort":"a","periods_later":0,"members":0,"rate":0},{"cohort":"b","periods_later":-1,"members":null,"rate":9},{"cohort":"b","periods_later":3,"members":null,"rate":-9},{"cohort":"b","periods_later":4,"members":null,"rate":0}]')),
	('lifecycle', lifecycle_chart('[{"period":"2026-01-01","new_members":0,"resurrecting_members":0,"dormant_members":0},{"period":"x","new_members":null,"resurrecting_members":-7,"dormant_members":-9}]')),
	('funnel', funnel_chart('[{"step":1,"members":0},{"step":2,"members":0},{"step":null,"members":1},{"step":2.5,"members":null}]')),
	('price_gap', price_gap_chart('[{"member_group":null,"reference":null,"premium_pct":0,"premium_pct_low":null,"premium_pct_high":0,"verdict":null}]')),
	('flow', flow_chart('[{"from_a":null,"to_a":null,"members":1},{"members":5},{"from_a":"x","members":null}]')),
	('clv', clv_chart('[{"segment":null,"members":null,"clv":-5,"avg_clv":null}]')),
	('fatigue', fatigue_chart('[{"prior":5,"contacts":0,"rate_ratio":null,"ratio_ci_low":null,"ratio_ci_high":null,"is_tired":null},{"prior":0,"contacts":1,"rate_ratio":0,"ratio_ci_low":0,"ratio_ci_high":1e9,"is_tired":true}]'))
) c(name, chart);

-- chart_rows: the rows of a statement, in the order of its columns, and the statement itself.
SELECT chart_rows('SELECT 2 AS b, 1 AS a, 0.1::float8 + 0.2 AS c, NULL AS d ;
  ');
SELECT chart_rows('VALUES (1), (2) -- two');
SELECT chart_rows('SELECT segment FROM segments WHERE false') -> 'rows', chart_rows(NULL);
-- Names are found as the caller finds them; the way numbers and intervals are written does not depend on the session.
SET extra_float_digits = 0; SET intervalstyle = iso_8601; SET datestyle = 'German'; SET lc_numeric = 'C';
SELECT chart_rows('SELECT 0.1::float8 + 0.2 AS c, interval ''1 day 2 hours'' AS i, date ''2026-02-01'' AS d') -> 'rows';
RESET extra_float_digits; RESET intervalstyle; RESET datestyle;
SELECT hostile.error_of(format('SELECT chart_rows(%L)', statement)), statement
FROM unnest(ARRAY['DELETE FROM segments', 'WITH d AS (DELETE FROM segments RETURNING 1) SELECT * FROM d', 'SELECT 1; DROP TABLE segments', 'SELECT 1) q; DROP TABLE segments; --', 'SELECT nothing', '', 'CREATE TABLE x ()',
	'SELECT 1 AS a) q) q; DROP TABLE segments; SELECT json_agg(q) FROM (SELECT * FROM (SELECT 1']) statement;
SELECT count(*) FROM segments;

-- Wrong rows
SELECT hostile.error_of(statement), statement
FROM unnest(ARRAY[$$SELECT rfm_chart('5')$$, $$SELECT rfm_chart('{"a":1}')$$, $$SELECT rfm_chart('[1]')$$, $$SELECT rfm_chart('[null]')$$, $$SELECT rfm_chart('[{}]')$$,
	$$SELECT funnel_chart('[{"step":1}]')$$, $$SELECT funnel_chart('[{"step":1,"members":"many"}]')$$, $$SELECT funnel_chart('[{"step":1,"members":"NaN"}]')$$, $$SELECT funnel_chart('[{"step":1,"members":"-Infinity"}]')$$,
	$$SELECT funnel_chart('[{"step":1,"members":true}]')$$, $$SELECT funnel_chart('[{"step":1,"members":[1]}]')$$, $$SELECT funnel_chart('{"rows":{"step":1}}')$$,
	$$SELECT flow_chart(json_agg(json_build_object('members', 1))) FROM generate_series(1, 10001)$$, $$SELECT table_chart(chart_rows('SELECT * FROM generate_series(1, 10001)'))$$, $$SELECT fatigue_chart('[{"prior":1,"contacts":1,"rate_ratio":1,"ratio_ci_low":1,"ratio_ci_high":1,"is_tired":"maybe"}]')$$]) statement;
-- Numbers may be strings, as of JSON that was made elsewhere.
SELECT funnel_chart('[{"step":"1","members":" 5e1"}]') LIKE '%>50<%' AS reads_it;

-- The page. Its style sheet and that of the charts are left out.
SELECT replace(regexp_replace(custmart_report('Orders & <more>', 'Two lines
of <text>.', funnel_chart(chart_rows('SELECT 1 AS step, 1234 AS members, 1::float8 / 3 AS share, true AS is_first, ''<i>'' AS note WHERE 1 < 2')), NULL), '<style>.*</style>', '', 'g'), '><', E'>\n<') AS page;
SELECT custmart_report('Nothing') LIKE '%<h1 dir="auto">Nothing</h1><div class="parts">%' AS empty, custmart_report(NULL) LIKE '%<title></title>%' AS without_title;
-- Table cells: what they show is rounded, and what they are is in the page.
SELECT value, chart_cell(value) FROM json_array_elements('[0, -0, 1234567, 12.30, 0.1327483, 1516.9291816, 0.000012345, -0.004, 1e-9, 1e25, true, false, null, "<b>", "", [1], {"a":"<"}]') value;
-- What is not a chart, or was one, is text: nothing but the elements and attributes of charts gets into the page.
SELECT count(*) AS parts, count(*) FILTER (WHERE page LIKE '%<p class="words" dir="auto">&lt;svg %' AND page NOT LIKE '%<section%') AS shown_as_text
FROM unnest(ARRAY['<svg onload="x">', replace(rfm_chart(NULL), '<rect', '<rect onclick="x"'), replace(rfm_chart(NULL), '<rect', '<a href="x"/><rect'), replace(rfm_chart(NULL), '<rect', '<script>x</script><rect'),
	replace(rfm_chart(NULL), '<rect', '<rect style="fill:url(x)"'), replace(rfm_chart(NULL), '<rect', '<!-- --><rect'), replace(rfm_chart(NULL), '<rect', '<style>x</style><rect'), replace(rfm_chart(NULL), '<desc>', '<desc><p>'),
	replace(rfm_chart(NULL), '<metadata>', '<metadata><x/>'), replace(rfm_chart(NULL), 'class="p"', 'class="p" href="x"'), replace(rfm_chart(NULL), '</svg>', '</svg><img src=x>'), replace(rfm_chart(NULL), 'class="p"', 'class=p>'),
	replace(rfm_chart(NULL), '<rect', '<foreignObject/><rect'), replace(rfm_chart(NULL), '<rect', E'<rect\nx="1"')]) part, LATERAL (SELECT custmart_report('x', part) AS page) p;
SELECT hostile.error_of($$SELECT custmart_report('x', replace(rfm_chart(NULL), '{"rows"', '{rows'))$$);

-- The same rows give the same bytes whatever the session is set to, in whatever order the columns come.
CREATE TABLE pages (said text);
CREATE FUNCTION page() RETURNS text LANGUAGE sql AS $$
	SELECT custmart_report('t', (SELECT rfm_chart(json_agg(s ORDER BY segment)) FROM segments s), (SELECT lifecycle_chart(json_agg(g ORDER BY period)) FROM growth g), (SELECT lifecycle_chart(json_agg(g ORDER BY period DESC)) FROM growth g)) $$;
INSERT INTO pages SELECT page();
SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Tokyo'; SET extra_float_digits = 3; SET standard_conforming_strings = on; SET work_mem = '64kB'; SET enable_hashagg = off; SET enable_sort = off; SET jit = off;
INSERT INTO pages SELECT page();
RESET ALL;
SET search_path = chart_test, public;
SELECT count(DISTINCT said) AS pages FROM pages;
-- Only the table, which shows the rows as they come, depends on their order.
SELECT count(DISTINCT regexp_replace(chart, '<metadata>.*</metadata>', '')) AS pictures
FROM (SELECT lifecycle_chart(json_agg(g ORDER BY period)) FROM growth g UNION ALL SELECT lifecycle_chart(json_agg(g ORDER BY period DESC)) FROM growth g UNION ALL
	SELECT lifecycle_chart(json_agg(json_build_object('dormant_members', dormant_members, 'period', period, 'other', 1, 'resurrecting_members', resurrecting_members, 'new_members', new_members))) FROM growth g) c(chart);
DROP SCHEMA chart_test CASCADE;
