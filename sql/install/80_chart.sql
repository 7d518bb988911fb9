-- chart: reports as pictures, and a page of them
--
-- A chart is SVG, 360 units wide, and takes the rows of a report as JSON: the columns have names, so they come in any order, and the
-- order in which they do is that of the table beside the chart. All arithmetic is numeric, all comparisons are of bytes, and nothing is
-- formatted by to_char: the same rows give the same bytes in every session, locale and version.

-- What numbers and names look like

CREATE FUNCTION chart_escape(value text) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 5
	RETURN regexp_replace(replace(replace(replace(replace(replace(value COLLATE "C", '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'),
		'[\x01-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFE\uFFFF]', '&#65533;', 'g');
COMMENT ON FUNCTION chart_escape(text) IS
	'A text as it is written in SVG and HTML, between tags and in an attribute: &, <, >, " and '' as entities, and the replacement character for those that XML does not allow.';

CREATE FUNCTION chart_label(value text, width integer) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN CASE WHEN length(value) + octet_length(value) <= 2 * width::bigint THEN chart_escape(value)
		ELSE chart_escape(left(value, greatest(1, 2 * (width::bigint - 1) * length(value) / (length(value) + octet_length(value)))::integer)) || '&#8230;' END;
COMMENT ON FUNCTION chart_label(text, integer) IS
	'A name as it is written into a chart: escaped, and cut where it would be wider than width letters. A character of three bytes in UTF-8, as in Chinese, is as wide as two letters, one of two bytes as wide as one and a half.';

CREATE FUNCTION chart_number(value numeric, decimals integer DEFAULT 0) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN CASE WHEN round(value, decimals) < 0 THEN '-' ELSE '' END
		|| regexp_replace(split_part(abs(round(value, decimals))::text, '.', 1) COLLATE "C", '\d(?=(?:\d\d\d)+$)', '\&,', 'g')
		|| coalesce('.' || nullif(split_part(abs(round(value, decimals))::text, '.', 2), ''), '');
COMMENT ON FUNCTION chart_number(numeric, integer) IS
	'A number rounded to so many decimals, 1,234.50: a comma between thousands and a point before decimals, whatever the locale.';

CREATE FUNCTION chart_short(value numeric) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN coalesce(
		(SELECT chart_number(r.x, scale(r.x)) || r.unit
			FROM (SELECT CASE WHEN value = ANY ('{NaN,Infinity,-Infinity}') THEN NULL ELSE value END AS finite) f,
				LATERAL (SELECT CASE WHEN abs(f.finite) >= 1e12 THEN 1e12 WHEN abs(f.finite) >= 1e9 THEN 1e9 WHEN abs(f.finite) >= 1e6 THEN 1e6 WHEN abs(f.finite) >= 10000 THEN 1000 ELSE 1 END AS size) s,
				LATERAL (SELECT CASE s.size WHEN 1e12 THEN ' T' WHEN 1e9 THEN ' B' WHEN 1e6 THEN ' M' WHEN 1000 THEN ' k' ELSE '' END AS unit,
					trim_scale(round(f.finite / s.size, 2 - least(2, floor(log(greatest(abs(f.finite / s.size), 1)))::integer))) AS x) r),
		value::text);
COMMENT ON FUNCTION chart_short(numeric) IS
	'A number in three digits, such as 4.89 M for 4,893,613.54, with k for thousands (from 10,000 on), M, B and T for 10^6, 10^9 and 10^12; NaN and Infinity as they are.';

CREATE FUNCTION chart_percent(share numeric) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN chart_number(100 * share, CASE WHEN abs(share) < 0.0995 AND share <> 0 THEN 1 ELSE 0 END) || ' %';
COMMENT ON FUNCTION chart_percent(numeric) IS 'A share in percent, such as 42 % for 0.4193; below 10 % with one decimal.';

CREATE FUNCTION chart_xy(value numeric) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 5
	RETURN trim_scale(round(value, 1))::text;
COMMENT ON FUNCTION chart_xy(numeric) IS 'A coordinate in a chart, to a tenth of a unit.';

CREATE FUNCTION chart_period(value text, is_month boolean) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10
	RETURN chart_escape(left(value, CASE WHEN is_month THEN 7 ELSE 10 END));
COMMENT ON FUNCTION chart_period(text, boolean) IS 'A day as JSON has it, or its month, as it is written into a chart.';

CREATE FUNCTION chart_ticks(low numeric, high numeric, wanted integer) RETURNS numeric[]
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	step numeric;
	rest numeric;
BEGIN
	IF low = ANY ('{NaN,Infinity,-Infinity}') OR high = ANY ('{NaN,Infinity,-Infinity}') OR low > high THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('an axis of a chart cannot reach from %s to %s', low, high),
			HINT = 'Give two finite numbers, the lower one first.';
	ELSIF wanted NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('an axis of a chart must have between 1 and 1000 steps, not %s', wanted),
			HINT = 'Give about as many as there is room for, such as 5.';
	END IF;
	step := power(10::numeric, floor(log(greatest(high - low, 1e-9) / wanted)));
	rest := (high - low) / wanted / step;
	step := step * CASE WHEN rest <= 1 THEN 1 WHEN rest <= 2 THEN 2 WHEN rest <= 5 THEN 5 ELSE 10 END;
	RETURN ARRAY(SELECT trim_scale(t) FROM generate_series(floor(low / step) * step, ceil(high / step) * step, step) t ORDER BY t);
END
$$;
COMMENT ON FUNCTION chart_ticks(numeric, numeric, integer) IS
	'Round numbers for an axis that reaches from low to high, ascending: about as many steps as wanted, of 1, 2 or 5 times a power of ten; the first is low or below, the last high or above. Errors: 22023 for NaN, infinity, a high below low, or wanted outside of 1 to 1000.';

-- Rows

CREATE FUNCTION chart_rows(statement text) RETURNS json
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 100000 SET extra_float_digits = 1 SET intervalstyle = 'postgres' AS $$
DECLARE
	-- The statement is run in the caller's search_path, so nothing here may depend on it.
	query pg_catalog.text := pg_catalog.rtrim(statement, E'; \t\r\n');
	found pg_catalog.json;
BEGIN
	-- The end of the line ends a comment behind the statement.
	EXECUTE pg_catalog.format(E'SELECT pg_catalog.json_agg(pg_catalog.row_to_json(q)) FROM (SELECT * FROM (%s\n) q LIMIT 10001) q', query) INTO found;
	RETURN pg_catalog.json_build_object('statement', query, 'rows', coalesce(found, '[]'));
END
$$;
COMMENT ON FUNCTION chart_rows(text) IS
	'Runs a query, in the search_path and with the rights of the caller, and returns an object of its text (statement) and its rows (rows), for the argument rows of a chart, which then has the SQL that made it. The query cannot write; functions that it calls can. Errors: those of the query, of which 42601 if it is not a SELECT or VALUES.';

CREATE FUNCTION chart_check(rows json, texts text[], numbers text[]) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	checked jsonb;
	wrong record;
BEGIN
	checked := CASE WHEN json_typeof(rows) = 'object' AND rows -> 'rows' IS NOT NULL THEN rows -> 'rows' ELSE rows END;
	IF checked IS NULL OR jsonb_typeof(checked) = 'null' THEN
		RETURN '[]';
	END IF;
	SELECT left(e::text, 60) AS text INTO wrong
	FROM jsonb_array_elements(CASE jsonb_typeof(checked) WHEN 'array' THEN checked ELSE jsonb_build_array(checked, NULL) END) e
	WHERE jsonb_typeof(checked) <> 'array' OR jsonb_typeof(e) <> 'object' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('rows of a chart must be an array of objects, not %s', wrong.text),
			HINT = 'json_agg(r) makes one of the rows r of a subquery, and chart_rows(''SELECT ...'') of a statement.';
	ELSIF jsonb_array_length(checked) > 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded', MESSAGE = 'a chart can have 10000 rows at most',
			HINT = 'Choose longer periods, or fewer of them, or fewer groups.';
	END IF;
	SELECT name INTO wrong FROM unnest(texts || numbers) WITH ORDINALITY u (name, n), jsonb_array_elements(checked) e WHERE NOT e ? name ORDER BY n LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('rows of this chart have no column "%s"', wrong.name),
			HINT = format('It takes the columns %s.', array_to_string(texts || numbers, ', '));
	END IF;
	SELECT name, left(e ->> name, 60) AS text INTO wrong FROM unnest(numbers) WITH ORDINALITY u (name, n), jsonb_array_elements(checked) e
	WHERE e -> name <> 'null' AND (e ->> name) !~ '^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,3})? *$' ORDER BY n LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s of a chart must be a finite number, not "%s"', wrong.name, wrong.text),
			HINT = 'Leave such rows out, or make it NULL: nullif(x, ''NaN'').';
	END IF;
	RETURN checked;
END
$$;
COMMENT ON FUNCTION chart_check(json, text[], text[]) IS
	'The rows that a chart is to draw, of an array of rows or of what chart_rows() returns; an empty array for NULL. Called by every chart. Errors: 22023 if rows are something else or one of the numbers is not a finite one, 42703 if a column is missing, 54000 for more than 10,000 rows.';

-- The frame around a chart

CREATE FUNCTION chart_style() RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 1
	RETURN '<style>'
		'.cm text{font:11.5px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1b1f24;font-variant-numeric:tabular-nums}'
		'.cm .t{font-size:14px;font-weight:700}.cm .m{fill:#57606a}.cm .s{font-size:10.5px}.cm .w{font-weight:700}.cm .r{text-anchor:end}.cm .c{text-anchor:middle}'
		'.cm .h{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}'
		'.cm .p{fill:#fff}.cm .g{stroke:#d8dee4;fill:none}.cm .z{stroke:#1b1f24;fill:none}.cm .y{stroke:#1b1f24;fill:none;stroke-dasharray:4 3}'
		'.cm .n{stroke:#1b1f24;fill:none;stroke-width:2}.cm .o{fill:none;stroke:#8c959f;stroke-dasharray:2 2}.cm .k{fill:#1b1f24}'
		'.cm .a{fill:#0b4f8a}.cm .b{fill:#4c94d0}.cm .l{fill:#c3def5}.cm .d{fill:#b84a05}.cm .e{fill:#eda566}.cm .f{fill:#d8dee4}'
		'.cm .q{stroke:#0b4f8a;stroke-width:.8}.cm .v{fill-opacity:.8}.cm .u{stroke:#0b4f8a;fill:none;stroke-width:2}'
		'.cm .h0{fill:#eef5fc}.cm .h1{fill:#d5e6f6}.cm .h2{fill:#b4d2ee}.cm .h3{fill:#8bb9e2}.cm .h4{fill:#5f9cd1}.cm .h5{fill:#3474b0}.cm .h6{fill:#1f5d9a}.cm .h7{fill:#0d3d73}'
		'.cm .i5,.cm .i6,.cm .i7{fill:#fff}'
		'@media(prefers-color-scheme:dark){.cm text{fill:#e6edf3}.cm .m{fill:#a3adb8}.cm .h{stroke:#161b22}'
		'.cm .p{fill:#161b22}.cm .g{stroke:#343b44}.cm .z,.cm .y,.cm .n{stroke:#e6edf3}.cm .o{stroke:#7d8590}.cm .k{fill:#e6edf3}'
		'.cm .a{fill:#9ccbff}.cm .b{fill:#4a8fd1}.cm .l{fill:#24486b}.cm .d{fill:#ff9b52}.cm .e{fill:#7d4520}.cm .f{fill:#3d454f}.cm .q,.cm .u{stroke:#9ccbff}'
		'.cm .h0{fill:#1b2733}.cm .h1{fill:#1f3850}.cm .h2{fill:#244c70}.cm .h3{fill:#2d6494}.cm .h4{fill:#4787bf}.cm .h5{fill:#6aa6d9}.cm .h6{fill:#98c7ee}.cm .h7{fill:#cde6fb}'
		'.cm .i4,.cm .i5,.cm .i6,.cm .i7{fill:#0b0f14}}'
		'</style>';
COMMENT ON FUNCTION chart_style() IS
	'The style sheet of every chart. Shades differ in lightness, so that they can be told apart in black and white and by the colour-blind; the dark ones are for whoever prefers a dark screen.';

CREATE FUNCTION chart_frame(rows json, title text, subtitle text, description text, height numeric, body text) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 100
	RETURN '<svg xmlns="http://www.w3.org/2000/svg" class="cm" role="img" viewBox="0 0 360 ' || chart_xy(height) || '">'
		|| '<title>' || chart_escape(coalesce(title, '')) || '</title>'
		|| '<desc>' || coalesce(description, '') || '</desc>'
		|| '<metadata>' || replace(replace(CASE WHEN json_typeof(rows) = 'object' THEN rows::text ELSE json_build_object('rows', coalesce(rows, '[]'))::text END COLLATE "C", '&', '&amp;'), '<', '&lt;')
		|| '</metadata>' || chart_style()
		|| '<rect class="p" width="360" height="' || chart_xy(height) || '"/>'
		|| '<text class="t" x="6" y="19">' || coalesce(chart_label(title, 40), '') || '</text>'
		|| '<text class="m" x="6" y="35">' || coalesce(subtitle, '') || '</text>'
		|| coalesce(nullif(body, ''), '<text class="m c" x="180" y="' || chart_xy(height / 2 + 20) || '">no rows</text>') || '</svg>';
COMMENT ON FUNCTION chart_frame(json, text, text, text, numeric, text) IS
	'A chart of what is drawn in it (body), with its title, a line below it, a description for those who cannot see it (both escaped), its rows as metadata and its style sheet.';

CREATE FUNCTION chart_text(x numeric, y numeric, class text, content text) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 5
	RETURN '<text' || coalesce(' class="' || class || '"', '') || ' x="' || chart_xy(x) || '" y="' || chart_xy(y) || '">' || content || '</text>';
COMMENT ON FUNCTION chart_text(numeric, numeric, text, text) IS 'A line of text in a chart. What it says is escaped.';

CREATE FUNCTION chart_bar(x numeric, y numeric, width numeric, height numeric, class text, tip text DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 5
	RETURN '<rect class="' || class || '" x="' || chart_xy(x) || '" y="' || chart_xy(y) || '" width="' || chart_xy(greatest(width, 0)) || '" height="' || chart_xy(greatest(height, 0))
		|| coalesce('"><title>' || tip || '</title></rect>', '"/>');
COMMENT ON FUNCTION chart_bar(numeric, numeric, numeric, numeric, text, text) IS 'A rectangle in a chart. What it says when pointed at (tip) is escaped.';

CREATE FUNCTION chart_line(x1 numeric, y1 numeric, x2 numeric, y2 numeric, class text) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 5
	RETURN '<path class="' || class || '" d="M' || chart_xy(x1) || ' ' || chart_xy(y1) || 'L' || chart_xy(x2) || ' ' || chart_xy(y2) || '"/>';
COMMENT ON FUNCTION chart_line(numeric, numeric, numeric, numeric, text) IS 'A line in a chart.';

CREATE FUNCTION chart_dot(x numeric, y numeric, radius numeric, class text, tip text DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 5
	RETURN '<circle class="' || class || '" cx="' || chart_xy(x) || '" cy="' || chart_xy(y) || '" r="' || chart_xy(radius) || coalesce('"><title>' || tip || '</title></circle>', '"/>');
COMMENT ON FUNCTION chart_dot(numeric, numeric, numeric, text, text) IS 'A circle in a chart. What it says when pointed at (tip) is escaped.';

-- Charts

CREATE FUNCTION rfm_chart(rows json, title text DEFAULT 'Segments', unit text DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH given AS (
			SELECT coalesce(r ->> 'segment', '(none)') AS name, greatest((r ->> 'members')::numeric, 0) AS members, greatest((r ->> 'monetary')::numeric, 0) AS money,
				-- greatest() passes over NULL, and who never ordered has no place.
				CASE WHEN (r ->> 'avg_frequency')::numeric > 0 THEN greatest((r ->> 'avg_recency')::numeric, 0) + 0 * (r ->> 'avg_recency')::numeric END AS recency,
				(r ->> 'avg_frequency')::numeric AS frequency, n
			FROM jsonb_array_elements(chart_check(rows, '{"segment"}', '{members,monetary,avg_recency,avg_frequency}')) WITH ORDINALITY e (r, n)
		), segment AS (
			SELECT *, row_number() OVER (ORDER BY money DESC NULLS LAST, members DESC NULLS LAST, name COLLATE "C", n) AS nth,
				coalesce(members / nullif(sum(members) OVER (), 0), 0) AS share, coalesce(money / nullif(sum(money) OVER (), 0), 0) AS money_share,
				recency IS NOT NULL AND members > 0 AS is_placed
			FROM given
		), axis AS (
			SELECT days, fewest, greatest(most, 2 * fewest) AS most, largest
			FROM (SELECT greatest(max(recency), 1) AS days, max(frequency) AS most, greatest(max(share), max(money_share), 0.01) AS largest,
					-- The number of the axis below the least one.
					coalesce((SELECT max(d * power(10::numeric, e)) FROM unnest('{1,2,5}'::numeric[]) d, generate_series(-1, 12) e WHERE d * power(10::numeric, e) <= min(frequency)), least(min(frequency), 1)) AS fewest
				FROM segment WHERE is_placed) s
		), place AS (
			SELECT s.*, 326 - 254 * sqrt(recency / days) AS x, CASE WHEN is_placed THEN 242 - 146 * ln(frequency / fewest) / ln(most / fewest) END AS y,
				-- Areas are shares, and no circle has more than a fifth of the width.
				least(56, 34 / sqrt(largest)) * sqrt(share) AS ring, least(56, 34 / sqrt(largest)) * sqrt(money_share) AS disc,
				54 / greatest(largest, 0.01) AS per_share,
				chart_escape(name) || ': members ' || chart_number(members) || ' (' || chart_percent(share) || '), money ' || chart_number(money, scale(money))
					|| ' (' || chart_percent(money_share) || ')' || coalesce(', days ' || chart_number(recency) || ', orders ' || chart_short(frequency), '') AS tip,
				324 + 17 * (nth - 1) AS line
			FROM segment s, axis
		), mark AS (
			-- A number moves down where it would lie on those before it.
			SELECT p.nth, p.x, p.y + 4 + 12 * (SELECT count(*) FROM place o WHERE o.nth < p.nth AND o.is_placed AND abs(o.x - p.x) < 14 AND abs(o.y - p.y) < 11) AS y FROM place p WHERE p.is_placed
		)
		SELECT chart_frame(rows, title, 'circle: share of members, disc: share of money' || coalesce(', ' || chart_label(unit, 8), ''),
			'Segments by days since the last order and orders a member. ' || coalesce(string_agg(tip, '; ' ORDER BY nth), 'No rows.'),
			coalesce(324 + 17 * count(*), 92),
			(SELECT string_agg(CASE WHEN days >= tick THEN chart_line(326 - 254 * sqrt(tick / days), 58, 326 - 254 * sqrt(tick / days), 278, 'g')
					|| chart_text(326 - 254 * sqrt(tick / days), 290, 'm s c', chart_number(tick)) END, '' ORDER BY tick)
				FROM axis, unnest('{0,1,7,30,90,180,365,730,1461,2922,5844}'::numeric[]) tick WHERE tick = 0 OR tick >= 0.008 * days)
			|| (SELECT string_agg(chart_line(30, 242 - 146 * ln(tick / fewest) / ln(most / fewest), 354, 242 - 146 * ln(tick / fewest) / ln(most / fewest), 'g')
					|| chart_text(26, 246 - 146 * ln(tick / fewest) / ln(most / fewest), 'm s r', chart_short(tick)), '' ORDER BY tick)
				FROM axis, generate_series(0, 12) e, unnest('{1,2,5}'::numeric[]) digit, LATERAL (SELECT digit * power(10::numeric, e) AS tick) t
				WHERE tick BETWEEN fewest AND most AND (digit = 1 OR most <= 1000))
			|| chart_text(354, 302, 'm s r', 'days since the last order: longer ago to the left') || chart_text(6, 52, 'm s', 'orders a member')
			|| coalesce(string_agg(CASE WHEN is_placed THEN chart_dot(x, y, disc, 'l q v', tip) || chart_dot(x, y, ring, 'n') END, '' ORDER BY greatest(ring, disc) DESC, nth), '')
			|| coalesce((SELECT string_agg(chart_text(x, y, 'w c h', nth::text), '' ORDER BY nth) FROM mark), '')
			|| chart_text(172, 320, 'm s', 'members') || chart_text(268, 320, 'm s', 'money')
			|| string_agg(chart_text(20, line + 12, 'r w', nth::text) || chart_text(26, line + 12, NULL, chart_label(name, 24))
				|| chart_bar(172, line + 3, per_share * share, 10, 'k', tip) || chart_text(176 + per_share * share, line + 12, 's', chart_percent(share))
				|| chart_bar(268, line + 3, per_share * money_share, 10, 'l q', tip) || chart_text(272 + per_share * money_share, line + 12, 's', chart_percent(money_share)), '' ORDER BY nth))
		FROM place);
COMMENT ON FUNCTION rfm_chart(json, text, text) IS
	'Draws what rfm_segments() returns: each segment where its members are on average, by days since the last order (a scale of square roots) and orders a member (a logarithmic one), with a circle for its share of the members and a disc for its share of the money; below, both shares as bars, most money first. Takes the columns segment, members, monetary, avg_recency, avg_frequency; money below 0 counts as none. unit is that of the money. Errors: those of chart_check.';

CREATE FUNCTION retention_chart(rows json, title text DEFAULT 'Retention', unit text DEFAULT 'period') RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH cell AS (
			SELECT r ->> 'cohort' AS cohort, (r ->> 'periods_later')::numeric AS later, (r ->> 'members')::numeric AS members, (r ->> 'rate')::numeric AS rate
			FROM jsonb_array_elements(chart_check(rows, '{"cohort"}', '{periods_later,members,rate}')) r
			WHERE r ->> 'cohort' IS NOT NULL AND r ->> 'periods_later' IS NOT NULL
		), cohort AS (
			SELECT cohort, max(members) AS members, row_number() OVER (ORDER BY cohort COLLATE "C") - 1 AS nth FROM cell GROUP BY cohort
		), size AS (
			SELECT greatest(max(later), 1) AS periods, count(DISTINCT cohort) AS cohorts, bool_and(cohort ~ '^\d+-\d\d-01$') AS is_month,
				CASE WHEN bool_and(cohort ~ '^\d+-\d\d-01$') THEN 104 ELSE 118 END AS x0,
				least(28, CASE WHEN bool_and(cohort ~ '^\d+-\d\d-01$') THEN 250 ELSE 236 END / greatest(max(later), 1)) AS width, CASE WHEN count(DISTINCT cohort) <= 36 THEN 17 WHEN count(DISTINCT cohort) <= 72 THEN 9 ELSE 648.0 / count(DISTINCT cohort) END AS height,
				coalesce((SELECT nullif(max(t), 0) FROM unnest(chart_ticks(0, max(rate) FILTER (WHERE later >= 1), 4)) t), 1) AS most
			FROM cell
		), place AS (
			SELECT c.*, s.*, o.nth, x0 + width * (later - 1) AS x, 62 + height * o.nth AS y, greatest(0, least(7, floor(8 * rate / most))) AS shade,
				chart_period(c.cohort, is_month) || ', ' || chart_number(later) || ' later' AS tip
			FROM cell c JOIN cohort o USING (cohort), size s WHERE later >= 1
		)
		SELECT chart_frame(rows, title, 'members who came back, in % of each cohort',
			'Cohorts by the ' || chart_escape(unit) || ' of their beginning, and the share of their members who came back later. ' || chart_number(cohorts) || ' cohorts; rates from '
				|| coalesce((SELECT chart_percent(min(rate)) || ' to ' || chart_percent(max(rate)) FROM place), 'none'),
			CASE WHEN cohorts > 0 THEN 62 + height * cohorts + 34 ELSE 92 END,
			(SELECT chart_text(x0 - 6, 57, 'm s r', 'members') || chart_text(354, 47, 'm s r', chart_label(unit || 's later', 40))
				|| string_agg(chart_text(x0 + width * (p - 0.5), 57, 'm s c', p::text), '' ORDER BY p) FROM generate_series(1, periods::integer) p
				WHERE p % ceil(16 / width) = CASE WHEN width >= 16 THEN 0 ELSE 1 END AND cohorts > 0)
			|| (SELECT string_agg(chart_text(6, 62 + height * (nth + 0.5) + 4, NULL, chart_label(left(cohort, CASE WHEN is_month THEN 7 ELSE 10 END), 10)) || chart_text(x0 - 6, 62 + height * (nth + 0.5) + 4, 'm r', coalesce(chart_short(members), '')),
				'' ORDER BY nth) FROM cohort WHERE nth % ceil(12 / height) = 0)
			|| coalesce((SELECT string_agg(CASE WHEN rate IS NULL THEN chart_bar(x + 1.5, y + 1.5, width - 3, height - 3, 'o', tip || ': not over yet')
					ELSE chart_bar(x + 0.5, y + 0.5, width - 1, height - 1, 'h' || shade, tip || ': ' || chart_percent(rate))
						|| CASE WHEN width >= 16 AND height >= 12 THEN chart_text(x + width / 2, y + height / 2 + 3.5, 's c i' || shade, chart_number(100 * rate)) ELSE '' END END,
				'' ORDER BY nth, later) FROM place), '')
			|| (SELECT chart_text(130, 62 + height * cohorts + 22, 'm s r', '0 %') || string_agg(chart_bar(136 + 20 * i, 62 + height * cohorts + 12, 20, 12, 'h' || i), '' ORDER BY i)
				|| chart_text(302, 62 + height * cohorts + 22, 'm s', chart_percent(most)) FROM generate_series(0, 7) i WHERE cohorts > 0))
		FROM size);
COMMENT ON FUNCTION retention_chart(json, text, text) IS
	'Draws what cohort_retention() returns as a heat map: a row for each cohort with its number of members, a column for each period later, the darker the more came back (on a dark screen the lighter); a dotted cell is of a period that is not over. Takes the columns cohort, periods_later, members, rate; unit is that of the book, such as month. Errors: those of chart_check.';

CREATE FUNCTION chart_stack(rows json, title text, subtitle text, columns text[], names text[], classes text[], signs integer[]) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH period AS (
			SELECT r, row_number() OVER (ORDER BY r ->> 'period' COLLATE "C") - 1 AS nth FROM jsonb_array_elements(chart_check(rows, '{"period"}', columns)) r WHERE r ->> 'period' IS NOT NULL
		), part AS (
			SELECT nth, k, signs[k] * coalesce((r ->> columns[k])::numeric, 0) AS value, r ->> columns[k] IS NOT NULL AS is_known, r ->> 'period' AS period FROM period, generate_subscripts(columns, 1) k
		), stacked AS (
			SELECT *, sum(value) OVER (PARTITION BY nth, value < 0 ORDER BY k) AS reaches FROM part
		), net AS (
			SELECT nth, sum(value) AS net, bool_and(is_known) AS is_over FROM part GROUP BY nth
		), size AS (
			SELECT array_agg(t ORDER BY t) AS ticks, min(t) AS low, max(t) AS high, (SELECT count(*) FROM period) AS periods, 310.0 / greatest((SELECT count(*) FROM period), 6) AS width,
				50 + 15 * ((cardinality(names) + 3) / 3) AS top, (SELECT bool_and(r ->> 'period' ~ '^\d+-\d\d-01$') FROM period) AS is_month
			FROM unnest(chart_ticks((SELECT least(min(reaches), min(net), 0) FROM stacked JOIN net USING (nth)), (SELECT greatest(max(reaches), max(net), 5) FROM stacked JOIN net USING (nth)), 6)) t
		), scaled AS (
			SELECT *, 190 / (high - low) AS per, top + 190 * high / (high - low) AS zero FROM size
		)
		SELECT chart_frame(rows, title, subtitle,
			'Bars for ' || chart_number(periods) || ' periods: ' || array_to_string(names, ', ') || '. '
				|| coalesce((SELECT string_agg(chart_period(period.r ->> 'period', is_month) || ': ' || chart_short(net), '; ' ORDER BY nth) FROM net JOIN period USING (nth) WHERE is_over), ''),
			CASE WHEN periods > 0 THEN top + 214 ELSE 92 END,
			(SELECT string_agg(chart_line(44, zero - per * t, 354, zero - per * t, 'g') || chart_text(40, zero - per * t + 4, 'm s r', chart_short(t)), '' ORDER BY t)
				FROM unnest(ticks) t WHERE periods > 0)
			|| (SELECT string_agg(chart_bar(8 + 116 * ((k - 1) % 3), 43 + 15 * ((k - 1) / 3), 10, 10, classes[k]) || chart_text(22 + 116 * ((k - 1) % 3), 52 + 15 * ((k - 1) / 3), NULL, names[k]), '' ORDER BY k)
				|| chart_line(8 + 116 * (cardinality(names) % 3), 48 + 15 * (cardinality(names) / 3), 18 + 116 * (cardinality(names) % 3), 48 + 15 * (cardinality(names) / 3), 'n')
				|| chart_text(22 + 116 * (cardinality(names) % 3), 52 + 15 * (cardinality(names) / 3), NULL, 'all together') FROM generate_subscripts(names, 1) k WHERE periods > 0)
			|| (SELECT coalesce(string_agg(chart_bar(44 + width * (nth + 0.1), zero - per * greatest(reaches, reaches - value), width * 0.8, per * abs(value), classes[k],
					chart_period(period, is_month) || ', ' || names[k] || ': ' || chart_number(value, scale(value))), '' ORDER BY nth, k), '') FROM stacked WHERE value <> 0)
			|| (SELECT chart_line(44, zero, 354, zero, 'z') || coalesce(string_agg(chart_line(44 + width * (nth + 0.05), zero - per * net, 44 + width * (nth + 0.95), zero - per * net, 'n'), '' ORDER BY nth), '')
				FROM net WHERE is_over)
			|| (SELECT string_agg(chart_text(greatest(62, least(336, 44 + width * (nth + 0.5))), top + 206, 'm s c', chart_period(r ->> 'period', is_month)), '' ORDER BY nth) FROM period
				WHERE nth % ceil(CASE WHEN is_month THEN 62 ELSE 80 END / width) = 0))
		FROM scaled);
COMMENT ON FUNCTION chart_stack(json, text, text, text[], text[], text[], integer[]) IS
	'Bars around zero, one for each period, made of several columns, each counted with its sign; a line across each says what they are together, unless one of them is NULL. Used by lifecycle_chart and revenue_chart.';

CREATE FUNCTION lifecycle_chart(rows json, title text DEFAULT 'Members gained and lost') RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN chart_stack(rows, title, 'members who came, and who stopped coming, by period', '{new_members,resurrecting_members,dormant_members}', '{new,"back again",dormant}',
		'{a,"l q",d}', '{1,1,-1}');
COMMENT ON FUNCTION lifecycle_chart(json, text) IS
	'Draws what lifecycle_counts() returns as bars around zero, a bar for each period: members who are new or back again above, those who did not come again below; the line across is the difference, by which the number of active members changed. Takes the columns period, new_members, resurrecting_members, dormant_members. Errors: those of chart_check.';

CREATE FUNCTION revenue_chart(rows json, title text DEFAULT 'Revenue gained and lost', unit text DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN chart_stack(rows, title, 'changes against the period before' || coalesce(', ' || chart_label(unit, 20), ''),
		'{new_revenue,resurrected,expansion,contraction,churned,excess_refunds}', '{new,"back again",more,less,churned,"excess refunds"}', '{a,"l q",b,e,d,k}', '{1,1,1,1,1,1}');
COMMENT ON FUNCTION revenue_chart(json, text, text) IS
	'Draws what revenue_growth() returns as bars around zero, a bar for each period: revenue of new members, of those who are back, and what others pay more above; what they pay less and what is churned below; the line across is what all that adds up to, by which revenue changed. Takes the columns period, new_revenue, resurrected, expansion, contraction, churned, excess_refunds. Errors: those of chart_check.';

CREATE FUNCTION funnel_chart(rows json, title text DEFAULT 'Funnel', names text[] DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH given AS (
			SELECT (r ->> 'step')::numeric AS step, greatest(coalesce((r ->> 'members')::numeric, 0), 0) AS members FROM jsonb_array_elements(chart_check(rows, '{}', '{step,members}')) r
		), step AS (
			SELECT *, row_number() OVER w - 1 AS nth, lag(members) OVER w AS before, first_value(members) OVER w AS first, max(members) OVER () AS most FROM given WINDOW w AS (ORDER BY step, members DESC)
		), named AS (
			SELECT *, coalesce(names[step::integer], 'step ' || step) AS name, 46 + 52 * nth AS y, 348 / greatest(most, 1) AS per FROM step WHERE step BETWEEN 0 AND 1e9
		)
		SELECT chart_frame(rows, title, 'members who got so far, and in % of those before',
			'Steps: ' || coalesce(string_agg(chart_escape(name) || ' ' || chart_number(members), '; ' ORDER BY nth), 'none'), CASE WHEN count(*) > 0 THEN 46 + 52 * count(*) ELSE 92 END,
			string_agg(chart_text(6, y + 12, 'w', chart_label(name, 34))
				|| chart_text(354, y + 12, 'r', chart_number(members))
				|| CASE WHEN nth > 0 THEN chart_bar(6, y + 17, per * before, 22, 'f') ELSE '' END
				|| chart_bar(6, y + 17, per * members, 22, 'a', chart_escape(name) || ': ' || chart_number(members))
				|| CASE WHEN nth > 0 AND before > 0 THEN chart_text(354, y + 33, 'r h', chart_percent(members / before) || CASE WHEN nth > 1 AND first > 0 THEN ', of all ' || chart_percent(members / first) ELSE '' END) ELSE '' END,
				'' ORDER BY nth))
		FROM named);
COMMENT ON FUNCTION funnel_chart(json, text, text[]) IS
	'Draws what funnel_steps() returns: a bar for each step with the members who reached it, before it in grey those who were lost, and the share of those of the step before and of the first. names are those of the steps, the first first. Takes the columns step, members. Errors: those of chart_check.';

CREATE FUNCTION price_gap_chart(rows json, title text DEFAULT 'Who pays more for the same thing') RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH given AS (
			SELECT r ->> 'member_group' AS name, r ->> 'reference' AS reference, r ->> 'verdict' AS verdict,
				(r ->> 'premium_pct')::numeric AS premium, (r ->> 'premium_pct_low')::numeric AS low, (r ->> 'premium_pct_high')::numeric AS high
			FROM jsonb_array_elements(chart_check(rows, '{member_group,reference,verdict}', '{premium_pct,premium_pct_low,premium_pct_high}')) r
		), gap AS (
			SELECT *, row_number() OVER (ORDER BY premium DESC NULLS LAST, name COLLATE "C") - 1 AS nth FROM given
		), ticks AS (
			SELECT array_agg(t ORDER BY t) AS ticks, min(t) AS least, max(t) AS most
			FROM unnest(chart_ticks((SELECT least(0, min(least(premium, low))) FROM gap), (SELECT greatest(0.5, max(greatest(premium, high))) FROM gap), 5)) t
		), place AS (
			SELECT *, 48 + 44 * nth AS y, 316 / (most - least) AS per, 22 - 316 / (most - least) * least AS zero FROM gap, ticks
		)
		SELECT chart_frame(rows, title, 'premium over ' || coalesce(chart_label(min(reference COLLATE "C"), 18), 'the reference') || ' for the same thing, in %',
			'Premium with its interval: ' || coalesce(string_agg(coalesce(chart_escape(name), '') || ' ' || coalesce(chart_number(premium, 2), '') || ' %, ' || coalesce(chart_escape(verdict), ''), '; ' ORDER BY nth), 'no groups'),
			CASE WHEN count(*) > 0 THEN 72 + 44 * count(*) ELSE 92 END,
			(SELECT string_agg(chart_line(zero + per * t, 46, zero + per * t, 50 + 44 * n, CASE WHEN t = 0 THEN 'z' ELSE 'g' END) || chart_text(zero + per * t, 62 + 44 * n, 'm s c', chart_number(t, scale(t)) || ' %'), '' ORDER BY t)
				FROM (SELECT zero, per, ticks, count(*) AS n FROM place GROUP BY zero, per, ticks) p, unnest(ticks) t)
			|| string_agg(chart_bar(0, y + 3, 360, 15, 'p') || chart_text(6, y + 14, 'w', chart_label(name, 22))
				|| chart_text(354, y + 14, 'r', coalesce(chart_number(premium, 2) || ' %' || coalesce(' (' || chart_number(low, 2) || ' to ' || chart_number(high, 2) || '), ', ', '), '')
					|| coalesce(chart_label(verdict, 20), ''))
				|| coalesce(chart_line(zero + per * low, y + 28, zero + per * high, y + 28, 'u') || chart_line(zero + per * low, y + 24, zero + per * low, y + 32, 'u')
					|| chart_line(zero + per * high, y + 24, zero + per * high, y + 32, 'u'), '')
				|| coalesce(chart_bar(zero + per * premium - 5, y + 23, 10, 10, CASE WHEN low > 0 OR high < 0 THEN 'a q' ELSE 'p u' END, coalesce(chart_escape(name), '')), ''), '' ORDER BY nth))
		FROM place);
COMMENT ON FUNCTION price_gap_chart(json, text) IS
	'Draws what price_gaps() returns as a forest plot: for each group its premium over the reference for the same thing, in percent, with its interval; the square is filled if 0 is not in the interval. The largest premium comes first. Takes the columns member_group, reference, premium_pct, premium_pct_low, premium_pct_high, verdict. Errors: those of chart_check.';

CREATE FUNCTION flow_chart(rows json, title text DEFAULT 'Who moved', names text[] DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 20000
	RETURN (
		WITH given AS (
			SELECT coalesce(r ->> a.key, '(none)') AS source, coalesce(r ->> b.key, '(none)') AS target, greatest(coalesce((r ->> 'members')::numeric, 0), 0) AS members, n
			FROM jsonb_array_elements(chart_check(rows, '{}', '{"members"}')) WITH ORDINALITY e (r, n)
				LEFT JOIN LATERAL (SELECT min(k COLLATE "C") AS key FROM jsonb_object_keys(r) k WHERE k COLLATE "C" ~ '^from_' AND k <> 'from_monetary') a ON true
				LEFT JOIN LATERAL (SELECT min(k COLLATE "C") AS key FROM jsonb_object_keys(r) k WHERE k COLLATE "C" ~ '^to_' AND k <> 'to_monetary') b ON true
		), rank AS (
			SELECT name, row_number() OVER (ORDER BY name = '(none)', coalesce(array_position(names COLLATE "C", name), 1000000), is_target, first, name) AS rank
			FROM (SELECT DISTINCT ON (name) name, is_target, first
				FROM (SELECT source COLLATE "C" AS name, false AS is_target, min(n) AS first FROM given GROUP BY source
					UNION ALL SELECT target COLLATE "C", true, min(n) FROM given GROUP BY target) u ORDER BY name, is_target, first) u
		), flow AS (
			SELECT s.rank AS source_rank, t.rank AS target_rank, min(source) AS source, min(target) AS target, sum(members) AS members
			FROM given JOIN rank s ON s.name = source JOIN rank t ON t.name = target GROUP BY s.rank, t.rank HAVING sum(members) > 0
		), scale AS (
			SELECT 240 / sum(members) AS per FROM flow
		), node AS (
			SELECT side, rank, name, members, per * members AS height, sum(greatest(per * members, 24) + 6) OVER w - greatest(per * members, 24) - 6 + 52 AS y
			FROM (SELECT 1 AS side, source_rank AS rank, min(source) AS name, sum(members) AS members FROM flow GROUP BY source_rank
				UNION ALL SELECT 2, target_rank, min(target), sum(members) FROM flow GROUP BY target_rank) u, scale
			WINDOW w AS (PARTITION BY side ORDER BY rank)
		), band AS (
			SELECT f.*, per * f.members AS height,
				s.y + per * (sum(f.members) OVER (PARTITION BY source_rank ORDER BY target_rank) - f.members) AS y1,
				t.y + per * (sum(f.members) OVER (PARTITION BY target_rank ORDER BY source_rank) - f.members) AS y2,
				CASE WHEN f.source = '(none)' OR f.target = '(none)' OR source_rank = target_rank THEN 'f' WHEN target_rank < source_rank THEN 'b' ELSE 'e' END AS class
			FROM flow f JOIN node s ON s.side = 1 AND s.rank = source_rank JOIN node t ON t.side = 2 AND t.rank = target_rank, scale
		)
		SELECT chart_frame(rows, title, 'members: before on the left, after on the right',
			'Moves: ' || coalesce((SELECT string_agg(chart_escape(source) || ' to ' || chart_escape(target) || ' ' || chart_number(members), '; ' ORDER BY source_rank, target_rank) FROM flow), 'none'),
			coalesce(max(y + greatest(height, 24)) + 28, 92),
			(SELECT string_agg('<path class="' || class || ' v" d="M122 ' || chart_xy(y1) || 'C180 ' || chart_xy(y1) || ' 180 ' || chart_xy(y2) || ' 238 ' || chart_xy(y2) || 'V' || chart_xy(y2 + height)
				|| 'C180 ' || chart_xy(y2 + height) || ' 180 ' || chart_xy(y1 + height) || ' 122 ' || chart_xy(y1 + height) || 'Z"><title>' || chart_escape(source) || ' to ' || chart_escape(target) || ': '
				|| chart_number(members) || '</title></path>', '' ORDER BY source_rank = target_rank DESC, members DESC, source_rank, target_rank) FROM band)
			|| string_agg(chart_bar(CASE side WHEN 1 THEN 116 ELSE 238 END, y, 6, greatest(height, 1), 'k')
				|| chart_text(CASE side WHEN 1 THEN 112 ELSE 248 END, y + greatest(height, 24) / 2 - 1, CASE side WHEN 1 THEN 'r' END, chart_label(name, 18))
				|| chart_text(CASE side WHEN 1 THEN 112 ELSE 248 END, y + greatest(height, 24) / 2 + 11, CASE side WHEN 1 THEN 'm s r' ELSE 'm s' END, chart_number(members)), '' ORDER BY side, rank)
			|| chart_bar(78, max(y + greatest(height, 24)) + 12, 10, 10, 'b') || chart_text(92, max(y + greatest(height, 24)) + 21, 'm', 'up') || chart_bar(132, max(y + greatest(height, 24)) + 12, 10, 10, 'e')
			|| chart_text(146, max(y + greatest(height, 24)) + 21, 'm', 'down') || chart_bar(198, max(y + greatest(height, 24)) + 12, 10, 10, 'f') || chart_text(212, max(y + greatest(height, 24)) + 21, 'm', 'the same, new or gone'))
		FROM node);
COMMENT ON FUNCTION flow_chart(json, text, text[]) IS
	'Draws who moved from where to where between two dates, such as what rfm_transitions() or interaction_transitions() returns, as bands as wide as there are members. Takes the column members and two columns whose names begin with from_ and with to_, such as from_tier and to_tier; NULL there is (none). The best comes first in names; without them what comes first in the rows. Errors: those of chart_check.';

CREATE FUNCTION clv_chart(rows json, title text DEFAULT 'Lifetime value by segment', unit text DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH given AS (
			SELECT coalesce(r ->> 'segment', '(none)') AS name, (r ->> 'members')::numeric AS members, (r ->> 'clv')::numeric AS total, (r ->> 'avg_clv')::numeric AS each
			FROM jsonb_array_elements(chart_check(rows, '{"segment"}', '{members,clv,avg_clv}')) r
		), place AS (
			SELECT *, row_number() OVER w AS nth, 62 + 22 * (row_number() OVER w - 1) AS y, 64 / greatest(max(total) OVER (), 1e-9) AS per_total, 64 / greatest(max(each) OVER (), 1e-9) AS per_each
			FROM given WINDOW w AS (ORDER BY total DESC NULLS LAST, name COLLATE "C")
		)
		SELECT chart_frame(rows, title, 'what members are expected to bring' || coalesce(', ' || chart_label(unit, 24), ''),
			'By segment, all members together and each: ' || coalesce(string_agg(chart_escape(name) || ' ' || coalesce(chart_short(total), '') || ', ' || coalesce(chart_short(each), ''), '; ' ORDER BY nth), 'no segments'),
			CASE WHEN count(*) > 0 THEN 66 + 22 * count(*) ELSE 92 END,
			CASE WHEN count(*) > 0 THEN chart_text(132, 56, 'm s', 'all of them') || chart_text(248, 56, 'm s', 'each') END
			|| string_agg(chart_text(6, y + 12, NULL, chart_label(name, 22))
				|| coalesce(chart_bar(132, y + 2, per_total * total, 14, 'a', chart_escape(name) || ': ' || chart_number(total, 2) || coalesce(', members ' || chart_number(members), '')), '')
				|| chart_text(136 + per_total * greatest(coalesce(total, 0), 0), y + 13, 's', coalesce(chart_short(total), ''))
				|| coalesce(chart_bar(248, y + 2, per_each * each, 14, 'l q', chart_escape(name) || ', each: ' || chart_number(each, 2)), '')
				|| chart_text(252 + per_each * greatest(coalesce(each, 0), 0), y + 13, 's', coalesce(chart_short(each), '')), '' ORDER BY nth))
		FROM place);
COMMENT ON FUNCTION clv_chart(json, text, text) IS
	'Draws what members are expected to bring, by segment: together and each of them, the segment worth most first. Takes the columns segment, members, clv (the sum) and avg_clv (the mean) of clv_members() by segments; unit is that of the money. Errors: those of chart_check.';

CREATE FUNCTION fatigue_chart(rows json, title text DEFAULT 'Do we write too much?') RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH given AS (
			SELECT (r ->> 'prior')::numeric AS prior, coalesce((r ->> 'contacts')::numeric, 0) AS contacts, (r ->> 'rate_ratio')::numeric AS ratio, (r ->> 'ratio_ci_low')::numeric AS low,
				(r ->> 'ratio_ci_high')::numeric AS high, coalesce((r ->> 'is_tired')::boolean, false) AS is_tired
			FROM jsonb_array_elements(chart_check(rows, '{"is_tired"}', '{prior,contacts,rate_ratio,ratio_ci_low,ratio_ci_high}')) r WHERE r ->> 'prior' IS NOT NULL
		), size AS (
			SELECT max(prior) AS last, greatest(max(contacts), 1) AS most, min(prior) FILTER (WHERE is_tired) AS tired,
				-- An interval of few contacts may end far above; it is cut off there.
				(SELECT max(t) FROM unnest(chart_ticks(0, least(3, greatest(max(high) FILTER (WHERE high <= 2), max(ratio), 1.1)), 5)) t) AS high FROM given
		), place AS (
			SELECT g.*, 58 + 280 * prior / greatest(last, 1) AS x, 212 - 150 / s.high * ratio AS y, CASE WHEN low IS NULL THEN ratio ELSE least(low, s.high) END AS low_drawn, CASE WHEN g.high IS NULL THEN ratio ELSE least(g.high, s.high) END AS high_drawn, s.high AS axis,
				46 / most * contacts AS height, least(24, 250 / greatest(last, 1)) AS width
			FROM given g, size s
		)
		SELECT chart_frame(rows, title, 'how often members answer, compared with after none',
			CASE WHEN last IS NULL THEN 'No contacts.' WHEN tired IS NULL THEN 'No number of contacts after which members answer less.' ELSE 'Members answer less from ' || chart_number(tired) || ' contacts before on.' END
				|| coalesce((SELECT ' ' || string_agg(chart_number(prior) || ' before: ' || chart_number(ratio, 2), '; ' ORDER BY prior) FROM place WHERE ratio IS NOT NULL), ''),
			CASE WHEN last IS NULL THEN 92 ELSE 306 END,
			(SELECT string_agg(chart_line(40, 212 - 150 / high * t, 354, 212 - 150 / high * t, CASE WHEN t = 1 THEN 'y' ELSE 'g' END) || chart_text(36, 216 - 150 / high * t, 'm s r', chart_short(t)), '' ORDER BY t)
				FROM unnest(chart_ticks(0, high, 5)) t WHERE last IS NOT NULL)
			|| (SELECT coalesce('<path class="l" d="M' || string_agg(chart_xy(x) || ' ' || chart_xy(y_high), 'L' ORDER BY prior) || 'L' || string_agg(chart_xy(x) || ' ' || chart_xy(y_low), 'L' ORDER BY prior DESC) || 'Z"/>', '')
				FROM (SELECT x, prior, 212 - 150 / axis * high_drawn AS y_high, 212 - 150 / axis * low_drawn AS y_low FROM place WHERE ratio IS NOT NULL) p)
			|| coalesce((SELECT chart_line(x, 56, x, 212, 'y') || chart_text(CASE WHEN x < 200 THEN x + 5 ELSE x - 5 END, 58, CASE WHEN x < 200 THEN 'w h' ELSE 'w h r' END, 'from ' || chart_number(prior) || ' on they answer less')
				FROM place WHERE prior = tired LIMIT 1), CASE WHEN last IS NOT NULL THEN chart_text(354, 58, 'm r', 'no sign of fatigue') ELSE '' END)
			|| (SELECT coalesce('<path class="u" d="M' || string_agg(chart_xy(x) || ' ' || chart_xy(y), 'L' ORDER BY prior) || '"/>', '')
				|| coalesce(string_agg(chart_dot(x, y, 4.5, CASE WHEN is_tired THEN 'a q' ELSE 'p u' END, chart_number(prior) || ' before: ' || chart_number(ratio, 2)
					|| coalesce(' (' || chart_number(low, 2) || ' to ' || chart_number(place.high, 2) || ')', '')), '' ORDER BY prior), '') FROM place WHERE y IS NOT NULL)
			|| (SELECT string_agg(chart_bar(x - width / 2, 278 - height, width, height, 'f', chart_number(prior) || ' before: ' || chart_number(contacts) || ' contacts')
				|| CASE WHEN prior % ceil((last + 1) / 9) = 0 THEN chart_text(x, 274, 's c h', chart_short(contacts)) || chart_text(x, 290, 'm s c', chart_number(prior)) ELSE '' END, '' ORDER BY prior) || chart_text(354, 302, 'm s r', 'contacts before, within the span') || chart_text(6, 228, 'm s', 'contacts') FROM place))
		FROM size);
COMMENT ON FUNCTION fatigue_chart(json, text) IS
	'Draws what contact_fatigue() returns: how often members answer after so many contacts before, compared with none, with the interval as a band and the first number after which they answer less (is_tired, the point of diminishing return) as a line; filled dots are tired, the bars below are contacts. Takes the columns prior, contacts, rate_ratio, ratio_ci_low, ratio_ci_high, is_tired. Errors: those of chart_check.';

CREATE FUNCTION table_chart(rows json, title text DEFAULT 'Table', note text DEFAULT NULL) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10000
	RETURN (
		WITH given AS (
			SELECT r, n, count(*) OVER () AS of FROM json_array_elements(chart_check(rows, '{}', '{}')::json) WITH ORDINALITY e (r, n)
		), column_name AS (
			SELECT name, nth, count(*) OVER () AS of
			FROM json_object_keys(CASE json_typeof(rows) WHEN 'object' THEN rows -> 'rows' ELSE rows END -> 0) WITH ORDINALITY k (name, nth)
		), cell AS (
			SELECT g.n, g.of AS row_count, c.nth, c.of AS column_count, c.name, json_typeof(g.r -> c.name) = 'number' AS is_number,
				CASE json_typeof(g.r -> c.name) WHEN 'number' THEN CASE WHEN abs((g.r ->> c.name)::numeric) < 1e7 AND scale((g.r ->> c.name)::numeric) <= 0 THEN chart_number((g.r ->> c.name)::numeric) ELSE chart_short((g.r ->> c.name)::numeric) END
					WHEN 'boolean' THEN CASE g.r ->> c.name WHEN 'true' THEN 'yes' ELSE 'no' END ELSE chart_label(g.r ->> c.name, CASE WHEN g.of = 1 THEN 32 ELSE 54 / least(c.of, 5)::integer END) END AS value
			FROM given g, column_name c WHERE g.n <= 12 AND c.nth <= CASE WHEN g.of = 1 THEN 14 ELSE 5 END
		), place AS (
			-- A single row is a list of its columns.
			SELECT *, 344.0 / least(column_count, 5) AS width, 344.0 / least(column_count, 5) * (nth - 1) + 8 AS x FROM cell
		)
		SELECT chart_frame(rows, title, chart_label(note, 52), chart_number(count(DISTINCT n)) || ' rows: ' || coalesce(string_agg(CASE WHEN n <= 3 THEN chart_escape(name) || ' ' || coalesce(value, '') END, '; ' ORDER BY n, nth), 'none'),
			CASE WHEN max(row_count) = 1 THEN 50 + 18 * max(nth) WHEN max(row_count) > 1 THEN 72 + 18 * (max(n)::integer + CASE WHEN max(row_count) > 12 THEN 1 ELSE 0 END) ELSE 92 END,
			CASE WHEN max(row_count) = 1 THEN string_agg(chart_text(8, 42 + 18 * nth, 'm', chart_label(name, 26)) || coalesce(chart_text(352, 42 + 18 * nth, 'w r', value), ''), '' ORDER BY nth)
			ELSE string_agg(CASE WHEN n = 1 THEN chart_text(CASE WHEN is_number THEN x + width - 6 ELSE x END, 54, CASE WHEN is_number THEN 'm s r' ELSE 'm s' END, chart_label(name, 50 / least(column_count, 5)::integer)) ELSE '' END
					|| coalesce(chart_text(CASE WHEN is_number THEN x + width - 6 ELSE x END, 58 + 18 * n, CASE WHEN is_number THEN 'r' WHEN nth = 1 THEN 'w' END, value), '')
					|| CASE WHEN nth = 1 THEN chart_line(6, 45 + 18 * n, 354, 45 + 18 * n, 'g') ELSE '' END, '' ORDER BY n, nth)
				|| CASE WHEN max(row_count) > 12 THEN chart_text(8, 60 + 18 * 13, 'm', 'and ' || chart_number(max(row_count) - 12) || ' more') ELSE '' END END)
		FROM place);
COMMENT ON FUNCTION table_chart(json, text, text) IS
	'Draws any rows as a table: the first 12 of them and their first five columns, or all columns of a single row. note is a line below the title. Errors: those of chart_check.';

-- The page

CREATE FUNCTION chart_cell(value json) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 20
	RETURN CASE json_typeof(value)
		WHEN 'number' THEN (SELECT '<td class="n">' || CASE WHEN round(x, d) = x THEN chart_number(x, d) ELSE '<data value="' || value::text || '">' || chart_number(x, d) || '</data>' END || '</td>'
			FROM (SELECT x, CASE WHEN scale(x) <= 2 OR x = 0 THEN scale(x) ELSE least(scale(x), greatest(2, 3 - floor(log(abs(x)))))::integer END AS d FROM (SELECT (value::text)::numeric AS x) v) v)
		WHEN 'boolean' THEN '<td>' || CASE value::text WHEN 'true' THEN 'yes' ELSE 'no' END || '</td>'
		WHEN 'string' THEN '<td dir="auto">' || chart_escape(value #>> '{}') || '</td>'
		WHEN 'null' THEN '<td></td>'
		ELSE coalesce('<td>' || chart_escape(value::text) || '</td>', '<td></td>') END;
COMMENT ON FUNCTION chart_cell(json) IS
	'A value in a table of HTML. A number of more than two decimals is shown in four digits, or with two decimals, and is there in full as value of a data element.';

CREATE FUNCTION chart_table(rows json, caption text) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 1000
	RETURN (
		SELECT '<table><caption>' || caption || '</caption><thead><tr>' || (SELECT string_agg('<th scope="col">' || chart_escape(c.name) || '</th>', '' ORDER BY c.n) FROM unnest(k.names) WITH ORDINALITY c (name, n))
			|| '</tr></thead><tbody>' || string_agg('<tr>' || (SELECT string_agg(chart_cell(e.r -> c.name), '' ORDER BY c.n) FROM unnest(k.names) WITH ORDINALITY c (name, n)) || '</tr>', '' ORDER BY e.n)
			|| '</tbody></table>'
		FROM (SELECT ARRAY(SELECT n FROM json_object_keys(rows -> 0) WITH ORDINALITY o (n, nth) ORDER BY nth) AS names) k, json_array_elements(rows) WITH ORDINALITY e (r, n)
		GROUP BY k.names);
COMMENT ON FUNCTION chart_table(json, text) IS 'A table of HTML of an array of rows, with the columns of the first in their order; NULL if there is no row. caption is escaped.';

CREATE FUNCTION custmart_report(title text, VARIADIC parts text[] DEFAULT '{}') RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 20000
	RETURN (
		WITH part AS (
			SELECT p AS part, n, (regexp_match(p COLLATE "C", '<metadata>([^<]*)</metadata>'))[1] AS metadata,
				regexp_replace(replace(p COLLATE "C", chart_style(), ''), '<metadata>[^<]*</metadata>', '') AS picture
			FROM unnest(parts) WITH ORDINALITY u (p, n) WHERE p IS NOT NULL
		), safe AS (
			-- A text may come from anywhere, so what is put into the page as it is may consist of nothing but the elements and attributes of a chart.
			SELECT n, part, picture, replace(replace(metadata, '&lt;', '<'), '&amp;', '&')::json AS data, coalesce((regexp_match(picture, '<title>([^<]*)</title>'))[1], '') AS name
			FROM part
			WHERE metadata IS NOT NULL AND left(picture, 56) = '<svg xmlns="http://www.w3.org/2000/svg" class="cm" role='
				AND picture ~ '^(?:[^<>]|<(?:/(?:svg|title|desc|text|rect|path|circle)|(?:svg|title|desc|text|rect|path|circle)(?: (?:xmlns|class|role|viewBox|x|y|width|height|cx|cy|r|d)="[^"<>]*")*/?)>)*$'
		)
		SELECT E'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
			'<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; img-src data:"><link rel="icon" href="data:,">'
			'<title>' || chart_escape(coalesce(title, '')) || '</title>' || chart_style() ||
			'<style>:root{color-scheme:light dark}*{box-sizing:border-box}'
			'body{margin:0;background:#f3f5f8;color:#1b1f24;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}'
			'main{max-width:1480px;margin:0 auto;padding:16px}h1{font-size:1.5rem;line-height:1.25;margin:8px 4px 16px;overflow-wrap:anywhere}'
			'h2,caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}'
			'.parts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:16px}'
			'.part{display:flex;flex-direction:column;background:#fff;border:1px solid #d8dee4;border-radius:10px;padding:10px;min-width:0;position:relative}.words{grid-column:1/-1;margin:0 4px;white-space:pre-line;overflow-wrap:anywhere;max-width:75ch}'
			'svg{display:block;width:100%;max-width:560px;height:auto;margin:0 auto auto;print-color-adjust:exact;-webkit-print-color-adjust:exact}'
			'details{margin-top:8px;font-size:13px}summary{cursor:pointer;padding:2px 4px}.scroll{overflow:auto;max-height:26rem;margin-top:4px;border:1px solid #d8dee4;border-radius:6px}'
			'table{border-collapse:collapse;min-width:100%}th,td{padding:3px 8px;text-align:start;vertical-align:top;min-width:4ch;max-width:22em;overflow-wrap:break-word;border-bottom:1px solid #e6eaef}'
			'th{font-weight:600;color:#57606a}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}pre{margin:0;padding:8px;font:12px/1.45 ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace;tab-size:4}'
			'@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}.part{background:#161b22;border-color:#30363d}.scroll{border-color:#30363d}th,td{border-color:#262c34}th{color:#a3adb8}}'
			'@media(max-width:480px){main{padding:6px}.part{padding:6px}.parts{gap:8px}}'
			'@media print{body{background:#fff}main{padding:0}.part{break-inside:avoid;border:0}details:not([open]){display:none}.scroll{max-height:none}}</style></head>' ||
			E'\n<body><main><h1 dir="auto">' || chart_escape(coalesce(title, '')) || '</h1><div class="parts">'
			|| coalesce(string_agg(E'\n' || CASE WHEN safe.n IS NULL THEN '<p class="words" dir="auto">' || chart_escape(part.part) || '</p>'
				ELSE '<section class="part"><h2>' || safe.name || '</h2>' || safe.picture
					|| coalesce('<details><summary>Numbers</summary><div class="scroll" tabindex="0" role="group" aria-label="Numbers: ' || safe.name || '">'
						|| chart_table(safe.data -> 'rows', safe.name) || '</div></details>', '')
					|| coalesce('<details><summary>SQL</summary><div class="scroll" tabindex="0" role="group" aria-label="SQL: ' || safe.name || '"><pre><code>'
						|| chart_escape(safe.data ->> 'statement') || '</code></pre></div></details>', '') || '</section>' END, '' ORDER BY part.n), '')
			|| E'\n</div></main></body></html>\n'
		FROM part LEFT JOIN safe USING (n));
COMMENT ON FUNCTION custmart_report(text, text[]) IS
	'A page of HTML with a title and the parts: for each chart the picture, a table of its rows, and the SQL that made it if the rows came from chart_rows(). A part that is no chart is a paragraph of text, NULL is left out. The page has everything in it: no script, no font, no request to anywhere; it is text in the encoding of the client, and says it is UTF-8. Errors: 22P02 for a chart whose metadata were changed.';
